//! What the page that explains asks the server.

use leptos::{prelude::*, server_fn::codec::Json};

use crate::{
    base::errors::AppError,
    policies::{AblePage, AbleQuery, Evaluations, Question},
};

/// May this person do this, why, and what would have to change?
#[server(prefix = "/api", endpoint = "policies/evaluate", input = Json)]
pub async fn evaluate(question: Question) -> Result<Evaluations, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::evaluate(&cx, crate::policies::Questions::One(question).into()).await
}

/// Who can do this?
#[server(prefix = "/api", endpoint = "policies/who-can", input = Json)]
pub async fn who_can(key: String, query: AbleQuery) -> Result<AblePage, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::who_can(&cx, &key, query.into()).await
}
