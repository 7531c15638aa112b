//! What can be done to an account as a whole. Each act names the person and is confirmed.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::link::OneTimeLink;
use crate::{
    access::{USERS_DELETE, USERS_RESET_PASSWORD, USERS_UPDATE},
    accounts::{
        AddedPerson, Person, Status,
        calls::{call_off_deletion, delete_person, new_link, revoke_link, set_person_status},
    },
    base::language::{self, td_string},
    ui::{
        calls::Call,
        dialog::{Confirm, Dialog},
        icons::{Icon, icon},
        is_live, locale,
        menu::{Item, Menu},
        toasts::toasts,
        viewer::Held,
    },
};

/// The buttons of a person's account; nothing where the viewer may do none of it.
#[component]
pub fn PersonActs(person: Person, held: Held, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    if person.status == Status::Deleted {
        return ().into_any();
    }
    let status = held.may(USERS_UPDATE.as_str()).then(|| status_act(&person, changed));
    let keep = held.may(USERS_UPDATE.as_str()) && person.deletion_due_at.is_some();
    let keep = keep.then(|| keep_act(&person, changed));
    let link = held.may(USERS_RESET_PASSWORD.as_str()).then(|| link_acts(&person));
    let delete = held.may(USERS_DELETE.as_str()).then(|| delete_act(&person));
    if status.is_none() && link.is_none() && delete.is_none() {
        return ().into_any();
    }
    view! {
        <section class="card padded" aria-labelledby="acts-title">
            <h2 id="acts-title">{td_string!(locale, accounts.acts)}</h2>
            <div class="row-of">{keep} {status} {link} {delete}</div>
        </section>
    }
    .into_any()
}

fn opener(open: RwSignal<bool>, class: &'static str, sign: Icon, word: &'static str) -> AnyView {
    let live = is_live();
    view! {
        <button class=class type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(sign)}
            {word}
        </button>
    }
    .into_any()
}

fn status_act(person: &Person, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (open, call, toasts) = (RwSignal::new(false), Call::new(), toasts());
    let (id, version) = (person.id, person.version);
    let name = language::isolate(&person.name);
    let suspended = person.status == Status::Suspended;
    let set = move |status: Status, done: &'static str| {
        Callback::new(move |()| {
            call.run(set_person_status(id, status, Some(version)), move |_person| {
                open.set(false);
                toasts.say(done);
                changed.run(());
            });
        })
    };
    if suspended {
        return view! {
            {opener(open, "btn", Icon::Play, td_string!(locale, accounts.activate))}
            <Confirm
                id="activate"
                open
                title=td_string!(locale, accounts.activate_title, name = name).to_string()
                about=td_string!(locale, accounts.activate_about)
                word=td_string!(locale, accounts.activate)
                call
                act=set(Status::Active, td_string!(locale, accounts.activated))
            />
        }
        .into_any();
    }
    view! {
        {opener(open, "btn", Icon::Pause, td_string!(locale, accounts.suspend))}
        <Confirm
            id="suspend"
            open
            title=td_string!(locale, accounts.suspend_title, name = name).to_string()
            about=td_string!(locale, accounts.suspend_about)
            word=td_string!(locale, accounts.suspend)
            danger=true
            call
            act=set(Status::Suspended, td_string!(locale, accounts.suspended))
        />
    }
    .into_any()
}

/// Keeps the account that its person has asked to be deleted.
fn keep_act(person: &Person, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (open, call, toasts) = (RwSignal::new(false), Call::new(), toasts());
    let id = person.id;
    let name = language::isolate(&person.name);
    let act = Callback::new(move |()| {
        call.run(call_off_deletion(id), move |()| {
            open.set(false);
            toasts.say(td_string!(locale, accounts.deletion_called_off));
            changed.run(());
        });
    });
    view! {
        {opener(open, "btn", Icon::Undo, td_string!(locale, accounts.call_off))}
        <Confirm
            id="call-off"
            open
            title=td_string!(locale, accounts.call_off_title, name = name).to_string()
            about=td_string!(locale, accounts.call_off_about)
            word=td_string!(locale, accounts.call_off)
            call
            act
        />
    }
    .into_any()
}

/// What can be done about the one-time link of an account, behind one button.
fn link_acts(person: &Person) -> AnyView {
    let (locale, invited) = (locale(), person.status == Status::Invited);
    let (made, mailed, revoked) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let item = |sign, word, danger, open: RwSignal<bool>| Item {
        sign,
        word,
        danger,
        act: Callback::new(move |()| open.set(true)),
    };
    let mut items = vec![
        item(Icon::Link, td_string!(locale, accounts.new_link), false, made),
        item(Icon::Forward, td_string!(locale, accounts.mail_new_link), false, mailed),
    ];
    if invited {
        items.push(item(Icon::Denied, td_string!(locale, accounts.link_revoke), true, revoked));
    }
    view! {
        <Menu id="link-acts" sign=Icon::Link word=td_string!(locale, accounts.link_acts) items />
        {link_act(person, made)}
        {mail_act(person, mailed)}
        {invited.then(|| revoke_act(person, revoked))}
    }
    .into_any()
}

fn link_act(person: &Person, open: RwSignal<bool>) -> AnyView {
    let locale = locale();
    let (shown, call) = (RwSignal::new(false), Call::new());
    let made = RwSignal::new(None::<AddedPerson>);
    let id = person.id;
    let name = language::isolate(&person.name);
    let title = td_string!(locale, accounts.new_link_title, name = name).to_string();
    let act = Callback::new(move |()| {
        call.run(new_link(id, false), move |answer| {
            open.set(false);
            made.set(Some(answer));
            shown.set(true);
        });
    });
    view! {
        <Confirm
            id="new-link"
            open
            title=title.clone()
            about=td_string!(locale, accounts.new_link_about)
            word=td_string!(locale, accounts.new_link)
            call
            act
        />
        <Dialog id="link" open=shown title=td_string!(locale, accounts.link_title)>
            {move || made.get().map(|added| view! { <OneTimeLink added /> })}
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| shown.set(false)>
                    {td_string!(locale, ui.close)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// Sends a fresh link: an invitation again, or the way back for who lost their password.
fn mail_act(person: &Person, open: RwSignal<bool>) -> AnyView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let id = person.id;
    let name = language::isolate(&person.name);
    let act = Callback::new(move |()| {
        call.run(new_link(id, true), move |_answer| {
            open.set(false);
            toasts.say(td_string!(locale, accounts.link_mailed));
        });
    });
    view! {
        <Confirm
            id="mail-new-link"
            open
            title=td_string!(locale, accounts.mail_new_link_title, name = name).to_string()
            about=td_string!(locale, accounts.mail_new_link_about)
            word=td_string!(locale, accounts.mail_new_link)
            call
            act
        />
    }
    .into_any()
}

fn revoke_act(person: &Person, open: RwSignal<bool>) -> AnyView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let id = person.id;
    let name = language::isolate(&person.name);
    let act = Callback::new(move |()| {
        call.run(revoke_link(id), move |()| {
            open.set(false);
            toasts.say(td_string!(locale, accounts.link_revoked));
        });
    });
    view! {
        <Confirm
            id="revoke-link"
            open
            title=td_string!(locale, accounts.link_revoke_title, name = name).to_string()
            about=td_string!(locale, accounts.link_revoke_about)
            word=td_string!(locale, accounts.link_revoke)
            danger=true
            call
            act
        />
    }
    .into_any()
}

fn delete_act(person: &Person) -> AnyView {
    let locale = locale();
    let (open, call, toasts) = (RwSignal::new(false), Call::new(), toasts());
    let navigate = use_navigate();
    let (id, version) = (person.id, person.version);
    let name = language::isolate(&person.name);
    let act = Callback::new(move |()| {
        let navigate = navigate.clone();
        call.run(delete_person(id, Some(version)), move |()| {
            toasts.say(td_string!(locale, accounts.deleted));
            navigate("/console/people", NavigateOptions::default());
        });
    });
    view! {
        {opener(open, "btn danger", Icon::Remove, td_string!(locale, accounts.delete))}
        <Confirm
            id="delete"
            open
            title=td_string!(locale, accounts.delete_title, name = name).to_string()
            about=td_string!(locale, accounts.delete_about)
            word=td_string!(locale, accounts.delete)
            danger=true
            call
            act
        />
    }
    .into_any()
}
