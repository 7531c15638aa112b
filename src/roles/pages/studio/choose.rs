//! Choosing whom the studio works on: a person by search or several together, a role, or a group.

use std::{sync::Arc, time::Duration};

use leptos::prelude::*;

use super::Studio;
use crate::{
    access::USERS_READ,
    accounts::{PeopleQuery, PersonRow, bulk::MOST_AT_ONCE, calls::list_people},
    base::{errors::AppError, ids::UserId, language::td_string, search::fold},
    groups::Group,
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
        browser,
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        viewer::Held,
        virtual_list::{Place, VirtualList, Window},
    },
};

/// How many people are offered; who is not among them is found by typing more.
const OFFERED: u32 = 8;
/// How long after the last key people are searched.
const PAUSE: Duration = Duration::from_millis(150);
/// The field in which they are searched.
const SEARCH: &str = "target-search";

pub fn pane(
    roles: Result<Vec<Role>, AppError>,
    groups: Result<Vec<Group>, AppError>,
    held: &Held,
    studio: Studio,
) -> AnyView {
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
    let no_groups = groups.as_ref().err().map(states::failed);
    let groups = groups.unwrap_or_default().into_iter().map(|group| (fold(&group.name), Arc::new(group)));
    let groups = StoredValue::new(groups.collect::<Vec<_>>());
    let chosen = RwSignal::new(Vec::<UserId>::new());
    let rows = Memo::new(move |_| {
        let people = people.with(|people| {
            let found = people.iter().flatten().flatten();
            found.map(|person| Choice::Person(Arc::clone(person))).collect::<Vec<_>>()
        });
        let held = roles.with_value(|roles| {
            let found = roles.iter().filter(|(folded, _)| search.finds(folded));
            found.map(|(_, role)| Choice::Role(Arc::clone(role))).collect::<Vec<_>>()
        });
        let in_groups = groups.with_value(|groups| {
            let found = groups.iter().filter(|(folded, _)| search.finds(folded));
            found.map(|(_, group)| Choice::Group(Arc::clone(group))).collect::<Vec<_>>()
        });
        let parts = [
            (td_string!(locale, roles.people), people),
            (td_string!(locale, roles.groups), in_groups),
            (td_string!(locale, roles.roles), held),
        ];
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
            {catalogue::search_field(search, SEARCH, td_string!(locale, roles.search_target))}
        </div>
        {sees_people.then(|| view! { <div>{no_people}</div> })}
        {no_groups}
        {no_roles}
        <VirtualList
            window
            class="rows targets"
            labelled_by="target-title"
            rows
            key=Choice::id
            draw=move |place, choice| drawn(place, choice, chosen, studio)
        />
        {together(chosen, studio)}
    }
    .into_any()
}

/// A line of the list: whom or what the studio may work on, under headings.
#[derive(Clone, PartialEq)]
enum Choice {
    Head(&'static str),
    Person(Arc<PersonRow>),
    Group(Arc<Group>),
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
            Choice::Group(group) => group.id.to_string(),
            Choice::Role(role) => role.id.to_string(),
        }
    }
}

fn drawn(place: Place, choice: Choice, chosen: RwSignal<Vec<UserId>>, studio: Studio) -> AnyView {
    let class = if choice.is_head() { "head" } else { "choice" };
    let inside = match choice {
        Choice::Head(word) => view! { <h3>{word}</h3> }.into_any(),
        Choice::Person(person) => person_choice(&person, chosen, studio),
        Choice::Group(group) => group_choice(&group),
        Choice::Role(role) => role_choice(&role),
    };
    view! {
        <div class=class role="listitem" aria-posinset=place.number() aria-setsize=move || place.of()>
            {inside}
        </div>
    }
    .into_any()
}

/// One person alone by the link, or one of several by the box beside it.
fn person_choice(person: &PersonRow, chosen: RwSignal<Vec<UserId>>, studio: Studio) -> AnyView {
    let locale = locale();
    let live = is_live();
    let id = person.id;
    let is_chosen = Memo::new(move |_| chosen.with(|chosen| chosen.contains(&id)));
    let name = person.name.clone();
    let toggle = move |come: bool| {
        chosen.update(|chosen| {
            chosen.retain(|one| *one != id);
            if come {
                chosen.push(id);
            }
        });
        let count = chosen.with_untracked(Vec::len);
        studio.say(td_string!(locale, roles.many_chosen, count = count).to_string());
    };
    let full = move || !is_chosen.get() && chosen.with(Vec::len) >= MOST_AT_ONCE;
    view! {
        <input
            type="checkbox"
            aria-label=td_string!(locale, roles.choose_together, name = name).to_string()
            prop:checked=move || is_chosen.get()
            disabled=move || !live.get() || full()
            on:change:target=move |event| toggle(event.target().checked())
        />
        <a href=format!("/console/studio?person={id}")>
            {pieces::avatar(&person.name, false)}
            <span class="about">
                <span class="one-line strong">{pieces::typed(person.name.clone())}</span>
                <span class="one-line small muted">{pieces::typed(person.email.clone())}</span>
            </span>
        </a>
    }
    .into_any()
}

/// The way on with those who were chosen together. A search for others keeps them.
fn together(chosen: RwSignal<Vec<UserId>>, studio: Studio) -> AnyView {
    let locale = locale();
    let count = Memo::new(move |_| chosen.with(Vec::len));
    let href = move || {
        let ids = chosen.with(|chosen| chosen.iter().map(ToString::to_string).collect::<Vec<_>>());
        format!("/console/studio?people={}", ids.join(","))
    };
    let put_back = move |_| {
        chosen.set(Vec::new());
        studio.say(td_string!(locale, roles.many_chosen, count = 0_usize).to_string());
        // The button goes away with them; the next who are chosen are found from here.
        browser::focus(SEARCH);
    };
    view! {
        <div class="pane-foot" hidden=move || count.get() == 0>
            <span class="grow small muted">{move || td_string!(locale, roles.many_chosen, count = count.get()).to_string()}</span>
            <button class="btn ghost sm" type="button" on:click=put_back>
                {td_string!(locale, roles.put_back)}
            </button>
            <a class="btn sm primary" href=href>
                {td_string!(locale, roles.many_go)}
            </a>
        </div>
    }
    .into_any()
}

fn group_choice(group: &Group) -> AnyView {
    let people = td_string!(locale(), groups.people_count, count = group.people).to_string();
    view! {
        <a href=format!("/console/studio?group={}", group.id)>
            {icon(Icon::Group)}
            <span class="about">
                <span class="one-line strong">{pieces::typed(group.name.clone())}</span>
                <span class="one-line small muted">{people}</span>
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
