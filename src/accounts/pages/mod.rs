//! The pages about people: the list, adding somebody, and the details of one person.

use std::{future::Future, pin::Pin, sync::Arc};

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use crate::{
    access::RoleRef,
    accounts::{PeopleSort, Status},
    base::{errors::AppError, language::td_string},
    ui::{
        icons::Icon,
        lazy::lazy_pages,
        locale,
        pieces::{self, Tone},
    },
};

pub mod acts;
pub mod add;
pub mod bulk;
pub mod details;
pub mod erasure;
pub mod leaving;
pub mod link;
pub mod list;
pub mod profile;

use add::AddPersonPage;
use list::PeoplePage;

lazy_pages! {
    (draw_accounts, load_accounts)
    People: PeopleRoute => PeoplePage,
    AddPerson: AddPersonRoute => AddPersonPage,
}

#[component(transparent)]
pub fn PeopleRoutes() -> AnyNestedRoute {
    view! {
        <Route path=path!("people") view={Lazy::<PeopleRoute>::new()} />
        <Route path=path!("people/new") view={Lazy::<AddPersonRoute>::new()} />
    }
    .into_inner()
    .into_any_nested_route()
}

type RolesAnswer = Pin<Box<dyn Future<Output = Result<Vec<RoleRef>, AppError>> + Send>>;

/// Asks which roles there are. People know nothing of roles: who draws the pages hands this in.
#[derive(Clone)]
pub struct RoleChoices(Arc<dyn Fn() -> RolesAnswer + Send + Sync>);

impl RoleChoices {
    pub fn new<F>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<RoleRef>, AppError>> + Send + 'static,
    {
        RoleChoices(Arc::new(move || Box::pin(ask())))
    }

    /// The roles, or none where they cannot be read: then there is nothing to choose from.
    pub async fn ask(&self) -> Vec<RoleRef> {
        (self.0)().await.unwrap_or_default()
    }
}

/// The choices that the frame provides.
pub fn role_choices() -> RoleChoices {
    use_context::<RoleChoices>().unwrap_or_else(|| RoleChoices::new(|| async { Ok(Vec::new()) }))
}

pub fn status_word(status: Status) -> &'static str {
    let locale = locale();
    match status {
        Status::Invited => td_string!(locale, accounts.status_invited),
        Status::Active => td_string!(locale, accounts.status_active),
        Status::Suspended => td_string!(locale, accounts.status_suspended),
        Status::Deleted => td_string!(locale, accounts.status_deleted),
    }
}

pub fn status_badge(status: Status) -> AnyView {
    let (tone, sign) = match status {
        Status::Invited => (Tone::Waiting, Icon::Clock),
        Status::Active => (Tone::Good, Icon::Allowed),
        Status::Suspended => (Tone::Bad, Icon::Pause),
        Status::Deleted => (Tone::Neutral, Icon::Denied),
    };
    pieces::badge(tone, Some(sign), status_word(status))
}

fn sort_word(sort: PeopleSort) -> &'static str {
    let locale = locale();
    match sort {
        PeopleSort::Name => td_string!(locale, accounts.sort_name),
        PeopleSort::Department => td_string!(locale, accounts.sort_department),
        PeopleSort::Created => td_string!(locale, accounts.sort_created),
        PeopleSort::LastLogin => td_string!(locale, accounts.sort_last_login),
    }
}

/// How many roles somebody has.
pub fn roles_count(roles: &[String]) -> AnyView {
    let locale = locale();
    let words = td_string!(locale, accounts.roles_count, count = roles.len()).to_string();
    pieces::badge(Tone::Neutral, Some(Icon::Role), words)
}

/// Names of roles side by side.
pub fn role_badges(roles: Vec<String>) -> AnyView {
    if roles.is_empty() {
        return pieces::nothing();
    }
    let badges = roles.into_iter().map(|role| pieces::badge(Tone::Neutral, None, role)).collect_view();
    view! { <span class="badges">{badges}</span> }.into_any()
}

/// The names of the fields of a person, for forms and for their errors.
pub fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "name" => Some(td_string!(locale, accounts.name)),
        "email" => Some(td_string!(locale, accounts.email)),
        "username" => Some(td_string!(locale, accounts.username)),
        "external_id" => Some(td_string!(locale, accounts.external_id)),
        "department" => Some(td_string!(locale, accounts.department)),
        "region" => Some(td_string!(locale, accounts.region)),
        "locale" => Some(td_string!(locale, accounts.locale)),
        "attributes" => Some(td_string!(locale, accounts.attributes)),
        "password" => Some(td_string!(locale, accounts.password)),
        "status" => Some(td_string!(locale, accounts.status)),
        "roles" => Some(td_string!(locale, accounts.roles)),
        _ => None,
    }
}

/// The languages a person can have.
fn locale_choices() -> Vec<(String, String)> {
    let locale = locale();
    vec![
        ("ar".to_owned(), td_string!(locale, accounts.locale_ar).to_owned()),
        ("en".to_owned(), td_string!(locale, accounts.locale_en).to_owned()),
    ]
}
