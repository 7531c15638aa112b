//! What stands where data should be: it loads, there is none, it failed, it was refused.

use leptos::prelude::*;

use crate::{
    base::{
        errors::{AppError, Denial, DenialCode},
        language::{self, td_string},
    },
    ui::{
        address, browser,
        icons::{Icon, icon},
        locale, pieces, status,
    },
};

/// A card with lines that stand for what is being loaded.
pub fn loading(lines: usize) -> AnyView {
    view! { <div class="card">{bones(lines)}</div> }.into_any()
}

/// Lines that stand for what is being loaded, inside something else.
pub fn bones(lines: usize) -> AnyView {
    let locale = locale();
    let bones = (0..lines).map(|_| view! { <div class="bone"></div> }).collect_view();
    view! {
        <div class="bones" aria-busy="true">
            <span class="away">{td_string!(locale, ui.loading)}</span>
            {bones}
        </div>
    }
    .into_any()
}

/// What stands for a table: a line of heads and rows of several parts.
pub fn loading_table(rows: usize) -> AnyView {
    let row = |class: &'static str| {
        view! {
            <div class=class>
                <div class="bone round-bone"></div>
                <div class="bone"></div>
                <div class="bone"></div>
                <div class="bone"></div>
            </div>
        }
    };
    let rows = (0..rows).map(|_| row("bone-row")).collect_view();
    loads(view! { {row("bone-row head")} {rows} })
}

/// What stands for a form: labels with fields, and a button.
pub fn loading_form(fields: usize) -> AnyView {
    let fields = (0..fields)
        .map(|_| {
            view! {
                <div class="bone-field">
                    <div class="bone"></div>
                    <div class="bone tall"></div>
                </div>
            }
        })
        .collect_view();
    loads(view! { <div class="form-grid">{fields}</div> })
}

/// What stands for a card: a heading and a few lines.
pub fn loading_card() -> AnyView {
    loads(
        view! { <div class="bone title"></div> <div class="bone"></div> <div class="bone"></div> <div class="bone short"></div> },
    )
}

fn loads(bones: impl IntoView + 'static) -> AnyView {
    let locale = locale();
    view! {
        <div class="card bones" aria-busy="true">
            <span class="away">{td_string!(locale, ui.loading)}</span>
            {bones}
        </div>
    }
    .into_any()
}

/// A list without entries: what it is for, and the first thing to do.
pub fn empty(sign: Icon, title: &'static str, about: &'static str, action: Option<(String, &'static str)>) -> AnyView {
    let action = action.map(|(href, word)| view! { <p class="row-of"><a class="btn primary" href=href>{word}</a></p> });
    view! {
        <div class="card state">
            {icon(sign)} <p class="strong">{title}</p> <p class="muted">{about}</p> {action}
        </div>
    }
    .into_any()
}

/// A list whose filter leaves nothing.
pub fn nothing_found(clear: impl Into<String>) -> AnyView {
    let (locale, clear) = (locale(), clear.into());
    view! {
        <div class="card state">
            {icon(Icon::Search)} <p class="strong">{td_string!(locale, ui.nothing_found)}</p>
            <p class="muted">{td_string!(locale, ui.nothing_found_about)}</p>
            <p class="row-of"><a class="btn" href=clear>{td_string!(locale, ui.clear_filters)}</a></p>
        </div>
    }
    .into_any()
}

/// The error of what the page is about; it also becomes the status of the answer.
pub fn failure(error: &AppError) -> AnyView {
    status::set(error.status());
    failed(error)
}

/// A page for which the viewer lacks a permission.
pub fn refused(permission: &str) -> AnyView {
    let permissions = vec![permission.to_owned()];
    failure(&AppError::Forbidden(Denial::new(DenialCode::MissingPermission, permissions)))
}

/// The error of a part of the page.
pub fn failed(error: &AppError) -> AnyView {
    let locale = locale();
    let here = address::here();
    match error {
        AppError::Forbidden(denial) if denial.code == DenialCode::MissingPermission => {
            let keys = denial.permissions.iter().map(|name| view! { " " {pieces::key(name)} }).collect_view();
            let ask = denial.permissions.first().map(|name| {
                let href = address::with_query("/console/approvals/new", &[("permission", name)]);
                view! { <p class="row-of"><a class="btn" href=href>{td_string!(locale, ui.refused_request)}</a></p> }.into_any()
            });
            view! {
                <div class="card state">
                    {icon(Icon::Lock)} <p class="strong">{td_string!(locale, ui.refused)}</p>
                    <p class="muted">{td_string!(locale, ui.refused_missing)} {keys}</p>
                    {ask.unwrap_or_else(|| view! { <p class="muted">{td_string!(locale, ui.refused_ask)}</p> }.into_any())}
                </div>
            }
            .into_any()
        }
        AppError::NotFound => view! {
            <div class="card state">
                {icon(Icon::Search)} <p class="strong">{td_string!(locale, ui.not_there)}</p>
                <p class="muted">{td_string!(locale, ui.not_there_about)}</p>
            </div>
        }
        .into_any(),
        AppError::SignedOut(_) => {
            let href = move || address::with_query("/login", &[("next", &here.get())]);
            view! {
                <div class="card state">
                    {icon(Icon::Lock)} <p class="strong">{pieces::sentence(&language::error(locale, error))}</p>
                    <p class="row-of"><a class="btn primary" rel="external" href=href>{td_string!(locale, ui.sign_in)}</a></p>
                </div>
            }
            .into_any()
        }
        AppError::Unavailable | AppError::Network(_) if browser::is_offline() => offline(),
        other => view! {
            <div class="card state">
                {icon(Icon::Alert)} <p class="strong">{td_string!(locale, ui.failed)}</p>
                <p class="muted">{pieces::sentence(&language::error(locale, other))}</p>
                <p class="row-of"><a class="btn" rel="external" href=move || here.get()>{td_string!(locale, ui.retry)}</a></p>
            </div>
        }
        .into_any(),
    }
}

/// What could not be read because the device has no network.
pub fn offline() -> AnyView {
    let (locale, here) = (locale(), address::here());
    view! {
        <div class="card state">
            {icon(Icon::Offline)} <p class="strong">{td_string!(locale, ui.offline)}</p>
            <p class="muted">{td_string!(locale, ui.offline_about)}</p>
            <p class="row-of"><a class="btn" rel="external" href=move || here.get()>{td_string!(locale, ui.retry)}</a></p>
        </div>
    }
    .into_any()
}

/// Says what a permission is needed for that the viewer lacks, and names it.
pub fn needs(words: &'static str, permission: &str) -> AnyView {
    notice(Mood::Plain, view! { <p>{words} " " {pieces::key(permission)}</p> })
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Plain,
    Bad,
    Waiting,
    Good,
}

/// A few sentences in a box.
pub fn notice(mood: Mood, words: impl IntoView + 'static) -> AnyView {
    let (class, sign) = match mood {
        Mood::Plain => ("notice", Icon::Info),
        Mood::Bad => ("notice deny", Icon::Alert),
        Mood::Waiting => ("notice pending", Icon::Alert),
        Mood::Good => ("notice allow", Icon::Allowed),
    };
    view! { <div class=class>{icon(sign)} <div>{words}</div></div> }.into_any()
}
