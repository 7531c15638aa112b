//! The only wiring: doors, pages, assets, and the layers around them.

use std::{any::Any, path::Path, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get, post},
};
use leptos::{
    config::LeptosOptions,
    nonce::use_nonce,
    prelude::{expect_context, provide_context, view},
};
use leptos_axum::{AxumRouteListing, LeptosRoutes as _, ResponseOptions, generate_route_list};
use serde_json::json;
use tower::ServiceExt as _;
use tower_http::{
    catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, services::ServeDir, timeout::TimeoutLayer,
};

use crate::{
    access::server::{Cx, Heart},
    app::{
        App,
        server::{
            AppState, developers, idempotency, install, layers, metrics, openapi, own_data, panics, preferences,
            problem,
        },
        shell,
    },
    audit::server::schema,
    base::{
        errors::AppError,
        server::{
            config::{MetricsToken, Proxy},
            http::BODY_LIMIT,
        },
    },
    consents::{self, server::forms::consents as own_consents},
    passkeys::server::forms as passkeys,
    second_factor::server::forms as second_factor,
    sessions::{
        FormOutcome,
        server::{
            FailuresLast,
            forms::{self, Draw},
            own_forms,
        },
    },
    settings::server::forms as settings_forms,
    tenants::server::files,
};

/// No answer takes longer; what needs more is a job.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the router is made of.
pub struct Wiring {
    pub heart: Heart,
    pub options: LeptosOptions,
    pub proxies: Vec<Proxy>,
    pub metrics_token: Option<MetricsToken>,
    pub failures_last: FailuresLast,
}

/// What every request can reach, of what the router is made of.
pub(super) fn state(wiring: Wiring) -> AppState {
    let Wiring { heart, options, proxies, metrics_token, failures_last } = wiring;
    AppState { heart, draw: draw(&options), options, proxies: proxies.into(), metrics_token, failures_last }
}

/// The whole application.
pub fn router(wiring: Wiring) -> Router {
    let state = state(wiring);
    let (rest, api) = openapi::rest().split_for_parts();
    let api = Arc::new(openapi::complete(api));
    let rest: Router<AppState> = rest.layer(from_fn(idempotency::once));
    let origin = state.heart.public_url().origin().to_owned();
    let guide = Arc::new(developers::Pages::new(state.options.clone(), &api, state.heart.public_url().origin()));

    // Leptos adds the server functions to its routes.
    let pages = {
        let options = state.options.clone();
        let drawn =
            designs().leptos_routes_with_context(&state, page_routes(), page_context, move || shell(options.clone()));
        FORMS
            .iter()
            .fold(drawn, |pages, (path, takes)| pages.route(path, takes()))
            .layer(from_fn(layers::draw_lost_pages_again))
            .layer(from_fn(layers::branded))
            .layer(from_fn(layers::guard))
            .layer(from_fn(problem::mend_server_fn))
    };
    let with_caller = Router::new()
        .merge(rest)
        .merge(pages)
        .route("/openapi.json", get(async move || Json(Arc::clone(&api))))
        .fallback(not_a_route)
        .layer(from_fn_with_state(state.clone(), layers::caller));
    let brands = files::routes().layer(from_fn_with_state(state.clone(), layers::stranger));
    let all = Router::new()
        .merge(with_caller)
        .merge(brands)
        .route(schema::PATH, get(async move || Json(schema::document(&origin))))
        .route("/manifest.webmanifest", get(install::manifest))
        .route("/sw.js", get(install::worker))
        .route("/puzzle.js", get(install::puzzle))
        .route("/offline", get(install::offline))
        .route("/developers", get(async move |headers: HeaderMap| guide.answer(&headers)))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route(metrics::PATH, get(metrics::metrics));
    surround(all, state, DEADLINE)
}

/// The layers around all doors. Whatever refuses inside them, the answer is written outside: no refusal is without words
/// or without the protecting headers.
pub(super) fn surround(doors: Router<AppState>, state: AppState, deadline: Duration) -> Router {
    doors
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, deadline))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), layers::only_https))
        .layer(from_fn(problem::write))
        .layer(from_fn_with_state(state.clone(), layers::protect))
        .layer(from_fn_with_state(state.clone(), layers::log))
        .with_state(state)
}

/// What a request is answered whose handler has panicked. The hook has logged where.
fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    AppError::from(anyhow::anyhow!("a request was cut off by a panic")).into_response()
}

/// Every page there is.
pub(super) fn page_routes() -> Vec<AxumRouteListing> {
    generate_route_list(|| view! { <App /> })
}

/// The path of a form, and what takes it.
type FormRoute = (&'static str, fn() -> MethodRouter<AppState>);

/// The forms of pages that work without JavaScript, each posted to its own page's path.
pub(super) const FORMS: &[FormRoute] = &[
    ("/login", || post(forms::login)),
    ("/setup", || post(forms::set_up)),
    ("/welcome", || post(forms::welcome)),
    ("/register", || post(forms::register)),
    ("/confirm", || post(forms::confirm)),
    ("/forgot", || post(forms::forgot)),
    ("/reset", || post(forms::reset)),
    ("/magic-link", || post(forms::magic_link)),
    ("/account/email", || post(own_forms::email)),
    ("/account/password", || post(own_forms::password)),
    (own_data::PATH, || post(own_data::account)),
    (settings_forms::PATH, || post(settings_forms::branding)),
    ("/email/confirm", || post(own_forms::confirm)),
    ("/email/leave", || post(own_forms::leave)),
    ("/email/cancel", || post(own_forms::cancel)),
    ("/login/passkey", || post(passkeys::sign_in)),
    ("/login/code/passkey", || post(passkeys::second_factor)),
    ("/reauthenticate/passkey", || post(passkeys::reauthenticate)),
    ("/account/passkeys", || post(passkeys::passkeys)),
    ("/login/code", || post(second_factor::code)),
    ("/login/mailed", || post(forms::mailed)),
    (consents::PAGE, || post(own_consents)),
    ("/account/two-factor", || post(second_factor::factor)),
    ("/reauthenticate", || post(second_factor::reauthenticate)),
    ("/logout", || post(forms::logout)),
    ("/preferences", || post(preferences::set)),
];

/// What only those who work on the product see.
#[cfg(debug_assertions)]
fn designs() -> Router<AppState> {
    Router::new().route("/console/design/mail", get(crate::app::server::design::letters))
}

#[cfg(not(debug_assertions))]
fn designs() -> Router<AppState> {
    Router::new()
}

/// What a page or a server function finds in its context.
fn page_context() {
    let parts = expect_context::<Parts>();
    if let Some(cx) = parts.extensions.get::<Cx>() {
        provide_context(cx.clone());
    }
    if let Some(nonce) = use_nonce()
        && let Ok(policy) = HeaderValue::from_str(&layers::page_policy(&nonce))
    {
        expect_context::<ResponseOptions>().insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Draws the page of a path with the outcome of its form.
fn draw(options: &LeptosOptions) -> Draw {
    let options = options.clone();
    Arc::new(move |request: Request, outcome: FormOutcome| {
        let options = options.clone();
        let render = leptos_axum::render_app_async_with_context(
            move || {
                page_context();
                provide_context(outcome.clone());
            },
            move || shell(options.clone()),
        );
        // The form has done its work: only the drawing is done again.
        let (mut parts, _read) = request.into_parts();
        Box::pin(async move {
            layers::bear_brand(&mut parts.extensions).await;
            let attempt = || render(Request::from_parts(parts.clone(), Body::empty()));
            layers::until_drawn(&layers::LOST, attempt).await
        })
    })
}

/// A file of the browser half, or the page that says there is nothing here.
async fn not_a_route(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if ["/auth/", "/admin/", "/api/", "/access/", "/.well-known/"].iter().any(|start| path.starts_with(start)) {
        return AppError::NotFound.into_response();
    }
    let (parts, body) = request.into_parts();
    let mut for_file = Request::new(Body::empty());
    *for_file.uri_mut() = parts.uri.clone();
    *for_file.method_mut() = parts.method.clone();
    *for_file.headers_mut() = parts.headers.clone();
    if let Some(file) = asset(Path::new(&*state.options.site_root), for_file).await {
        return file;
    }
    let request = Request::from_parts(parts, body);
    (state.draw)(request, FormOutcome::default()).await
}

async fn asset(root: &Path, request: Request) -> Option<Response> {
    let path = request.uri().path();
    // A file whose name carries a digest of its content, or a font, never changes under its name.
    let kept = path.starts_with("/fonts/") || path.rsplit('/').next().is_some_and(has_digest);
    let files = ServeDir::new(root).append_index_html_on_directories(false).precompressed_br().precompressed_gzip();
    let mut response = files.oneshot(request).await.ok()?.map(Body::new);
    if !(response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED) {
        return None;
    }
    let policy = if kept { "public, max-age=31536000, immutable" } else { "public, max-age=3600, must-revalidate" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(policy));
    // Whether it comes compressed depends on what is asked for.
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Some(response)
}

/// Whether a file's name is one that the build gives: `bawwab.<22 characters of a digest>.css`.
fn has_digest(name: &str) -> bool {
    let is_digest =
        |part: &str| part.len() == 22 && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    name.split('.').rev().skip(1).any(is_digest)
}

/// The process answers. It says nothing of the database: a restart would not help that.
async fn health() -> Response {
    Json(json!({"status": "ok", "panics": panics::count()})).into_response()
}

/// This node can decide: the database answers and the grants are current.
async fn ready(State(state): State<AppState>) -> Response {
    if state.heart.is_ready().await {
        Json(json!({"status": "ready"})).into_response()
    } else {
        AppError::Unavailable.into_response()
    }
}
