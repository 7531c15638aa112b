//! The list of people. Filters, order and place in the list are in the address.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{role_badges, role_choices, sort_word, status_badge, status_word};
use crate::{
    access::{ROLES_READ, RoleRef, USERS_CREATE},
    accounts::{PeopleQuery, PeopleSort, PersonRow, Status, calls::list_people},
    base::{language::td_string, paging::Page},
    ui::{
        address::{self, filled},
        fields::{Field, Select},
        filters::Filters,
        icons::{Icon, icon},
        locale, pieces, states,
        viewer::viewer,
    },
};

const PATH: &str = "/console/people";
/// The fields of the filter, as they stand in the address.
const FIELDS: &[&str] = &["q", "status", "role", "department", "sort"];

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
    view! {
        <Title text=td_string!(locale, accounts.people) />
        <div class="page-head">
            <h1 class="grow">{td_string!(locale, accounts.people)}</h1>
            <Suspense>
                {move || {
                    let viewer = viewer.clone();
                    Suspend::new(async move {
                        viewer
                            .holds()
                            .await
                            .may(USERS_CREATE.as_str())
                            .then(|| {
                                view! {
                                    <a class="btn primary" href="/console/people/new">
                                        {icon(Icon::Add)} {td_string!(locale, accounts.add)}
                                    </a>
                                }
                            })
                    })
                }}
            </Suspense>
        </div>
        <Suspense>
            {move || {
                let query = query.get();
                Suspend::new(async move { filters(query, roles.await) })
            }}
        </Suspense>
        <Suspense fallback=move || states::loading(8)>
            {move || {
                let query = query.get();
                Suspend::new(async move {
                    match people.await {
                        Ok(page) => list(&query, page),
                        Err(error) => states::failure(&error),
                    }
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
            sort: filled(map.get("sort")),
            after: filled(map.get("after")),
            limit: None,
        })
    })
}

fn is_filtered(query: &PeopleQuery) -> bool {
    query.q.is_some() || query.status.is_some() || query.department.is_some() || query.role.is_some()
}

/// The same filters at another place of the list.
fn at(query: &PeopleQuery, after: &str) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    address::with_query(
        PATH,
        &[
            ("q", &text(&query.q)),
            ("status", &text(&query.status)),
            ("role", &text(&query.role)),
            ("department", &text(&query.department)),
            ("sort", &text(&query.sort)),
            ("after", after),
        ],
    )
}

fn filters(query: PeopleQuery, roles: Vec<RoleRef>) -> AnyView {
    let locale = locale();
    let filtered = is_filtered(&query);
    let statuses = [Status::Active, Status::Invited, Status::Suspended, Status::Deleted]
        .map(|status| (status.as_str().to_owned(), status_word(status).to_owned()));
    let statuses = [(String::new(), td_string!(locale, accounts.status_any).to_owned())].into_iter().chain(statuses);
    let sorts = [PeopleSort::Name, PeopleSort::Created, PeopleSort::LastLogin]
        .map(|sort| (sort.as_str().to_owned(), sort_word(sort).to_owned()));
    let role = (!roles.is_empty()).then(|| {
        let any = (String::new(), td_string!(locale, accounts.role_any).to_owned());
        let options = [any].into_iter().chain(roles.into_iter().map(|role| (role.id.to_string(), role.name))).collect();
        let value = query.role.clone().unwrap_or_default();
        view! { <Select name="role" label=td_string!(locale, accounts.role) options value /> }
    });
    view! {
        <Filters path=PATH fields=FIELDS filtered>
            <div class="field wide">
                <Field name="q" label=td_string!(locale, accounts.search) kind="search" value=query.q.unwrap_or_default() />
            </div>
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
            <Select
                name="sort"
                label=td_string!(locale, accounts.sort)
                options=sorts.to_vec()
                value=query.sort.unwrap_or_default()
            />
        </Filters>
    }
    .into_any()
}

fn list(query: &PeopleQuery, page: Page<PersonRow>) -> AnyView {
    let locale = locale();
    if page.items.is_empty() {
        if is_filtered(query) {
            return states::nothing_found(PATH);
        }
        return states::empty(
            Icon::People,
            td_string!(locale, accounts.nobody),
            td_string!(locale, accounts.nobody_about),
            None,
        );
    }
    let first = query.after.is_some().then(|| at(query, ""));
    let next = page.next.as_deref().map(|next| at(query, next));
    let rows = page.items.into_iter().map(row).collect_view();
    view! {
        <div class="card table-box">
            <table class="table">
                <caption class="away">{td_string!(locale, accounts.people)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, accounts.name)}</th>
                        <th scope="col" class="wide-only">{td_string!(locale, accounts.department)}</th>
                        <th scope="col">{td_string!(locale, accounts.status)}</th>
                        <th scope="col" class="wide-only">{td_string!(locale, accounts.roles)}</th>
                        <th scope="col" class="wide-only">{td_string!(locale, accounts.last_login)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pieces::pager(first, next)}
    }
    .into_any()
}

fn row(person: PersonRow) -> AnyView {
    view! {
        <tr>
            <th scope="row">
                <a class="name" href=format!("{PATH}/{}", person.id)>{pieces::typed(person.name)}</a>
                <div class="small muted">{pieces::typed(person.email)}</div>
            </th>
            <td class="wide-only">{pieces::typed_or_dash(person.department)}</td>
            <td>{status_badge(person.status)}</td>
            <td class="wide-only">{role_badges(person.roles)}</td>
            <td class="wide-only">{pieces::moment_or_dash(person.last_login_at)}</td>
        </tr>
    }
    .into_any()
}
