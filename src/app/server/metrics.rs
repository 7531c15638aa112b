//! What an operator's monitoring reads of this node: numbers in the text format of OpenMetrics 1.0 (I6).

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        info::Info,
    },
    registry::{Registry, Unit},
};
use tracing::warn;

use crate::{
    access::server::{Cx, Heart},
    app::server::{AppState, panics},
    base::{
        errors::AppError,
        server::{
            config::MetricsToken,
            crypto,
            jobs::{self, Waiting},
        },
    },
};

pub const PATH: &str = "/metrics";

const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The numbers, for whoever shows the token. Where none is set there is nothing here.
pub async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let Some(token) = &state.metrics_token else { return AppError::NotFound.into_response() };
    if !shows(&headers, token) {
        let refused = AppError::signed_out().into_response();
        return ([(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))], refused).into_response();
    }
    match written(&state.heart).await {
        Ok(text) => ([(header::CONTENT_TYPE, HeaderValue::from_static(KIND))], text).into_response(),
        Err(error) => AppError::from(anyhow::Error::new(error)).into_response(),
    }
}

/// Whether the token is shown. Digests are compared: neither how far two texts agree nor how long they are takes time.
fn shows(headers: &HeaderMap, token: &MetricsToken) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    shown.is_some_and(|(_, shown)| {
        crypto::is_same(&crypto::sha256(shown.trim().as_bytes()), &crypto::sha256(token.expose().as_bytes()))
    })
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Jobs {
    kind: String,
    state: &'static str,
}

async fn written(heart: &Heart) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("bawwab");
    heart.metrics().register(&mut registry);
    let build = Build { version: env!("CARGO_PKG_VERSION") };
    registry.register("build", "Which version this is", Info::new(build));
    let about = "Panics since this node was started: the number has to stay zero";
    registry.register("panics", about, ConstCounter::new(panics::count()));
    of_the_grants(heart, &mut registry);
    of_policies(heart, &mut registry);
    of_the_database(heart, &mut registry).await;
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// How current the grants are that this node decides on.
fn of_the_grants(heart: &Heart, registry: &mut Registry) {
    let known = heart.known_grants();
    let about = "The versions of all tenants' grants added up: the same on every node that knows the same";
    registry.register("grants_version", about, ConstGauge::new(known.version));
    let about = "How long ago this node last knew its grants to be current; after two seconds it answers 503";
    registry.register_with_unit("grants_age", about, Unit::Seconds, ConstGauge::new(known.age.as_secs_f64()));
}

/// The policies that could not be asked.
fn of_policies(heart: &Heart, registry: &mut Registry) {
    let failed = Family::<Asked, Counter>::default();
    for (kind, count) in heart.failed_policies() {
        failed.get_or_create(&Asked { kind }).inc_by(count);
    }
    let about = "Questions to policies that had no answer, and so denied: modules of Rego, and agents outside";
    registry.register("policy_failures", about, failed);
}

/// The pool, and the work that waits in the database. A database that does not answer is a number too.
async fn of_the_database(heart: &Heart, registry: &mut Registry) {
    let pool = heart.connections();
    let connections = Family::<Connections, Gauge>::default();
    for (state, count) in [("idle", pool.idle), ("in_use", pool.in_use)] {
        connections.get_or_create(&Connections { state }).set(i64::from(count));
    }
    registry.register("database_connections", "Open connections to the database", connections);
    let about = "How many connections there may be";
    registry.register("database_connections_most", about, ConstGauge::new(i64::from(pool.most)));
    let waiting = match waiting(heart).await {
        Ok(waiting) => Some(waiting),
        Err(error) => {
            warn!(%error, "the waiting jobs could not be counted");
            None
        }
    };
    let about = "Whether the database answered just now";
    registry.register("database_up", about, ConstGauge::new(i64::from(waiting.is_some())));
    let jobs = Family::<Jobs, Gauge>::default();
    let mut oldest = 0.0_f64;
    for Waiting { kind, due, later, held, failed, oldest: waits } in waiting.into_iter().flatten() {
        for (state, count) in [("due", due), ("later", later), ("held", held), ("failed", failed)] {
            jobs.get_or_create(&Jobs { kind: kind.clone(), state }).set(count);
        }
        oldest = oldest.max(waits);
    }
    registry.register("jobs", "Work outside of requests, by where it stands; failed for good is `failed`", jobs);
    let about = "For how long the job that is due longest has been waiting";
    registry.register_with_unit("jobs_oldest_due", about, Unit::Seconds, ConstGauge::new(oldest));
}

async fn waiting(heart: &Heart) -> Result<Vec<Waiting>, AppError> {
    let mut tx = Cx::for_job(heart.clone(), "metrics").node().await?;
    let now = tx.now();
    Ok(jobs::waiting(tx.conn(), now).await?)
}
