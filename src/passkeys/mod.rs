//! Passkeys: keys on people's devices, by which they sign in, show a second factor, and prove themselves again.

use leptos::{prelude::*, server_fn::codec::PostUrl};
use serde::{Deserialize, Serialize};

use crate::base::{
    errors::AppError,
    ids::{PasskeyId, UserId},
    time::Timestamp,
};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// The longest name of a passkey.
pub const NAME_LONGEST: usize = 80;

/// A passkey as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PasskeyInfo {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: PasskeyId,
    pub name: String,
    /// The device's maker keeps copies of it on the person's other devices.
    pub synced: bool,
    /// Its device recognises its person; otherwise it is good for the second step only.
    pub verifies: bool,
    /// How a browser reaches it: `internal`, `hybrid`, `usb`, `nfc`, `ble`, `smart-card`.
    pub transports: Vec<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// What the page of passkeys shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPasskeys {
    pub user: UserId,
    pub passkeys: Vec<PasskeyInfo>,
    /// Browsers offer passkeys to this installation.
    pub possible: bool,
}

#[server(name = AskPasskeys, prefix = "/api", endpoint = "passkeys", input = PostUrl)]
pub async fn own_passkeys() -> Result<OwnPasskeys, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::passkeys::server::own(&cx).await
}
