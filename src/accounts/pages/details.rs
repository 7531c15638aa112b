//! Everything that is known about a person, and the form that changes it.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{add::attributes, label, locale_choices, role_badges, roles_count, status_badge};
use crate::{
    access::USERS_UPDATE,
    accounts::{
        Person, PersonEdit,
        calls::{edit_person, get_person},
    },
    base::{errors::AppError, language::td_string},
    ui::{
        address,
        browser::Typed,
        calls::Call,
        copy::key_to_copy,
        fields::{self, Field, Select, TextArea, field_error},
        icons::Icon,
        locale,
        pieces::{self, Tone},
        states,
        toasts::toasts,
        viewer::Held,
    },
};

/// The head of the pages of one person.
#[component]
pub fn PersonHead(person: Person) -> impl IntoView {
    let locale = locale();
    let department = address::filled(person.department).map(|department| {
        view! { " · " {pieces::typed(department)} }
    });
    view! {
        <div class="page-head">
            {pieces::avatar(&person.name, true)}
            <div class="grow">
                <h1>{pieces::typed(person.name)}</h1>
                <p class="small muted">{pieces::email(&person.email)} {department}</p>
            </div>
            <div class="badges">
                {status_badge(person.status)}
                {person
                    .is_super_admin
                    .then(|| pieces::badge(Tone::Accent, Some(Icon::Key), td_string!(locale, accounts.super_admin)))}
                {roles_count(&person.roles)}
            </div>
        </div>
    }
    .into_any()
}

/// The fields that can be changed, and the facts that cannot.
#[component]
pub fn PersonDetails(person: Person, held: Held, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let may_edit = held.may(USERS_UPDATE.as_str());
    view! {
        <section class="card padded" aria-labelledby="details-title">
            <h2 id="details-title">{td_string!(locale, accounts.details)}</h2>
            {(!may_edit)
                .then(|| {
                    states::notice(
                        states::Mood::Plain,
                        view! {
                            <p>{td_string!(locale, accounts.read_only)} " " {pieces::key(USERS_UPDATE.as_str())}</p>
                        },
                    )
                })}
            {form(person.clone(), may_edit, changed)}
        </section>
        <section class="card padded" aria-labelledby="facts-title">
            <h2 id="facts-title">{td_string!(locale, accounts.facts)}</h2>
            {facts(person)}
        </section>
    }
    .into_any()
}

/// The fields of the form, in its order.
const FIELDS: [&str; 8] = ["name", "email", "username", "external_id", "department", "region", "locale", "attributes"];

/// What they hold of a person.
fn values(person: &Person) -> [String; 8] {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let attributes = match &person.attributes {
        serde_json::Value::Object(map) if map.is_empty() => String::new(),
        other => serde_json::to_string_pretty(other).expect("a JSON value can always be written"),
    };
    [
        person.name.clone(),
        person.email.clone(),
        text(&person.username),
        text(&person.external_id),
        text(&person.department),
        text(&person.region),
        person.locale.clone(),
        attributes,
    ]
}

fn form(person: Person, may_edit: bool, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (call, renewal, toasts) = (Call::new(), Call::new(), toasts());
    let id = person.id;
    // What is saved, and what the form begins with.
    let now = RwSignal::new((person.version, values(&person), values(&person)));
    // The button that takes over what others have saved sends the form as well: what it holds then is kept.
    let renews = StoredValue::new(false);
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let version = now.with_untracked(|(version, ..)| *version);
        if renews.get_value() {
            renews.set_value(false);
            renewal.run(get_person(id), move |person| {
                let saved = values(&person);
                let before = now.with_untracked(|(_, before, _)| before.clone());
                let kept = std::array::from_fn(|at| {
                    let typed = typed.text(FIELDS[at]).replace('\r', "");
                    if typed == before[at] { saved[at].clone() } else { typed }
                });
                call.error.set(None);
                now.set((person.version, saved, kept));
                toasts.say(td_string!(locale, ui.renewed));
            });
            return;
        }
        match edit(&typed, version) {
            Ok(edit) => call.run(edit_person(id, edit), move |_person| {
                toasts.say(td_string!(locale, accounts.saved));
                changed.run(());
            }),
            Err(error) => call.error.set(Some(error)),
        }
    };
    let renew = move || {
        fields::is_stale(call.error).then(|| {
            view! {
                <button
                    class="btn"
                    type="submit"
                    formnovalidate=true
                    disabled=move || renewal.waits()
                    on:click=move |_| renews.set_value(true)
                >
                    {td_string!(locale, ui.renew)}
                </button>
            }
        })
    };
    let inputs = move || inputs(now.get().2, call, may_edit);
    view! {
        {fields::summary(call.error, label)}
        {fields::summary(renewal.error, label)}
        <form class="stack" on:submit=submit>
            {inputs}
            {may_edit
                .then(|| {
                    view! {
                        <div class="row-of">
                            <button class="btn primary" type="submit" disabled=move || call.waits()>
                                {td_string!(locale, accounts.save)}
                            </button>
                            {renew}
                        </div>
                    }
                })}
        </form>
    }
    .into_any()
}

fn inputs(values: [String; 8], call: Call, may_edit: bool) -> AnyView {
    let locale = locale();
    let wrong = move |name: &'static str| field_error(call.error, name);
    let [name, email, username, external_id, department, region, language, attributes] = values;
    view! {
        <div class="form-grid">
            <Field
                name="name"
                label=td_string!(locale, accounts.name)
                value=name
                required=true
                longest="200"
                readonly=!may_edit
                error=wrong("name")
            />
            <Field
                name="email"
                label=td_string!(locale, accounts.email)
                kind="email"
                value=email
                required=true
                longest="254"
                readonly=!may_edit
                ltr=true
                error=wrong("email")
            />
            <Field
                name="username"
                label=td_string!(locale, accounts.username)
                value=username
                readonly=!may_edit
                ltr=true
                error=wrong("username")
            />
            <Field
                name="external_id"
                label=td_string!(locale, accounts.external_id)
                value=external_id
                readonly=!may_edit
                ltr=true
                error=wrong("external_id")
            />
            <Field
                name="department"
                label=td_string!(locale, accounts.department)
                value=department
                readonly=!may_edit
                error=wrong("department")
            />
            <Field
                name="region"
                label=td_string!(locale, accounts.region)
                value=region
                readonly=!may_edit
                error=wrong("region")
            />
            <Select
                name="locale"
                label=td_string!(locale, accounts.locale)
                options=locale_choices()
                value=language
                disabled=!may_edit
                error=wrong("locale")
            />
            <TextArea
                name="attributes"
                label=td_string!(locale, accounts.attributes)
                value=attributes
                hint=td_string!(locale, accounts.attributes_hint)
                readonly=!may_edit
                ltr=true
                error=wrong("attributes")
            />
        </div>
    }
    .into_any()
}

/// What was typed: every field is sent, and an empty one clears what is optional.
fn edit(typed: &Typed, version: i64) -> Result<PersonEdit, AppError> {
    Ok(PersonEdit {
        email: Some(typed.text("email")),
        name: Some(typed.text("name")),
        username: Some(typed.text("username")),
        external_id: Some(typed.text("external_id")),
        department: Some(typed.text("department")),
        region: Some(typed.text("region")),
        locale: Some(typed.text("locale")),
        attributes: Some(attributes(typed)?.unwrap_or_else(|| serde_json::json!({}))),
        version: Some(version),
    })
}

fn facts(person: Person) -> AnyView {
    let locale = locale();
    let fact = |name: &'static str, value: AnyView| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    view! {
        <dl class="facts">
            {fact(td_string!(locale, accounts.id), key_to_copy(person.id.to_string()))}
            {fact(td_string!(locale, accounts.number_label), pieces::key(person.number.to_string()))}
            {fact(td_string!(locale, accounts.tenant), key_to_copy(person.tenant_id.to_string()))}
            {fact(td_string!(locale, accounts.status), status_badge(person.status))}
            {fact(td_string!(locale, accounts.roles), role_badges(person.roles))}
            {fact(td_string!(locale, accounts.email_confirmed_at), pieces::moment_or_dash(person.email_confirmed_at))}
            {fact(td_string!(locale, accounts.last_login), pieces::moment_or_dash(person.last_login_at))}
            {fact(td_string!(locale, accounts.created_at), pieces::moment(person.created_at))}
            {fact(td_string!(locale, accounts.updated_at), pieces::moment(person.updated_at))}
            {person
                .deletion_due_at
                .map(|due| fact(td_string!(locale, accounts.deletion_due), pieces::exact_moment(due)))}
        </dl>
    }
    .into_any()
}
