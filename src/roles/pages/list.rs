//! The list of roles. What is looked for, the order and the place in the list are in the address.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{description, origin_badge};
use crate::{
    access::{ROLES_CREATE, ROLES_READ, USERS_READ},
    base::{errors::AppError, habits::number, language::td_string, paging::Page},
    roles::{Role, RoleOrder, RoleSort, RolesQuery, calls::list_roles},
    ui::{
        address::{self, filled},
        fields::Field,
        filters::{Chip, Filters, chips, to_readers},
        icons::Icon,
        list::{Empty, Place, create_link, list},
        locale, pieces, states,
        table::{Column, Sorted, table},
        viewer::{Held, viewer},
    },
};

const PATH: &str = "/console/roles";
const FIELDS: &[&str] = &["q", "gives", "sort"];

/// The same roles in another order, at another place of the list.
fn at(query: &RolesQuery, sort: &str, after: &str) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let query = [("q", text(&query.q)), ("gives", text(&query.gives))];
    let query = query.iter().map(|(name, value)| (*name, value.as_str())).chain([("sort", sort), ("after", after)]);
    address::with_query(PATH, &query.collect::<Vec<_>>())
}

fn is_filtered(query: &RolesQuery) -> bool {
    query.q.is_some() || query.gives.is_some()
}

#[component]
pub fn RolesPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let map = use_query_map();
    let query = address::settled(move || {
        map.with(|map| RolesQuery {
            q: filled(map.get("q")),
            gives: filled(map.get("gives")),
            sort: filled(map.get("sort")),
            after: filled(map.get("after")),
            limit: None,
        })
    });
    let roles = Resource::new_blocking(move || query.get(), list_roles);
    view! {
        <Title text=td_string!(locale, roles.roles) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, roles.roles)}</h1>
                <p class="small muted">{td_string!(locale, roles.no_roles_about)}</p>
            </div>
            {create_link(ROLES_CREATE.as_str(), "/console/roles/new", td_string!(locale, roles.create))}
        </div>
        {to_readers(ROLES_READ.as_str(), Callback::new(move |()| filters(query.get())))}
        <Suspense fallback=move || states::loading_table(8)>
            {move || {
                let (viewer, query) = (viewer.clone(), query.get());
                Suspend::new(async move { roles_list(&query, roles.await, &viewer.holds().await) })
            }}
        </Suspense>
    }
    .into_any()
}

fn filters(query: RolesQuery) -> AnyView {
    let locale = locale();
    let filtered = is_filtered(&query);
    let chip = query.gives.clone().map(|key| {
        let without = RolesQuery { gives: None, ..query.clone() };
        let word = td_string!(locale, roles.gives, key = pieces::isolate_key(&key)).to_string();
        Chip { word, without: at(&without, query.sort.as_deref().unwrap_or_default(), "") }
    });
    let kept = [("gives", query.gives), ("sort", query.sort)]
        .into_iter()
        .filter_map(|(name, value)| Some(view! { <input type="hidden" name=name value=value? /> }))
        .collect_view();
    view! {
        <Filters path=PATH fields=FIELDS filtered>
            {kept}
            <div class="field wide">
                <Field name="q" label=td_string!(locale, roles.search_roles) kind="search" value=query.q.unwrap_or_default() />
            </div>
        </Filters>
        {chips(chip.into_iter().collect())}
    }
    .into_any()
}

fn roles_list(query: &RolesQuery, roles: Result<Page<Role>, AppError>, held: &Held) -> AnyView {
    let locale = locale();
    let sort = query.sort.clone().unwrap_or_default();
    let place = Place {
        is_filtered: is_filtered(query),
        all: PATH.to_owned(),
        is_later: query.after.is_some(),
        at: |after: &str| at(query, &sort, after),
    };
    let create = ("/console/roles/new".to_owned(), td_string!(locale, roles.create));
    let empty = Empty {
        sign: Icon::Role,
        title: td_string!(locale, roles.no_roles),
        about: td_string!(locale, roles.no_roles_about),
        action: held.may(ROLES_CREATE.as_str()).then_some(create),
    };
    let to_people = held.may(USERS_READ.as_str());
    list(roles, place, empty, |roles| {
        let rows = roles.into_iter().map(|role| row(role, to_people)).collect();
        table(td_string!(locale, roles.roles), columns(query), rows)
    })
}

fn columns(query: &RolesQuery) -> [Column; 4] {
    let locale = locale();
    let now = query.sort.as_deref().and_then(RoleOrder::parse);
    let sorted = |column: Column, by: RoleSort| {
        let state = match now {
            // Names go up from the first letter, numbers down from the greatest.
            Some(now) if now.by == by && (by == RoleSort::Name) != now.reversed => Sorted::Up,
            Some(now) if now.by == by => Sorted::Down,
            _ => Sorted::Not,
        };
        let other = RoleOrder { by, reversed: now == Some(RoleOrder { by, reversed: false }) };
        column.sorted(state, at(query, &other.written(), ""))
    };
    [
        sorted(Column::new(td_string!(locale, roles.name)), RoleSort::Name),
        Column::new(td_string!(locale, roles.description)).wide(),
        sorted(Column::new(td_string!(locale, roles.permissions)), RoleSort::Permissions),
        sorted(Column::new(td_string!(locale, roles.people)), RoleSort::People),
    ]
}

fn row(role: Role, to_people: bool) -> AnyView {
    let locale = locale();
    let origin = origin_badge(&role);
    let href = format!("{PATH}/{}", role.id);
    let description = description(&role);
    let people = if to_people {
        let href = format!("{href}?tab=people");
        let about = td_string!(locale, roles.people_count, count = role.people).to_string();
        view! { <a class="count" href=href><span aria-hidden="true">{number(role.people)}</span> <span class="away">{about}</span></a> }.into_any()
    } else {
        number(role.people).into_any()
    };
    view! {
        <tr>
            <th scope="row">
                <span class="row-of">
                    <a class="name" href=href>{pieces::typed(role.name)}</a>
                    {origin}
                </span>
            </th>
            <td class="wide-only"><span class="muted" dir="auto">{description}</span></td>
            <td class="num">{number(role.permissions.len())}</td>
            <td class="num">{people}</td>
        </tr>
    }
    .into_any()
}
