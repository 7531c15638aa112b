//! API keys: how a program acts as a person, within scopes, from known addresses, for a while.

use std::fmt;

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use crate::base::{
    errors::AppError,
    ids::{ApiKeyId, UserId},
    paging::Page,
    time::Timestamp,
};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApiKey {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: ApiKeyId,
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub holder_id: UserId,
    pub holder_name: String,
    /// The caller holds it.
    pub is_own: bool,
    /// Keys and wildcards of the catalogue. At each use it may do what its holder may then, as far as these reach.
    pub scopes: Vec<String>,
    /// Addresses and networks that it may come from; none: any.
    pub networks: Vec<String>,
    pub active: bool,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    /// Until when the key before the last rotation stays good.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub previous_until: Option<Timestamp>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    pub version: i64,
}

/// Which keys to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct ApiKeysQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// A key to be made, for the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewApiKey {
    pub name: String,
    pub scopes: Vec<String>,
    #[serde(default)]
    pub networks: Vec<String>,
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// A change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApiKeyEdit {
    pub name: Option<String>,
    pub active: Option<bool>,
    pub scopes: Option<Vec<String>>,
    pub networks: Option<Vec<String>>,
    /// The version that was seen; another one meanwhile is refused.
    pub version: Option<i64>,
}

/// How a key is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Rotation {
    /// For how many hours the key before stays good, 0 to 168.
    pub overlap_hours: u32,
}

/// A key with its secret, which is told this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct MadeApiKey {
    #[serde(flatten)]
    pub key: ApiKey,
    pub secret: String,
}

impl fmt::Debug for MadeApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

#[server(prefix = "/api", endpoint = "api-keys/list", input = Json)]
pub async fn list_api_keys(query: ApiKeysQuery) -> Result<Page<ApiKey>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::api_keys::server::list(&cx, query.into()).await
}

#[server(prefix = "/api", endpoint = "api-keys/create", input = Json)]
pub async fn create_api_key(key: NewApiKey) -> Result<MadeApiKey, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::api_keys::server::create(&cx, key.into()).await
}

#[server(prefix = "/api", endpoint = "api-keys/edit", input = Json)]
pub async fn edit_api_key(id: ApiKeyId, edit: ApiKeyEdit) -> Result<ApiKey, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::api_keys::server::edit(&cx, id, edit.into()).await
}

#[server(prefix = "/api", endpoint = "api-keys/rotate", input = Json)]
pub async fn rotate_api_key(id: ApiKeyId, rotation: Rotation) -> Result<MadeApiKey, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::api_keys::server::rotate(&cx, id, rotation.into()).await
}

#[server(prefix = "/api", endpoint = "api-keys/delete", input = Json)]
pub async fn delete_api_key(id: ApiKeyId) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::api_keys::server::delete(&cx, id).await
}
