//! Who is in a group: the list, taking somebody in, and taking them out.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    accounts::{
        PeopleQuery, PersonRow,
        calls::list_people,
        pages::{list::person_name, status_badge},
    },
    base::{
        errors::AppError,
        ids::{GroupId, UserId},
        language::{self, td_string},
        paging::Page,
        time::Timestamp,
    },
    groups::{
        Member, MembersQuery, NewMember,
        calls::{put_member, remove_member},
    },
    ui::{
        address,
        asking::follow,
        calls::Call,
        dialog::{Confirm, Dialog},
        fields::{self, Field},
        filters::Filters,
        icons::{Icon, icon},
        is_live,
        list::{Empty, Place, list},
        locale, pieces, states,
        table::{Column, table},
        toasts::toasts,
    },
};

fn at(group: GroupId, q: &str, after: &str) -> String {
    address::with_query(&format!("/console/groups/{group}"), &[("tab", "people"), ("q", q), ("after", after)])
}

/// Whom the dialog that takes somebody out is about.
#[derive(Clone, Copy)]
struct Leaving {
    open: RwSignal<bool>,
    person: RwSignal<Option<(UserId, String)>>,
}

#[component]
pub fn Members(
    group: GroupId,
    query: MembersQuery,
    answer: Result<Page<Member>, AppError>,
    may_assign: bool,
    changed: Callback<()>,
) -> impl IntoView {
    let locale = locale();
    let q = query.q.clone().unwrap_or_default();
    let place = Place {
        is_filtered: query.q.is_some(),
        all: at(group, "", ""),
        is_later: query.after.is_some(),
        at: |after: &str| at(group, &q, after),
    };
    let empty = Empty {
        sign: Icon::People,
        title: td_string!(locale, groups.nobody),
        about: td_string!(locale, groups.nobody_about),
        action: None,
    };
    let mut columns = vec![
        Column::new(td_string!(locale, groups.person)),
        Column::new(td_string!(locale, groups.status)).wide(),
        Column::new(td_string!(locale, groups.stays_until)),
    ];
    let leaving = may_assign.then(|| Leaving { open: RwSignal::new(false), person: RwSignal::new(None) });
    if leaving.is_some() {
        columns.push(Column::new(td_string!(locale, groups.acts)));
    }
    let rows = list(answer, place, empty, |members| {
        let rows = members.into_iter().map(|member| row(member, leaving)).collect();
        table(td_string!(locale, groups.people), columns, rows)
    });
    let take_in = may_assign.then(|| view! { <TakeIn group changed /> });
    let take_out = leaving.map(|leaving| view! { <TakeOut group leaving changed /> });
    view! {
        <div class="page-head">
            <div class="grow">
                <Filters
                    path=format!("/console/groups/{group}")
                    clear=at(group, "", "")
                    fields=&["q", "tab"]
                    filtered=query.q.is_some()
                >
                    <input type="hidden" name="tab" value="people" />
                    <div class="field wide">
                        <Field name="q" label=td_string!(locale, groups.search_people) kind="search" value=q.clone() />
                    </div>
                </Filters>
            </div>
            {take_in}
        </div>
        {rows}
        {take_out}
    }
    .into_any()
}

fn row(member: Member, leaving: Option<Leaving>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let person = member.person;
    let until = match member.expires_at {
        Some(moment) => pieces::moment(moment),
        None => view! { <span class="muted">{td_string!(locale, groups.for_good)}</span> }.into_any(),
    };
    let href = format!("/console/people/{}?tab=groups", person.id);
    let out = leaving.map(|leaving| {
        let about = (person.id, person.name.clone());
        let label = td_string!(locale, groups.take_out_of, name = person.name.clone()).to_string();
        let ask = move |_| {
            leaving.person.set(Some(about.clone()));
            leaving.open.set(true);
        };
        view! {
            <td>
                <button class="btn sm" type="button" aria-label=label disabled=move || !live.get() on:click=ask>
                    {td_string!(locale, groups.take_out)}
                </button>
            </td>
        }
    });
    view! {
        <tr>
            <th scope="row">{person_name(&person.name, &person.email, href)}</th>
            <td class="wide-only">{status_badge(person.status)}</td>
            <td>{until}</td>
            {out}
        </tr>
    }
    .into_any()
}

#[component]
fn TakeOut(group: GroupId, leaving: Leaving, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let open = leaving.open;
    let title = Signal::derive(move || {
        let name = leaving.person.with(|person| person.as_ref().map(|(_, name)| language::isolate(name)));
        td_string!(locale, groups.take_out_title, name = name.unwrap_or_default()).to_string()
    });
    let act = Callback::new(move |()| {
        let Some((user, _)) = leaving.person.get_untracked() else { return };
        call.run(remove_member(group, user), move |()| {
            open.set(false);
            toasts.say(td_string!(locale, groups.taken_out));
            changed.run(());
        });
    });
    view! {
        <Confirm
            id="take-out"
            open
            title
            about=td_string!(locale, groups.take_out_about)
            word=td_string!(locale, groups.take_out)
            danger=true
            call
            act
        />
    }
    .into_any()
}

/// How long after the last key people are searched.
const PAUSE: Duration = Duration::from_millis(180);
const OFFERED: u32 = 8;

#[component]
fn TakeIn(group: GroupId, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let live = is_live();
    let (open, call, toasts) = (RwSignal::new(false), Call::new(), toasts());
    let (typed, until) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let found = RwSignal::new(Vec::<PersonRow>::new());
    let failed = RwSignal::new(None::<AppError>);
    follow(
        PAUSE,
        move || {
            let q = address::filled(Some(typed.get()));
            open.get().then(|| list_people(PeopleQuery { q, limit: Some(OFFERED), ..PeopleQuery::default() }))
        },
        move |answer| match answer.transpose() {
            Ok(page) => {
                failed.set(None);
                found.set(page.map(|page| page.items).unwrap_or_default());
            }
            Err(error) => failed.set(Some(error)),
        },
    );
    let choose = Callback::new(move |person: PersonRow| {
        let member = NewMember { user: person.id, expires_at: Timestamp::parse(until.get_untracked().trim()) };
        call.run(put_member(group, member), move |()| {
            open.set(false);
            toasts.say(td_string!(locale, groups.taken_in));
            changed.run(());
        });
    });
    view! {
        <button class="btn primary" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(Icon::Add)}
            {td_string!(locale, groups.take_in)}
        </button>
        <Dialog id="take-in" open title=td_string!(locale, groups.take_in)>
            {fields::summary(call.error, |_field| None)}
            <div class="stack">
                <div class="field">
                    <label for="take-in-until">{td_string!(locale, groups.until_label)}</label>
                    <input
                        class="input"
                        id="take-in-until"
                        type="datetime-local"
                        prop:value=move || until.get()
                        on:change:target=move |event| until.set(event.target().value())
                    />
                </div>
                <div class="field">
                    <label for="take-in-search">{td_string!(locale, groups.search_people)}</label>
                    <input
                        class="input"
                        id="take-in-search"
                        type="search"
                        dir="auto"
                        prop:value=move || typed.get()
                        on:input:target=move |event| typed.set(event.target().value())
                    />
                </div>
                {move || failed.get().map(|error| states::failed(&error))}
                <ul class="choices" role="list">
                    {move || {
                        found
                            .get()
                            .into_iter()
                            .map(|person| {
                                let name = person.name.clone();
                                let email = person.email.clone();
                                let choose = move |_| choose.run(person.clone());
                                view! {
                                    <li>
                                        <button class="btn wide-btn" type="button" disabled=move || call.waits() on:click=choose>
                                            <span>{pieces::typed(name)}</span> " "
                                            <span class="small muted">{pieces::email(&email)}</span>
                                        </button>
                                    </li>
                                }
                            })
                            .collect_view()
                    }}
                </ul>
            </div>
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, ui.cancel)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}
