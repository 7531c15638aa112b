//! The one error of all doors. It carries codes; pages and problem documents translate them.

use std::{collections::BTreeSet, error::Error, fmt};

use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
use serde::{Deserialize, Serialize};

use crate::base::{puzzle::Puzzle, time::Timestamp};

/// Why a request was not answered as asked. It may appear in a URL or a log: it never carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppError {
    /// Something typed or sent cannot be used; every field that is wrong is named.
    Invalid(FieldErrors),
    /// It does not exist, or belongs to another tenant, which must look the same.
    NotFound,
    /// The caller is known and may not do this.
    Forbidden(Denial),
    /// Nobody is signed in, or the session has ended, or e-mail and password do not fit together.
    SignedOut(SignedOut),
    /// The session is good but must prove itself again for this act.
    StepUp,
    /// Somebody changed the same thing meanwhile, or the act has been done already.
    Conflict(Conflict),
    /// Things would contain themselves: their names along the way, the first once more at the end.
    Cycle(Vec<String>),
    /// Too many attempts; try again after so many seconds.
    TooMany { retry_after: u32 },
    /// Too many attempts at one account; try again after so many seconds, or at once with the puzzle solved.
    Puzzle { retry_after: u32, puzzle: Puzzle },
    /// This node cannot tell right now; nothing was changed.
    Unavailable,
    /// Our fault. The reference finds the cause in the log.
    Internal(String),
    /// There is no way to the server right now: only browsers say so.
    Network(Lost),
}

/// Why a known caller was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Denial {
    pub code: DenialCode,
    /// The permissions it is about: the missing one, or those that cannot be passed on.
    pub permissions: Vec<String>,
    /// The ids of those it is about, where an act was for several people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

impl Denial {
    pub fn new(code: DenialCode, permissions: Vec<String>) -> Self {
        Denial { code, permissions, people: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum DenialCode {
    /// The caller lacks the named permission.
    MissingPermission,
    /// The caller would hand on rights it does not hold.
    #[serde(rename = "beyond_your_rights")]
    Ceiling,
    /// The caller would act on the account of somebody with rights it does not hold.
    Outranked,
    /// Nobody with `super-admin` would be left.
    LastSuperAdmin,
    /// Built-in things keep their name and cannot be removed.
    BuiltIn,
    /// An unsafe request with cookies did not come from our own pages.
    BadOrigin,
    /// Nobody may make themselves an account here.
    RegistrationClosed,
    /// The caller's role needs a second factor, which they have not set up yet.
    EnrolmentRequired,
    /// The caller has not given the last version of a text that is required.
    ConsentRequired,
    /// What is required cannot be withdrawn by itself.
    #[serde(rename = "consent_kept")]
    ConsentKept,
    /// An API key never touches its holder's account, and never approves.
    NotByKey,
    /// Whoever acts as somebody else may not do this as them.
    NotImpersonated,
    /// Others have to agree first: it is asked for with a reason.
    ApprovalNeeded,
    /// Nobody decides on a request of their own.
    OwnRequest,
    /// Only whoever it belongs to may do this.
    NotYours,
    /// Whoever has gone into another tenant is not party to this there.
    NotVisiting,
    /// The time in another tenant is over; it is to be left.
    VisitOver,
    /// Only the platform's super-admins do this.
    PlatformOnly,
    /// It came in the clear, where anybody on the way can read it.
    HttpsOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedOut {
    NoSession,
    WrongCredentials,
    /// The password is right; a code of the second factor is needed as well.
    TotpRequired,
    /// The password is right; something about the sign-in is new, and a code was mailed.
    CodeMailed,
    /// The code of the second factor is wrong, or has been used.
    WrongCode,
    /// The passkey is unknown, or did not answer what was asked.
    WrongPasskey,
    /// What is asked for cannot be proved at this door by what the account has: signing in anew can.
    SignInAgain,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The version the caller saw is not the current one.
    Stale(Stale),
    /// The key was used for another request.
    IdempotencyMismatch,
    /// What it asks for has been done, and its answer is not kept: not yet, or it is lost.
    IdempotencyDone,
    /// The link was used, or replaced by a newer one, or has expired.
    LinkSpent,
    /// The thing is still in use.
    InUse,
    /// Without it the person could not sign in any more.
    LastWayIn,
    /// There are as many as there may be.
    Full,
}

/// How far behind somebody is with what they have seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The current version, where there is one number for it.
    pub current: Option<i64>,
    /// What was changed since the version that was seen, newest first. Empty where it is not known, or where the caller
    /// may not read the thing.
    pub changes: Vec<Meanwhile>,
}

/// What somebody has changed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Meanwhile {
    /// Their name at that time; nothing where it was erased, or nobody did it.
    pub by: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// The names of the fields that were changed, as in the audit log.
    pub fields: Vec<String>,
}

/// How far a request came that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The device has no network: the request was not sent.
    NotSent,
    /// It was sent and nothing came back: nobody can tell whether it arrived.
    NoAnswer,
}

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    Required,
    TooShort,
    TooLong,
    /// Not of the expected form.
    Malformed,
    /// Control, invisible or direction-changing characters.
    Characters,
    /// Letters of several scripts in one word, which can be taken for each other.
    MixedScripts,
    Taken,
    /// Not the same as one that is taken, but it looks the same.
    Lookalike,
    /// No such thing.
    Unknown,
    /// The same thing is both allowed and denied, or named twice.
    Contradiction,
    /// A moment that has passed.
    Past,
    /// Not a field of this request.
    UnknownField,
    /// Too easy to guess.
    Weak,
    /// A password of a public list of leaked ones.
    Leaked,
    /// A number outside its bounds.
    Range,
    /// Does not equal its repetition.
    Different,
    /// An address of a domain that may not register.
    Domain,
    /// More levels inside each other than there may be.
    TooDeep,
    /// A test of what was written that does not hold.
    Failed,
}

/// The fields that are wrong, in the order found. Names are those of the JSON body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrors(pub Vec<(String, FieldCode)>);

impl FieldErrors {
    pub fn add(&mut self, field: impl Into<String>, code: FieldCode) {
        self.0.push((field.into(), code));
    }

    /// Keeps the value or notes the error, so that all fields are judged before the answer.
    pub fn take<T>(&mut self, field: &str, parsed: Result<T, FieldCode>) -> Option<T> {
        parsed.map_err(|code| self.add(field, code)).ok()
    }

    /// Judges each item of a list, whose places are named `field[0]` and so on. What can be used comes back once each, in
    /// order.
    pub fn take_each<I, T: Ord>(
        &mut self,
        field: &str,
        items: impl IntoIterator<Item = I>,
        mut parse: impl FnMut(I) -> Result<T, FieldCode>,
    ) -> Vec<T> {
        let items = items.into_iter().enumerate();
        let parsed = items.filter_map(|(at, item)| self.take(&format!("{field}[{at}]"), parse(item)));
        parsed.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The error of one field, if any.
    pub fn of(&self, field: &str) -> Option<FieldCode> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, code)| *code)
    }

    /// An error if any field is wrong.
    pub fn check(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(AppError::Invalid(self)) }
    }
}

impl AppError {
    pub fn field(field: &str, code: FieldCode) -> Self {
        AppError::Invalid(FieldErrors(vec![(field.to_owned(), code)]))
    }

    pub fn denied(code: DenialCode) -> Self {
        AppError::Forbidden(Denial::new(code, Vec::new()))
    }

    pub fn signed_out() -> Self {
        AppError::SignedOut(SignedOut::NoSession)
    }

    /// The HTTP status of this error, the same at every door (RFC 9110).
    pub fn status(&self) -> u16 {
        match self {
            AppError::Invalid(_) | AppError::Cycle(_) => 422,
            AppError::NotFound => 404,
            AppError::Forbidden(_) => 403,
            AppError::SignedOut(_) | AppError::StepUp => 401,
            AppError::Conflict(Conflict::LinkSpent) => 410,
            AppError::Conflict(_) => 409,
            AppError::TooMany { .. } | AppError::Puzzle { .. } => 429,
            AppError::Unavailable | AppError::Network(_) => 503,
            AppError::Internal(_) => 500,
        }
    }

    /// The stable code of this error for programs.
    pub fn code(&self) -> &'static str {
        match self {
            AppError::Invalid(_) => "invalid",
            AppError::Cycle(_) => "cycle",
            AppError::NotFound => "not_found",
            AppError::Forbidden(denial) => match denial.code {
                DenialCode::MissingPermission => "missing_permission",
                DenialCode::Ceiling => "beyond_your_rights",
                DenialCode::Outranked => "outranked",
                DenialCode::LastSuperAdmin => "last_super_admin",
                DenialCode::BuiltIn => "built_in",
                DenialCode::BadOrigin => "bad_origin",
                DenialCode::RegistrationClosed => "registration_closed",
                DenialCode::EnrolmentRequired => "mfa_enrolment_required",
                DenialCode::ConsentRequired => "consent_required",
                DenialCode::ConsentKept => "consent_kept",
                DenialCode::NotByKey => "not_by_api_key",
                DenialCode::NotImpersonated => "not_while_impersonating",
                DenialCode::ApprovalNeeded => "approval_needed",
                DenialCode::OwnRequest => "own_request",
                DenialCode::NotYours => "not_yours",
                DenialCode::NotVisiting => "not_while_visiting",
                DenialCode::VisitOver => "visit_over",
                DenialCode::PlatformOnly => "platform_only",
                DenialCode::HttpsOnly => "https_only",
            },
            AppError::SignedOut(SignedOut::NoSession) => "signed_out",
            AppError::SignedOut(SignedOut::WrongCredentials) => "wrong_credentials",
            AppError::SignedOut(SignedOut::TotpRequired) => "totp_required",
            AppError::SignedOut(SignedOut::CodeMailed) => "mailed_code_required",
            AppError::SignedOut(SignedOut::WrongCode) => "wrong_code",
            AppError::SignedOut(SignedOut::WrongPasskey) => "wrong_passkey",
            AppError::SignedOut(SignedOut::SignInAgain) => "sign_in_again",
            AppError::StepUp => "step_up_required",
            AppError::Conflict(conflict) => match conflict {
                Conflict::Stale(_) => "stale",
                Conflict::IdempotencyMismatch => "idempotency_mismatch",
                Conflict::IdempotencyDone => "idempotency_done",
                Conflict::LinkSpent => "link_spent",
                Conflict::InUse => "in_use",
                Conflict::LastWayIn => "last_way_in",
                Conflict::Full => "full",
            },
            AppError::TooMany { .. } => "too_many",
            AppError::Puzzle { .. } => "puzzle_required",
            AppError::Unavailable => "unavailable",
            AppError::Internal(_) => "internal",
            AppError::Network(Lost::NotSent) => "not_sent",
            AppError::Network(Lost::NoAnswer) => "no_answer",
        }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Error for AppError {}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// What went wrong around a server function: arguments that cannot be read are the caller's, a lost connection is
    /// worth another try, everything else is ours. In the browser an answer that cannot be read is not the server's: it
    /// comes from something that stands before it.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => AppError::Network(Lost::NoAnswer),
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "hydrate") => AppError::Network(Lost::NoAnswer),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::MissingArg(_) => {
                AppError::field("body", FieldCode::Malformed)
            }
            _ => AppError::Internal(String::new()),
        }
    }
}
