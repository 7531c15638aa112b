//! Choosing whom the studio works on: a person by search, or a role.

use std::{sync::Arc, time::Duration};

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
        virtual_list::{Place, VirtualList, Window},
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
    let people = RwSignal::new(None::<Result<Vec<Arc<PersonRow>>, AppError>>);
    let ask = move || {
        let q = address::filled(Some(search.typed()));
        sees_people.then(|| list_people(PeopleQuery { q, limit: Some(OFFERED), ..PeopleQuery::default() }))
    };
    follow(PAUSE, ask, move |answer| {
        people.set(answer.map(|found| found.map(|page| page.items.into_iter().map(Arc::new).collect())))
    });
    let no_roles = roles.as_ref().err().map(states::failed);
    let roles = roles.unwrap_or_default().into_iter().map(|role| (fold(&role.name), Arc::new(role)));
    let roles = StoredValue::new(roles.collect::<Vec<_>>());
    let rows = Memo::new(move |_| {
        let people = people.with(|people| {
            let found = people.iter().flatten().flatten();
            found.map(|person| Choice::Person(Arc::clone(person))).collect::<Vec<_>>()
        });
        let held = roles.with_value(|roles| {
            let found = roles.iter().filter(|(folded, _)| search.finds(folded));
            found.map(|(_, role)| Choice::Role(Arc::clone(role))).collect::<Vec<_>>()
        });
        let parts = [(td_string!(locale, roles.people), people), (td_string!(locale, roles.roles), held)];
        let filled = parts.into_iter().filter(|(_, choices)| !choices.is_empty());
        filled.flat_map(|(word, choices)| std::iter::once(Choice::Head(word)).chain(choices)).collect::<Vec<_>>()
    });
    let rows = Signal::from(rows);
    let window = Window::new(rows, Choice::is_head);
    search.when_changed(move || window.rewind());
    // What stands for the people while there are none.
    let no_people = move || {
        let words = match people.get() {
            None => states::bones(3),
            Some(Err(error)) => states::failed(&error),
            Some(Ok(people)) if people.is_empty() => {
                view! { <p class="hint padded">{td_string!(locale, roles.no_person_found)}</p> }.into_any()
            }
            Some(Ok(_)) => return None,
        };
        Some(words)
    };
    view! {
        <div class="card-head"><h2 id="target-title">{td_string!(locale, roles.choose_target)}</h2></div>
        <div class="pane-search">
            {catalogue::search_field(search, "target-search", td_string!(locale, roles.search_target))}
        </div>
        {sees_people.then(|| view! { <div>{no_people}</div> })}
        {no_roles}
        <VirtualList window class="rows targets" labelled_by="target-title" rows key=Choice::id draw=drawn />
    }
    .into_any()
}

/// A line of the list: whom or what the studio may work on, under headings.
#[derive(Clone, PartialEq)]
enum Choice {
    Head(&'static str),
    Person(Arc<PersonRow>),
    Role(Arc<Role>),
}

impl Choice {
    fn is_head(&self) -> bool {
        matches!(self, Choice::Head(_))
    }

    /// Tells lines apart.
    fn id(&self) -> String {
        match self {
            Choice::Head(word) => (*word).to_owned(),
            Choice::Person(person) => person.id.to_string(),
            Choice::Role(role) => role.id.to_string(),
        }
    }
}

fn drawn(place: Place, choice: Choice) -> AnyView {
    let class = if choice.is_head() { "head" } else { "choice" };
    let inside = match choice {
        Choice::Head(word) => view! { <h3>{word}</h3> }.into_any(),
        Choice::Person(person) => person_choice(&person),
        Choice::Role(role) => role_choice(&role),
    };
    view! {
        <div class=class role="listitem" aria-posinset=place.number() aria-setsize=move || place.of()>
            {inside}
        </div>
    }
    .into_any()
}

fn person_choice(person: &PersonRow) -> AnyView {
    view! {
        <a href=format!("/console/studio?person={}", person.id)>
            {pieces::avatar(&person.name, false)}
            <span class="about">
                <span class="one-line strong">{pieces::typed(person.name.clone())}</span>
                <span class="one-line small muted">{pieces::typed(person.email.clone())}</span>
            </span>
        </a>
    }
    .into_any()
}

fn role_choice(role: &Role) -> AnyView {
    let origin = origin_badge(role);
    view! {
        <a href=format!("/console/studio?role={}", role.id)>
            {icon(Icon::Role)}
            <span class="about">
                <span class="one-line"><span class="strong">{pieces::typed(role.name.clone())}</span> " " {origin}</span>
                <span class="one-line small muted">{pieces::typed(role.description.clone())}</span>
            </span>
        </a>
    }
    .into_any()
}
