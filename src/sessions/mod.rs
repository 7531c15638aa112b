//! Signing in and out, and what a session is.

use std::fmt;

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::RegistrationMode,
    base::{
        errors::{AppError, FieldErrors},
        ids::{DeviceId, SessionId, TenantId, UserId},
        time::Timestamp,
    },
};

pub mod pages;
pub mod rules;
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
    /// Otherwise links and passkeys are the ways in.
    pub has_password: bool,
    /// The fewest characters of a password that they choose.
    pub password_shortest: u16,
    /// Names of the roles, sorted.
    pub roles: Vec<String>,
    /// Every key of the catalogue that is held, at least inside a scope.
    pub permissions: Vec<String>,
    /// The tenant that they have gone into, as a super-admin may.
    pub entered: Option<EnteredTenant>,
    /// Whoever acts as this person in this session.
    pub impersonator: Option<ImpersonatedBy>,
}

/// Another tenant that a super-admin works in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct EnteredTenant {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: TenantId,
    pub name: String,
    /// Nothing is done there after it.
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
}

/// Who acts as somebody, why and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ImpersonatedBy {
    pub name: String,
    pub reason: String,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
}

impl Me {
    /// For showing and hiding only: the server decides again on every call.
    pub fn may(&self, permission: &crate::access::Permission) -> bool {
        self.permissions.iter().any(|key| key == permission.as_str())
    }
}

/// A live session, as its person and whoever may see it do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: SessionId,
    /// Otherwise a program's.
    pub is_browser: bool,
    /// Browser and system, as they say of themselves; may be empty.
    pub device: String,
    /// `mobile`, `desktop`, `tablet` or `other`.
    pub device_kind: String,
    pub ip: Option<String>,
    /// Two letters (ISO 3166-1), where the installation has a database of countries.
    pub country: Option<String>,
    /// A second factor was shown.
    pub two_factors: bool,
    /// The one that asks.
    pub is_current: bool,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub last_seen_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// A browser or program that somebody signs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DeviceInfo {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: DeviceId,
    pub name: String,
    /// `mobile`, `desktop`, `tablet` or `other`.
    pub kind: String,
    pub browser: String,
    pub ip: Option<String>,
    /// How many live sessions it has.
    pub sessions: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub last_seen_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// What a form post led to, for the page that is rendered again. Everything typed but secrets comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormOutcome {
    pub error: Option<AppError>,
    pub fields: FieldErrors,
    pub name: String,
    pub email: String,
    /// A colour that was chosen.
    pub colour: String,
    /// What the page shows this once, where the post led on.
    pub shown: Option<Shown>,
}

/// What a post gives to be seen once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// A secret for an authenticator app.
    Enrolment(ShownEnrolment),
    BackupCodes(Vec<String>),
}

/// A secret in groups of four, and as a picture.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownEnrolment {
    pub secret: String,
    pub qr_svg: String,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(…)")
    }
}

/// Whether what a passkey answers has to show that its device has recognised its person (user verification).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Verification {
    /// Always.
    #[default]
    Required,
    /// It is asked for. A security key that cannot do it may be the second step after another proof; by itself it neither
    /// signs in nor proves who holds a session.
    Preferred,
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
    /// Whether passkeys have to recognise their person.
    pub passkey_verification: Verification,
}

impl Default for SignIn {
    fn default() -> Self {
        SignIn {
            magic_link: true,
            second_factor_roles: vec![crate::access::SUPER_ADMIN.to_owned()],
            passkey_verification: Verification::Required,
        }
    }
}

/// What the pages before the console offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorOptions {
    pub registration: RegistrationMode,
    pub domains: Vec<String>,
    pub magic_link: bool,
    /// The fewest characters of a password that is chosen.
    pub password_shortest: u16,
    /// Browsers offer passkeys to this installation.
    pub passkeys: bool,
}

impl DoorOptions {
    /// Whether anybody at all may make themselves an account.
    pub fn is_open(&self) -> bool {
        matches!(self.registration, RegistrationMode::Open | RegistrationMode::Domains)
    }
}

/// What somebody half-way in may show as the second factor; backup codes go with either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFactors {
    /// A code of an authenticator app.
    pub app: bool,
    pub passkeys: bool,
}

/// What a set-up or welcome page shows about its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkInfo {
    /// Whom a welcome link belongs to; a set-up link belongs to nobody yet.
    pub name: Option<String>,
    pub email: Option<String>,
    /// The fewest characters of the password that is chosen with it.
    pub password_shortest: u16,
    /// Of a change of address: this mailbox has confirmed it.
    pub is_confirmed: bool,
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

#[server(name = AskStep, prefix = "/api", endpoint = "door/step", input = PostUrl)]
pub async fn step_factors() -> Result<StepFactors, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::step_factors(&cx).await
}

#[server(prefix = "/api", endpoint = "sessions/own", input = PostUrl)]
pub async fn list_own_sessions() -> Result<Vec<SessionInfo>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::devices::own_sessions(&cx).await
}

/// Ends one of the caller's sessions, or without an id all others.
#[server(prefix = "/api", endpoint = "sessions/end-own", input = Json)]
pub async fn end_own_session(id: Option<SessionId>) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    match id {
        Some(id) => crate::sessions::server::devices::end_own(&cx, id).await,
        None => crate::sessions::server::devices::end_others(&cx).await.map(|_ended| ()),
    }
}

#[server(prefix = "/api", endpoint = "sessions/of", input = Json)]
pub async fn list_sessions_of(user: UserId) -> Result<Vec<SessionInfo>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::devices::sessions_of(&cx, user).await
}

/// Ends one session of a person, or without an id all of them.
#[server(prefix = "/api", endpoint = "sessions/end-of", input = Json)]
pub async fn end_session_of(user: UserId, id: Option<SessionId>) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::devices::end_of(&cx, user, id).await.map(|_ended| ())
}

#[server(prefix = "/api", endpoint = "devices/own", input = PostUrl)]
pub async fn list_own_devices() -> Result<Vec<DeviceInfo>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::devices::own_devices(&cx).await
}

/// Forgets one of the caller's devices and ends its sessions.
#[server(prefix = "/api", endpoint = "devices/forget-own", input = Json)]
pub async fn forget_own_device(id: DeviceId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::devices::revoke_own_device(&cx, id).await
}

#[server(prefix = "/api", endpoint = "devices/of", input = Json)]
pub async fn list_devices_of(user: UserId) -> Result<Vec<DeviceInfo>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::devices::devices_of(&cx, user).await
}

/// Forgets a device of a person and ends its sessions.
#[server(prefix = "/api", endpoint = "devices/forget-of", input = Json)]
pub async fn forget_device_of(user: UserId, id: DeviceId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::devices::revoke_device_of(&cx, user, id).await
}

/// Looks at a one-time link without spending it.
#[server(prefix = "/api", endpoint = "links/look", input = PostUrl)]
pub async fn look_at_link(purpose: String, token: String) -> Result<LinkInfo, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::sessions::server::look_at_link(&cx, &purpose, &token).await
}
