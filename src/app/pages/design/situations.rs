//! What stands where data should be, and sentences in boxes.

use leptos::prelude::*;

use super::wide;
use crate::{
    base::{
        errors::{AppError, Denial, DenialCode, Lost, SignedOut},
        language::td_string,
    },
    ui::{
        icons::Icon,
        locale,
        offline::line,
        states::{
            Mood, empty, failed, loading, loading_card, loading_form, loading_table, needs, nothing_found, notice,
            offline,
        },
    },
};

pub fn situations() -> AnyView {
    let locale = locale();
    let notices = [Mood::Plain, Mood::Good, Mood::Waiting, Mood::Bad]
        .map(|mood| notice(mood, view! { <p>{td_string!(locale, design.sample)}</p> }))
        .into_iter()
        .collect_view();
    let missing = Denial::new(DenialCode::MissingPermission, vec!["roles.update".to_owned()]);
    let errors = [
        AppError::Forbidden(missing),
        AppError::NotFound,
        AppError::SignedOut(SignedOut::NoSession),
        AppError::TooMany { retry_after: 90 },
        AppError::Unavailable,
        AppError::Network(Lost::NotSent),
        AppError::Internal("7f3a9c".to_owned()),
    ];
    let errors = errors.iter().map(failed).collect_view();
    let nothing = empty(
        Icon::Audit,
        td_string!(locale, design.empty),
        td_string!(locale, design.empty_about),
        Some(("/console/design".to_owned(), td_string!(locale, design.act))),
    );
    view! {
        {wide("notice", notices.into_any())}
        {wide("needs", needs(td_string!(locale, design.sample), "roles.update"))}
        {wide("loading, loading_card", view! { {loading(3)} {loading_card()} }.into_any())}
        {wide("loading_table", loading_table(3))}
        {wide("loading_form", loading_form(3))}
        {wide("empty, nothing_found", view! { {nothing} {nothing_found("/console/design")} }.into_any())}
        {wide("failed", errors.into_any())}
        {wide("offline", offline())}
        {wide(
            "OfflineBand",
            view! {
                <div class="no-network design-band">
                    {line(td_string!(locale, offline.band))} {line(td_string!(locale, offline.held_back))}
                </div>
            }
                .into_any(),
        )}
    }
    .into_any()
}
