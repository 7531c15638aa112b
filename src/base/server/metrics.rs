//! What a node counts for its operator. A label has few values, all known beforehand: never an id, an address or a name.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// The bounds of the histogram of durations, in seconds: from a page that is ready to the deadline of a request.
const BOUNDS: [f64; 12] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The counters of one node. Copies count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    requests: Family<Answered, Counter>,
    durations: Family<Timed, Histogram>,
    under_way: Gauge,
    events: Family<Happened, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Happened {
    action: &'static str,
    outcome: &'static str,
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub struct UnderWay(Metrics);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics(Arc::new(Counted {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            under_way: Gauge::default(),
            events: Family::default(),
        }))
    }
}

impl Metrics {
    /// A request begins.
    pub fn begin(&self) -> UnderWay {
        self.0.under_way.inc();
        UnderWay(self.clone())
    }

    /// A request was answered. The route is a pattern of the router's, or one word for everything else.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let (method, route) = (known_method(method), route.to_owned());
        self.0.requests.get_or_create(&Answered { method, route: route.clone(), status }).inc();
        self.0.durations.get_or_create(&Timed { method, route }).observe(took.as_secs_f64());
    }

    /// Something happened that stands in the audit log, by the names that its catalogue publishes.
    pub fn happened(&self, action: &'static str, outcome: &'static str) {
        self.0.events.get_or_create(&Happened { action, outcome }).inc();
    }

    /// Enters everything that was counted.
    pub fn register(&self, registry: &mut Registry) {
        let Counted { requests, durations, under_way, events } = &*self.0;
        registry.register("http_requests", "Requests that were answered", requests.clone());
        let about = "How long requests took until their answer began";
        registry.register_with_unit("http_request_duration", about, Unit::Seconds, durations.clone());
        registry.register("http_requests_under_way", "Requests that are being answered", under_way.clone());
        let about = "What was written to the audit log by this node, sign-ins and refusals among it";
        registry.register("events", about, events.clone());
    }
}

/// Whoever asks may make up methods; those that nobody knows are counted as one.
fn known_method(method: &str) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| *known == method).unwrap_or("other")
}
