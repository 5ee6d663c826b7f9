//! How far a flow has read: the cursor, its overlap, and what a pass has seen so far.

use connectors::contract::{Advice, RemoteError};
use connectors::record::{Record, Value, read_json};
use jiff::Timestamp;

use crate::flow::Flow;
use crate::store::Cursor;

/// A pass over the source.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    flow: &'a Flow,
    /// Marker from which this pass reads, without overlap.
    since: Option<Value>,
    /// Highest marker seen in this pass.
    high: Option<Value>,
    /// Where the pass goes on, when it was interrupted.
    pub(super) position: Option<String>,
}

impl<'a> Reading<'a> {
    /// A new pass, or the rest of one that was interrupted under the same plan.
    pub(super) fn begin(flow: &'a Flow, kept: &Cursor, full: bool) -> Result<Self, RemoteError> {
        if full {
            return Ok(Self { flow, since: None, high: None, position: None });
        }
        let since = marker(flow, kept.since.as_deref())?;
        if kept.position.is_some() && kept.plan == Some(flow.print) {
            let high = marker(flow, kept.high.as_deref())?;
            return Ok(Self { flow, since, high, position: kept.position.clone() });
        }
        Ok(Self { flow, since, high: None, position: None })
    }

    /// What the source is asked: the marker, less the overlap.
    pub(super) fn since_with_overlap(&self) -> Result<Option<(String, Value)>, RemoteError> {
        let (Some(since), Some(value)) = (&self.flow.plan.fetch.since, &self.since) else { return Ok(None) };
        let value = match (moment(value), since.overlap) {
            (Some(moment), Some(overlap)) => {
                let earlier = jiff::SignedDuration::try_from(overlap)
                    .ok()
                    .and_then(|overlap| moment.checked_sub(overlap).ok())
                    .ok_or_else(|| unusable(self.flow, "the overlap reaches beyond the calendar"))?;
                Value::from(earlier.to_string())
            }
            _ => value.clone(),
        };
        Ok(Some((since.field.clone(), value)))
    }

    /// Takes note of the markers of a page.
    pub(super) fn seen(&mut self, records: &[Record]) {
        let Some(since) = &self.flow.plan.fetch.since else { return };
        for record in records {
            if let Some(marker) = record.get(&since.field)
                && self.high.as_ref().is_none_or(|high| later(marker, high))
                && (marker.as_int().is_some() || moment(marker).is_some())
            {
                self.high = Some(marker.clone());
            }
        }
    }

    /// The cursor after a page whose successor is at `next`.
    pub(super) fn after(&self, next: Option<&str>) -> Cursor {
        let text = |marker: &Option<Value>| marker.as_ref().map(ToString::to_string);
        let plan = Some(self.flow.print);
        if let Some(next) = next {
            let (since, high) = (text(&self.since), text(&self.high));
            return Cursor { since, high, position: Some(next.to_owned()), plan };
        }
        // A pass that saw nothing new leaves the marker where it was, and never moves it back.
        let reached = match (&self.since, &self.high) {
            (Some(since), Some(high)) if !later(high, since) => &self.since,
            (_, Some(_)) => &self.high,
            (_, None) => &self.since,
        };
        Cursor { since: text(reached), high: None, position: None, plan }
    }
}

fn marker(flow: &Flow, text: Option<&str>) -> Result<Option<Value>, RemoteError> {
    let Some(text) = text else { return Ok(None) };
    read_json(&text.to_owned().into())
        .map(Some)
        .map_err(|error| unusable(flow, &format!("its cursor is unreadable: {error}")))
}

fn unusable(flow: &Flow, reason: &str) -> RemoteError {
    RemoteError::new(Advice::StopFlow, format!("flow {}", flow.name), reason)
        .with_help("run it once with --full to start over; what is in the ledger is not sent again")
}

/// A moment, from its text with a zone.
fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// True when one marker comes after another: numbers as numbers, moments as moments.
fn later(one: &Value, other: &Value) -> bool {
    match (one.as_int().zip(other.as_int()), moment(one).zip(moment(other))) {
        (Some((one, other)), _) => one > other,
        (_, Some((one, other))) => one > other,
        _ => false,
    }
}
