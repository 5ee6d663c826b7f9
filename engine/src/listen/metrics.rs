//! `/metrics`: how the daemon fares, in the form that Prometheus reads.
//!
//! Labels are names of the project's own flows and connections and words of ours, so their number
//! does not grow with what passes through. No record, key or address is ever told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::Desk;
use super::hooks::Taken;
use crate::measure::{Measures, measures};
use crate::serve::{ConnectionHealth, FlowHealth, Health, Roster, Stage};
use crate::store::{Millis, StoreError, Unanswered, Undone};

/// What Prometheus asks for and is told.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The states that a flow can be in, by their words.
const STATES: [&str; 6] = ["running", "idle", "queued", "waiting", "reconnect needed", "off"];

/// What is counted here.
#[derive(Debug)]
pub(super) struct Metrics {
    /// By connection and what became of them; those that went to no address have none.
    deliveries: Mutex<BTreeMap<(String, &'static str), u64>>,
    measures: &'static Measures,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self { deliveries: Mutex::default(), measures: measures() }
    }

    pub(super) fn delivery(&self, connection: &str, taken: Taken) {
        let mut deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        *deliveries.entry((connection.to_owned(), taken.word())).or_default() += 1;
    }

    /// With zeros for every connection that tells something: an increase from nothing shows.
    fn deliveries(&self, roster: &Roster) -> Series {
        let mut all = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.entry((String::new(), Taken::Unknown.word())).or_default();
        for hook in roster.flows.iter().flat_map(|flow| &flow.webhooks) {
            for taken in Taken::ALL.into_iter().filter(|taken| *taken != Taken::Unknown) {
                all.entry((hook.connection.clone(), taken.word())).or_default();
            }
        }
        let lines = all.iter().map(|((connection, result), count)| {
            ([("connection", connection.as_str()), ("result", *result)], number(*count))
        });
        counter("webhook_deliveries", "Webhooks that came in, by what became of them.").lines(lines)
    }
}

pub(super) async fn tell(State(desk): State<Desk>) -> Response {
    let health = desk.seam.health.borrow().clone();
    // Without the store what it would tell is left out, and `weft_store_up` says why.
    let kept = Kept::read(&desk, &health).await.ok();
    let mut registry = Registry::with_prefix("weft");
    let mut all = sheet(&health, kept.as_ref());
    all.push(desk.metrics.deliveries(&desk.seam.roster.borrow()));
    registry.register_collector(Box::new(Sheet(all)));
    desk.metrics.measures.register(&mut registry);
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What only the store knows.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) undone: Vec<Undone>,
    pub(super) unanswered: Vec<Unanswered>,
    pub(super) successes: Vec<(String, Millis)>,
}

impl Kept {
    async fn read(desk: &Desk, health: &Health) -> Result<Self, StoreError> {
        let mut successes = Vec::new();
        for flow in &health.flows {
            if let Some(at) = desk.store.last_success(&flow.name).await? {
                successes.push((flow.name.clone(), at));
            }
        }
        let undone = desk.store.undone().await?;
        Ok(Self { undone, unanswered: desk.store.unanswered().await?, successes })
    }
}

/// One metric with its lines.
#[derive(Debug)]
struct Series {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    is_counter: bool,
    lines: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// Metrics as they are now.
#[derive(Debug)]
struct Sheet(Vec<Series>);

impl Collector for Sheet {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for series in &self.0 {
            let kind = if series.is_counter { MetricType::Counter } else { MetricType::Gauge };
            let mut metric =
                encoder.encode_descriptor(series.name, series.help, series.unit.as_ref(), kind)?;
            for (labels, value) in &series.lines {
                // Braces with nothing between them puzzle people.
                if labels.is_empty() {
                    metric.encode_gauge(value)?;
                    continue;
                }
                let line = metric.encode_family(labels)?;
                if series.is_counter {
                    ConstCounter::new(*value).encode(line)?;
                } else {
                    ConstGauge::new(*value).encode(line)?;
                }
            }
        }
        Ok(())
    }
}

fn gauge(name: &'static str, help: &'static str) -> Series {
    Series { name, help, unit: None, is_counter: false, lines: Vec::new() }
}

fn counter(name: &'static str, help: &'static str) -> Series {
    Series { is_counter: true, ..gauge(name, help) }
}

impl Series {
    fn unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }

    fn lines<'a, I>(mut self, lines: impl IntoIterator<Item = (I, f64)>) -> Self
    where
        I: IntoIterator<Item = (&'static str, &'a str)>,
    {
        let owned = |(labels, value): (I, f64)| {
            (labels.into_iter().map(|(name, value)| (name, value.to_owned())).collect(), value)
        };
        self.lines = lines.into_iter().map(owned).collect();
        self
    }
}

const NO_LABELS: [(&str, &str); 0] = [];

fn sheet(health: &Health, kept: Option<&Kept>) -> Vec<Series> {
    let is_serving = health.stage == Stage::Serving;
    let mut all = vec![
        gauge("build_info", "The version that runs.")
            .lines([([("version", env!("CARGO_PKG_VERSION"))], 1.0)]),
        gauge("serving", "1 while runs are taken up, 0 while the daemon starts or stops.")
            .lines([(NO_LABELS, flag(is_serving))]),
        gauge("store_up", "1 while the store can be used.")
            .lines([(NO_LABELS, flag(health.store.is_none() && kept.is_some()))]),
        gauge("files_up_to_date", "0 while changed files are wrong and the version before them goes on.")
            .lines([(NO_LABELS, flag(health.files.is_none()))]),
        gauge("started_timestamp", "When the daemon started, as seconds since 1970.")
            .unit(Unit::Seconds)
            .lines([(NO_LABELS, seconds(health.started_at.as_millisecond()))]),
    ];
    all.extend(flows(&health.flows));
    all.extend(connections(health));
    all.extend(kept.map(|kept| undone(health, kept)).unwrap_or_default());
    all
}

fn flows(flows: &[FlowHealth]) -> Vec<Series> {
    let name = |flow: &FlowHealth| flow.name.clone();
    let states = flows.iter().flat_map(|flow| {
        let now = flow.state.as_str();
        STATES.map(|state| ([("flow", flow.name.as_str()), ("state", state)], flag(now == state)))
    });
    let runs = flows.iter().flat_map(|flow| {
        let totals = &flow.totals;
        let ends = [
            ("succeeded", totals.succeeded),
            ("partial", totals.partial),
            ("failed", totals.failed),
            ("stopped", totals.stopped),
        ];
        ends.map(|(state, runs)| ([("flow", flow.name.as_str()), ("state", state)], number(runs)))
    });
    let records = flows.iter().flat_map(|flow| {
        let counts = &flow.totals.counts;
        let outcomes = [
            ("created", counts.created),
            ("updated", counts.updated),
            ("unchanged", counts.unchanged),
            ("skipped", counts.skipped),
            ("refused", counts.failed),
            ("waiting", counts.waiting),
        ];
        outcomes.map(|(outcome, records)| {
            ([("flow", flow.name.as_str()), ("outcome", outcome)], number(records.unsigned_abs()))
        })
    });
    let busy = flows.iter().map(|flow| ([("flow", flow.name.as_str())], flow.totals.busy.as_secs_f64()));
    let last = flows.iter().filter_map(|flow| {
        let last = flow.last.as_ref()?;
        let took = last.ended_at.duration_since(last.started_at).as_secs_f64();
        Some(([("flow", name(flow))], took))
    });
    let last: Vec<_> = last.collect();
    vec![
        gauge("flow_state", "1 for the state that a flow is in.").lines(states),
        counter("runs", "Runs that ended, by how.").lines(runs),
        counter("records", "Records that runs have read, by how they ended.").lines(records),
        counter("run_busy", "Time in runs.").unit(Unit::Seconds).lines(busy),
        gauge("last_run_duration", "How long the latest run took.")
            .unit(Unit::Seconds)
            .lines(last.iter().map(|([(label, flow)], took)| ([(*label, flow.as_str())], *took))),
    ]
}

fn connections(health: &Health) -> Vec<Series> {
    let all = &health.connections;
    let pick = |value: fn(&ConnectionHealth) -> f64| {
        all.iter().map(move |one| {
            ([("connection", one.name.as_str()), ("system", one.system.as_str())], value(one))
        })
    };
    vec![
        gauge("connection_left_alone", "1 while a system that failed is left alone for a time.")
            .lines(pick(|one| flag(one.open_until.is_some()))),
        gauge("connection_reconnect_needed", "1 until somebody signs in again.")
            .lines(pick(|one| flag(one.reconnect))),
        gauge("connection_failures", "Runs in a row that failed because of a system.")
            .lines(pick(|one| f64::from(one.failures))),
    ]
}

fn undone(health: &Health, kept: &Kept) -> Vec<Series> {
    let flows = || health.flows.iter().map(|flow| flow.name.as_str());
    let left = |value: fn(&Undone) -> i64| {
        flows().map(move |name| {
            let found = kept.undone.iter().find(|one| one.flow == name).map_or(0, value);
            ([("flow", name)], number(found.unsigned_abs()))
        })
    };
    let unanswered = flows().map(|name| {
        let found = kept.unanswered.iter().find(|one| one.flow == name).map_or(0, |one| one.open);
        ([("flow", name)], number(found.unsigned_abs()))
    });
    let successes = kept.successes.iter().map(|(flow, at)| ([("flow", flow.as_str())], seconds(*at)));
    vec![
        gauge("dead_letters", "Records that were refused and need somebody.").lines(left(|one| one.refused)),
        gauge("waiting_records", "Records that are tried again without anybody's help.")
            .lines(left(|one| one.waiting)),
        gauge("webhooks_unanswered", "Webhooks that are kept and whose run has not ended.").lines(unanswered),
        gauge("last_success_timestamp", "When a flow last came to its end, as seconds since 1970.")
            .unit(Unit::Seconds)
            .lines(successes),
    ]
}

const fn flag(truth: bool) -> f64 {
    if truth { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 nobody counts by ones")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are whole numbers to it")]
const fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1000.0
}
