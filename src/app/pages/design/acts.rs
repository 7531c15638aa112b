//! What is pressed, and what opens then.

use leptos::prelude::*;

use super::{shelf, wide};
use crate::{
    base::{
        errors::{AppError, Conflict, Stale},
        language::td_string,
    },
    ui::{
        calls::Call,
        dialog::{Confirm, Dialog},
        icons::{Icon, icon},
        is_live, locale,
        menu::{Item, Menu},
        sheet::Sheet,
        steps::stepper,
        tabs::{Tab, tabs},
        toasts::toasts,
    },
};

pub fn acts() -> AnyView {
    let locale = locale();
    let word = td_string!(locale, design.act);
    let buttons = view! {
        <button class="btn primary" type="button">{icon(Icon::Add)} {word}</button>
        <button class="btn" type="button">{word}</button>
        <button class="btn ghost" type="button">{word}</button>
        <button class="btn danger" type="button">{icon(Icon::Remove)} {word}</button>
        <button class="btn primary danger" type="button">{word}</button>
        <button class="btn sm" type="button">{word}</button>
        <button class="btn primary" type="button" disabled=true>{word}</button>
        <button class="btn" type="button" disabled=true>{word}</button>
        <button class="round" type="button">{icon(Icon::Denied)} <span class="away">{td_string!(locale, ui.close)}</span></button>
        <a class="btn" href="#acts" rel="external">{word}</a>
    };
    let steps = [
        td_string!(locale, design.step_first),
        td_string!(locale, design.step_second),
        td_string!(locale, design.step_third),
    ];
    let tab = |at: usize| Tab { href: "/console/design".to_owned(), word: steps[at], is_current: at == 0 };
    view! {
        {shelf("btn", buttons.into_any())}
        {shelf("Menu", menu())}
        {shelf("Dialog, Confirm", dialogs())}
        {shelf("Sheet", sheet())}
        {shelf("toasts", messages())}
        {wide("tabs", tabs(td_string!(locale, design.tabs), [tab(0), tab(1), tab(2)]))}
        {wide("stepper", stepper(td_string!(locale, design.steps), &steps, 1))}
    }
    .into_any()
}

fn menu() -> AnyView {
    let locale = locale();
    let toasts = toasts();
    let item = |sign, danger| {
        let word = if danger { td_string!(locale, design.act_danger) } else { td_string!(locale, design.act) };
        Item { sign, word, danger, act: Callback::new(move |()| toasts.say(word)) }
    };
    let items = vec![item(Icon::Edit, false), item(Icon::Remove, true)];
    view! { <Menu id="design-menu" sign=Icon::More word=td_string!(locale, design.menu) items /> }.into_any()
}

fn dialogs() -> AnyView {
    let locale = locale();
    let live = is_live();
    let (open, confirming, call) = (RwSignal::new(false), RwSignal::new(false), Call::new());
    let name = td_string!(locale, design.dialog);
    let confirm = td_string!(locale, design.confirm);
    let (waiting, waits) = (RwSignal::new(false), Call::new());
    let (failing, failed) = (RwSignal::new(false), Call::new());
    // This answer never comes.
    let wait = move |_| {
        waits.run(std::future::pending::<Result<(), AppError>>(), |()| ());
        waiting.set(true);
    };
    let fail = move |_| {
        failed.error.set(Some(AppError::Conflict(Conflict::Stale(Stale::default()))));
        failing.set(true);
    };
    view! {
        <button class="btn" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>{name}</button>
        <button class="btn" type="button" disabled=move || !live.get() on:click=move |_| confirming.set(true)>{confirm}</button>
        <button class="btn" type="button" disabled=move || !live.get() on:click=wait>{td_string!(locale, design.confirm_waits)}</button>
        <button class="btn" type="button" disabled=move || !live.get() on:click=fail>{td_string!(locale, design.confirm_failed)}</button>
        <Dialog id="design-dialog" open title=name>
            <p class="muted">{td_string!(locale, design.sample)}</p>
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>{td_string!(locale, ui.close)}</button>
            </div>
        </Dialog>
        {ask("design-confirm", confirming, call, Callback::new(move |()| confirming.set(false)))}
        {ask("design-confirm-waits", waiting, waits, Callback::new(|()| ()))}
        {ask("design-confirm-failed", failing, failed, Callback::new(|()| ()))}
    }
    .into_any()
}

fn ask(id: &'static str, open: RwSignal<bool>, call: Call, act: Callback<()>) -> AnyView {
    let locale = locale();
    view! {
        <Confirm
            id
            open
            title=td_string!(locale, design.confirm)
            about=td_string!(locale, design.sample)
            word=td_string!(locale, design.act_danger)
            danger=true
            call
            act
        />
    }
    .into_any()
}

fn sheet() -> AnyView {
    let locale = locale();
    let name = td_string!(locale, design.sheet);
    view! {
        <button class="btn" type="button" popovertarget="design-sheet">{name}</button>
        <Sheet id="design-sheet" title=name>
            <p class="padded">{td_string!(locale, design.sample)}</p>
        </Sheet>
    }
    .into_any()
}

fn messages() -> AnyView {
    let locale = locale();
    let live = is_live();
    let toasts = toasts();
    let undone = Callback::new(move |()| toasts.say(td_string!(locale, design.act)));
    view! {
        <button
            class="btn"
            type="button"
            disabled=move || !live.get()
            on:click=move |_| toasts.say(td_string!(locale, design.toast_done))
        >
            {td_string!(locale, design.toast_done)}
        </button>
        <button
            class="btn"
            type="button"
            disabled=move || !live.get()
            on:click=move |_| toasts.offer(td_string!(locale, design.toast_offer), td_string!(locale, design.act), undone)
        >
            {td_string!(locale, design.toast_offer)}
        </button>
        <button
            class="btn"
            type="button"
            disabled=move || !live.get()
            on:click=move |_| toasts.warn(td_string!(locale, design.toast_failed))
        >
            {td_string!(locale, design.toast_failed)}
        </button>
    }
    .into_any()
}
