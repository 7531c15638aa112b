//! What a role inherits, what inherits from it, and which groups have it.

use std::collections::BTreeSet;

use leptos::prelude::*;

use super::role_links;
use crate::{
    base::{ids::RoleId, language::td_string},
    groups::pages::{below, group_links},
    roles::Role,
    ui::{locale, pieces},
};

/// The roles that a role may inherit from: the tenant's own and built-in ones but itself and those that inherit from it.
pub fn inheritable(roles: Vec<Role>, heir: Option<&Role>) -> Vec<Role> {
    let below = below(
        heir.map(|heir| heir.id),
        &roles,
        |role| role.id,
        |role, from| role.parents.iter().any(|parent| parent.id == from),
    );
    roles.into_iter().filter(|role| !role.platform && !below.contains(&role.id)).collect()
}

/// The roles with a box each: what those give, this one gives too. Nothing where there is no other role.
pub fn heritage(roles: Vec<Role>, chosen: &BTreeSet<RoleId>) -> AnyView {
    let locale = locale();
    if roles.is_empty() {
        return ().into_any();
    }
    let boxes = roles
        .into_iter()
        .map(|role| {
            let id = format!("parent-{}", role.id);
            let checked = chosen.contains(&role.id);
            let about = super::description(&role);
            view! {
                <div class="check">
                    <input type="checkbox" id=id.clone() name="parent" value=role.id.to_string() checked=checked />
                    <label class="about" for=id>
                        <span class="strong">{pieces::typed(role.name)}</span>
                        <span class="small muted" dir="auto">{about}</span>
                    </label>
                </div>
            }
        })
        .collect_view();
    view! {
        <details class="card fold" open=!chosen.is_empty()>
            <summary class="card-head">
                <h2>{td_string!(locale, roles.inherits)}</h2>
                <p class="small muted">{td_string!(locale, roles.inherits_about)}</p>
            </summary>
            <div class="group">{boxes}</div>
        </details>
    }
    .into_any()
}

/// The groups that have the role: their people hold it as well.
pub fn of_groups(role: &Role) -> Option<AnyView> {
    let locale = locale();
    if role.groups.is_empty() {
        return None;
    }
    Some(
        view! {
            <section class="card padded" aria-labelledby="role-groups">
                <h2 id="role-groups">{td_string!(locale, roles.of_groups)}</h2>
                {group_links(&role.groups)}
            </section>
        }
        .into_any(),
    )
}

/// From what the role inherits, what comes of it, and what inherits from it.
pub fn family(role: &Role) -> Option<AnyView> {
    let locale = locale();
    if role.parents.is_empty() && role.heirs.is_empty() {
        return None;
    }
    let parents = (!role.parents.is_empty()).then(|| {
        let keys = role.inherited.iter().map(|key| view! { <li>{pieces::key(key)}</li> }).collect_view();
        view! {
            <h3>{td_string!(locale, roles.inherits)}</h3>
            {role_links(&role.parents)}
            <p class="small muted">{td_string!(locale, roles.inherits_keys)}</p>
            <ul class="links" role="list">{keys}</ul>
        }
    });
    let heirs = (!role.heirs.is_empty()).then(|| {
        view! {
            <h3>{td_string!(locale, roles.heirs)}</h3>
            {role_links(&role.heirs)}
        }
    });
    Some(
        view! {
            <section class="card padded" aria-labelledby="family-title">
                <h2 id="family-title">{td_string!(locale, roles.family)}</h2>
                {parents}
                {heirs}
            </section>
        }
        .into_any(),
    )
}
