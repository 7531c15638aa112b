//! The REST API, described from the same lines that serve it.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{accounts, app::server::problem::Problem, audit, roles, second_factor, sessions, settings};

#[derive(OpenApi)]
#[openapi(
    info(title = "Bawwab", description = "Who gets in, what they may do, and proof afterwards."),
    components(schemas(Problem)),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Api;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = api.components.as_mut() {
            components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        }
    }
}

/// Every REST route of every capability, with its description.
pub fn rest<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::with_openapi(Api::openapi())
        .merge(sessions::server::rest::routes())
        .merge(sessions::server::devices_rest::routes())
        .merge(second_factor::server::rest::routes())
        .merge(accounts::server::rest::routes())
        .merge(roles::server::rest::routes())
        .merge(audit::server::routes())
        .merge(settings::server::routes())
}
