//! What becomes of a person's data when they are erased: one line for each kind, counted as it is done (E5).

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;

/// A kind of data about somebody (E5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ErasureKind {
    /// Name, address, password and all else of the account.
    Account,
    /// Second factors, passkeys, one-time links.
    SignIn,
    /// Sessions, devices and known places.
    Sessions,
    /// Roles, overrides and memberships.
    Grants,
    /// For an account, another address, or leaving.
    Requests,
    ApiKeys,
    /// Letters that wait or could not be sent.
    Letters,
    /// First answers that are kept for programs which ask twice.
    Answers,
    /// What was consented to.
    Consents,
    /// Requests for approval, and decisions on others'.
    Approvals,
    /// Policies and texts that the person saved or published.
    Authorship,
    /// What the person granted to others.
    Given,
    /// Rows of the audit log.
    Log,
    /// The same under a legal hold.
    LogHeld,
    /// What others wrote that names the person.
    Words,
}

/// What happens to the rows of a kind (E5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ErasureFate {
    /// They are gone.
    Erased,
    /// They stay, and nothing in them leads to the person any more.
    Pseudonymised,
    /// They stay as they are.
    Kept,
}

/// Why that happens to them (E5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ErasureReason {
    /// Nobody needs them without the person.
    NotNeeded,
    /// Other rows point to them: a number takes the person's place.
    Referred,
    /// They prove what was said to which text; the name does not belong to the proof.
    Proof,
    /// They tell who agreed to what, which concerns others too.
    Accountability,
    /// What others go by stays in force.
    InForce,
    /// The rights of others do not end with whoever granted them; only an id is noted, which leads to no name any more.
    OthersRights,
    /// The log may not be edited: what names the person goes with the salts, and the chain over the digests still holds.
    Chained,
    /// A legal hold forbids touching them.
    LegalHold,
    /// Others' own words are not rewritten; somebody may look them through.
    OthersWords,
}

impl ErasureKind {
    /// What happens to its rows, and why.
    pub fn outcome(self) -> (ErasureFate, ErasureReason) {
        use ErasureFate::{Erased, Kept, Pseudonymised};
        match self {
            ErasureKind::Account => (Pseudonymised, ErasureReason::Referred),
            ErasureKind::SignIn
            | ErasureKind::Sessions
            | ErasureKind::Grants
            | ErasureKind::Requests
            | ErasureKind::ApiKeys
            | ErasureKind::Letters
            | ErasureKind::Answers => (Erased, ErasureReason::NotNeeded),
            ErasureKind::Consents => (Pseudonymised, ErasureReason::Proof),
            ErasureKind::Approvals => (Pseudonymised, ErasureReason::Accountability),
            ErasureKind::Authorship => (Pseudonymised, ErasureReason::InForce),
            ErasureKind::Given => (Kept, ErasureReason::OthersRights),
            ErasureKind::Log => (Pseudonymised, ErasureReason::Chained),
            ErasureKind::LogHeld => (Kept, ErasureReason::LegalHold),
            ErasureKind::Words => (Kept, ErasureReason::OthersWords),
        }
    }
}

/// One kind of data in a report: how many rows, what happens to them, and why (E5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ErasureLine {
    pub kind: ErasureKind,
    pub rows: i64,
    pub fate: ErasureFate,
    pub reason: ErasureReason,
}

/// What an erasure did, or would do (E5). It holds counts and nothing of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ErasureReport {
    /// When it was done; absent from a look ahead.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub erased_at: Option<Timestamp>,
    pub lines: Vec<ErasureLine>,
}

impl ErasureReport {
    /// Whether a legal hold kept something back: once it is lifted, the rest can be erased.
    pub fn is_held(&self) -> bool {
        self.lines.iter().any(|line| line.kind == ErasureKind::LogHeld)
    }

    /// The same after the rest was erased: what went the first time stays told.
    pub fn and(&self, rest: &[ErasureLine]) -> Self {
        let told = |line: &ErasureLine| {
            let before = self.lines.iter().find(|told| told.kind == line.kind).map_or(0, |told| told.rows);
            let rows = if line.kind == ErasureKind::LogHeld { line.rows } else { line.rows.max(before) };
            ErasureLine { rows, ..line.clone() }
        };
        ErasureReport { erased_at: self.erased_at, lines: rest.iter().map(told).collect() }
    }
}
