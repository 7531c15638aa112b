//! Every permission of a person with its three states and the reasons for its answer.

use std::{collections::HashMap, sync::Arc};

use leptos::prelude::*;

use super::{
    catalogue::{self, Search},
    person_roles::read_only,
    reasons,
    staged::{Staged, Stand},
};
use crate::{
    access::{EffectivePermission, PermissionInfo},
    base::language::td_string,
    roles::{Catalogue, PersonRights},
    ui::{
        is_arabic, is_live, locale, pieces,
        tri_state::{Tri, TriState},
    },
};

#[component]
pub fn PersonPermissions(
    catalogue: Catalogue,
    rights: PersonRights,
    staged: Staged,
    search: Search,
    may_assign: bool,
) -> impl IntoView {
    let locale = locale();
    let all = catalogue.iter().map(catalogue::searchable).collect::<Vec<_>>();
    let mut effective = rights.effective.into_iter().map(|one| (one.key.clone(), one)).collect::<HashMap<_, _>>();
    let groups = catalogue::groups(catalogue)
        .into_iter()
        .map(|group| {
            let texts = group.items.iter().map(catalogue::searchable).collect::<Vec<_>>();
            let lines = group
                .items
                .into_iter()
                .map(|item| {
                    let answer = effective.remove(&item.key);
                    line(item, answer, staged, may_assign, search)
                })
                .collect_view();
            view! {
                <div class="group" hidden=move || !search.finds_any(&texts)>
                    <h3>{catalogue::group_title(&group.resource)}</h3>
                    {lines}
                </div>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="permissions-title">
            <div class="card-head">
                <h2 class="grow" id="permissions-title">{td_string!(locale, roles.permissions)}</h2>
                {catalogue::search_field(search)}
            </div>
            {(!may_assign).then(read_only)}
            {groups}
            {catalogue::nothing_found(search, all)}
        </section>
    }
    .into_any()
}

fn line(
    item: PermissionInfo,
    answer: Option<EffectivePermission>,
    staged: Staged,
    may_assign: bool,
    search: Search,
) -> AnyView {
    let locale = locale();
    let live = is_live();
    let text = catalogue::searchable(&item);
    let key: Arc<str> = Arc::from(item.key.as_str());
    let name = item.name(is_arabic()).to_owned();
    let tri = {
        let key = Arc::clone(&key);
        move || staged.stand(&key).tri
    };
    let changed = {
        let key = Arc::clone(&key);
        move || staged.changes.with(|changes| changes.stands.contains_key(&*key))
    };
    let choose = {
        let key = Arc::clone(&key);
        move |tri: Tri| {
            let stand = Stand { tri, ..untrack(|| staged.stand(&key)) };
            staged.set_stand(&key, stand);
        }
    };
    // Only the choice counts: typing into the fields below must not draw them anew.
    let is_own = ArcMemo::new({
        let tri = tri.clone();
        move |_| tri() != Tri::Inherited
    });
    let why = match &answer {
        Some(answer) => view! {
            <p class="row-of">
                {reasons::answer_badge(answer)}
                <span class="small muted">{pieces::sentence(&reasons::inherited(answer))}</span>
            </p>
            <details>
                <summary>
                    {td_string!(locale, roles.why)} <span class="away">" " {name.clone()}</span>
                </summary>
                {reasons::all(answer)}
            </details>
        }
        .into_any(),
        None => view! { <p class="small muted">{td_string!(locale, roles.wildcard)}</p> }.into_any(),
    };
    let legend = name.clone();
    view! {
        <div class="right" class:changed=changed hidden=move || !search.finds(&text)>
            <div class="about">
                <p><span class="strong">{name}</span> " " <span class="muted">{pieces::key(item.key.clone())}</span></p>
                {why}
            </div>
            <TriState
                name=format!("stand-{}", item.key)
                legend=legend
                value=tri
                disabled=move || !may_assign || !live.get()
                on_change=choose
            />
            {move || is_own.get().then(|| bounds(Arc::clone(&key), staged, may_assign))}
        </div>
    }
    .into_any()
}

/// Until when, and why, for what is allowed or denied to this person.
fn bounds(key: Arc<str>, staged: Staged, may_assign: bool) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (until_id, reason_id) = (format!("until-{key}"), format!("reason-{key}"));
    let first = untrack(|| staged.stand(&key));
    let set_until = {
        let key = Arc::clone(&key);
        move |until: String| staged.set_stand(&key, Stand { until, ..untrack(|| staged.stand(&key)) })
    };
    let set_reason = move |reason: String| {
        staged.set_stand(&key, Stand { reason, ..untrack(|| staged.stand(&key)) });
    };
    let off = move || !may_assign || !live.get();
    view! {
        <div class="more form-grid">
            <div class="field">
                <label for=until_id.clone()>{td_string!(locale, roles.until_label)}</label>
                <input
                    class="input"
                    type="datetime-local"
                    id=until_id
                    value=first.until
                    disabled=off
                    on:change:target=move |event| set_until(event.target().value())
                />
            </div>
            <div class="field">
                <label for=reason_id.clone()>{td_string!(locale, roles.reason_label)}</label>
                <input
                    class="input"
                    type="text"
                    dir="auto"
                    maxlength="500"
                    id=reason_id
                    value=first.reason
                    disabled=off
                    on:change:target=move |event| set_reason(event.target().value())
                />
            </div>
        </div>
    }
    .into_any()
}
