//! The page of one text, also of one that is not there yet.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map},
};

use super::{PATH, label, lines, list::state};
use crate::{
    access::{CONSENTS_MANAGE, USERS_READ},
    accounts::pages::list::person_name,
    base::{
        errors::AppError,
        ids::ConsentId,
        language::{self, td_string},
        paging::Page,
    },
    consents::{
        ConsentChange, ConsentEdit, ConsentText, ConsentsQuery, Giver, NewConsent,
        calls::{change_consent, get_consent},
    },
    ui::{
        address,
        browser::Typed,
        calls::Call,
        dialog::Confirm,
        fields::{self, Field, TextArea, field_error},
        icons::Icon,
        is_live,
        list::{Empty, Place, list},
        locale, pieces, states,
        table::{Column, table},
        toasts::toasts,
        unsaved::Unsaved,
        viewer::{Held, viewer},
    },
};

/// A text: what it says, who has given it (E5).
#[component]
pub fn ConsentPage() -> impl IntoView {
    let viewer = viewer();
    let params = use_params_map();
    let id = address::settled(move || params.with(|params| params.get("id").unwrap_or_default()));
    let after = address::query_field("after");
    let found = Resource::new_blocking(
        move || (id.get(), after.get()),
        |(id, after)| async move {
            match id.parse::<ConsentId>() {
                Ok(id) => get_consent(id, ConsentsQuery { after, limit: None }).await.map(Some),
                Err(_) if id == "new" => Ok(None),
                Err(_no_id) => Err(AppError::NotFound),
            }
        },
    );
    let changed = Callback::new(move |()| found.refetch());
    view! {
        <Suspense fallback=move || states::loading_form(6)>
            {move || {
                let (viewer, is_later) = (viewer.clone(), after.get().is_some());
                Suspend::new(async move {
                    let found = found.await;
                    page(found, is_later, &viewer.holds().await, changed)
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn page(
    found: Result<Option<(ConsentText, Page<Giver>)>, AppError>,
    is_later: bool,
    held: &Held,
    changed: Callback<()>,
) -> AnyView {
    let locale = locale();
    let may_manage = held.may(CONSENTS_MANAGE.as_str());
    let (title, body) = match found {
        Err(error) => (td_string!(locale, consents.consents).to_owned(), states::failure(&error)),
        Ok(None) if !may_manage => {
            (td_string!(locale, consents.create).to_owned(), states::refused(CONSENTS_MANAGE.as_str()))
        }
        Ok(None) => (td_string!(locale, consents.create).to_owned(), form(None, changed)),
        Ok(Some((text, givers))) => {
            let title = text.draft.of(locale).0.to_owned();
            let words = if may_manage && text.retired_at.is_none() {
                form(Some(&text), changed)
            } else {
                view! { <section class="card padded">{lines(text.draft.of(locale).1)}</section> }.into_any()
            };
            let people = held.may(USERS_READ.as_str()).then(|| people(&text, givers, is_later));
            let about = td_string!(locale, consents.version_of, number = text.latest).to_string();
            let count = td_string!(locale, consents.people_count, count = text.people).to_string();
            let body = view! {
                <p>{state(&text)} " " {pieces::key(text.key.clone())} " " <span class="muted">{about} " · " {count}</span></p>
                {words}
                {people}
            };
            (title, body.into_any())
        }
    };
    view! {
        <Title text=title.clone() />
        <div class="page-head"><h1 class="breaks">{pieces::typed(title)}</h1></div>
        {body}
    }
    .into_any()
}

/// What it says in each language, and the acts on it.
fn form(text: Option<&ConsentText>, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (call, toasts, navigate) = (Call::new(), toasts(), use_navigate());
    let name = text.map_or_else(|| "new".to_owned(), |text| text.id.to_string());
    let unsaved = Unsaved::new(format!("consent/{name}"), text.map(|text| text.version).unwrap_or_default());
    let send = Callback::new(move |change: ConsentChange| {
        let (navigate, is_new) = (navigate.clone(), matches!(change, ConsentChange::Create(_)));
        let is_published = matches!(change, ConsentChange::Publish(..));
        // What was published or retired is what was saved before.
        let is_saved = matches!(change, ConsentChange::Create(_) | ConsentChange::Edit(..));
        call.run(change_consent(change), move |text| {
            if is_saved {
                unsaved.forget();
            }
            toasts.say(td_string!(locale, consents.saved));
            if is_new {
                navigate(&format!("{PATH}/{}", text.id), NavigateOptions::default());
            } else if is_published {
                // Whoever publishes may owe it now themselves: the guard of the pages knows. Cannot fail in a page.
                let _unused = location().reload();
            } else {
                changed.run(());
            }
        });
    });
    let seen = text.map(|text| (text.id, text.version));
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let required = !typed.text("required").is_empty();
        let [title_ar, title_en, body_ar, body_en] =
            ["title_ar", "title_en", "body_ar", "body_en"].map(|name| typed.text(name));
        send.run(match seen {
            None => ConsentChange::Create(NewConsent {
                key: typed.text("key"),
                required,
                title_ar,
                title_en,
                body_ar,
                body_en,
            }),
            Some((id, version)) => ConsentChange::Edit(
                id,
                ConsentEdit {
                    required: Some(required),
                    title_ar: Some(title_ar),
                    title_en: Some(title_en),
                    body_ar: Some(body_ar),
                    body_en: Some(body_en),
                    version: Some(version),
                },
            ),
        });
    };
    let key = text.is_none().then(|| {
        view! {
            <Field
                name="key"
                label=td_string!(locale, consents.key)
                hint=td_string!(locale, consents.key_hint)
                required=true
                longest="60"
                ltr=true
                error=field_error(call.error, "key")
            />
        }
    });
    let draft = text.map(|text| text.draft.clone()).unwrap_or_default();
    let title = |name: &'static str, value: String| {
        let label = label(name).unwrap_or_default();
        view! { <Field name label value required=true longest="200" error=field_error(call.error, name) /> }.into_any()
    };
    let body = |name: &'static str, value: String| {
        let label = label(name).unwrap_or_default();
        view! { <TextArea name label value error=field_error(call.error, name) /> }.into_any()
    };
    let acts = text.map(|text| acts(text, call, send));
    view! {
        <form class="stack" on:submit=submit>
            {fields::summary(call.error, label)}
            <div class="card padded" node_ref=unsaved.place() on:input=move |_| unsaved.write()>
                <div class="form-grid">
                    {key}
                    {title("title_ar", draft.title_ar)}
                    {title("title_en", draft.title_en)}
                    {body("body_ar", draft.body_ar)}
                    {body("body_en", draft.body_en)}
                </div>
                <div class="check">
                    <input
                        type="checkbox"
                        id="field-required"
                        name="required"
                        value="yes"
                        checked=text.is_some_and(|text| text.required)
                    />
                    <label class="about" for="field-required">
                        {td_string!(locale, consents.required_box)}
                        <span class="hint">{td_string!(locale, consents.required_about)}</span>
                    </label>
                </div>
            </div>
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {td_string!(locale, consents.save)}
                </button>
                <a class="btn ghost" href=PATH on:click=move |_| unsaved.forget()>
                    {td_string!(locale, ui.cancel)}
                </a>
                {acts}
            </div>
        </form>
    }
    .into_any()
}

/// Publishing and retiring, each after a question.
fn acts(text: &ConsentText, call: Call, send: Callback<ConsentChange>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (id, version) = (text.id, text.version);
    let name = language::isolate(text.draft.of(locale).0);
    let one = |dialog: &'static str,
               danger: bool,
               title: String,
               word: &'static str,
               about: &'static str,
               change: StoredValue<ConsentChange>| {
        let open = RwSignal::new(false);
        let act = Callback::new(move |()| {
            open.set(false);
            send.run(change.get_value());
        });
        let class = if danger { "btn danger" } else { "btn" };
        view! {
            <button class=class type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>{word}</button>
            <Confirm id=dialog open title about word danger call act />
        }
        .into_any()
    };
    view! {
        {one(
            "publish",
            false,
            td_string!(locale, consents.publish_title, name = name.clone()).to_string(),
            td_string!(locale, consents.publish),
            td_string!(locale, consents.publish_about),
            StoredValue::new(ConsentChange::Publish(id, version)),
        )}
        {one(
            "retire",
            true,
            td_string!(locale, consents.retire_title, name = name).to_string(),
            td_string!(locale, consents.retire),
            td_string!(locale, consents.retire_about),
            StoredValue::new(ConsentChange::Retire(id, version)),
        )}
    }
    .into_any()
}

fn people(text: &ConsentText, givers: Page<Giver>, is_later: bool) -> AnyView {
    let locale = locale();
    let here = format!("{PATH}/{}", text.id);
    let title = td_string!(locale, consents.people);
    let at = |after: &str| address::with_query(&here, &[("after", after)]);
    let place = Place { is_filtered: false, all: here.clone(), is_later, at };
    let empty = Empty {
        sign: Icon::People,
        title: td_string!(locale, consents.nobody),
        about: td_string!(locale, consents.nobody_about),
        action: None,
    };
    let columns =
        [Column::new(td_string!(locale, consents.person)), Column::new(td_string!(locale, consents.given_at))];
    let rows = list(Ok(givers), place, empty, |givers| {
        let rows = givers.into_iter().map(|giver| {
            let href = format!("/console/people/{}", giver.user);
            view! {
                <tr>
                    <th scope="row">{person_name(&giver.name, &giver.email, href)}</th>
                    <td>{pieces::moment(giver.given_at)}</td>
                </tr>
            }
            .into_any()
        });
        table(title, columns, rows.collect())
    });
    view! {
        <section class="stack" aria-labelledby="givers-title">
            <h2 id="givers-title">{title}</h2>
            {rows}
        </section>
    }
    .into_any()
}
