//! The tenant's rules about sessions, as settings keep them.

use serde::{Deserialize, Serialize};

/// How long things last. Minutes and days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Lifetimes {
    /// An access token is good for so long: 1 to 60.
    pub access_minutes: i64,
    /// A session ends when it was not used for so long: 1 to 90.
    pub idle_days: i64,
    /// A session ends after so long whatever its use: 1 to 365.
    pub absolute_days: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Lifetimes { access_minutes: 15, idle_days: 30, absolute_days: 90 }
    }
}

/// What about a sign-in asks for more than a password. Whoever has a second factor shows it in any case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Risk {
    /// A browser or program that the account has not seen asks for a mailed code.
    pub ask_new_device: bool,
    /// So does a network.
    pub ask_new_network: bool,
    /// So does a country, where a database of countries is configured.
    pub ask_new_country: bool,
    /// A sign-in from an unknown device is told by mail.
    pub mail_new_device: bool,
}

impl Default for Risk {
    fn default() -> Self {
        Risk { ask_new_device: true, ask_new_network: true, ask_new_country: true, mail_new_device: true }
    }
}

/// How guessing is slowed down, for the whole installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Attempts at an account that cost nothing: 1 to 20. Each one beyond them doubles the wait.
    pub free_by_account: i64,
    /// The same from one address, which may stand for a whole office: 5 to 1,000. An address has no puzzles.
    pub free_by_address: i64,
    /// Letters to one mailbox that may be asked for without waiting: 1 to 20.
    pub free_letters: i64,
    /// The longest wait, in seconds: 60 to 3,600.
    pub longest_wait: i64,
    /// After so many minutes without an attempt the count begins anew: 10 to 1,440.
    pub memory_minutes: i64,
    /// Whoever would have to wait at an account may have their computer solve a puzzle instead.
    pub puzzles: bool,
    /// How much work a puzzle is, in digests: 1,000 to 5,000,000.
    pub puzzle_size: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            free_by_account: 5,
            free_by_address: 30,
            free_letters: 3,
            longest_wait: 900,
            memory_minutes: 60,
            puzzles: true,
            puzzle_size: 100_000,
        }
    }
}

impl Limits {
    pub const FREE_BY_ACCOUNT: (i64, i64) = (1, 20);
    pub const FREE_BY_ADDRESS: (i64, i64) = (5, 1_000);
    pub const FREE_LETTERS: (i64, i64) = (1, 20);
    pub const LONGEST_WAIT: (i64, i64) = (60, 3_600);
    pub const MEMORY_MINUTES: (i64, i64) = (10, 1_440);
    pub const PUZZLE_SIZE: (i64, i64) = (1_000, 5_000_000);
}

impl Lifetimes {
    pub const ACCESS_MINUTES: (i64, i64) = (1, 60);
    pub const IDLE_DAYS: (i64, i64) = (1, 90);
    pub const ABSOLUTE_DAYS: (i64, i64) = (1, 365);
}
