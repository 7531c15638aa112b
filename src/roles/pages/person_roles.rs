//! The roles of a person, to be checked and unchecked; nothing is saved before the review.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    bounds::{self, DetailDialog, EndField},
    catalogue::{self, Search},
    origin_badge,
    staged::{RoleStand, Staged},
};
use crate::{
    access::PERMISSIONS_ASSIGN,
    base::{
        language::{self, td_string},
        search::fold,
    },
    roles::Role,
    ui::{
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        virtual_list::{Place, VirtualList, Window},
    },
};

#[component]
pub fn PersonRoles(roles: Vec<Role>, staged: Staged, may_assign: bool) -> impl IntoView {
    let locale = locale();
    let search = Search::new();
    view! {
        <section class="card" aria-labelledby="roles-title">
            <div class="card-head">
                <h2 class="grow" id="roles-title">{td_string!(locale, roles.roles)}</h2>
                {catalogue::search_field(search, "role-search", td_string!(locale, roles.search_roles))}
            </div>
            {(!may_assign).then(read_only)}
            <RoleList roles staged search may_assign />
        </section>
    }
    .into_any()
}

/// Says which permission is missing for changing rights.
pub fn read_only() -> AnyView {
    states::needs(td_string!(locale(), roles.rights_read_only), PERMISSIONS_ASSIGN.as_str())
}

/// The list itself, with the dialog that gives one role an end. Only the lines in sight are drawn.
#[component]
pub fn RoleList(roles: Vec<Role>, staged: Staged, search: Search, may_assign: bool) -> impl IntoView {
    let locale = locale();
    let all = roles.into_iter().map(|role| (fold(&role.name), Arc::new(role))).collect::<Vec<_>>();
    let all = StoredValue::new(all);
    let rows = Memo::new(move |_| {
        all.with_value(|all| {
            all.iter().filter(|(folded, _)| search.finds(folded)).map(|(_, role)| role.clone()).collect::<Vec<_>>()
        })
    });
    let rows = Signal::from(rows);
    let window = Window::new(rows, |_| false);
    let open = RwSignal::new(false);
    let bounded = RwSignal::new(None::<Arc<Role>>);
    let title = Signal::derive(move || {
        bounded.with(|role| {
            let name = role.as_ref().map(|role| role.name.clone()).unwrap_or_default();
            td_string!(locale, roles.end_of_role, role = language::isolate(&name)).to_string()
        })
    });
    let bound = Callback::new(move |role| {
        bounded.set(Some(role));
        open.set(true);
    });
    let is_empty = move || rows.with(Vec::is_empty);
    view! {
        <VirtualList
            window
            class="rows roles"
            labelled_by="roles-title"
            rows
            key=row_key
            draw=move |place, role| role_box(role, place, staged, may_assign, bound)
        />
        <p class="hint padded" role="status">
            {move || is_empty().then_some(td_string!(locale, roles.search_no_role))}
        </p>
        <DetailDialog id="role-end" open title>
            {move || bounded.get().map(|role| end_of(&role, staged, may_assign))}
        </DetailDialog>
    }
    .into_any()
}

fn row_key(role: &Arc<Role>) -> String {
    role.id.to_string()
}

fn role_box(role: Arc<Role>, place: Place, staged: Staged, may_assign: bool, bound: Callback<Arc<Role>>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let id = role.id;
    let html_id = format!("role-{id}");
    let origin = origin_badge(&role);
    let changed = move || staged.changes.with(|changes| changes.roles.contains_key(&id));
    let has = Memo::new(move |_| staged.role(id).has);
    let about = {
        let description = super::description(&role);
        move || {
            let until = bounds::words(&staged.role(id).until, "");
            if until.is_empty() {
                view! { <span dir="auto">{description.clone()}</span> }.into_any()
            } else {
                pieces::sentence(&until)
            }
        }
    };
    let name = role.name.clone();
    let end = td_string!(locale, roles.end_of_role, role = name.clone()).to_string();
    view! {
        <div
            class="check"
            class:changed=changed
            role="listitem"
            aria-posinset=place.number()
            aria-setsize=move || place.of()
        >
            <input
                type="checkbox"
                id=html_id.clone()
                checked=untrack(|| has.get())
                prop:checked=move || has.get()
                disabled=move || !may_assign || !live.get()
                on:change:target=move |event| {
                    let has = event.target().checked();
                    staged.set_role(id, RoleStand { has, until: untrack(|| staged.saved.with(|saved| saved.role(id).until)) });
                }
            />
            <label class="about" for=html_id>
                <span class="one-line"><bdi class="strong">{name}</bdi> " " {origin}</span>
                <span class="one-line small muted">{about}</span>
            </label>
            <button
                class="round"
                type="button"
                aria-label=end
                hidden=move || !has.get()
                disabled=move || !live.get()
                on:click=move |_| bound.run(role.clone())
            >
                {icon(Icon::Clock)}
            </button>
        </div>
    }
    .into_any()
}

fn end_of(role: &Role, staged: Staged, may_assign: bool) -> AnyView {
    let id = role.id;
    let until = Signal::derive(move || staged.role(id).until);
    let set = Callback::new(move |until| staged.set_role(id, RoleStand { has: true, until }));
    view! { <EndField id="role-until" value=until set fixed=!may_assign /> }.into_any()
}
