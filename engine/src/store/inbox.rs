//! The inbox: what systems have told by webhooks, until a run has done what that asks for.
//!
//! A delivery is durable before it is answered, and each flow that it starts has a line of its
//! own. A run takes up every open line of its flow when it begins, and answers them when it has
//! come to its end; lines of a run that failed or died are open, and the next one takes them up.

use std::time::Duration;

use super::StoreError;
use super::lease::{fence, millis, now};
use super::link::{Link, Words};
use super::types::{Lease, Millis};

/// A delivery that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The connection whose system delivered it.
    pub connection: String,
    /// What happened.
    pub event: String,
    /// The record that it is about: resource and key.
    pub record: Option<(String, String)>,
    /// The same when it is delivered again; `None`: two that look alike may be two.
    pub id: Option<String>,
}

/// A flow that a delivery starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressee<'a> {
    /// The flow.
    pub flow: &'a str,
    /// The record is one of the flow's source.
    pub knows_record: bool,
}

/// An open line of the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// What happened.
    pub event: String,
    /// The record of the source that it is about: resource and key.
    pub record: Option<(String, String)>,
    /// When it came.
    pub received_at: Millis,
}

/// How much of the inbox a flow has not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The flow.
    pub flow: String,
    /// Lines that are open.
    pub open: i64,
    /// Those of them that no run has taken up.
    pub untaken: i64,
    /// When the oldest of them came.
    pub since: Millis,
}

const ARRIVE: &str = "
INSERT INTO inbox (flow, connection, delivery, event, resource, source_key, received_at)
VALUES ($1, $2, $3, $4, $5, $6, {now}) ON CONFLICT DO NOTHING";

/// One that looks like it, and that no run has taken up, will do.
const WAITS: &str = "
SELECT delivery FROM inbox WHERE flow = $1 AND connection = $2 AND event = $3
    AND COALESCE(source_key, '') = $4 AND answered_at IS NULL AND run_id IS NULL LIMIT 1";

const TAKE: &str = "UPDATE inbox SET run_id = $2 WHERE flow = $1 AND answered_at IS NULL";

const TAKEN: &str = "
SELECT event, resource, source_key, received_at FROM inbox
WHERE flow = $1 AND answered_at IS NULL ORDER BY received_at, delivery";

const ANSWER: &str = "
UPDATE inbox SET answered_at = $3 WHERE flow = $1 AND run_id = $2 AND answered_at IS NULL";

const UNANSWERED: &str = "
SELECT flow, COUNT(*), SUM(CASE WHEN run_id IS NULL THEN 1 ELSE 0 END), MIN(received_at)
FROM inbox WHERE answered_at IS NULL GROUP BY flow ORDER BY flow";

const PRUNE: [&str; 2] = [
    "DELETE FROM inbox WHERE answered_at < $1",
    "DELETE FROM inbox WHERE answered_at IS NULL AND received_at < $1",
];

const HOOK: &str = "SELECT token FROM hook WHERE connection = $1";

const SET_HOOK: &str = "
INSERT INTO hook (connection, token, made_at) VALUES ($1, $2, {now})
ON CONFLICT (connection) DO UPDATE SET token = excluded.token, made_at = excluded.made_at";

const DROP_HOOK: &str = "DELETE FROM hook WHERE connection = $1";

/// Keeps a delivery; answers for how many flows it is new.
pub(super) async fn arrive(
    link: &mut dyn Link,
    words: &Words,
    arrival: &Arrival,
    flows: &[Addressee<'_>],
) -> Result<u64, StoreError> {
    let mut new = 0;
    for Addressee { flow, knows_record } in flows {
        let record = arrival.record.as_ref().filter(|_| *knows_record);
        let (resource, key) = record.map(|(resource, key)| (resource.as_str(), key.as_str())).unzip();
        let delivery = if let Some(id) = &arrival.id {
            id.clone()
        } else {
            let looks = [
                (*flow).into(),
                (&arrival.connection).into(),
                (&arrival.event).into(),
                key.unwrap_or_default().into(),
            ];
            if !link.fetch(WAITS, &looks, true).await?.is_empty() {
                continue;
            }
            uuid::Uuid::now_v7().to_string()
        };
        let args = [
            (*flow).into(),
            (&arrival.connection).into(),
            (&delivery).into(),
            (&arrival.event).into(),
            resource.into(),
            key.into(),
        ];
        new += link.execute(&words.fill(ARRIVE), &args, true).await?;
    }
    Ok(new)
}

/// Every open line of a flow, which this run has in hand from here on.
pub(super) async fn take(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    run: &str,
) -> Result<Vec<Arrived>, StoreError> {
    fence(link, words, lease).await?;
    let flow = lease.flow.as_str();
    if link.execute(TAKE, &[flow.into(), run.into()], true).await? == 0 {
        return Ok(Vec::new());
    }
    let rows = link.fetch(TAKEN, &[flow.into()], true).await?;
    rows.into_iter()
        .map(|mut row| {
            let event = row.text()?;
            let record = row.maybe_text()?.zip(row.maybe_text()?);
            Ok(Arrived { event, record, received_at: row.int()? })
        })
        .collect()
}

/// The run has done what the lines in its hand ask for.
pub(super) async fn answer(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    run: &str,
) -> Result<u64, StoreError> {
    let now = fence(link, words, lease).await?;
    link.execute(ANSWER, &[(&lease.flow).into(), run.into(), now.into()], true).await
}

pub(super) async fn unanswered(link: &mut dyn Link) -> Result<Vec<Unanswered>, StoreError> {
    let rows = link.fetch(UNANSWERED, &[], true).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Unanswered { flow: row.text()?, open: row.int()?, untaken: row.int()?, since: row.int()? })
        })
        .collect()
}

/// Removes lines that were answered, or came and were never answered, that long ago.
pub(super) async fn prune(
    link: &mut dyn Link,
    words: &Words,
    answered: Duration,
    never: Duration,
) -> Result<u64, StoreError> {
    let now = now(link, words).await?;
    let mut removed = 0;
    for (statement, age) in PRUNE.into_iter().zip([answered, never]) {
        removed += link.execute(statement, &[now.saturating_sub(millis(age)).into()], true).await?;
    }
    Ok(removed)
}

pub(super) async fn hook(link: &mut dyn Link, connection: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let rows = link.fetch(HOOK, &[connection.into()], true).await?;
    rows.into_iter().next().map(|mut row| row.bytes()).transpose()
}

pub(super) async fn set_hook(
    link: &mut dyn Link,
    words: &Words,
    connection: &str,
    token: Option<&[u8]>,
) -> Result<(), StoreError> {
    match token {
        Some(token) => link.execute(&words.fill(SET_HOOK), &[connection.into(), token.into()], true).await?,
        None => link.execute(DROP_HOOK, &[connection.into()], true).await?,
    };
    Ok(())
}
