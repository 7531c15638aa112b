//! Fields of forms: label, hint and error belong to the input and are read out with it.

use std::borrow::Cow;

use leptos::{prelude::*, tachys::view::any_view::AnyView};

use crate::{
    base::{
        errors::{AppError, Conflict, FieldErrors, Meanwhile},
        language::{self, td_string},
        time::Timestamp,
    },
    ui::{
        address,
        checks::Check,
        icons::{Icon, icon},
        locale, pieces,
    },
};

/// What goes wrong in one form: the errors of its fields and of the whole.
pub type FormError = RwSignal<Option<AppError>>;

/// The error of one field as a sentence.
pub fn field_error(error: FormError, name: &'static str) -> Signal<Option<String>> {
    let locale = locale();
    Signal::derive(move || {
        error.with(|error| match error {
            Some(AppError::Invalid(fields)) => fields.of(name).map(|code| language::field_error(locale, code)),
            _ => None,
        })
    })
}

/// A moment as a `datetime-local` field holds it: `2026-11-22T14:02` in UTC, or nothing.
pub fn moment_value(moment: Option<Timestamp>) -> String {
    moment.map(|moment| moment.to_string().chars().take(16).collect()).unwrap_or_default()
}

/// One line of text.
#[component]
pub fn Field(
    name: &'static str,
    label: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional)] readonly: bool,
    #[prop(optional)] shortest: Option<&'static str>,
    #[prop(optional)] longest: Option<&'static str>,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] inputmode: Option<&'static str>,
    /// The id of a list of suggestions.
    #[prop(optional)]
    list: Option<&'static str>,
    #[prop(optional, into)] hint: Option<Cow<'static, str>>,
    /// Addresses, keys and secrets are written from left to right in every language.
    #[prop(optional)]
    ltr: bool,
    /// Tells it from others of its name on the same page.
    #[prop(optional, into)]
    own: Option<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let check = Check::new();
    let error = check.told(error);
    let wrong = move || error.with(Option::is_some);
    let direction = if ltr { "ltr" } else { "auto" };
    let own = own.map_or(Cow::Borrowed(name), Cow::Owned);
    view! {
        <div class="field">
            <label for=id(&own)>{label}</label>
            <input
                class="input"
                id=id(&own)
                name=name
                type=kind
                dir=direction
                value=value
                required=required
                readonly=readonly
                minlength=shortest
                maxlength=longest
                autocomplete=autocomplete
                inputmode=inputmode
                list=list
                aria-invalid=move || wrong().then_some("true")
                aria-describedby=described(own.clone(), hint.is_some(), error)
                on:invalid=move |event| check.refused(&event)
                on:input=move |event| check.typed(&event)
                on:blur=move |event| check.left(&event)
            />
            {below(own, hint, error)}
        </div>
    }
    .into_any()
}

/// Several lines of text.
#[component]
pub fn TextArea(
    name: &'static str,
    label: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<Cow<'static, str>>,
    #[prop(optional)] ltr: bool,
    #[prop(optional)] readonly: bool,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let check = Check::new();
    let error = check.told(error);
    let wrong = move || error.with(Option::is_some);
    view! {
        <div class="field whole">
            <label for=id(name)>{label}</label>
            <textarea
                class=if ltr { "input mono" } else { "input" }
                id=id(name)
                name=name
                dir=if ltr { "ltr" } else { "auto" }
                readonly=readonly
                spellcheck="false"
                aria-invalid=move || wrong().then_some("true")
                aria-describedby=described(name, hint.is_some(), error)
                on:invalid=move |event| check.refused(&event)
                on:input=move |event| check.typed(&event)
                on:blur=move |event| check.left(&event)
            >
                {value}
            </textarea>
            {below(name, hint, error)}
        </div>
    }
    .into_any()
}

/// A choice of one.
#[component]
pub fn Select(
    name: &'static str,
    label: &'static str,
    /// Value and word of each choice.
    options: Vec<(String, String)>,
    #[prop(optional, into)] value: String,
    #[prop(optional)] disabled: bool,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let check = Check::new();
    let error = check.told(error);
    let options = options
        .into_iter()
        .map(|(choice, word)| {
            let chosen = choice == value;
            // A choice may be a name of the other direction.
            view! { <option value=choice selected=chosen dir="auto">{word}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id(name)>{label}</label>
            <select
                class="input"
                id=id(name)
                name=name
                disabled=disabled
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described(name, false, error)
                on:invalid=move |event| check.refused(&event)
                on:change=move |event| check.typed(&event)
                on:blur=move |event| check.left(&event)
            >
                {options}
            </select>
            {below(name, None, error)}
        </div>
    }
    .into_any()
}

/// A box that has to be ticked before the form goes on.
#[component]
pub fn MustTick(id: &'static str, label: &'static str) -> impl IntoView {
    let check = Check::new();
    let error = check.told(Signal::stored(None));
    view! {
        <div class="check">
            <input
                type="checkbox"
                id=id
                required=true
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described(id, false, error)
                on:invalid=move |event| check.refused(&event)
                on:change=move |event| check.typed(&event)
            />
            <label class="about" for=id>{label}</label>
            {below(id, None, error)}
        </div>
    }
    .into_any()
}

/// The id of the input of a field.
pub fn id(name: &str) -> String {
    format!("field-{name}")
}

/// The ids of what is read out with an input: its hint, and what is wrong with it.
pub fn described(
    name: impl Into<Cow<'static, str>>,
    hint: bool,
    error: Signal<Option<String>>,
) -> impl Fn() -> Option<String> + Clone {
    let name = name.into();
    move || match (hint, error.with(Option::is_some)) {
        (true, true) => Some(format!("hint-{name} wrong-{name}")),
        (true, false) => Some(format!("hint-{name}")),
        (false, true) => Some(format!("wrong-{name}")),
        (false, false) => None,
    }
}

/// What stands below an input: its hint, and what is wrong with it.
pub fn below(
    name: impl Into<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    error: Signal<Option<String>>,
) -> AnyView {
    let name = name.into();
    let hint = hint.map(|hint| view! { <p class="hint" id=format!("hint-{name}")>{hint}</p> });
    let wrong =
        move || error.get().map(|sentence| view! { <p class="wrong" id=format!("wrong-{name}")>{sentence}</p> });
    view! { {hint} {wrong} }.into_any()
}

/// What went wrong with a form, above it. `label` names a field of the form; others are named by their key.
pub fn summary(error: FormError, label: fn(&str) -> Option<&'static str>) -> AnyView {
    let place = NodeRef::<leptos::html::Div>::new();
    // Whoever has pressed the button at the end of a long form would not see what stands above it.
    Effect::new(move |_| {
        if let (true, Some(place)) = (error.get().is_some(), place.get()) {
            // Cannot fail for an element that is in the page.
            let _unused = place.focus();
        }
    });
    view! {
        <div role="alert" tabindex="-1" node_ref=place>
            {move || error.get().map(|error| summary_of(&error, label))}
        </div>
    }
    .into_any()
}

/// Whether a form was refused because somebody else was quicker.
pub fn is_stale(error: FormError) -> bool {
    error.with(|error| matches!(error, Some(AppError::Conflict(Conflict::Stale(_)))))
}

/// What others have changed meanwhile, a line each: who, what, and how long ago.
fn meanwhile(changes: &[Meanwhile], label: fn(&str) -> Option<&'static str>) -> AnyView {
    let locale = locale();
    let lines = changes.iter().map(|Meanwhile { by, at, fields }| {
        let name = match by {
            Some(name) => language::isolate(name),
            None => td_string!(locale, ui.somebody).to_owned(),
        };
        let words = fields.iter().map(|field| label(field).map_or_else(|| pieces::isolate_key(field), str::to_owned));
        let words = words.collect::<Vec<_>>().join(td_string!(locale, base.list_separator));
        let sentence = match fields.is_empty() {
            true => td_string!(locale, ui.changed_by, name = name).to_string(),
            false => td_string!(locale, ui.changed_fields, name = name, fields = words).to_string(),
        };
        view! { <li>{pieces::sentence(&sentence)} " · " {pieces::moment(*at)}</li> }
    });
    let lines = lines.collect::<Vec<_>>();
    if lines.is_empty() {
        return ().into_any();
    }
    view! { <ul>{lines}</ul> }.into_any()
}

/// The way to prove oneself again, and back here.
fn prove() -> AnyView {
    let (locale, here) = (locale(), address::here());
    let href = move || address::with_query("/reauthenticate", &[("next", &here.get())]);
    view! {
        <p><a class="btn" href=href rel="external">{td_string!(locale, ui.prove)}</a></p>
    }
    .into_any()
}

/// One error in words, with its fields.
pub fn summary_of(error: &AppError, label: fn(&str) -> Option<&'static str>) -> AnyView {
    let locale = locale();
    let fields = match error {
        AppError::Invalid(fields) => fields.clone(),
        _ => FieldErrors::default(),
    };
    let lines = fields
        .0
        .into_iter()
        .map(|(name, code)| {
            let sentence = language::field_error(locale, code);
            match label(&name) {
                Some(label) => view! {
                    <li><a rel="external" href=format!("#field-{name}")>{label} {td_string!(locale, ui.colon)} " " {sentence}</a></li>
                }
                .into_any(),
                None => view! { <li>{pieces::key(name)} {td_string!(locale, ui.colon)} " " {sentence}</li> }.into_any(),
            }
        })
        .collect_view();
    view! {
        <div class="notice deny">
            {icon(Icon::Alert)}
            <div>
                <p class="strong">{pieces::sentence(&language::error(locale, error))}</p>
                {(*error == AppError::StepUp).then(prove)}
                {match error {
                    AppError::Conflict(Conflict::Stale(stale)) => meanwhile(&stale.changes, label),
                    _ => ().into_any(),
                }}
                {(!lines.is_empty()).then(|| view! { <ul>{lines}</ul> })}
            </div>
        </div>
    }
    .into_any()
}
