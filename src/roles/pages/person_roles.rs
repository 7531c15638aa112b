//! The roles of a person, to be checked and unchecked; nothing is saved before the review.

use leptos::prelude::*;

use super::{origin_badge, staged::Staged};
use crate::{
    base::language::td_string,
    roles::{PersonRights, Role},
    ui::{is_live, locale, pieces, states},
};

#[component]
pub fn PersonRoles(roles: Vec<Role>, rights: PersonRights, staged: Staged, may_assign: bool) -> impl IntoView {
    let locale = locale();
    let boxes = roles.into_iter().map(|role| role_box(role, &rights, staged, may_assign)).collect_view();
    view! {
        <section class="card" aria-labelledby="roles-title">
            <div class="card-head"><h2 id="roles-title">{td_string!(locale, roles.roles)}</h2></div>
            {(!may_assign).then(read_only)}
            {boxes}
        </section>
    }
    .into_any()
}

/// Says which permission is missing for changing rights.
pub fn read_only() -> AnyView {
    let locale = locale();
    let key = crate::access::PERMISSIONS_ASSIGN;
    states::notice(
        states::Mood::Plain,
        view! { <p>{td_string!(locale, roles.rights_read_only)} " " {pieces::key(key.as_str())}</p> },
    )
}

fn role_box(role: Role, rights: &PersonRights, staged: Staged, may_assign: bool) -> AnyView {
    let locale = locale();
    let live = is_live();
    let id = role.id;
    let has = rights.roles.iter().find(|has| has.role.id == id);
    let until = has.and_then(|has| has.expires_at).map(|moment| {
        view! { <span class="small muted">{td_string!(locale, roles.has_until)} " " {pieces::exact_moment(moment)}</span> }
    });
    let html_id = format!("role-{id}");
    let origin = origin_badge(&role);
    let changed = move || staged.changes.with(|changes| changes.roles.contains_key(&id));
    view! {
        <div class="check" class:changed=changed>
            <input
                type="checkbox"
                id=html_id.clone()
                checked=has.is_some()
                prop:checked=move || staged.has_role(id)
                disabled=move || !may_assign || !live.get()
                on:change:target=move |event| staged.set_role(id, event.target().checked())
            />
            <label class="about" for=html_id>
                <span class="row-of"><bdi class="strong">{role.name}</bdi> {origin}</span>
                <span class="small muted" dir="auto">{role.description}</span>
                {until}
            </label>
        </div>
    }
    .into_any()
}
