//! The pages about roles, and the parts of a person's page about their rights.

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use crate::{
    access::RoleRef,
    base::language::td_string,
    roles::Role,
    ui::{
        icons::Icon,
        lazy::lazy_pages,
        locale,
        pieces::{self, Tone},
    },
};

pub mod ask;
pub mod bounds;
pub mod catalogue;
mod checklist;
mod compare;
mod drafts;
pub mod editor;
pub mod effect;
mod heritage;
mod holders;
mod keys;
pub mod list;
pub mod person_permissions;
pub mod person_roles;
pub mod reasons;
pub mod review;
pub mod role;
mod shelf;
pub mod staged;
pub mod studio;
mod transfer;
pub mod whose;
pub mod words;

use ask::AskPage;
use compare::ComparePage;
use keys::PermissionsPage;
use list::RolesPage;
use role::{NewRolePage, RolePage};
use studio::StudioPage;

lazy_pages! {
    (draw_roles, load_roles)
    Roles: RolesRoute => RolesPage,
    NewRole: NewRoleRoute => NewRolePage,
    Compare: CompareRoute => ComparePage,
    Role: RoleRoute => RolePage,
    Permissions: PermissionsRoute => PermissionsPage,
    Studio: StudioRoute => StudioPage,
    Ask: AskRoute => AskPage,
}

#[component(transparent)]
pub fn RoleRoutes() -> AnyNestedRoute {
    view! {
        <Route path=path!("roles") view={Lazy::<RolesRoute>::new()} />
        <Route path=path!("roles/new") view={Lazy::<NewRoleRoute>::new()} />
        <Route path=path!("roles/compare") view={Lazy::<CompareRoute>::new()} />
        <Route path=path!("roles/:id") view={Lazy::<RoleRoute>::new()} />
        <Route path=path!("permissions") view={Lazy::<PermissionsRoute>::new()} />
        <Route path=path!("studio") view={Lazy::<StudioRoute>::new()} />
        <Route path=path!("approvals/new") view={Lazy::<AskRoute>::new()} />
    }
    .into_inner()
    .into_any_nested_route()
}

/// Where a role comes from, when it is not the tenant's own.
fn origin_badge(role: &Role) -> Option<AnyView> {
    let locale = locale();
    if role.platform {
        Some(pieces::badge(Tone::Accent, Some(Icon::Key), td_string!(locale, roles.platform)))
    } else if role.built_in {
        Some(pieces::badge(Tone::Neutral, Some(Icon::Lock), td_string!(locale, roles.built_in)))
    } else {
        None
    }
}

/// Roles, each as a link to its page.
pub fn role_links(roles: &[RoleRef]) -> AnyView {
    let links = roles.iter().map(|role| (format!("/console/roles/{}", role.id), role.name.clone()));
    pieces::links(Icon::Role, links)
}

/// What a role is for, as its keepers wrote it. What the product says of its own roles, it says in the reader's language.
fn description(role: &Role) -> String {
    let locale = locale();
    if !role.built_in {
        return role.description.clone();
    }
    match role.description.as_str() {
        "All permissions" => td_string!(locale, roles.built_in_super_admin_about),
        "Manage users, roles, settings (limited)" => td_string!(locale, roles.built_in_admin_about),
        "Support staff" => td_string!(locale, roles.built_in_support_about),
        "Read-only access" => td_string!(locale, roles.built_in_readonly_about),
        "Chief Executive Officer" => td_string!(locale, roles.built_in_ceo_about),
        "Chief Technology Officer" => td_string!(locale, roles.built_in_cto_about),
        "Software Developer" => td_string!(locale, roles.built_in_developer_about),
        "Legal Team" => td_string!(locale, roles.built_in_legal_about),
        "Creates trading signals" => td_string!(locale, roles.built_in_trader_about),
        "Own account, asks questions" => td_string!(locale, roles.built_in_standard_user_about),
        own => own,
    }
    .to_owned()
}

/// The names of the fields of a role, for forms and for their errors.
fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "name" => Some(td_string!(locale, roles.name)),
        "description" => Some(td_string!(locale, roles.description)),
        "permissions" => Some(td_string!(locale, roles.permissions)),
        "parents" => Some(td_string!(locale, roles.inherits)),
        _ => None,
    }
}
