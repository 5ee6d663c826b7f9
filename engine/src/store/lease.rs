//! Leases and runs: who may run a flow, and how its runs fare.

use std::time::Duration;

use super::answers::Run;
use super::link::{Arg, Link, Row, Words};
use super::types::{Claim, Counts, Lease, Millis, NewRun, RunState};
use super::{Fingerprint, StoreError, sql};

/// What the names of rights begin with. No flow is called so: its names have no spaces.
const RIGHT: &str = "create ";

/// The name of the lease that stands for the right to create such records.
#[must_use]
pub fn right_to_create(connection: &str, resource: &str) -> String {
    format!("{RIGHT}{connection}/{resource}")
}

/// The lease stands for a right, and not for a flow.
pub(super) fn is_right(name: &str) -> bool {
    name.starts_with(RIGHT)
}

/// The database's clock.
pub(super) async fn now(link: &mut dyn Link, words: &Words) -> Result<Millis, StoreError> {
    one(link.fetch(&words.fill(sql::NOW), &[], true).await?)?.int()
}

/// The only row of an answer that always has one.
pub(super) fn one(rows: Vec<Row>) -> Result<Row, StoreError> {
    rows.into_iter()
        .next()
        .ok_or_else(|| StoreError::Unreadable { what: "no row where one belongs".to_owned() })
}

/// A length of time as the store counts it. What does not fit is for ever.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) async fn acquire(
    link: &mut dyn Link,
    words: &Words,
    flow: &str,
    holder: &str,
    ttl: Duration,
    dead: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
) -> Result<Claim, StoreError> {
    // The row is held before it is judged, so that nobody renews it in between.
    let found = link.fetch(&words.fill(sql::LEASE), &[flow.into()], true).await?;
    let found = found.into_iter().next().map(read_lease).transpose()?;
    let now = now(link, words).await?;
    let gone = found
        .as_ref()
        .filter(|lease| lease.expires_at > now && dead(&lease.holder))
        .map(|lease| lease.holder.as_str());
    let expires_at = now.saturating_add(millis(ttl));
    let args = [flow.into(), holder.into(), expires_at.into(), now.into(), gone.into()];
    let claimed = link.fetch(&words.fill(sql::CLAIM), &args, true).await?;
    if let Some(mut row) = claimed.into_iter().next() {
        let epoch = row.int()?;
        return Ok(Claim::Held(Lease {
            flow: flow.to_owned(),
            epoch,
            holder: holder.to_owned(),
            expires_at,
        }));
    }
    // Refused: the lease is alive. It may have been made after the look above.
    let lease = read_lease(one(link.fetch(&words.fill(sql::LEASE), &[flow.into()], true).await?)?)?;
    Ok(Claim::Busy { holder: lease.holder, until: lease.expires_at })
}

fn read_lease(mut row: Row) -> Result<Lease, StoreError> {
    Ok(Lease { flow: row.text()?, epoch: row.int()?, holder: row.text()?, expires_at: row.int()? })
}

/// Refuses a lease that went to another; answers the time. Comes first in every transaction
/// that writes for a flow.
pub(super) async fn fence(link: &mut dyn Link, words: &Words, lease: &Lease) -> Result<Millis, StoreError> {
    let rows = link.fetch(&words.fill(sql::FENCE), &ours(lease), true).await?;
    rows.into_iter().next().ok_or_else(|| fenced(lease))?.int()
}

fn ours(lease: &Lease) -> [Arg<'_>; 3] {
    [(&lease.flow).into(), lease.epoch.into(), (&lease.holder).into()]
}

fn fenced(lease: &Lease) -> StoreError {
    StoreError::Fenced { flow: lease.flow.clone(), epoch: lease.epoch }
}

pub(super) async fn renew(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    ttl: Duration,
) -> Result<Lease, StoreError> {
    let expires_at = fence(link, words, lease).await?.saturating_add(millis(ttl));
    let [flow, epoch, holder] = ours(lease);
    link.execute(sql::RENEW, &[flow, epoch, holder, expires_at.into()], true).await?;
    Ok(Lease { expires_at, ..lease.clone() })
}

pub(super) async fn release(link: &mut dyn Link, lease: &Lease) -> Result<(), StoreError> {
    link.execute(sql::RELEASE, &ours(lease), true).await?;
    Ok(())
}

pub(super) async fn all(link: &mut dyn Link) -> Result<Vec<Lease>, StoreError> {
    link.fetch(sql::LEASES, &[], true).await?.into_iter().map(read_lease).collect()
}

pub(super) async fn start_run(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    run: &NewRun,
) -> Result<(), StoreError> {
    let now = fence(link, words, lease).await?;
    link.execute(sql::END_ORPHANS, &[(&lease.flow).into(), now.into()], true).await?;
    let args = [
        (&run.id).into(),
        (&lease.flow).into(),
        lease.epoch.into(),
        (&run.cause).into(),
        run.plan.0.as_slice().into(),
        now.into(),
    ];
    link.execute(sql::START_RUN, &args, true).await?;
    Ok(())
}

pub(super) async fn end_run(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    run: &str,
    state: RunState,
    error: Option<&str>,
) -> Result<(), StoreError> {
    let now = fence(link, words, lease).await?;
    let args = [run.into(), (&lease.flow).into(), state.as_str().into(), now.into(), error.into()];
    match link.execute(sql::END_RUN, &args, true).await? {
        0 => Err(StoreError::NoSuchRun { flow: lease.flow.clone(), run: run.to_owned() }),
        _ => Ok(()),
    }
}

pub(super) async fn run(link: &mut dyn Link, id: &str) -> Result<Option<Run>, StoreError> {
    link.fetch(sql::RUN, &[id.into()], true).await?.into_iter().next().map(read_run).transpose()
}

pub(super) async fn runs(
    link: &mut dyn Link,
    flow: Option<&str>,
    limit: u32,
) -> Result<Vec<Run>, StoreError> {
    let limit = i64::from(limit);
    let rows = match flow {
        Some(flow) => link.fetch(sql::RUNS_OF_FLOW, &[flow.into(), limit.into()], true).await?,
        None => link.fetch(sql::RUNS, &[limit.into()], true).await?,
    };
    rows.into_iter().map(read_run).collect()
}

fn read_run(mut row: Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: row.text()?,
        flow: row.text()?,
        epoch: row.int()?,
        cause: row.text()?,
        plan: print(&mut row)?,
        state: word(&row.text()?, RunState::from_word)?,
        started_at: row.int()?,
        ended_at: row.maybe_int()?,
        error: row.maybe_text()?,
        pages: row.int()?,
        counts: Counts {
            created: row.int()?,
            updated: row.int()?,
            unchanged: row.int()?,
            skipped: row.int()?,
            failed: row.int()?,
            waiting: row.int()?,
        },
    })
}

/// The next column, a fingerprint.
pub(super) fn print(row: &mut Row) -> Result<Fingerprint, StoreError> {
    fingerprint(&row.bytes()?)
}

/// A fingerprint from its bytes.
pub(super) fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Unreadable {
        what: format!("a fingerprint of {} bytes; all have 16", bytes.len()),
    })?;
    Ok(Fingerprint(bytes))
}

/// A word of the store's own vocabulary.
pub(super) fn word<T>(word: &str, from: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    from(word).ok_or_else(|| StoreError::Unreadable { what: format!("the unknown word `{word}`") })
}
