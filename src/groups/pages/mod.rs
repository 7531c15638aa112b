//! The pages about groups, and the part of a person's page about theirs.

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use crate::{
    access::{GroupRef, HeldRole, Scope},
    base::{
        language::{self, td_string},
        time::Timestamp,
    },
    groups::PersonGroup,
    ui::{
        icons::{Icon, icon},
        lazy::lazy_pages,
        locale,
        pieces::{self, Tone},
        states,
    },
};

mod group;
mod list;
mod members;

use group::{GroupPage, NewGroupPage};
use list::GroupsPage;

lazy_pages! {
    (draw_groups, load_groups)
    Groups: GroupsRoute => GroupsPage,
    NewGroup: NewGroupRoute => NewGroupPage,
    Group: GroupRoute => GroupPage,
}

#[component(transparent)]
pub fn GroupRoutes() -> AnyNestedRoute {
    view! {
        <Route path=path!("groups") view={Lazy::<GroupsRoute>::new()} />
        <Route path=path!("groups/new") view={Lazy::<NewGroupRoute>::new()} />
        <Route path=path!("groups/:id") view={Lazy::<GroupRoute>::new()} />
    }
    .into_inner()
    .into_any_nested_route()
}

/// The names of the fields of a group, for forms and for their errors.
fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "name" => Some(td_string!(locale, groups.name)),
        "description" => Some(td_string!(locale, groups.description)),
        "parents" => Some(td_string!(locale, groups.parents)),
        "roles" => Some(td_string!(locale, groups.roles)),
        "reason" => Some(td_string!(locale, groups.reason)),
        _ => None,
    }
}

/// A role with where and until when it counts.
fn role_line(has: &HeldRole) -> AnyView {
    let href = format!("/console/roles/{}", has.role.id);
    let bounds = bounds(Some(&has.scope), has.expires_at).join(td_string!(locale(), base.list_separator));
    let bounds =
        (!bounds.is_empty()).then(|| view! { " " <span class="small muted">{pieces::sentence(&bounds)}</span> });
    view! {
        <a href=href>{icon(Icon::Role)} {pieces::typed(has.role.name.clone())}</a>
        {bounds}
    }
    .into_any()
}

/// Where and until when something counts, a phrase each for `pieces::sentence`; what is unbounded has none.
pub fn bounds(scope: Option<&Scope>, until: Option<Timestamp>) -> Vec<String> {
    let locale = locale();
    let department = scope.and_then(|scope| scope.department.as_deref()).map(|department| {
        td_string!(locale, groups.in_department, department = language::isolate(department)).to_string()
    });
    let region = scope
        .and_then(|scope| scope.region.as_deref())
        .map(|region| td_string!(locale, groups.in_region, region = language::isolate(region)).to_string());
    let until =
        until.map(|moment| td_string!(locale, groups.until, moment = language::date_time(locale, moment)).to_string());
    [department, region, until].into_iter().flatten().collect()
}

/// Groups, each as a link to its page.
pub fn group_links(groups: &[GroupRef]) -> AnyView {
    let links = groups.iter().map(|group| (format!("/console/groups/{}", group.id), group.name.clone()));
    pieces::links(Icon::People, links)
}

/// `top` and all of `all` that lie in it, however deep: it cannot lie in any of them.
pub fn below<T, I: Copy + PartialEq>(
    top: Option<I>,
    all: &[T],
    id: impl Fn(&T) -> I,
    lies_in: impl Fn(&T, I) -> bool,
) -> Vec<I> {
    let mut below = top.into_iter().collect::<Vec<_>>();
    let mut at = 0;
    while let Some(outer) = below.get(at).copied() {
        let inner = all.iter().filter(|one| lies_in(one, outer)).map(&id);
        let inner = inner.filter(|inner| !below.contains(inner)).collect::<Vec<_>>();
        below.extend(inner);
        at += 1;
    }
    below
}

/// The groups that somebody is in, each with what it gives.
pub fn of_person(groups: Vec<PersonGroup>) -> AnyView {
    let locale = locale();
    let body = if groups.is_empty() {
        view! { <p class="padded muted">{td_string!(locale, groups.in_none)}</p> }.into_any()
    } else {
        let lines = groups.into_iter().map(|one| {
            let href = format!("/console/groups/{}", one.group.id);
            let until = bounds(None, one.expires_at);
            let roles = one.roles.iter().map(|has| view! { <li>{role_line(has)}</li> }).collect_view();
            view! {
                <li class="padded">
                    <p class="row-of">
                        <a class="name" href=href>{icon(Icon::People)} {pieces::typed(one.group.name)}</a>
                        {until
                            .into_iter()
                            .map(|words| pieces::badge(Tone::Waiting, Some(Icon::Clock), words))
                            .collect_view()}
                    </p>
                    <ul class="links" role="list">{roles}</ul>
                </li>
            }
        });
        view! { <ul class="plain-list" role="list">{lines.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-labelledby="person-groups">
            <div class="card-head"><h2 class="grow" id="person-groups">{td_string!(locale, groups.groups)}</h2></div>
            {body}
        </section>
    }
    .into_any()
}

/// A page without its group still has a title.
fn not_shown(error: &crate::base::errors::AppError) -> AnyView {
    let locale = locale();
    view! {
        <leptos_meta::Title text=td_string!(locale, groups.group) />
        <h1>{td_string!(locale, groups.group)}</h1>
        {states::failure(error)}
        <p class="row-of"><a class="btn" href="/console/groups">{td_string!(locale, app.groups)}</a></p>
    }
    .into_any()
}
