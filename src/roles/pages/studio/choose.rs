//! Choosing whom the studio works on: a person by search, or a role.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    access::USERS_READ,
    accounts::{PeopleQuery, PersonRow, calls::list_people},
    base::{errors::AppError, language::td_string, search::fold},
    roles::{
        Role,
        pages::{
            catalogue::{self, Search},
            origin_badge,
        },
    },
    ui::{
        address,
        asking::follow,
        icons::{Icon, icon},
        locale, pieces, states,
        viewer::Held,
    },
};

/// How many people are offered; who is not among them is found by typing more.
const OFFERED: u32 = 8;
/// How long after the last key people are searched.
const PAUSE: Duration = Duration::from_millis(150);

pub fn pane(roles: Result<Vec<Role>, AppError>, held: &Held) -> AnyView {
    let locale = locale();
    let search = Search::new();
    let sees_people = held.may(USERS_READ.as_str());
    let people = RwSignal::new(None::<Result<Vec<PersonRow>, AppError>>);
    let ask = move || {
        let q = address::filled(Some(search.typed()));
        sees_people.then(|| list_people(PeopleQuery { q, limit: Some(OFFERED), ..PeopleQuery::default() }))
    };
    follow(PAUSE, ask, move |answer| people.set(answer.map(|found| found.map(|page| page.items))));
    let roles = StoredValue::new(roles);
    let found_roles = move || {
        roles.with_value(|roles| {
            let roles = roles.as_ref().map(Vec::as_slice).unwrap_or_default();
            roles.iter().filter(|role| search.finds(&fold(&role.name))).map(role_choice).collect_view()
        })
    };
    let found_people = move || match people.get() {
        None => states::bones(3),
        Some(Err(error)) => states::failed(&error),
        Some(Ok(people)) if people.is_empty() => {
            view! { <p class="hint padded">{td_string!(locale, roles.no_person_found)}</p> }.into_any()
        }
        Some(Ok(people)) => {
            view! { <ul class="choices" role="list">{people.into_iter().map(person_choice).collect_view()}</ul> }
                .into_any()
        }
    };
    view! {
        <div class="card-head"><h2 id="target-title">{td_string!(locale, roles.choose_target)}</h2></div>
        <div class="pane-search">
            {catalogue::search_field(search, "target-search", td_string!(locale, roles.search_target))}
        </div>
        <div class="rows plain">
            {sees_people
                .then(|| {
                    view! {
                        <h3 class="head">{td_string!(locale, roles.people)}</h3>
                        {found_people}
                    }
                })}
            <h3 class="head">{td_string!(locale, roles.roles)}</h3>
            <ul class="choices" role="list">{found_roles}</ul>
        </div>
    }
    .into_any()
}

fn person_choice(person: PersonRow) -> AnyView {
    view! {
        <li>
            <a href=format!("/console/studio?person={}", person.id)>
                {pieces::avatar(&person.name, false)}
                <span class="about">
                    <span class="strong">{pieces::typed(person.name)}</span>
                    <span class="small muted">{pieces::typed(person.email)}</span>
                </span>
            </a>
        </li>
    }
    .into_any()
}

fn role_choice(role: &Role) -> AnyView {
    let origin = origin_badge(role);
    view! {
        <li>
            <a href=format!("/console/studio?role={}", role.id)>
                {icon(Icon::Role)}
                <span class="about">
                    <span class="row-of"><span class="strong">{pieces::typed(role.name.clone())}</span> {origin}</span>
                    <span class="small muted">{pieces::typed(role.description.clone())}</span>
                </span>
            </a>
        </li>
    }
    .into_any()
}
