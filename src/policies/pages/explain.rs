//! The page that explains: may this person do this, why, what would have to change, and who can.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    access::{Answer, EffectivePermission, PermissionInfo},
    accounts::pages::{list::person_name, status_badge},
    base::{
        errors::AppError,
        language::{self, td_string},
    },
    policies::{
        Able, AblePage, AbleQuery, Evaluation, Evaluations, Question, Remedy, Resource as Asked,
        calls::{evaluate, who_can},
    },
    roles::{
        calls::list_permissions,
        pages::{bounds, reasons, role_links},
    },
    ui::{
        address::{self, filled},
        fields::{Field, Select},
        filters::Filters,
        icons::Icon,
        is_arabic, locale,
        pieces::{self, Tone},
        states,
        table::{Column, table},
    },
};

const PATH: &str = "/console/explain";

/// What the address asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    user: Option<String>,
    key: Option<String>,
    after: Option<String>,
}

impl Wanted {
    fn question(&self) -> Option<Question> {
        let (resource, action) = self.key.as_ref()?.rsplit_once('.')?;
        let resource = Asked::Kind(resource.to_owned());
        Some(Question { user: self.user.clone()?, resource, action: action.to_owned(), env: None })
    }

    fn address(&self, after: &str) -> String {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        address::with_query(PATH, &[("user", &text(&self.user)), ("key", &text(&self.key)), ("after", after)])
    }
}

#[component]
pub fn ExplainPage() -> impl IntoView {
    let locale = locale();
    let map = use_query_map();
    let wanted = address::settled(move || {
        map.with(|map| Wanted {
            user: filled(map.get("user")),
            key: filled(map.get("key")),
            after: filled(map.get("after")),
        })
    });
    let permissions = Resource::new_blocking(|| (), |()| list_permissions());
    let answer = Resource::new_blocking(
        move || wanted.get().question(),
        |question| async move {
            match question {
                Some(question) => evaluate(question).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let able = Resource::new_blocking(
        move || wanted.with(|wanted| (wanted.key.clone(), wanted.after.clone())),
        |(key, after)| async move {
            match key {
                Some(key) => who_can(key, AbleQuery { after, limit: None }).await.map(Some),
                None => Ok(None),
            }
        },
    );
    view! {
        <Title text=td_string!(locale, policies.explain) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, policies.explain)}</h1>
                <p class="small muted">{td_string!(locale, policies.explain_about)}</p>
            </div>
        </div>
        <Suspense fallback=move || states::loading(6)>
            {move || {
                let wanted = wanted.get();
                Suspend::new(async move {
                    let all = match permissions.await {
                        Ok(all) => all,
                        Err(error) => return states::failure(&error),
                    };
                    let name = wanted.key.as_ref().and_then(|key| all.iter().find(|info| info.key == *key)).cloned();
                    let told = match answer.await {
                        Ok(Some(Evaluations::One(evaluation))) => told(&wanted, evaluation, name),
                        Ok(_) => ().into_any(),
                        Err(error) => nobody(&error),
                    };
                    let able = match able.await {
                        Ok(Some(page)) => able_list(&wanted, page),
                        Ok(None) => states::empty(
                            Icon::Why,
                            td_string!(locale, policies.ask_first),
                            td_string!(locale, policies.ask_first_about),
                            None,
                        ),
                        Err(error) => states::failed(&error),
                    };
                    view! { {form(&wanted, all)} {told} {able} }.into_any()
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn form(wanted: &Wanted, all: Vec<PermissionInfo>) -> AnyView {
    let locale = locale();
    let arabic = is_arabic();
    let first = (String::new(), td_string!(locale, policies.choose_permission).to_owned());
    let keys = all.into_iter().filter(|info| !info.key.ends_with('*'));
    let keys = keys.map(|info| (info.key.clone(), format!("{} — {}", info.name(arabic), language::isolate(&info.key))));
    let options = std::iter::once(first).chain(keys).collect::<Vec<_>>();
    let filtered = wanted.user.is_some() || wanted.key.is_some();
    let (user, key) = (wanted.user.clone().unwrap_or_default(), wanted.key.clone().unwrap_or_default());
    view! {
        <Filters path=PATH fields=&["user", "key"] filtered>
            <Field
                name="user"
                label=td_string!(locale, policies.person_field)
                value=user
                ltr=true
            />
            <Select
                name="key"
                label=td_string!(locale, policies.permission)
                options
                value=key
            />
        </Filters>
    }
    .into_any()
}

/// Who is asked about cannot be found.
fn nobody(error: &AppError) -> AnyView {
    let locale = locale();
    match error {
        AppError::Invalid(_) => {
            states::notice(states::Mood::Waiting, view! { <p>{td_string!(locale, policies.no_such_person)}</p> })
        }
        other => states::failed(other),
    }
}

fn told(wanted: &Wanted, evaluation: Evaluation, info: Option<PermissionInfo>) -> AnyView {
    let locale = locale();
    let asked = wanted.user.clone().map(pieces::key);
    let (tone, sign, word) = match evaluation.answer {
        Answer::Yes => (Tone::Good, Icon::Allowed, td_string!(locale, policies.may)),
        Answer::No => (Tone::Bad, Icon::Denied, td_string!(locale, policies.may_not)),
        Answer::Depends => (Tone::Waiting, Icon::Clock, td_string!(locale, policies.may_somewhere)),
    };
    let info = info.unwrap_or_default();
    let name = info.name(is_arabic()).to_owned();
    let remedies = (!evaluation.would_allow.is_empty()).then(|| {
        let lines = evaluation
            .would_allow
            .iter()
            .map(|remedy| view! { <li><div>{self::remedy(remedy)}</div></li> })
            .collect_view();
        view! {
            <h3>{td_string!(locale, policies.would_allow)}</h3>
            <ul class="reasons">{lines}</ul>
        }
    });
    let effective = EffectivePermission {
        key: evaluation.permission.clone(),
        name_ar: info.name_ar,
        name_en: info.name_en,
        allowed: evaluation.allow,
        because: evaluation.because,
    };
    view! {
        <section class="card padded" aria-labelledby="answer-title">
            <h2 id="answer-title" class="row-of">
                {pieces::badge(tone, Some(sign), word)} <span>{name}</span>
            </h2>
            <p class="row-of small muted">{asked} {pieces::key(evaluation.permission)}</p>
            <h3>{td_string!(locale, policies.why)}</h3>
            {reasons::all(&effective)}
            {remedies}
        </section>
    }
    .into_any()
}

/// What would have to change, as a sentence.
fn remedy(remedy: &Remedy) -> AnyView {
    let locale = locale();
    match remedy {
        Remedy::Activate => td_string!(locale, policies.activate).into_any(),
        Remedy::LiftDeny { through } => {
            let words = td_string!(locale, policies.lift_deny, through = pieces::isolate_key(through)).to_string();
            pieces::sentence(&words)
        }
        Remedy::Widen { role, scope } => {
            let place = bounds::phrases(Some(scope), None, None).join(td_string!(locale, base.list_separator));
            let role = language::isolate(&role.name);
            pieces::sentence(&td_string!(locale, policies.widen, role = role, place = place).to_string())
        }
        Remedy::GiveRole { roles } => {
            view! { <span>{td_string!(locale, policies.give_role)}</span> {role_links(roles)} }.into_any()
        }
        Remedy::Policy { policy } => {
            let words = td_string!(locale, policies.fit_policy, policy = pieces::isolate_key(&policy.name)).to_string();
            pieces::sentence(&words)
        }
        Remedy::Allow { permission } => {
            let words = td_string!(locale, policies.allow_it, permission = pieces::isolate_key(permission)).to_string();
            pieces::sentence(&words)
        }
    }
}

/// Everybody who can, with the first reason of each.
fn able_list(wanted: &Wanted, page: AblePage) -> AnyView {
    let locale = locale();
    let title = td_string!(locale, policies.who_can);
    let count = td_string!(locale, policies.able_count, count = page.total).to_string();
    let columns = [
        Column::new(td_string!(locale, policies.person)),
        Column::new(td_string!(locale, policies.status)).wide(),
        Column::new(td_string!(locale, policies.why)),
    ];
    let key = wanted.key.clone().unwrap_or_default();
    let rows = page.items.into_iter().map(|able| row(able, &key)).collect::<Vec<_>>();
    let first = wanted.after.is_some().then(|| wanted.address(""));
    let next = page.next.map(|after| wanted.address(&after));
    let body = (!rows.is_empty()).then(|| table(title, columns, rows));
    view! {
        <section class="stack" aria-labelledby="able-title">
            <h2 id="able-title">{title}</h2>
            <p class="muted" role="status">{count}</p>
            {body}
            {pieces::pager(first, next)}
        </section>
    }
    .into_any()
}

fn row(able: Able, key: &str) -> AnyView {
    let locale = locale();
    let href = address::with_query(PATH, &[("user", &able.email), ("key", key)]);
    let because = able.because.first().map(reasons::sentence).unwrap_or_default();
    let more = able.because.len().saturating_sub(1);
    let more = (more > 0).then(|| {
        let words = td_string!(locale, policies.more_reasons, count = more).to_string();
        view! { " " <span class="small muted">{words}</span> }
    });
    view! {
        <tr>
            <th scope="row">{person_name(&able.name, &able.email, href)}</th>
            <td class="wide-only">{status_badge(able.status)}</td>
            <td class="small">{pieces::sentence(&because)} {more}</td>
        </tr>
    }
    .into_any()
}
