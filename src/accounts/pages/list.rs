//! The list of people. Filters, order and place in the list are in the address.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{
    bulk::{self, BulkActs},
    role_badges, role_choices, sort_word, status_badge, status_word,
};
use crate::{
    access::{PERMISSIONS_READ, ROLES_READ, RoleRef, USERS_CREATE, USERS_READ},
    accounts::{
        NO_ROLE, PeopleOrder, PeopleQuery, PeopleSort, PersonRow, SOON_DAYS, Status, bulk::MOST_AT_ONCE,
        calls::list_people,
    },
    base::{errors::AppError, language::td_string, paging::Page},
    ui::{
        address::{self, filled},
        fields::{Field, Select},
        filters::{Filters, FoldedFilters},
        icons::Icon,
        list::{Empty, Place, create_link, list},
        locale, pieces,
        selection::{Item, Selection},
        states,
        table::{Column, Sorted, table},
        viewer::{Held, viewer},
    },
};

const PATH: &str = "/console/people";
/// The fields of the filter, as they stand in the address.
const FIELDS: &[&str] = &["q", "status", "role", "group", "department", "ends_within", "sort"];

#[component]
pub fn PeoplePage() -> impl IntoView {
    let locale = locale();
    let query = query();
    let viewer = viewer();
    let choices = role_choices();
    let people = Resource::new_blocking(move || query.get(), list_people);
    let asking = viewer.clone();
    let roles = Resource::new_blocking(
        || (),
        move |()| {
            let (viewer, choices) = (asking.clone(), choices.clone());
            async move { if viewer.holds().await.may(ROLES_READ.as_str()) { choices.ask().await } else { Vec::new() } }
        },
    );
    let (for_filters, for_rows, for_acts) = (viewer.clone(), viewer.clone(), viewer);
    // It stays while one pages, sorts and searches.
    let selection = Selection::new(MOST_AT_ONCE);
    let changed = Callback::new(move |()| people.refetch());
    view! {
        <Title text=td_string!(locale, accounts.people) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, accounts.people)}</h1>
                <p class="small muted">{td_string!(locale, accounts.people_about)}</p>
            </div>
            {create_link(USERS_CREATE.as_str(), "/console/people/new", td_string!(locale, accounts.add))}
        </div>
        <Suspense>
            {move || {
                let (query, viewer) = (query.get(), for_filters.clone());
                Suspend::new(async move {
                    let (roles, held) = (roles.await, viewer.holds().await);
                    held.may(USERS_READ.as_str()).then(|| filters(query, roles, &held))
                })
            }}
        </Suspense>
        <Suspense fallback=move || states::loading_table(8)>
            {move || {
                let (query, viewer) = (query.get(), for_rows.clone());
                Suspend::new(async move {
                    let picks = bulk::may_act(&viewer.holds().await).then_some(selection);
                    people_list(&query, people.await, picks)
                })
            }}
        </Suspense>
        <Suspense>
            {move || {
                let viewer = for_acts.clone();
                Suspend::new(async move {
                    let (roles, held) = (roles.await, viewer.holds().await);
                    bulk::may_act(&held).then(|| view! { <BulkActs selection roles held changed /> })
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// What the address asks for.
fn query() -> Signal<PeopleQuery> {
    let map = use_query_map();
    address::settled(move || {
        map.with(|map| PeopleQuery {
            q: filled(map.get("q")),
            status: filled(map.get("status")),
            department: filled(map.get("department")),
            role: filled(map.get("role")),
            group: filled(map.get("group")),
            ends_within: filled(map.get("ends_within")),
            sort: filled(map.get("sort")),
            after: filled(map.get("after")),
            limit: None,
        })
    })
}

fn is_filtered(query: &PeopleQuery) -> bool {
    let none = PeopleQuery { sort: query.sort.clone(), after: query.after.clone(), ..PeopleQuery::default() };
    *query != none
}

/// The same filters in another order, at another place of the list.
fn at(query: &PeopleQuery, sort: &str, after: &str) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    address::with_query(
        PATH,
        &[
            ("q", &text(&query.q)),
            ("status", &text(&query.status)),
            ("role", &text(&query.role)),
            ("group", &text(&query.group)),
            ("department", &text(&query.department)),
            ("ends_within", &text(&query.ends_within)),
            ("sort", sort),
            ("after", after),
        ],
    )
}

fn filters(query: PeopleQuery, roles: Vec<RoleRef>, held: &Held) -> AnyView {
    let locale = locale();
    let filtered = is_filtered(&query);
    let active = [&query.status, &query.role, &query.department, &query.ends_within].into_iter().flatten().count();
    let any = |word: &str| (String::new(), word.to_owned());
    let statuses = [Status::Active, Status::Invited, Status::Suspended, Status::Deleted]
        .map(|status| (status.as_str().to_owned(), status_word(status).to_owned()));
    let statuses = [any(td_string!(locale, accounts.status_any))].into_iter().chain(statuses);
    let sorts = PeopleSort::ALL.map(|sort| (sort.as_str().to_owned(), sort_word(sort).to_owned()));
    // An order that was turned round stays one of the choices.
    let turned = query.sort.as_deref().and_then(PeopleOrder::parse).filter(|order| order.reversed);
    let turned = turned.map(|order| {
        let word = td_string!(locale, accounts.sort_reversed, order = sort_word(order.by)).to_string();
        (order.written(), word)
    });
    let role = (!roles.is_empty()).then(|| {
        let first = [
            any(td_string!(locale, accounts.role_any)),
            (NO_ROLE.to_owned(), td_string!(locale, accounts.role_none).to_owned()),
        ];
        let options = first.into_iter().chain(roles.into_iter().map(|role| (role.id.to_string(), role.name))).collect();
        let value = query.role.clone().unwrap_or_default();
        view! { <Select name="role" label=td_string!(locale, accounts.role) options value /> }
    });
    let ends = held.may(PERMISSIONS_READ.as_str()).then(|| {
        let within =
            |days: u32| (days.to_string(), td_string!(locale, accounts.ends_within_days, count = days).to_string());
        let options = vec![any(td_string!(locale, accounts.ends_any)), within(1), within(SOON_DAYS), within(30)];
        let value = query.ends_within.clone().unwrap_or_default();
        view! { <Select name="ends_within" label=td_string!(locale, accounts.ends) options value /> }
    });
    view! {
        <Filters path=PATH fields=FIELDS filtered>
            <div class="field wide">
                <Field name="q" label=td_string!(locale, accounts.search) kind="search" value=query.q.unwrap_or_default() />
            </div>
            <FoldedFilters active>
                <Select
                    name="status"
                    label=td_string!(locale, accounts.status)
                    options=statuses.collect()
                    value=query.status.unwrap_or_default()
                />
                {role}
                <Field
                    name="department"
                    label=td_string!(locale, accounts.department)
                    value=query.department.unwrap_or_default()
                />
                {ends}
                // On a desk the heads of the columns sort.
                <div class="field narrow-only">
                    <Select
                        name="sort"
                        label=td_string!(locale, accounts.sort)
                        options=sorts.into_iter().chain(turned).collect()
                        value=query.sort.unwrap_or_default()
                    />
                </div>
            </FoldedFilters>
        </Filters>
    }
    .into_any()
}

fn people_list(query: &PeopleQuery, answer: Result<Page<PersonRow>, AppError>, picks: Option<Selection>) -> AnyView {
    let locale = locale();
    let sort = query.sort.clone().unwrap_or_default();
    let place = Place {
        is_filtered: is_filtered(query),
        all: PATH.to_owned(),
        is_later: query.after.is_some(),
        at: |after: &str| at(query, &sort, after),
    };
    let empty = Empty {
        sign: Icon::People,
        title: td_string!(locale, accounts.nobody),
        about: td_string!(locale, accounts.nobody_about),
        action: None,
    };
    let ending = query.ends_within.is_some();
    list(answer, place, empty, |people| {
        let item = |person: &PersonRow| Item { id: person.id.to_string(), name: person.name.clone() };
        let page = people.iter().map(item).collect::<Arc<[_]>>();
        let pick = |at| picks.map(|selection| (selection, Arc::clone(&page), at));
        let rows = people.into_iter().enumerate().map(|(at, person)| row(person, ending, pick(at))).collect();
        let boxes = picks.map(|selection| selection.column(Arc::clone(&page)));
        let columns = boxes.into_iter().chain(columns(query, ending));
        table(td_string!(locale, accounts.people), columns, rows)
    })
}

fn columns(query: &PeopleQuery, ending: bool) -> Vec<Column> {
    let locale = locale();
    let now = query.sort.as_deref().and_then(PeopleOrder::parse).unwrap_or_default();
    let sorted = |column: Column, by: PeopleSort| {
        let is_now = now.by == by;
        let other = PeopleOrder { by, reversed: is_now && !now.reversed };
        // Names go up from the first letter, moments down from the latest.
        let goes_up = matches!(by, PeopleSort::Name | PeopleSort::Department) != now.reversed;
        let state = match (is_now, goes_up) {
            (false, _) => Sorted::Not,
            (true, true) => Sorted::Up,
            (true, false) => Sorted::Down,
        };
        column.sorted(state, at(query, &other.written(), ""))
    };
    let mut columns = vec![
        sorted(Column::new(td_string!(locale, accounts.name)), PeopleSort::Name),
        sorted(Column::new(td_string!(locale, accounts.department)).wide(), PeopleSort::Department),
        Column::new(td_string!(locale, accounts.status)),
        Column::new(td_string!(locale, accounts.roles)).wide(),
    ];
    if ending {
        columns.push(Column::new(td_string!(locale, accounts.ends_first)));
    } else {
        columns.push(sorted(Column::new(td_string!(locale, accounts.last_login)).wide(), PeopleSort::LastLogin));
        columns.push(sorted(Column::new(td_string!(locale, accounts.created_at)).wide(), PeopleSort::Created));
    }
    columns
}

/// The box of a row: the selection, the rows of the page, and the place of this one.
type Pick = Option<(Selection, Arc<[Item]>, usize)>;

fn row(person: PersonRow, ending: bool, pick: Pick) -> AnyView {
    let id = person.id.to_string();
    let selection = pick.as_ref().map(|(selection, ..)| *selection);
    let is_picked = move || selection.is_some_and(|selection| selection.has(&id));
    let pick = pick.map(|(selection, page, at)| selection.cell(page, at));
    let href = if ending { format!("{PATH}/{}?tab=permissions", person.id) } else { format!("{PATH}/{}", person.id) };
    let last = if ending {
        view! { <td>{pieces::moment_or_dash(person.ends_at)}</td> }.into_any()
    } else {
        view! {
            <td class="wide-only">{pieces::moment_or_dash(person.last_login_at)}</td>
            <td class="wide-only">{pieces::moment(person.created_at)}</td>
        }
        .into_any()
    };
    view! {
        <tr class:selected=is_picked>
            {pick}
            <th scope="row">{person_name(&person.name, &person.email, href)}</th>
            <td class="wide-only">{pieces::typed_or_dash(person.department)}</td>
            <td>{status_badge(person.status)}</td>
            <td class="wide-only">{role_badges(person.roles)}</td>
            {last}
        </tr>
    }
    .into_any()
}

/// A person at the head of a row: initials, name and address, as a way to their page.
pub fn person_name(name: &str, email: &str, href: String) -> AnyView {
    view! {
        <span class="person">
            {pieces::avatar(name, false)}
            <span class="grow">
                <a class="name" href=href>{pieces::typed(name)}</a>
                <span class="small muted">{pieces::email(email)}</span>
            </span>
        </span>
    }
    .into_any()
}
