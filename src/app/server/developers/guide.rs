//! The guide before the reference: what holds for every call.

use crate::base::language::td_string;
use leptos::prelude::*;

use super::reference::{code_block, rich};
use crate::{
    base::{
        errors::{AppError, Conflict, Denial, DenialCode, FieldCode, FieldErrors, SignedOut, Stale},
        language,
    },
    i18n::Locale,
    ui::pieces,
};

pub fn guide(locale: Locale, origin: &str) -> AnyView {
    let sign_in = format!(
        "curl -X POST '{origin}/auth/login' \\\n  -H 'content-type: application/json' \\\n  \
         -d '{{\"email\": \"sara@example.com\", \"password\": \"…\"}}'"
    );
    let use_it = format!("curl '{origin}/auth/me' \\\n  -H \"authorization: Bearer $ACCESS_TOKEN\"");
    let renew = format!(
        "curl -X POST '{origin}/auth/refresh' \\\n  -H 'content-type: application/json' \\\n  \
         -d \"{{\\\"refresh_token\\\": \\\"$REFRESH_TOKEN\\\"}}\""
    );
    let once = format!(
        "curl -X POST '{origin}/admin/roles' \\\n  -H \"authorization: Bearer $ACCESS_TOKEN\" \\\n  \
         -H 'idempotency-key: 7f9c2a10' \\\n  -H 'content-type: application/json' \\\n  \
         -d '{{\"name\": \"finance\", \"permissions\": [\"reports.read\"]}}'"
    );
    let versions = format!(
        "curl -X PATCH '{origin}/admin/users/…' \\\n  -H \"authorization: Bearer $ACCESS_TOKEN\" \\\n  \
         -H 'if-match: \"7\"' \\\n  -H 'content-type: application/json' \\\n  -d '{{\"department\": \"Finance\"}}'"
    );
    let pages =
        format!("curl '{origin}/admin/users?limit=100&after=…' \\\n  -H \"authorization: Bearer $ACCESS_TOKEN\"");
    let part = |id: &'static str, title: &'static str, about: &'static str, code: Option<AnyView>| {
        view! {
            <section class="stack" aria-labelledby=id>
                <h3 id=id>{title}</h3>
                <p>{rich(about)}</p>
                {code}
            </section>
        }
        .into_any()
    };
    let code = |text: String| Some(code_block(locale, text));
    let both = view! { {code_block(locale, sign_in)} {code_block(locale, use_it)} }.into_any();
    view! {
        <section class="docs-guide" aria-labelledby="guide">
            <h2 id="guide">{td_string!(locale, developers.guide)}</h2>
            {part(
                "guide-sign-in",
                td_string!(locale, developers.guide_sign_in),
                td_string!(locale, developers.guide_sign_in_about),
                Some(both),
            )}
            {part(
                "guide-renew",
                td_string!(locale, developers.guide_renew),
                td_string!(locale, developers.guide_renew_about),
                code(renew),
            )}
            {part(
                "guide-browser",
                td_string!(locale, developers.guide_browser),
                td_string!(locale, developers.guide_browser_about),
                None,
            )}
            {part(
                "guide-errors",
                td_string!(locale, developers.guide_errors),
                td_string!(locale, developers.guide_errors_about),
                Some(codes(locale)),
            )}
            {part(
                "guide-once",
                td_string!(locale, developers.guide_once),
                td_string!(locale, developers.guide_once_about),
                code(once),
            )}
            {part(
                "guide-versions",
                td_string!(locale, developers.guide_versions),
                td_string!(locale, developers.guide_versions_about),
                code(versions),
            )}
            {part(
                "guide-pages",
                td_string!(locale, developers.guide_pages),
                td_string!(locale, developers.guide_pages_about),
                code(pages),
            )}
            {part(
                "guide-language",
                td_string!(locale, developers.guide_language),
                td_string!(locale, developers.guide_language_about),
                None,
            )}
            {part(
                "guide-limits",
                td_string!(locale, developers.guide_limits),
                td_string!(locale, developers.guide_limits_about),
                None,
            )}
        </section>
    }
    .into_any()
}

/// Every problem by its code, as people of this language are told it, and what may be wrong with a field.
fn codes(locale: Locale) -> AnyView {
    let about = |code, keys: &[&str]| {
        AppError::Forbidden(Denial::new(code, keys.iter().map(|key| (*key).to_owned()).collect()))
    };
    let problems = [
        AppError::Invalid(FieldErrors::default()),
        AppError::NotFound,
        AppError::SignedOut(SignedOut::NoSession),
        AppError::SignedOut(SignedOut::WrongCredentials),
        AppError::SignedOut(SignedOut::WrongPasskey),
        AppError::SignedOut(SignedOut::SignInAgain),
        AppError::StepUp,
        about(DenialCode::MissingPermission, &["users.read"]),
        about(DenialCode::Ceiling, &["audit.read"]),
        about(DenialCode::Outranked, &["roles.update"]),
        about(DenialCode::LastSuperAdmin, &[]),
        about(DenialCode::BuiltIn, &[]),
        about(DenialCode::ConsentRequired, &[]),
        about(DenialCode::ConsentKept, &[]),
        about(DenialCode::BadOrigin, &[]),
        about(DenialCode::HttpsOnly, &[]),
        AppError::Cycle(vec!["a".to_owned(), "b".to_owned(), "a".to_owned()]),
        about(DenialCode::NotYours, &[]),
        about(DenialCode::PlatformOnly, &[]),
        about(DenialCode::NotVisiting, &[]),
        about(DenialCode::VisitOver, &[]),
        AppError::Conflict(Conflict::Stale(Stale::default())),
        AppError::Conflict(Conflict::InUse),
        AppError::Conflict(Conflict::LastWayIn),
        AppError::Conflict(Conflict::Full),
        AppError::Conflict(Conflict::IdempotencyMismatch),
        AppError::Conflict(Conflict::IdempotencyDone),
        AppError::Conflict(Conflict::LinkSpent),
        AppError::TooMany { retry_after: 30 },
        AppError::SignedOut(SignedOut::CodeMailed),
        AppError::Unavailable,
        AppError::Internal("0190a6e0".to_owned()),
    ];
    let told = problems.iter().map(|problem| (problem.code(), problem.status(), language::error(locale, problem)));
    let rows = told
        .chain([("method_not_allowed", 405, td_string!(locale, base.error_method).to_owned())])
        .map(|(code, status, words)| {
            view! {
                <tr>
                    <td>{pieces::key(code)}</td>
                    <td class="num">{status}</td>
                    <td>{pieces::sentence(&words)}</td>
                </tr>
            }
        })
        .collect_view();
    let fields = [
        FieldCode::Required,
        FieldCode::TooShort,
        FieldCode::TooLong,
        FieldCode::Malformed,
        FieldCode::Characters,
        FieldCode::Taken,
        FieldCode::Unknown,
        FieldCode::Contradiction,
        FieldCode::Past,
        FieldCode::UnknownField,
        FieldCode::Weak,
        FieldCode::Leaked,
        FieldCode::Range,
        FieldCode::TooDeep,
        FieldCode::Failed,
        FieldCode::Different,
    ]
    .map(|code| {
        let name =
            serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        view! { <tr><td>{pieces::key(name)}</td><td>{language::field_error(locale, code)}</td></tr> }
    })
    .into_iter()
    .collect_view();
    view! {
        <details>
            <summary>{td_string!(locale, developers.all_codes)}</summary>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, developers.code)}</th>
                        <th scope="col">{td_string!(locale, developers.status)}</th>
                        <th scope="col">{td_string!(locale, developers.meaning)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
        <details>
            <summary>{td_string!(locale, developers.all_field_codes)}</summary>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, developers.code)}</th>
                        <th scope="col">{td_string!(locale, developers.meaning)}</th>
                    </tr>
                </thead>
                <tbody>{fields}</tbody>
            </table>
        </details>
    }
    .into_any()
}
