//! How long things take that happen deep inside: requests to systems, commits of the store.
//!
//! Off, and free, until somebody wants to know; then for the whole process, because requests are
//! paced and the store is shared across flows.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of commits, in seconds: a good disk, a poor one, one in trouble.
const COMMITS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// Upper bounds of runs, in seconds: from a glance to a whole night.
const RUNS: [f64; 9] = [0.1, 0.5, 2.5, 10.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0];

/// Upper bounds of requests, in seconds: up to the longest that one may take.
const REQUESTS: [f64; 9] = [0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0];

static MEASURES: OnceLock<Measures> = OnceLock::new();

type OneLabel = [(&'static str, String); 1];
type AnswerLabels = [(&'static str, String); 2];

/// Latencies of one system.
#[derive(Clone, Debug)]
struct Latency;

impl MetricConstructor<Histogram> for Latency {
    fn new_metric(&self) -> Histogram {
        Histogram::new(REQUESTS)
    }
}

/// Durations of the runs of one flow.
#[derive(Clone, Debug)]
struct Lengths;

impl MetricConstructor<Histogram> for Lengths {
    fn new_metric(&self) -> Histogram {
        Histogram::new(RUNS)
    }
}

/// What is measured.
#[derive(Debug)]
pub(crate) struct Measures {
    commits: Histogram,
    requests: Family<AnswerLabels, Counter>,
    latency: Family<OneLabel, Histogram, Latency>,
    runs: Family<OneLabel, Histogram, Lengths>,
}

/// Switches measuring on.
pub(crate) fn measures() -> &'static Measures {
    MEASURES.get_or_init(|| {
        connectors::http::watch(Box::new(Requests));
        Measures {
            commits: Histogram::new(COMMITS),
            requests: Family::default(),
            latency: Family::new_with_constructor(Latency),
            runs: Family::new_with_constructor(Lengths),
        }
    })
}

/// A page was made durable in that time.
pub(crate) fn committed(took: Duration) {
    if let Some(measures) = MEASURES.get() {
        measures.commits.observe(took.as_secs_f64());
    }
}

/// A run of a flow ended after that time.
pub(crate) fn ran(flow: &str, took: Duration) {
    if let Some(measures) = MEASURES.get() {
        measures.runs.get_or_create(&[("flow", flow.to_owned())]).observe(took.as_secs_f64());
    }
}

struct Requests;

impl connectors::http::Watch for Requests {
    fn answered(&self, system: &str, status: Option<u16>, took: Duration) {
        let Some(measures) = MEASURES.get() else { return };
        let class = status.map_or_else(|| "none".to_owned(), |status| format!("{}xx", status / 100));
        let system = system.to_owned();
        measures.requests.get_or_create(&[("system", system.clone()), ("status", class)]).inc();
        measures.latency.get_or_create(&[("system", system)]).observe(took.as_secs_f64());
    }
}

impl Measures {
    /// Adds them to what is told.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let seconds = || Unit::Seconds;
        registry.register(
            "requests",
            "Requests to systems, by class of the answer's status; none: no answer came",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "request",
            "Time from a request to the end of its answer",
            seconds(),
            self.latency.clone(),
        );
        registry.register_with_unit(
            "run_duration",
            "Time from the start of a run to its end, whatever that was",
            seconds(),
            self.runs.clone(),
        );
        registry.register_with_unit(
            "store_commit",
            "Time in which the store made a page durable",
            seconds(),
            self.commits.clone(),
        );
    }
}
