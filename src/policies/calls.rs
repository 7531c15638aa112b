//! What the pages that explain and that keep policies ask the server.

use leptos::{prelude::*, server_fn::codec::Json};

use crate::{
    base::{errors::AppError, ids::PolicyId, paging::Page},
    policies::{
        AblePage, AbleQuery, Activation, AskedPolicy, Evaluations, ModuleTests, NewPolicy, PoliciesQuery, Policy,
        PolicyEdit, Question, Saved, TestResults, Trial, Tried,
        graph::{Graph, GraphQuery},
    },
    roles::Effect,
};

/// May this person do this, why, and what would have to change?
#[server(prefix = "/api", endpoint = "policies/evaluate", input = Json)]
pub async fn evaluate(question: Question) -> Result<Evaluations, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::evaluate(&cx, crate::policies::Questions::One(Box::new(question)).into()).await
}

/// Who can do this?
#[server(prefix = "/api", endpoint = "policies/who-can", input = Json)]
pub async fn who_can(key: String, query: AbleQuery) -> Result<AblePage, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::who_can(&cx, &key, query.into()).await
}

/// Who has what through what, as a picture.
#[server(prefix = "/api", endpoint = "policies/graph", input = Json)]
pub async fn get_graph(query: GraphQuery) -> Result<Graph, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::graph::graph(&cx, query.into()).await
}

#[server(prefix = "/api", endpoint = "policies/list", input = Json)]
pub async fn list_policies(query: PoliciesQuery) -> Result<Page<Policy>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::list(&cx, query.into()).await
}

#[server(prefix = "/api", endpoint = "policies/get", input = Json)]
pub async fn get_policy(id: PolicyId) -> Result<Policy, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::get(&cx, id).await
}

#[server(prefix = "/api", endpoint = "policies/versions", input = Json)]
pub async fn policy_versions(id: PolicyId) -> Result<Vec<Saved>, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::versions(&cx, id).await
}

#[server(prefix = "/api", endpoint = "policies/create", input = Json)]
pub async fn create_policy(policy: NewPolicy) -> Result<Policy, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::create(&cx, policy.into()).await
}

#[server(prefix = "/api", endpoint = "policies/edit", input = Json)]
pub async fn edit_policy(id: PolicyId, edit: PolicyEdit) -> Result<Policy, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::edit(&cx, id, edit.into()).await
}

#[server(prefix = "/api", endpoint = "policies/activate", input = Json)]
pub async fn activate_policy(id: PolicyId, activation: Activation) -> Result<Policy, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::activate(&cx, id, activation.into()).await
}

#[server(prefix = "/api", endpoint = "policies/deactivate", input = Json)]
pub async fn deactivate_policy(id: PolicyId, version: Option<i64>) -> Result<Policy, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::deactivate(&cx, id, version).await
}

/// Asks that others agree to what shall be enforced.
#[server(prefix = "/api", endpoint = "policies/request", input = Json)]
pub async fn request_policy(id: PolicyId, asked: AskedPolicy) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::approved::request(&cx, id, asked.into()).await.map(|_id| ())
}

#[server(prefix = "/api", endpoint = "policies/delete", input = Json)]
pub async fn delete_policy(id: PolicyId, version: Option<i64>) -> Result<(), AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::delete(&cx, id, version).await
}

/// How a document that is being written stands for somebody.
#[server(prefix = "/api", endpoint = "policies/try", input = Json)]
pub async fn try_policy(trial: Trial) -> Result<Tried, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::try_out(&cx, trial.into()).await
}

/// Runs the tests of a module that is being written.
#[server(prefix = "/api", endpoint = "policies/test", input = Json)]
pub async fn test_policy(tests: ModuleTests) -> Result<TestResults, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::test(&cx, tests.into()).await
}

/// What enforcing a version of a policy, or none, would do to whom.
#[server(prefix = "/api", endpoint = "policies/preview", input = Json)]
pub async fn preview_policy(id: PolicyId, number: Option<i32>) -> Result<Effect, AppError> {
    let cx = crate::access::server::from_context()?;
    crate::policies::server::kept::preview(&cx, id, crate::policies::PolicyPreview { number }.into()).await
}
