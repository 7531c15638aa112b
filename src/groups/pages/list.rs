//! The list of groups. What is looked for and the place in the list are in the address.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    access::{GROUPS_MANAGE, GROUPS_READ},
    base::{errors::AppError, habits::number, language::td_string, paging::Page},
    groups::{Group, GroupsQuery, calls::list_groups},
    ui::{
        address::{self, filled},
        filters::search,
        icons::Icon,
        list::{Empty, Place, create_link, list},
        locale, pieces, states,
        table::{Column, table},
        viewer::{Held, viewer},
    },
};

const PATH: &str = "/console/groups";

#[component]
pub fn GroupsPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let map = use_query_map();
    let query = address::settled(move || {
        map.with(|map| GroupsQuery { q: filled(map.get("q")), after: filled(map.get("after")), limit: None })
    });
    let groups = Resource::new_blocking(move || query.get(), list_groups);
    view! {
        <Title text=td_string!(locale, groups.groups) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, groups.groups)}</h1>
                <p class="small muted">{td_string!(locale, groups.about)}</p>
            </div>
            {create_link(GROUPS_MANAGE.as_str(), "/console/groups/new", td_string!(locale, groups.create))}
        </div>
        {search(PATH, td_string!(locale, groups.search), GROUPS_READ.as_str(), Signal::derive(move || query.get().q))}
        <Suspense fallback=move || states::loading_table(6)>
            {move || {
                let (viewer, query) = (viewer.clone(), query.get());
                Suspend::new(async move { groups_list(&query, groups.await, &viewer.holds().await) })
            }}
        </Suspense>
    }
    .into_any()
}

fn groups_list(query: &GroupsQuery, groups: Result<Page<Group>, AppError>, held: &Held) -> AnyView {
    let locale = locale();
    let place = Place {
        is_filtered: query.q.is_some(),
        all: PATH.to_owned(),
        is_later: query.after.is_some(),
        at: |after: &str| address::with_query(PATH, &[("q", query.q.as_deref().unwrap_or_default()), ("after", after)]),
    };
    let create = ("/console/groups/new".to_owned(), td_string!(locale, groups.create));
    let empty = Empty {
        sign: Icon::People,
        title: td_string!(locale, groups.none),
        about: td_string!(locale, groups.about),
        action: held.may(GROUPS_MANAGE.as_str()).then_some(create),
    };
    let columns = [
        Column::new(td_string!(locale, groups.name)),
        Column::new(td_string!(locale, groups.description)).wide(),
        Column::new(td_string!(locale, groups.parents)).wide(),
        Column::new(td_string!(locale, groups.roles)),
        Column::new(td_string!(locale, groups.people)),
    ];
    list(groups, place, empty, |groups| {
        table(td_string!(locale, groups.groups), columns, groups.into_iter().map(row).collect())
    })
}

fn row(group: Group) -> AnyView {
    let href = format!("{PATH}/{}", group.id);
    let parents = match group.parents.is_empty() {
        true => pieces::nothing(),
        false => pieces::names(group.parents.iter().map(|parent| parent.name.as_str())),
    };
    let roles = group.roles.iter().map(|has| pieces::badge(pieces::Tone::Neutral, None, has.role.name.clone()));
    let roles = roles.collect_view();
    view! {
        <tr>
            <th scope="row"><a class="name" href=href>{pieces::typed(group.name)}</a></th>
            <td class="wide-only"><span class="muted" dir="auto">{group.description}</span></td>
            <td class="wide-only">{parents}</td>
            <td><span class="badges">{roles}</span></td>
            <td class="num">{number(group.people)}</td>
        </tr>
    }
    .into_any()
}
