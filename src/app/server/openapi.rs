//! The REST API, described from the same lines that serve it.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, HttpMethod, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        schema::{SchemaType, Type},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    accounts, api_keys, app::server::problem::Problem, approvals, audit, consents, groups, impersonation, passkeys,
    policies, reports, roles, second_factor, sessions, settings, tenants,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Bawwab", description = "Who gets in, what they may do, and proof afterwards."),
    components(schemas(Problem)),
    modifiers(&Sessions),
    security(("bearer" = []), ("cookie" = []))
)]
struct Api;

struct Sessions;

impl Modify for Sessions {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = api.components.as_mut() {
            components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
            let cookie = ApiKeyValue::with_description(
                "__Host-bawwab-access",
                "A browser's session, for pages of the same origin. An unsafe request has to say that it comes from one.",
            );
            components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        }
    }
}

/// Every REST route of every capability, with its description as its own lines give it; [`complete`] adds what holds for
/// all.
pub fn rest<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::with_openapi(Api::openapi())
        .merge(sessions::server::rest::routes())
        .merge(sessions::server::devices_rest::routes())
        .merge(sessions::server::own_rest::routes())
        .merge(second_factor::server::rest::routes())
        .merge(passkeys::server::rest::routes())
        .merge(super::factors::routes())
        .merge(super::own_data::routes())
        .merge(accounts::server::own_rest::routes())
        .merge(accounts::server::rest::routes())
        .merge(consents::server::rest::routes())
        .merge(groups::server::rest::routes())
        .merge(groups::server::approved::routes())
        .merge(roles::server::rest::routes())
        .merge(policies::server::rest::routes())
        .merge(policies::server::approved::routes())
        .merge(policies::server::authzen::routes())
        .merge(audit::server::routes())
        .merge(reports::server::rest::routes())
        .merge(approvals::server::rest::routes())
        .merge(roles::server::approved::routes())
        .merge(impersonation::server::rest::routes())
        .merge(api_keys::server::rest::routes())
        .merge(settings::server::rest::routes())
        .merge(tenants::server::rest::routes())
}

/// The whole description.
pub fn document() -> utoipa::openapi::OpenApi {
    complete(rest::<()>().to_openapi())
}

/// Adds what is the same for all operations and therefore stands at none: a name of its own for each, the headers that
/// layers read, and the problems that may be answered.
pub fn complete(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            let own = operation.operation_id.take().unwrap_or_default();
            operation.operation_id = Some(format!("{tag}_{own}"));
            let traits = Traits {
                is_public: operation.security.is_some(),
                is_unsafe: method != HttpMethod::Get,
                is_about_one: path.contains('{'),
                // What is only posted to, with nothing to say, is made anew and has no version.
                is_versioned: path.contains('{')
                    && (operation.request_body.is_some() || matches!(method, HttpMethod::Delete)),
                takes: operation.request_body.is_some() || has_query(operation),
                is_authzen: path.starts_with("/access/"),
            };
            traits.describe(operation);
        }
    }
    api
}

fn operations(item: &mut PathItem) -> Vec<(HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?))).collect()
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn has_query(operation: &Operation) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == ParameterIn::Query)
}

/// What an operation is, as far as the layers around it care.
struct Traits {
    /// Whoever comes may use it.
    is_public: bool,
    is_unsafe: bool,
    is_about_one: bool,
    is_versioned: bool,
    takes: bool,
    /// OpenID's specification says which statuses it answers.
    is_authzen: bool,
}

impl Traits {
    fn describe(&self, operation: &mut Operation) {
        for (status, answer) in &mut operation.responses.responses {
            if let RefOr::T(answer) = answer
                && answer.description.is_empty()
            {
                answer.description = if status == "201" { "Created" } else { "Done" }.to_owned();
            }
        }
        let mut more = Vec::new();
        if self.is_unsafe && !self.is_public {
            more.push(header("Idempotency-Key", "One key, one effect, one answer, for 24 hours. 1 to 200 characters."));
        }
        if self.is_versioned {
            more.push(header("If-Match", "The version that was seen, from `ETag`; another one meanwhile is refused."));
        }
        operation.parameters.get_or_insert_default().extend(more.into_iter().map(RefOr::T));
        let problems = [
            ("401", "`wrong_credentials`, or `signed_out` for a token that is no good", self.is_public),
            ("401", "`signed_out`: no session, or it has ended", !self.is_public),
            ("403", "`missing_permission`, or a rule that no permission lifts: the code says which", !self.is_public),
            ("404", "`not_found`", self.is_about_one),
            (
                "409",
                "`stale` (with `current_version`), `in_use`, `idempotency_mismatch`, `idempotency_done`",
                self.is_unsafe,
            ),
            ("413", "`invalid`: the body is longer than 256 KiB", self.takes && self.is_unsafe && !self.is_authzen),
            ("400", "`invalid`, with every field that is wrong", self.is_authzen),
            ("422", "`invalid`, with every field that is wrong", (self.takes || self.is_unsafe) && !self.is_authzen),
            ("429", "`too_many` or `puzzle_required`, with the seconds to wait", self.is_public),
            ("503", "`unavailable`: nothing was changed, try again", true),
        ];
        for (status, codes, may_be) in problems {
            if may_be {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(codes)));
            }
        }
    }
}

fn header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))))
        .build()
}

fn problem(codes: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(codes).content("application/problem+json", content).build()
}
