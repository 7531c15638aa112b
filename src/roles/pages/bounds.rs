//! The end of a grant: how it is chosen and how it is told.

use crate::base::language::td_string;
use leptos::prelude::*;

use super::staged::for_field;
use crate::{
    base::{language, time::Timestamp},
    ui::{browser, is_live, locale},
};

/// The end and the reason of a grant as one phrase for `pieces::sentence`; empty where there is neither.
pub fn words(until: &str, reason: &str) -> String {
    let locale = locale();
    let until = Timestamp::parse(until.trim())
        .map(|moment| td_string!(locale, roles.until, moment = language::date_time(locale, moment)).to_string());
    let reason = Some(reason.trim()).filter(|reason| !reason.is_empty());
    let reason = reason.map(|why| td_string!(locale, roles.stated_reason, reason = language::isolate(why)).to_string());
    let words = [until, reason].into_iter().flatten().collect::<Vec<_>>();
    words.join(td_string!(locale, base.list_separator))
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
        let choose = move |_| set.run(for_field(Some(Timestamp(browser::about_now().0 + hours * HOUR))));
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
