//! What the pages about consents ask the server.

use leptos::{
    prelude::*,
    server_fn::codec::{Json, PostUrl},
};

use crate::{
    base::{errors::AppError, ids::ConsentId, paging::Page},
    consents::{ConsentChange, ConsentText, ConsentsQuery, Giver, OwnConsent},
};

/// The texts as they stand for the caller (A13).
#[server(prefix = "/api", endpoint = "consents/own", input = PostUrl)]
pub async fn own_consents() -> Result<Vec<OwnConsent>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::consents::server::own::list(&cx).await
}

/// A page of the texts of the tenant (E5).
#[server(prefix = "/api", endpoint = "consents/list", input = Json)]
pub async fn list_consents(query: ConsentsQuery) -> Result<Page<ConsentText>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::consents::server::list(&cx, query.into()).await
}

/// One of them, with a page of those who have given its last version (E5).
#[server(prefix = "/api", endpoint = "consents/get", input = Json)]
pub async fn get_consent(id: ConsentId, query: ConsentsQuery) -> Result<(ConsentText, Page<Giver>), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::consents::server::get_with_givers(&cx, id, query.into()).await
}

/// Creates, edits, publishes or retires a text (E5).
#[server(prefix = "/api", endpoint = "consents/change", input = Json)]
pub async fn change_consent(change: ConsentChange) -> Result<ConsentText, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::consents::server::change(&cx, change).await
}
