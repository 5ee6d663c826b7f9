//! What is the case: read from the store, which all daemons share, and from this daemon's health.
//!
//! What is not certain is not said either way: a flow that has not run here may have run elsewhere.

use jiff::{SignedDuration, Timestamp};

use super::message::{Cause, Finding, NAMED};
use crate::project::Rules;
use crate::serve::{FlowHealth, FlowState, Health};
use crate::store::{DeadQuery, RunState, Store, StoreError};

/// A flow that is so long past its time has not just been waiting for its turn.
const LATE: SignedDuration = SignedDuration::from_mins(15);

/// Runs that are looked at to find the latest one that ended by itself.
const RUNS: u32 = 5;

/// Everything that could be told with the store.
pub(super) fn causes(health: &Health) -> impl Iterator<Item = Cause> {
    let connections = health.connections.iter().map(|one| Cause::Reconnect { connection: one.name.clone() });
    let flows = health.flows.iter().flat_map(|one| {
        let flow = || one.name.clone();
        [Cause::Failing { flow: flow() }, Cause::Silent { flow: flow() }, Cause::Refused { flow: flow() }]
    });
    connections.chain(flows)
}

/// What can be said without the store.
pub(super) fn of_daemon(health: &Health) -> Vec<Finding> {
    let plain =
        |cause, reason: &Option<String>| Finding { cause, reason: reason.clone(), records: Vec::new() };
    vec![plain(Cause::Store, &health.store), plain(Cause::Files, &health.files)]
}

/// What can be said with it.
pub(super) async fn of_flows(
    health: &Health,
    store: &dyn Store,
    rules: &Rules,
    now: Timestamp,
) -> Result<Vec<Finding>, StoreError> {
    let mut all = Vec::new();
    for connection in &health.connections {
        let wrong = connection.reconnect.then(|| {
            let said = connection.reason.clone();
            said.unwrap_or_else(|| "the system does not know the credentials any more".to_owned())
        });
        let cause = Cause::Reconnect { connection: connection.name.clone() };
        all.push(Finding { cause, reason: wrong, records: Vec::new() });
    }
    let undone = store.undone().await?;
    for flow in &health.flows {
        let refused = undone.iter().find(|one| one.flow == flow.name).map_or(0, |one| one.refused);
        all.push(self::refused(flow, refused, store, rules).await?);
        all.push(silent(flow, now));
        all.extend(failing(flow, store).await?);
    }
    Ok(all)
}

async fn refused(
    flow: &FlowHealth,
    count: i64,
    store: &dyn Store,
    rules: &Rules,
) -> Result<Finding, StoreError> {
    let cause = Cause::Refused { flow: flow.name.clone() };
    if count <= rules.refused_above || flow.state == FlowState::Off {
        return Ok(Finding { cause, reason: None, records: Vec::new() });
    }
    let query = DeadQuery { flow: Some(flow.name.clone()), limit: NAMED, ..DeadQuery::default() };
    let letters = store.dead_letters(&query).await?;
    let records = letters.into_iter().map(|letter| (letter.source_key, letter.reason)).collect();
    let what =
        if count == 1 { "1 record is refused".to_owned() } else { format!("{count} records are refused") };
    Ok(Finding { cause, reason: Some(what), records })
}

fn silent(flow: &FlowHealth, now: Timestamp) -> Finding {
    let due = flow.next_due.filter(|due| now.duration_since(*due) > LATE);
    let waits = matches!(flow.state, FlowState::Idle | FlowState::Queued);
    let reason = due
        .filter(|_| waits)
        .map(|due| format!("it was due at {} and has not run since", due.strftime("%Y-%m-%d %H:%M UTC")));
    Finding { cause: Cause::Silent { flow: flow.name.clone() }, reason, records: Vec::new() }
}

async fn failing(flow: &FlowHealth, store: &dyn Store) -> Result<Option<Finding>, StoreError> {
    let cause = Cause::Failing { flow: flow.name.clone() };
    let finding = |reason| Some(Finding { cause, reason, records: Vec::new() });
    match flow.state {
        FlowState::Off => return Ok(finding(None)),
        // That is told of the connection.
        FlowState::ReconnectNeeded { .. } => return Ok(None),
        _ => {}
    }
    for run in store.runs(Some(&flow.name), RUNS).await? {
        match run.state {
            RunState::Failed => {
                let reason = run.error.unwrap_or_else(|| "the run could not go on".to_owned());
                return Ok(finding(Some(reason)));
            }
            RunState::Succeeded | RunState::Partial => return Ok(finding(None)),
            RunState::Running | RunState::Stopped => {}
        }
    }
    Ok(None)
}
