//! The audit log on the screen, with everything one may look for in it.

use std::time::Duration;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    hooks::use_query_map,
    path,
};

mod changes;
pub mod list;
mod proof;
mod words;

pub use changes::{moved, proposed};
use list::{entries, outcome_word};
pub use words::field_word;
use words::{ACTIONS, action_word};

use crate::{
    access::{AUDIT_EXPORT, AUDIT_READ},
    audit::{AuditEntry, AuditQuery, Outcome, RECENT_HOURS, list_audit},
    base::{
        errors::AppError,
        language::{self, td_string},
        paging::Page,
    },
    ui::{
        address::{self, filled},
        fields::{Field, Select},
        filters::{Chip, Filters, FoldedFilters, MoreFilters, chips, to_readers},
        icons::{Icon, icon},
        is_live,
        lazy::lazy_pages,
        list::Place,
        locale, pieces, states,
        viewer::viewer,
    },
};

const PATH: &str = "/console/audit";
/// The fields of the filter, as they stand in the address.
const FIELDS: &[&str] = &[
    "q",
    "action",
    "outcome",
    "last_hours",
    "resource_type",
    "from",
    "to",
    "actor",
    "impersonator",
    "about",
    "resource_id",
    "ip",
];

lazy_pages! {
    (draw_audit, load_audit)
    Audit: AuditRoute => AuditPage,
}

#[component(transparent)]
pub fn AuditRoutes() -> AnyNestedRoute {
    view! { <Route path=path!("audit") view={Lazy::<AuditRoute>::new()} /> }.into_inner().into_any_nested_route()
}

#[component]
fn AuditPage() -> impl IntoView {
    let locale = locale();
    let query = query();
    let answer = Resource::new_blocking(move || query.get(), list_audit);
    let viewer = viewer();
    let following = RwSignal::new(false);
    follow(following, query, answer);
    view! {
        <Title text=td_string!(locale, audit.audit_log) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, audit.audit_log)}</h1>
                <p class="small muted">{td_string!(locale, audit.nothing_about)}</p>
            </div>
            <Suspense>
                {move || {
                    let viewer = viewer.clone();
                    Suspend::new(async move {
                        let held = viewer.holds().await;
                        held.may(AUDIT_READ.as_str()).then(|| head(query, following, held.may(AUDIT_EXPORT.as_str())))
                    })
                }}
            </Suspense>
        </div>
        <proof::Proof />
        {to_readers(AUDIT_READ.as_str(), Callback::new(move |()| filters(query.get())))}
        <Transition fallback=move || states::loading_table(8)>
            {move || {
                let query = query.get();
                Suspend::new(async move {
                    let answer = answer.await;
                    view! {
                        {chips(hidden_filters(&query, answer.as_ref().ok()))}
                        {log(&query, answer)}
                    }
                    .into_any()
                })
            }}
        </Transition>
    }
    .into_any()
}

/// How often a log that is followed is asked for.
const EVERY: Duration = Duration::from_secs(3);

/// Asks for the list again and again while `following` holds and its first page is shown.
fn follow(following: RwSignal<bool>, query: Signal<AuditQuery>, answer: Resource<Result<Page<AuditEntry>, AppError>>) {
    Effect::new(move |_| {
        if !following.get() || query.with(|query| query.after.is_some()) {
            return;
        }
        let handle = set_interval_with_handle(move || answer.refetch(), EVERY);
        on_cleanup(move || {
            if let Ok(handle) = handle {
                handle.clear();
            }
        });
    });
}

/// What can be done with the log as it is filtered.
fn head(query: Signal<AuditQuery>, following: RwSignal<bool>, may_export: bool) -> AnyView {
    let locale = locale();
    let live = is_live();
    let export = may_export.then(|| {
        let href = move |path: &'static str| move || query.with(|query| address_of(path, query, ""));
        view! {
            <a class="btn" rel="external" download="" href=href("/admin/audit/export.csv")>
                {icon(Icon::Down)}
                <span class="away">{td_string!(locale, audit.export)} " "</span>
                {td_string!(locale, audit.export_csv)}
            </a>
            <a class="btn" rel="external" download="" href=href("/admin/audit/export.jsonl")>
                {icon(Icon::Down)}
                <span class="away">{td_string!(locale, audit.export)} " "</span>
                {td_string!(locale, audit.export_lines)}
            </a>
        }
    });
    view! {
        <div class="row-of">
            <button
                class="btn"
                type="button"
                aria-pressed=move || if following.get() { "true" } else { "false" }
                disabled=move || !live.get()
                on:click=move |_| following.update(|following| *following = !*following)
            >
                {move || if following.get() { icon(Icon::Pause) } else { icon(Icon::Play) }}
                {td_string!(locale, audit.live)}
            </button>
            {export}
        </div>
    }
    .into_any()
}

/// What the address asks for.
fn query() -> Signal<AuditQuery> {
    let map = use_query_map();
    address::settled(move || {
        map.with(|map| {
            let field = |name: &str| filled(map.get(name));
            AuditQuery {
                q: field("q"),
                actor: field("actor"),
                impersonator: field("impersonator"),
                about: field("about"),
                action: field("action"),
                resource_type: field("resource_type"),
                resource_id: field("resource_id"),
                outcome: field("outcome"),
                ip: field("ip"),
                from: field("from"),
                to: field("to"),
                last_hours: field("last_hours"),
                after: field("after"),
                limit: None,
            }
        })
    })
}

fn is_filtered(query: &AuditQuery) -> bool {
    AuditQuery { after: None, ..query.clone() } != AuditQuery::default()
}

/// The same filters at another place of the log.
fn at(query: &AuditQuery, after: &str) -> String {
    address_of(PATH, query, after)
}

fn address_of(path: &str, query: &AuditQuery, after: &str) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    address::with_query(
        path,
        &[
            ("q", &text(&query.q)),
            ("action", &text(&query.action)),
            ("outcome", &text(&query.outcome)),
            ("last_hours", &text(&query.last_hours)),
            ("from", &text(&query.from)),
            ("to", &text(&query.to)),
            ("actor", &text(&query.actor)),
            ("impersonator", &text(&query.impersonator)),
            ("about", &text(&query.about)),
            ("resource_type", &text(&query.resource_type)),
            ("resource_id", &text(&query.resource_id)),
            ("ip", &text(&query.ip)),
            ("after", after),
        ],
    )
}

/// The filters that come from links and have no field. Names are those that the rows tell.
fn hidden_filters(query: &AuditQuery, page: Option<&Page<AuditEntry>>) -> Vec<Chip> {
    let locale = locale();
    let rows = page.map(|page| page.items.as_slice()).unwrap_or_default();
    let actor_name = |id: &str| {
        let row = rows.iter().find(|row| row.user_id.is_some_and(|actor| actor.to_string() == id));
        language::isolate(row.and_then(|row| row.user_name.as_deref()).unwrap_or(id))
    };
    let thing_name = |id: &str| {
        let row = rows.iter().find(|row| row.resource_id.as_deref() == Some(id));
        language::isolate(row.and_then(|row| row.resource_name.as_deref()).unwrap_or(id))
    };
    let mut found = Vec::new();
    let mut chip = |word: String, without: AuditQuery| found.push(Chip { word, without: at(&without, "") });
    if let Some(id) = &query.actor {
        let word = td_string!(locale, audit.chip_actor, name = actor_name(id)).to_string();
        chip(word, AuditQuery { actor: None, ..query.clone() });
    }
    if let Some(id) = &query.impersonator {
        let row = rows.iter().find(|row| row.impersonator_id.is_some_and(|other| other.to_string() == *id));
        let name = language::isolate(row.and_then(|row| row.impersonator_name.as_deref()).unwrap_or(id));
        let word = td_string!(locale, audit.chip_impersonator, name = name).to_string();
        chip(word, AuditQuery { impersonator: None, ..query.clone() });
    }
    if let Some(id) = &query.about {
        let word = td_string!(locale, audit.chip_about, name = thing_name(id)).to_string();
        chip(word, AuditQuery { about: None, ..query.clone() });
    }
    if let Some(id) = &query.resource_id {
        let word = td_string!(locale, audit.chip_about, name = thing_name(id)).to_string();
        chip(word, AuditQuery { resource_id: None, ..query.clone() });
    }
    if let Some(ip) = &query.ip {
        let word = td_string!(locale, audit.chip_ip, ip = pieces::isolate_key(ip)).to_string();
        chip(word, AuditQuery { ip: None, ..query.clone() });
    }
    found
}

fn filters(query: AuditQuery) -> AnyView {
    let locale = locale();
    let filtered = is_filtered(&query);
    let any = |word: &str| (String::new(), word.to_owned());
    let actions = [
        any(td_string!(locale, audit.action_any)),
        ("admin.".to_owned(), td_string!(locale, audit.actions_admin).to_owned()),
        ("approval.".to_owned(), td_string!(locale, audit.actions_approval).to_owned()),
        ("auth.".to_owned(), td_string!(locale, audit.actions_auth).to_owned()),
    ];
    let actions = actions
        .into_iter()
        .chain(ACTIONS.iter().map(|action| (action.to_string(), action_word(action).unwrap_or(action).to_owned())));
    let outcomes = [Outcome::Done, Outcome::Denied, Outcome::Failed]
        .map(|outcome| (outcome.as_str().to_owned(), outcome_word(outcome).to_owned()));
    let outcomes = [any(td_string!(locale, audit.outcome_any))].into_iter().chain(outcomes);
    let hours = |hours: u32, word: &str| (hours.to_string(), word.to_owned());
    let periods = vec![
        any(td_string!(locale, audit.period_any)),
        hours(RECENT_HOURS, td_string!(locale, audit.period_day)),
        hours(7 * 24, td_string!(locale, audit.period_week)),
        hours(30 * 24, td_string!(locale, audit.period_month)),
    ];
    let kinds = [
        any(td_string!(locale, audit.resource_any)),
        ("user".to_owned(), td_string!(locale, audit.resource_user).to_owned()),
        ("role".to_owned(), td_string!(locale, audit.resource_role).to_owned()),
        ("group".to_owned(), td_string!(locale, audit.resource_group).to_owned()),
        ("tenant".to_owned(), td_string!(locale, audit.resource_tenant).to_owned()),
        ("session".to_owned(), td_string!(locale, audit.resource_session).to_owned()),
        ("settings".to_owned(), td_string!(locale, audit.resource_settings).to_owned()),
        ("api_key".to_owned(), td_string!(locale, audit.resource_api_key).to_owned()),
        ("approval".to_owned(), td_string!(locale, audit.resource_approval).to_owned()),
        ("audit".to_owned(), td_string!(locale, audit.resource_audit).to_owned()),
        ("permission".to_owned(), td_string!(locale, audit.resource_permission).to_owned()),
        ("policy".to_owned(), td_string!(locale, audit.resource_policy).to_owned()),
        ("consent".to_owned(), td_string!(locale, audit.resource_consent).to_owned()),
        ("passkey".to_owned(), td_string!(locale, audit.resource_passkey).to_owned()),
        ("catalogue".to_owned(), td_string!(locale, audit.resource_catalogue).to_owned()),
    ];
    let mine = [&query.action, &query.outcome, &query.last_hours, &query.resource_type, &query.from, &query.to];
    let active = mine.into_iter().flatten().count();
    let more = query.resource_type.is_some() || query.from.is_some() || query.to.is_some();
    let kept = [
        ("actor", query.actor),
        ("impersonator", query.impersonator),
        ("about", query.about),
        ("resource_id", query.resource_id),
        ("ip", query.ip),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(view! { <input type="hidden" name=name value=value? /> }))
    .collect_view();
    view! {
        <Filters path=PATH fields=FIELDS filtered>
            {kept}
            <div class="field wide">
                <Field name="q" label=td_string!(locale, audit.search) kind="search" value=query.q.unwrap_or_default() />
            </div>
            <FoldedFilters active>
                <Select
                    name="action"
                    label=td_string!(locale, audit.action)
                    options=actions.collect()
                    value=query.action.unwrap_or_default()
                />
                <Select
                    name="outcome"
                    label=td_string!(locale, audit.outcome)
                    options=outcomes.collect()
                    value=query.outcome.unwrap_or_default()
                />
                <Select
                    name="last_hours"
                    label=td_string!(locale, audit.period)
                    options=periods
                    value=query.last_hours.unwrap_or_default()
                />
                <MoreFilters open=more>
                    <Select
                        name="resource_type"
                        label=td_string!(locale, audit.resource)
                        options=kinds.to_vec()
                        value=query.resource_type.unwrap_or_default()
                    />
                    <Field name="from" label=td_string!(locale, audit.from) kind="date" value=query.from.unwrap_or_default() />
                    <Field name="to" label=td_string!(locale, audit.to) kind="date" value=query.to.unwrap_or_default() />
                </MoreFilters>
            </FoldedFilters>
        </Filters>
    }
    .into_any()
}

fn log(query: &AuditQuery, answer: Result<Page<AuditEntry>, AppError>) -> AnyView {
    let place = Place {
        is_filtered: is_filtered(query),
        all: PATH.to_owned(),
        is_later: query.after.is_some(),
        at: |after: &str| at(query, after),
    };
    entries(answer, place)
}
