//! The middle of the studio: a person or several with three states for every permission, a role with what it gives, or a
//! group with its roles.

use std::sync::Arc;

use crate::base::language::td_string;
use leptos::prelude::*;

use super::{ALLOW, DENY, Parts, Studio};
use crate::{
    access::{GROUPS_MANAGE, PERMISSIONS_ASSIGN, ROLES_UPDATE},
    accounts::Person,
    base::{errors::AppError, language},
    groups::Group,
    roles::{
        Catalogue, PersonStand, Role,
        pages::{
            catalogue::{self, Row, Search},
            origin_badge,
            person_permissions::RightList,
            person_roles::{RoleList, read_only},
        },
    },
    ui::{
        address,
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        tri_state::Tri,
        virtual_list::{Place, VirtualList, Window},
    },
};

/// How many of several people are named; all are counted.
const NAMED: usize = 8;

pub fn person(person: Person, parts: Parts, studio: Studio, search: Search) -> AnyView {
    let locale = locale();
    let count = Memo::new(move |_| studio.person.role_count());
    let about = [Some(person.email.clone()), person.department.clone()].into_iter().flatten();
    let about = about.map(|part| language::isolate(&part)).collect::<Vec<_>>().join(" · ");
    let head = view! {
        <div class="card-head target-head">
            {pieces::avatar(&person.name, true)}
            <div class="grow">
                <h2 id="target-title">
                    <a class="plain-link" href=format!("/console/people/{}", person.id)>{pieces::typed(person.name)}</a>
                </h2>
                <p class="small muted">{pieces::sentence(&about)}</p>
            </div>
            <span class="badge">{move || td_string!(locale, roles.roles_count, count = count.get()).to_string()}</span>
            {another()}
        </div>
    };
    rights(head.into_any(), format!("/console/studio?person={}", person.id), parts, studio, search)
}

/// Several people: what all of them have is what stands here, and what is staged is staged for each.
pub fn many(people: &[PersonStand], parts: Parts, studio: Studio, search: Search) -> AnyView {
    let locale = locale();
    let ids = people.iter().map(|one| one.user.to_string()).collect::<Vec<_>>().join(",");
    let title = td_string!(locale, roles.many_people, count = people.len()).to_string();
    let names = pieces::names(people.iter().take(NAMED).map(|one| one.name.as_str()));
    let head = view! {
        <div class="card-head target-head">
            <span class="avatar large" aria-hidden="true">{icon(Icon::People)}</span>
            <div class="grow">
                <h2 id="target-title">{title}</h2>
                <p class="small muted">{names}</p>
                <p class="small muted">{td_string!(locale, roles.many_about)}</p>
            </div>
            {another()}
        </div>
    };
    rights(head.into_any(), format!("/console/studio?people={ids}"), parts, studio, search)
}

/// What people have: permissions with three states each, or roles. Which of the two is in the address.
fn rights(head: AnyView, here: String, parts: Parts, studio: Studio, search: Search) -> AnyView {
    let locale = locale();
    let may_assign = studio.may.get_untracked();
    let tab = address::query_field("tab");
    let on_roles = Signal::derive(move || tab.get().as_deref() == Some("roles"));
    let tab_link = |name: &'static str, word: &'static str| {
        let current = move || (on_roles.get() == (name == "roles")).then_some("page");
        view! { <li><a href=format!("{here}&tab={name}") aria-current=current>{word}</a></li> }
    };
    let tabs = view! {
        <nav aria-label=td_string!(locale, roles.target_parts)>
            <ul class="tabs" role="list">
                {tab_link("permissions", td_string!(locale, roles.permissions))}
                {tab_link("roles", td_string!(locale, roles.roles))}
            </ul>
        </nav>
    };
    let (catalogue, roles) = (StoredValue::new(parts.catalogue), StoredValue::new(parts.roles));
    let body = move || {
        if !on_roles.get() {
            return view! {
                <div class="pane-search">
                    {catalogue::search_field(search, "right-search", td_string!(locale, roles.search_rights))}
                </div>
                <h3 class="away" id="permissions-title">{td_string!(locale, roles.permissions)}</h3>
                <RightList catalogue=catalogue.get_value() staged=studio.person search may_assign />
            }
            .into_any();
        }
        role_list(roles.get_value(), td_string!(locale, roles.search_roles), studio)
    };
    view! {
        {head}
        {tabs}
        {zones(studio)}
        {(!may_assign).then(read_only)}
        {body}
    }
    .into_any()
}

/// The roles, to be checked and unchecked.
fn role_list(roles: Result<Vec<Role>, AppError>, word: &'static str, studio: Studio) -> AnyView {
    let locale = locale();
    let search = Search::new();
    let may_assign = studio.may.get_untracked();
    match roles {
        Ok(roles) => view! {
            <div class="pane-search">
                {catalogue::search_field(search, "role-search", word)}
            </div>
            <h3 class="away" id="roles-title">{td_string!(locale, roles.roles)}</h3>
            <RoleList roles staged=studio.person search may_assign />
        }
        .into_any(),
        Err(error) => states::failed(&error),
    }
}

/// A group: the roles that everybody in it has.
pub fn group(group: Group, roles: Result<Vec<Role>, AppError>, studio: Studio) -> AnyView {
    let locale = locale();
    let count = Memo::new(move |_| studio.person.role_count());
    let people = td_string!(locale, groups.people_count, count = group.people).to_string();
    // The platform's role is given to people by name.
    let roles = roles.map(|roles| roles.into_iter().filter(|role| !role.platform).collect::<Vec<_>>());
    let not_mine = (!studio.may.get_untracked()).then(|| {
        view! {
            {states::needs(td_string!(locale, roles.group_read_only), GROUPS_MANAGE.as_str())}
            {states::needs(td_string!(locale, roles.group_read_only), PERMISSIONS_ASSIGN.as_str())}
        }
    });
    view! {
        <div class="card-head target-head">
            <span class="avatar large" aria-hidden="true">{icon(Icon::Group)}</span>
            <div class="grow">
                <h2 id="target-title">
                    <a class="plain-link" href=format!("/console/groups/{}", group.id)>{pieces::typed(group.name)}</a>
                </h2>
                <p class="small muted">{people}</p>
            </div>
            <span class="badge">{move || td_string!(locale, roles.roles_count, count = count.get()).to_string()}</span>
            {another()}
        </div>
        {zones(studio)}
        {not_mine}
        {role_list(roles, td_string!(locale, roles.search_given), studio)}
    }
    .into_any()
}

/// The way to choose somebody else.
fn another() -> AnyView {
    let locale = locale();
    view! {
        <a class="btn ghost sm" href="/console/studio">{td_string!(locale, roles.choose_another)}</a>
    }
    .into_any()
}

/// Where what is carried or picked can be put: by letting go of it, or by a press.
fn zones(studio: Studio) -> AnyView {
    let locale = locale();
    let what = move || {
        let keys = match studio.drag.carried.get() {
            Some(key) => studio.with_picked(key),
            None => studio.picked.get(),
        };
        match keys.as_slice() {
            [key] => language::isolate(&studio.title_of(key)),
            keys => studio.counted(keys.len()),
        }
    };
    let shown = Memo::new(move |_| {
        studio.may.get() && (studio.drag.is_on() || studio.picked.with(|picked| !picked.is_empty()))
    });
    let over = move |zone: &'static str| move || studio.drag.over.with(|over| over.as_deref() == Some(zone));
    let give = move |_| studio.give_picked(Tri::Allowed);
    let deny = move |_| studio.give_picked(Tri::Denied);
    view! {
        <div class="zones" hidden=move || !shown.get()>
            <button class="zone" type="button" data-drop=ALLOW class:over=over(ALLOW) on:click=give>
                {icon(Icon::Allowed)}
                <span>{move || pieces::sentence(&td_string!(locale, roles.drop_to_give, what = what()).to_string())}</span>
            </button>
            <button
                class="zone deny"
                type="button"
                hidden=move || !studio.may_be_denied()
                data-drop=DENY
                class:over=over(DENY)
                on:click=deny
            >
                {icon(Icon::Denied)}
                <span>{move || pieces::sentence(&td_string!(locale, roles.drop_to_deny, what = what()).to_string())}</span>
            </button>
        </div>
    }
    .into_any()
}

pub fn role(role: Role, catalogue: Catalogue, studio: Studio, search: Search) -> AnyView {
    let locale = locale();
    let may = studio.may.get_untracked();
    let all = StoredValue::new(catalogue::rows(&catalogue, false));
    // What it gives comes first in sight: everything else is in the catalogue beside it.
    let rows = Memo::new(move |_| {
        let given = |row: &Row| match row {
            Row::Head { .. } => true,
            Row::Item(entry) => {
                let key = entry.info.key.as_str();
                studio.role.gives(key) || studio.role.changes.with(|changes| changes.contains_key(key))
            }
        };
        let given = all.with_value(|all| all.iter().filter(|row| given(row)).cloned().collect::<Vec<_>>());
        catalogue::found(&given, search)
    });
    let rows = Signal::from(rows);
    let window = Window::new(rows, Row::is_head);
    let count = Memo::new(move |_| studio.role.all().len());
    let origin = origin_badge(&role);
    let people = td_string!(locale, roles.people_count, count = role.people).to_string();
    let fixed = role
        .platform
        .then(|| states::notice(states::Mood::Plain, view! { <p>{td_string!(locale, roles.platform_fixed)}</p> }));
    let not_mine =
        (!may && !role.platform).then(|| states::needs(td_string!(locale, roles.read_only), ROLES_UPDATE.as_str()));
    view! {
        <div class="card-head target-head">
            <span class="avatar large" aria-hidden="true">{icon(Icon::Role)}</span>
            <div class="grow">
                <h2 id="target-title">
                    <a class="plain-link" href=format!("/console/roles/{}", role.id)>{pieces::typed(role.name)}</a>
                </h2>
                <p class="small muted">{people}</p>
            </div>
            {origin}
            <span class="badge">
                {move || td_string!(locale, roles.permissions_count, count = count.get()).to_string()}
            </span>
            {another()}
        </div>
        {zones(studio)}
        {fixed}
        {not_mine}
        <div class="pane-search">
            {catalogue::search_field(search, "right-search", td_string!(locale, roles.search_given))}
        </div>
        <VirtualList
            window
            class="rows gives"
            labelled_by="target-title"
            rows
            key=Row::id
            draw=move |place, row| match row {
                Row::Head { resource, .. } => catalogue::head(&resource, place),
                Row::Item(entry) => given(&entry, place, studio, may),
            }
        />
        <p class="hint padded" role="status">
            {move || {
                rows.with(Vec::is_empty)
                    .then(|| {
                        if search.folded().is_empty() {
                            td_string!(locale, roles.gives_nothing)
                        } else {
                            td_string!(locale, roles.search_nothing)
                        }
                    })
            }}
        </p>
    }
    .into_any()
}

/// One permission that the role gives, or shall give, or shall give no more.
fn given(entry: &catalogue::Entry, place: Place, studio: Studio, may: bool) -> AnyView {
    let locale = locale();
    let live = is_live();
    let key: Arc<str> = Arc::from(entry.info.key.as_str());
    let id = format!("gives-{key}");
    let gives = {
        let key = Arc::clone(&key);
        Memo::new(move |_| studio.role.gives(&key))
    };
    let staged = {
        let key = Arc::clone(&key);
        Memo::new(move |_| studio.role.changes.with(|changes| changes.get(&*key).copied()))
    };
    let badge = move || {
        staged.get().map(|come| {
            if come {
                pieces::badge(pieces::Tone::Good, Some(Icon::Add), td_string!(locale, roles.added))
            } else {
                pieces::badge(pieces::Tone::Bad, Some(Icon::Denied), td_string!(locale, roles.removed))
            }
        })
    };
    let name = entry.name();
    let full = format!("{name} {key}");
    view! {
        <div
            class="check"
            class:changed=move || staged.get().is_some()
            role="listitem"
            aria-posinset=place.number()
            aria-setsize=move || place.of()
        >
            <input
                type="checkbox"
                id=id.clone()
                checked=untrack(|| gives.get())
                prop:checked=move || gives.get()
                disabled=move || !may || !live.get()
                on:change:target={
                    let key = Arc::clone(&key);
                    move |event| studio.role.set(&key, event.target().checked())
                }
            />
            <label class="about" for=id title=full>
                <span class="one-line">{name}</span>
                <span class="one-line small muted">{pieces::key(key.to_string())}</span>
            </label>
            {badge}
        </div>
    }
    .into_any()
}
