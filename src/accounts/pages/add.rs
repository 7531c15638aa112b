//! Adding a person, with the one-time link that lets them choose a password.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use serde_json::Value;

use super::{label, link::OneTimeLink, locale_choices, role_choices};
use crate::{
    access::{PERMISSIONS_ASSIGN, ROLES_READ, RoleRef, USERS_CREATE},
    accounts::{AddedPerson, NewPerson, Password, calls::add_person},
    base::{
        errors::{AppError, FieldCode},
        language::td_string,
    },
    ui::{
        browser::Typed,
        calls::Call,
        fields::{self, Field, Select, TextArea, field_error},
        locale, states,
        viewer::viewer,
    },
};

#[component]
pub fn AddPersonPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let for_page = viewer.clone();
    let choices = role_choices();
    let roles = Resource::new_blocking(
        || (),
        move |()| {
            let (viewer, choices) = (viewer.clone(), choices.clone());
            async move {
                let held = viewer.holds().await;
                if held.may(PERMISSIONS_ASSIGN.as_str()) && held.may(ROLES_READ.as_str()) {
                    choices.ask().await
                } else {
                    Vec::new()
                }
            }
        },
    );
    let call = Call::new();
    let added = RwSignal::new(None::<AddedPerson>);
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        match new_person(&typed) {
            Ok(person) => call.run(add_person(person), move |answer| added.set(Some(answer))),
            Err(error) => call.error.set(Some(error)),
        }
    };
    view! {
        <Title text=td_string!(locale, accounts.add) />
        <div class="page-head"><h1>{td_string!(locale, accounts.add)}</h1></div>
        <Suspense fallback=move || states::loading(6)>
            {move || {
                let viewer = for_page.clone();
                Suspend::new(async move {
                    if !viewer.holds().await.may(USERS_CREATE.as_str()) {
                        return states::refused(USERS_CREATE.as_str());
                    }
                    let roles = roles.await;
                    view! {
                        {move || match added.get() {
                            Some(added) => done(added),
                            None => form(call, roles.clone(), submit),
                        }}
                    }
                    .into_any()
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// What was typed. Only what the server cannot judge is judged here: that the attributes are JSON.
fn new_person(typed: &Typed) -> Result<NewPerson, AppError> {
    let attributes = attributes(typed)?;
    let roles = typed.all("role").iter().filter_map(|id| id.parse().ok()).collect::<Vec<_>>();
    Ok(NewPerson {
        email: typed.text("email"),
        name: typed.text("name"),
        username: typed.optional("username"),
        external_id: typed.optional("external_id"),
        department: typed.optional("department"),
        region: typed.optional("region"),
        locale: typed.optional("locale"),
        attributes,
        password: typed.optional("password").map(Password),
        roles: (!roles.is_empty()).then_some(roles),
        mail_link: typed.optional("mail_link").is_some(),
    })
}

/// The attributes as JSON; `None` for an empty field.
pub fn attributes(typed: &Typed) -> Result<Option<Value>, AppError> {
    match typed.optional("attributes").map(|text| serde_json::from_str(&text)) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(AppError::field("attributes", FieldCode::Malformed)),
    }
}

fn form(call: Call, roles: Vec<RoleRef>, submit: impl Fn(SubmitEvent) + 'static) -> AnyView {
    let locale = locale();
    let wrong = move |name: &'static str| field_error(call.error, name);
    let roles = (!roles.is_empty()).then(|| {
        let boxes = roles
            .into_iter()
            .map(|role| {
                let id = format!("role-{}", role.id);
                view! {
                    <div class="check">
                        <input type="checkbox" id=id.clone() name="role" value=role.id.to_string() />
                        <label class="about" for=id><span><bdi>{role.name}</bdi></span></label>
                    </div>
                }
            })
            .collect_view();
        view! {
            <fieldset class="whole field">
                <legend class="label">{td_string!(locale, accounts.roles)}</legend>
                <p class="hint">{td_string!(locale, accounts.roles_hint)}</p>
                <div class="card">{boxes}</div>
            </fieldset>
        }
    });
    view! {
        {fields::summary(call.error, label)}
        <form class="card padded" on:submit=submit>
            <div class="form-grid">
                <Field name="name" label=td_string!(locale, accounts.name) required=true longest="200" error=wrong("name") />
                <Field
                    name="email"
                    label=td_string!(locale, accounts.email)
                    kind="email"
                    required=true
                    longest="254"
                    ltr=true
                    error=wrong("email")
                />
                <Field
                    name="username"
                    label=td_string!(locale, accounts.username)
                    hint=td_string!(locale, accounts.optional)
                    ltr=true
                    error=wrong("username")
                />
                <Field
                    name="external_id"
                    label=td_string!(locale, accounts.external_id)
                    hint=td_string!(locale, accounts.external_id_hint)
                    ltr=true
                    error=wrong("external_id")
                />
                <Field
                    name="department"
                    label=td_string!(locale, accounts.department)
                    hint=td_string!(locale, accounts.optional)
                    error=wrong("department")
                />
                <Field
                    name="region"
                    label=td_string!(locale, accounts.region)
                    hint=td_string!(locale, accounts.optional)
                    error=wrong("region")
                />
                <Select
                    name="locale"
                    label=td_string!(locale, accounts.locale)
                    options=locale_choices()
                    value="ar"
                    error=wrong("locale")
                />
                <Field
                    name="password"
                    label=td_string!(locale, accounts.password)
                    kind="password"
                    longest="256"
                    autocomplete="new-password"
                    hint=td_string!(locale, accounts.password_hint)
                    ltr=true
                    error=wrong("password")
                />
                <TextArea
                    name="attributes"
                    label=td_string!(locale, accounts.attributes)
                    hint=td_string!(locale, accounts.attributes_hint)
                    ltr=true
                    error=wrong("attributes")
                />
                {roles}
                <div class="check whole">
                    <input type="checkbox" id="mail-link" name="mail_link" value="yes" />
                    <label class="about" for="mail-link">
                        {td_string!(locale, accounts.mail_link)}
                        <span class="hint">{td_string!(locale, accounts.mail_link_hint)}</span>
                    </label>
                </div>
            </div>
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {td_string!(locale, accounts.add_submit)}
                </button>
                <a class="btn ghost" href="/console/people">{td_string!(locale, ui.cancel)}</a>
            </div>
        </form>
    }
    .into_any()
}

fn done(added: AddedPerson) -> AnyView {
    let locale = locale();
    let href = format!("/console/people/{}", added.id);
    view! {
        <div class="card padded" role="status">
            <h2>{td_string!(locale, accounts.added)}</h2>
            <OneTimeLink added />
            <div class="row-of">
                <a class="btn" href=href>{td_string!(locale, accounts.open_person)}</a>
                <a class="btn ghost" rel="external" href="/console/people/new">{td_string!(locale, accounts.add_another)}</a>
            </div>
        </div>
    }
    .into_any()
}
