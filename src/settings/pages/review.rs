//! The bar that counts what has been changed, and the dialog that shows it line by line and saves it at once.

use leptos::prelude::*;

use super::{
    Draft, brand,
    fields::belongs,
    items::{self, Item, Kind},
};
use crate::{
    base::{errors::AppError, language::td_string},
    settings::{SettingsEdit, edit_settings, get_settings},
    ui::{
        browser,
        calls::Call,
        dialog::Dialog,
        diff::{Line, Side, diff},
        fields, locale, pieces,
        toasts::toasts,
    },
};

#[component]
pub fn ReviewBar(draft: Draft) -> impl IntoView {
    let locale = locale();
    let open = RwSignal::new(false);
    let toasts = toasts();
    let count = Memo::new(move |_| draft.typed.with(|typed| typed.len()));
    browser::guard_leaving(Signal::derive(move || count.get() > 0), td_string!(locale, ui.leave_unsaved));
    let renewal = Call::new();
    let save = move |_| {
        let wrong = draft.wrong();
        if !wrong.0.is_empty() {
            draft.call.error.set(Some(AppError::Invalid(wrong)));
            return;
        }
        let edit = SettingsEdit::between(&draft.saved.get_untracked(), &draft.wanted());
        draft.call.run(edit_settings(edit), move |after| {
            draft.saved.set(after);
            draft.typed.update(std::collections::BTreeMap::clear);
            open.set(false);
            toasts.say(td_string!(locale, settings.saved));
        });
    };
    // What somebody else has saved meanwhile is taken over; what was typed here stays where it still differs.
    let renew = move |_| {
        renewal.run(get_settings(), move |now| {
            draft.saved.set(now.clone());
            draft.typed.update(|typed| {
                typed.retain(|key, value| {
                    items::all().find(|item| item.key == *key).is_some_and(|item| (item.read)(&now) != *value)
                });
            });
            draft.call.error.set(None);
        });
    };
    let title = Signal::derive(move || td_string!(locale, settings.review_title, count = count.get()).to_string());
    view! {
        <section class="bar" aria-label=td_string!(locale, settings.unsaved_region) hidden=move || count.get() == 0>
            <span class="grow strong" role="status">
                {move || td_string!(locale, settings.unsaved, count = count.get()).to_string()}
            </span>
            <button
                class="btn ghost sm"
                type="button"
                on:click=move |_| {
                    draft.call.error.set(None);
                    draft.typed.update(std::collections::BTreeMap::clear);
                }
            >
                {td_string!(locale, settings.discard)}
            </button>
            <button
                class="btn primary sm"
                type="button"
                on:click=move |_| {
                    draft.call.error.set(None);
                    open.set(true);
                }
            >
                {td_string!(locale, settings.review)}
            </button>
        </section>
        <Dialog id="review-settings" open title>
            {move || lines(draft)}
            {fields::summary(draft.call.error, label)}
            {fields::summary(renewal.error, label)}
            <p class="small muted">{td_string!(locale, settings.review_about)}</p>
            <div class="row-of end">
                {move || {
                    fields::is_stale(draft.call.error)
                        .then(|| {
                            view! {
                                <button class="btn" type="button" on:click=renew>
                                    {td_string!(locale, settings.renew)}
                                </button>
                            }
                        })
                }}
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, ui.cancel)}
                </button>
                <button class="btn primary" type="button" disabled=move || draft.call.waits() || renewal.waits() on:click=save>
                    {td_string!(locale, settings.save)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// The names of all settings, for the summary of what is wrong.
pub fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    // What somebody else has changed is named as in the log: without its group.
    let is_named = |key: &str| belongs(field, key) || key.rsplit('.').next() == Some(field);
    let ours = items::all().find(|item| is_named(item.key)).map(|item| (item.label)(locale));
    ours.or_else(|| brand::label(field))
}

/// Each change: what it was and what it will be.
fn lines(draft: Draft) -> AnyView {
    let locale = locale();
    let lines = draft.changed().into_iter().flat_map(|item| {
        let (was, is) = (draft.saved.with(item.read), draft.value(item));
        [(Side::Was, was), (Side::Is, is)].map(|(side, value)| Line {
            side,
            name: (item.label)(locale).into_any(),
            value: shown(item, &value),
        })
    });
    diff(lines.collect())
}

/// A value in words.
fn shown(item: &Item, value: &str) -> AnyView {
    let locale = locale();
    match &item.kind {
        Kind::Switch if value.is_empty() => td_string!(locale, settings.off).into_any(),
        Kind::Switch => td_string!(locale, settings.on).into_any(),
        Kind::Choice(choices) => {
            let word = choices.iter().find(|(code, _)| *code == value).map(|(_, word)| word(locale));
            pieces::typed(word.unwrap_or(value))
        }
        _ if value.trim().is_empty() => td_string!(locale, settings.none).into_any(),
        Kind::Lines => pieces::typed(value.lines().collect::<Vec<_>>().join(td_string!(locale, base.list_separator))),
        Kind::Number { .. } | Kind::Address => pieces::key(value),
        Kind::Secret => pieces::key("••••••"),
    }
}
