//! Signing in and out, and what a session is.

use leptos::{prelude::*, server_fn::codec::PostUrl};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::RegistrationMode,
    base::{
        errors::{AppError, FieldErrors},
        ids::{TenantId, UserId},
    },
};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// Who is signed in and what they may do, for the frame of the console and for `GET /auth/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Me {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub locale: String,
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub tenant_id: TenantId,
    pub tenant_name: String,
    pub is_super_admin: bool,
    /// Names of the roles, sorted.
    pub roles: Vec<String>,
    /// Every key of the catalogue that is held, at least inside a scope.
    pub permissions: Vec<String>,
}

impl Me {
    /// For showing and hiding only: the server decides again on every call.
    pub fn may(&self, permission: &crate::access::Permission) -> bool {
        self.permissions.iter().any(|key| key == permission.as_str())
    }
}

/// What a form post led to, for the page that is rendered again. Everything typed but secrets comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormOutcome {
    pub error: Option<AppError>,
    pub fields: FieldErrors,
    pub name: String,
    pub email: String,
}

/// The tenant's rules for signing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// Whether a link in the mailbox may stand for a password. Never for super-admins.
    pub magic_link: bool,
    /// Names of the roles that need a second factor: who lacks it sets it up before anything else.
    pub second_factor_roles: Vec<String>,
}

impl Default for SignIn {
    fn default() -> Self {
        SignIn { magic_link: true, second_factor_roles: vec![crate::access::SUPER_ADMIN.to_owned()] }
    }
}

/// What the pages before the console offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorOptions {
    pub registration: RegistrationMode,
    pub domains: Vec<String>,
    pub magic_link: bool,
}

impl DoorOptions {
    /// Whether anybody at all may make themselves an account.
    pub fn is_open(&self) -> bool {
        matches!(self.registration, RegistrationMode::Open | RegistrationMode::Domains)
    }
}

/// What a set-up or welcome page shows about its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkInfo {
    /// Whom a welcome link belongs to; a set-up link belongs to nobody yet.
    pub name: Option<String>,
    pub email: Option<String>,
}

#[server(name = AskMe, prefix = "/api", endpoint = "me", input = PostUrl)]
pub async fn me() -> Result<Me, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::me(&cx).await
}

#[server(name = AskDoor, prefix = "/api", endpoint = "door", input = PostUrl)]
pub async fn door_options() -> Result<DoorOptions, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::joining::door_options(&cx).await
}

/// Looks at a one-time link without spending it.
#[server(prefix = "/api", endpoint = "links/look", input = PostUrl)]
pub async fn look_at_link(purpose: String, token: String) -> Result<LinkInfo, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::look_at_link(&cx, &purpose, &token).await
}
