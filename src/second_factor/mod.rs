//! The second factor: codes of an authenticator app, backup codes, and proving oneself again.

use std::fmt;

use leptos::{prelude::*, server_fn::codec::PostUrl};
use serde::{Deserialize, Serialize};

use crate::base::{errors::AppError, time::Timestamp};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// Where a person's second factor stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FactorStatus {
    pub enabled: bool,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub enabled_at: Option<Timestamp>,
    /// Backup codes that have not been used.
    pub backup_codes_left: i64,
    /// A role of the person needs it.
    pub required: bool,
    /// The person has passkeys, which are a second factor as well.
    pub has_passkeys: bool,
}

/// A secret that an authenticator app is to take over. It counts once a code of it has been shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// Base32, in groups of four.
    pub secret: String,
    /// `otpauth://totp/…`
    pub otpauth_uri: String,
    /// The same as a picture, to be scanned.
    pub qr_svg: String,
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(…)")
    }
}

impl From<Enrolment> for crate::sessions::ShownEnrolment {
    fn from(enrolment: Enrolment) -> Self {
        Self { secret: enrolment.secret, qr_svg: enrolment.qr_svg }
    }
}

/// Ten codes, shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BackupCodes {
    pub backup_codes: Vec<String>,
}

impl fmt::Debug for BackupCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupCodes(…)")
    }
}

#[server(name = AskFactor, prefix = "/api", endpoint = "second-factor", input = PostUrl)]
pub async fn factor_status() -> Result<FactorStatus, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::second_factor::server::status(&cx).await
}
