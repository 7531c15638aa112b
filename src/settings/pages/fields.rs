//! The fields of the settings: each kind of item as people change it.

use std::borrow::Cow;

use leptos::prelude::*;

use super::{
    Draft,
    items::{Item, Kind},
};
use crate::{
    base::{
        errors::AppError,
        language::{self, td_string},
    },
    ui::{
        fields::{below, described, id},
        is_live, locale,
    },
};

/// The input of an item with its name, what it means, and what is wrong with it.
pub fn field(item: &'static Item, draft: Draft, may_edit: bool) -> AnyView {
    let locale = locale();
    let live = is_live();
    let id = id(item.key);
    let left = RwSignal::new(false);
    let value = Memo::new(move |_| draft.value(item));
    // What the server has found wrong is told until the field is changed again.
    let wrong = Signal::derive(move || {
        let ours = left.get().then(|| item.wrong(&value.get())).flatten();
        let theirs = draft.call.error.with(|error| match error {
            Some(AppError::Invalid(fields)) => {
                fields.0.iter().find(|(field, _)| belongs(field, item.key)).map(|(_, code)| *code)
            }
            _ => None,
        });
        ours.or(theirs).map(|code| language::field_error(locale, code))
    });
    let described = described(item.key, item.hint.is_some(), wrong);
    let below = below(item.key, item.hint.map(|hint| Cow::Borrowed(hint(locale))), wrong);
    let invalid = move || wrong.with(Option::is_some).then_some("true");
    let changed = move || draft.typed.with(|typed| typed.contains_key(item.key)).then_some("true");
    let disabled = move || !may_edit || !live.get();
    let typed = move |event: leptos::ev::Event| draft.set(item, event_target_value(&event));
    let leave = move |_| left.set(true);
    let label = (item.label)(locale);
    let saved = untrack(|| draft.value(item));
    if let Kind::Switch = item.kind {
        let toggled = move |event: leptos::ev::Event| {
            draft.set(item, if event_target_checked(&event) { "yes".to_owned() } else { String::new() });
        };
        return view! {
            <div class="check whole" data-changed=changed>
                <input
                    type="checkbox"
                    id=id.clone()
                    checked=!saved.is_empty()
                    prop:checked=move || !value.get().is_empty()
                    disabled=disabled
                    aria-describedby=described
                    on:change=toggled
                />
                <label class="about" for=id>{label}</label>
                {below}
            </div>
        }
        .into_any();
    }
    let kind = if let Kind::Secret = item.kind { "password" } else { "url" };
    let input = match &item.kind {
        Kind::Number { least, most } => view! {
            <div class="row-of">
                <input
                    class="input short"
                    id=id.clone()
                    type="number"
                    inputmode="numeric"
                    dir="ltr"
                    min=least.to_string()
                    max=most.to_string()
                    value=saved
                    prop:value=move || value.get()
                    disabled=disabled
                    aria-invalid=invalid
                    aria-describedby=described
                    on:input=typed
                    on:blur=leave
                />
                <span class="small muted num">
                    {td_string!(locale, settings.bounds, least = *least, most = *most).to_string()}
                </span>
            </div>
        }
        .into_any(),
        Kind::Choice(choices) => {
            let options = choices
                .iter()
                .map(|(code, word)| {
                    let selected = *code == saved;
                    view! { <option value=*code selected=selected>{word(locale)}</option> }
                })
                .collect_view();
            view! {
                <select
                    class="input"
                    id=id.clone()
                    prop:value=move || value.get()
                    disabled=disabled
                    aria-invalid=invalid
                    aria-describedby=described
                    on:change=typed
                >
                    {options}
                </select>
            }
            .into_any()
        }
        Kind::Lines => view! {
            <textarea
                class="input"
                id=id.clone()
                dir="auto"
                rows="3"
                spellcheck="false"
                prop:value=move || value.get()
                disabled=disabled
                aria-invalid=invalid
                aria-describedby=described
                on:input=typed
                on:blur=leave
            >
                {saved}
            </textarea>
        }
        .into_any(),
        Kind::Address | Kind::Secret | Kind::Switch => view! {
            <input
                class="input"
                id=id.clone()
                type=kind
                dir="ltr"
                autocomplete="off"
                value=saved
                prop:value=move || value.get()
                disabled=disabled
                aria-invalid=invalid
                aria-describedby=described
                on:input=typed
                on:blur=leave
            />
        }
        .into_any(),
    };
    view! { <div class="field" data-changed=changed><label for=id>{label}</label> {input} {below}</div> }.into_any()
}

/// Whether what the server names is this item or one of its lines: `registration.domains[0]`.
pub fn belongs(field: &str, key: &str) -> bool {
    field == key || field.strip_prefix(key).is_some_and(|rest| rest.starts_with('['))
}
