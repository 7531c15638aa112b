//! Acting as somebody else: with a reason, for a short while, never as somebody more powerful, and told to everybody.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};
use serde::{Deserialize, Serialize};

use crate::base::{
    errors::{AppError, Denial},
    ids::UserId,
};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// Whom to act as, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Impersonate {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub target_user_id: UserId,
    /// For the log, and for the person.
    pub reason: String,
}

/// What acting as somebody would open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Keys of the catalogue, sorted.
    pub permissions: Vec<String>,
    /// Why it would be refused.
    pub refused: Option<Denial>,
    /// For how long it would last.
    pub minutes: u32,
    /// Whether the person is told by mail.
    pub is_told: bool,
}

#[server(prefix = "/api", endpoint = "impersonation/preview", input = Json)]
pub async fn preview_impersonation(target: UserId) -> Result<Preview, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::impersonation::server::preview(&cx, target).await
}

/// Begins in this browser: the answer sets its cookie.
#[server(prefix = "/api", endpoint = "impersonation/begin", input = Json)]
pub async fn begin_impersonation(request: Impersonate) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::impersonation::server::begin_in_browser(&cx, request.into()).await
}

/// Ends what this browser acts as.
#[server(prefix = "/api", endpoint = "impersonation/end", input = PostUrl)]
pub async fn end_impersonation() -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::impersonation::server::end_in_browser(&cx).await
}
