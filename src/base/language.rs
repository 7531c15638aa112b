//! The two languages, how a moment and a number are written in them, and every error as a sentence.

use crate::{
    base::{
        dates::{self, Zone},
        errors::{AppError, Conflict, DenialCode, FieldCode, Lost, SignedOut},
        time::Timestamp,
    },
    i18n::Locale,
};

/// A text in a language, with the reader's digits: `td_string!(locale, base.now)`, `td_string!(locale, app.greeting, name = name)`.
///
/// What is filled in and is a name, a key or an address stands between isolating characters: see [`isolate`].
macro_rules! td_string {
    ($locale:expr, $($key:ident).+ $(,)?) => {
        $crate::base::habits::fixed(leptos_i18n::td_string!($locale, $($key).+))
    };
    ($locale:expr, $($key:ident).+, $($values:tt)+) => {
        $crate::base::habits::filled(leptos_i18n::td_string!($locale, $($key).+, $($values)+))
    };
}
pub(crate) use td_string;

/// The direction of a language's text, as the `dir` attribute wants it.
pub fn direction(locale: Locale) -> &'static str {
    match locale {
        Locale::ar => "rtl",
        Locale::en => "ltr",
    }
}

/// The code of a language, as the `lang` attribute and the `locale` field want it.
pub fn code(locale: Locale) -> &'static str {
    match locale {
        Locale::ar => "ar",
        Locale::en => "en",
    }
}

/// The language of a code.
pub fn parse(code: &str) -> Option<Locale> {
    match code {
        "ar" => Some(Locale::ar),
        "en" => Some(Locale::en),
        _ => None,
    }
}

/// The other language, for the switch.
pub fn other(locale: Locale) -> Locale {
    match locale {
        Locale::ar => Locale::en,
        Locale::en => Locale::ar,
    }
}

/// A moment for people, in UTC: `22 November 2026, 14:02 UTC`. On a page of its own it is drawn by `ui::pieces`.
pub fn date_time(locale: Locale, moment: Timestamp) -> String {
    dates::exact(locale, moment, Zone::Utc)
}

/// What is wrong with a field, as a sentence.
pub fn field_error(locale: Locale, code: FieldCode) -> String {
    match code {
        FieldCode::Required => td_string!(locale, base.field_required),
        FieldCode::TooShort => td_string!(locale, base.field_too_short),
        FieldCode::TooLong => td_string!(locale, base.field_too_long),
        FieldCode::Malformed => td_string!(locale, base.field_malformed),
        FieldCode::Characters => td_string!(locale, base.field_characters),
        FieldCode::MixedScripts => td_string!(locale, base.field_mixed_scripts),
        FieldCode::Taken => td_string!(locale, base.field_taken),
        FieldCode::Lookalike => td_string!(locale, base.field_lookalike),
        FieldCode::Unknown => td_string!(locale, base.field_unknown),
        FieldCode::Contradiction => td_string!(locale, base.field_contradiction),
        FieldCode::Past => td_string!(locale, base.field_past),
        FieldCode::UnknownField => td_string!(locale, base.field_unknown_field),
        FieldCode::Weak => td_string!(locale, base.field_weak),
        FieldCode::Leaked => td_string!(locale, base.field_leaked),
        FieldCode::Range => td_string!(locale, base.field_range),
        FieldCode::Different => td_string!(locale, base.field_different),
        FieldCode::Domain => td_string!(locale, base.field_domain),
        FieldCode::TooDeep => td_string!(locale, base.field_too_deep),
        FieldCode::Failed => td_string!(locale, base.field_failed),
    }
    .to_owned()
}

/// An error as a sentence for people.
pub fn error(locale: Locale, error: &AppError) -> String {
    match error {
        AppError::Invalid(_) => td_string!(locale, base.error_invalid).to_owned(),
        AppError::Cycle(names) => {
            let path = names.iter().map(|name| isolate(name)).collect::<Vec<_>>();
            td_string!(locale, base.error_cycle, path = path.join(td_string!(locale, base.path_separator))).to_string()
        }
        AppError::NotFound => td_string!(locale, base.error_not_found).to_owned(),
        AppError::Forbidden(denial) => {
            let keys = denial.permissions.iter().map(|key| isolate(key)).collect::<Vec<_>>();
            let keys = keys.join(td_string!(locale, base.list_separator));
            match denial.code {
                DenialCode::MissingPermission => {
                    td_string!(locale, base.error_missing_permission, permission = keys).to_string()
                }
                DenialCode::Ceiling => td_string!(locale, base.error_ceiling, permissions = keys).to_string(),
                DenialCode::Outranked => td_string!(locale, base.error_outranked, permissions = keys).to_string(),
                DenialCode::LastSuperAdmin => td_string!(locale, base.error_last_super_admin).to_owned(),
                DenialCode::BuiltIn => td_string!(locale, base.error_built_in).to_owned(),
                DenialCode::BadOrigin => td_string!(locale, base.error_bad_origin).to_owned(),
                DenialCode::RegistrationClosed => td_string!(locale, base.error_registration_closed).to_owned(),
                DenialCode::EnrolmentRequired => td_string!(locale, base.error_enrolment).to_owned(),
                DenialCode::ConsentRequired => td_string!(locale, base.error_consent_required).to_owned(),
                DenialCode::ConsentKept => td_string!(locale, base.error_consent_kept).to_owned(),
                DenialCode::NotByKey => td_string!(locale, base.error_not_by_key).to_owned(),
                DenialCode::ApprovalNeeded => {
                    td_string!(locale, base.error_approval_needed, permissions = keys).to_string()
                }
                DenialCode::OwnRequest => td_string!(locale, base.error_own_request).to_owned(),
                DenialCode::NotImpersonated => td_string!(locale, base.error_not_impersonated).to_owned(),
                DenialCode::NotYours => td_string!(locale, base.error_not_yours).to_owned(),
                DenialCode::NotVisiting => td_string!(locale, base.error_not_visiting).to_owned(),
                DenialCode::VisitOver => td_string!(locale, base.error_visit_over).to_owned(),
                DenialCode::PlatformOnly => td_string!(locale, base.error_platform_only).to_owned(),
                DenialCode::HttpsOnly => td_string!(locale, base.error_https_only).to_owned(),
            }
        }
        AppError::SignedOut(SignedOut::NoSession) => td_string!(locale, base.error_signed_out).to_owned(),
        AppError::SignedOut(SignedOut::WrongCredentials) => td_string!(locale, base.error_wrong_credentials).to_owned(),
        AppError::SignedOut(SignedOut::TotpRequired) => td_string!(locale, base.error_totp_required).to_owned(),
        AppError::SignedOut(SignedOut::CodeMailed) => td_string!(locale, base.error_code_mailed).to_owned(),
        AppError::SignedOut(SignedOut::WrongCode) => td_string!(locale, base.error_wrong_code).to_owned(),
        AppError::SignedOut(SignedOut::WrongPasskey) => td_string!(locale, base.error_wrong_passkey).to_owned(),
        AppError::SignedOut(SignedOut::SignInAgain) => td_string!(locale, base.error_sign_in_again).to_owned(),
        AppError::StepUp => td_string!(locale, base.error_step_up).to_owned(),
        AppError::Conflict(conflict) => match conflict {
            Conflict::Stale(_) => td_string!(locale, base.error_stale),
            Conflict::IdempotencyMismatch => td_string!(locale, base.error_idempotency_mismatch),
            Conflict::IdempotencyDone => td_string!(locale, base.error_idempotency_done),
            Conflict::LinkSpent => td_string!(locale, base.error_link_spent),
            Conflict::InUse => td_string!(locale, base.error_in_use),
            Conflict::LastWayIn => td_string!(locale, base.error_last_way_in),
            Conflict::Full => td_string!(locale, base.error_full),
        }
        .to_owned(),
        AppError::TooMany { retry_after } => td_string!(locale, base.error_too_many, count = *retry_after).to_string(),
        AppError::Puzzle { retry_after, .. } => td_string!(locale, base.error_puzzle, count = *retry_after).to_string(),
        AppError::Unavailable => td_string!(locale, base.error_unavailable).to_owned(),
        AppError::Internal(reference) => {
            td_string!(locale, base.error_internal, reference = isolate(reference)).to_string()
        }
        AppError::Network(Lost::NotSent) => td_string!(locale, base.error_not_sent).to_owned(),
        AppError::Network(Lost::NoAnswer) => td_string!(locale, base.error_no_answer).to_owned(),
    }
}

/// Wraps a key, code or address for a sentence of the other direction (Unicode FSI … PDI).
pub fn isolate(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}
