//! The tenant's settings in one place: each capability owns its group, this shows and changes them.

use serde::{Deserialize, Serialize};

use crate::{accounts::Registration, sessions::SignIn};

#[cfg(feature = "ssr")]
pub mod server;

/// Every group of settings that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Settings {
    pub registration: Registration,
    pub sign_in: SignIn,
}

/// A change: a group that is absent stays, one that is given is replaced whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SettingsEdit {
    pub registration: Option<Registration>,
    pub sign_in: Option<SignIn>,
}

/// A letter that will not be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Undelivered {
    pub id: i64,
    /// What it was about: `invite`, `confirm`, `reset`.
    pub about: String,
    pub attempts: i32,
    /// What the mail server answered last.
    pub error: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub failed_at: crate::base::time::Timestamp,
}
