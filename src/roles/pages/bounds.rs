//! The end of a grant: how it is chosen and how it is told.

use leptos::prelude::*;

use crate::{
    access::Scope,
    base::{
        language::{self, td_string},
        time::Timestamp,
    },
    groups,
    ui::{browser, dialog::Dialog, fields::moment_value, is_live, locale},
};

/// Where a grant counts, until when, and why, a phrase each for `pieces::sentence`; what is unbounded has none.
pub fn phrases(scope: Option<&Scope>, until: Option<Timestamp>, reason: Option<&str>) -> Vec<String> {
    let locale = locale();
    let reason = reason.map(|why| td_string!(locale, roles.stated_reason, reason = language::isolate(why)).to_string());
    groups::pages::bounds(scope, until).into_iter().chain(reason).collect()
}

/// What the fields of an end and a reason hold, as one phrase; empty where there is neither.
pub fn words(until: &str, reason: &str) -> String {
    let reason = Some(reason.trim()).filter(|reason| !reason.is_empty());
    phrases(None, Timestamp::parse(until.trim()), reason).join(td_string!(locale(), base.list_separator))
}

/// A dialog about one line of a list. What is chosen in it is staged at once, so that it only has to be closed.
#[component]
pub fn DetailDialog(
    id: &'static str,
    open: RwSignal<bool>,
    title: Signal<String>,
    children: ChildrenFn,
) -> impl IntoView {
    let locale = locale();
    view! {
        <Dialog id open title>
            {children()}
            <div class="row-of end">
                <button class="btn primary" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, roles.done)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

const HOUR: i64 = 3_600_000_000;

/// A field for the end of a grant with the ends that are wanted most often.
#[component]
pub fn EndField(
    id: &'static str,
    /// What the field holds: `2026-11-22T14:02` in UTC, or nothing.
    value: Signal<String>,
    set: Callback<String>,
    fixed: bool,
) -> impl IntoView {
    let locale = locale();
    let live = is_live();
    let off = move || fixed || !live.get();
    let after = |hours: i64, word: &'static str| {
        let choose = move |_| set.run(moment_value(Some(Timestamp(browser::about_now().0 + hours * HOUR))));
        view! {
            <button class="btn sm" type="button" disabled=off on:click=choose>
                {word}
            </button>
        }
    };
    view! {
        <div class="field">
            <label for=id>{td_string!(locale, roles.until_label)}</label>
            <input
                class="input"
                type="datetime-local"
                id=id
                prop:value=move || value.get()
                disabled=off
                on:change:target=move |event| set.run(event.target().value())
            />
            <div class="row-of" role="group" aria-label=td_string!(locale, roles.ends_after)>
                {after(1, td_string!(locale, roles.after_hour))}
                {after(24, td_string!(locale, roles.after_day))}
                {after(24 * 7, td_string!(locale, roles.after_week))}
                {after(24 * 30, td_string!(locale, roles.after_month))}
                <button class="btn sm" type="button" disabled=off on:click=move |_| set.run(String::new())>
                    {td_string!(locale, roles.no_end)}
                </button>
            </div>
        </div>
    }
    .into_any()
}
