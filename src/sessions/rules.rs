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

impl Lifetimes {
    pub const ACCESS_MINUTES: (i64, i64) = (1, 60);
    pub const IDLE_DAYS: (i64, i64) = (1, 90);
    pub const ABSOLUTE_DAYS: (i64, i64) = (1, 365);
}
