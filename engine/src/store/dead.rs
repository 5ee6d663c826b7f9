//! Dead letters in the hands of a person: edited, dropped.

use super::answers::{Dropped, Edit};
use super::compact::{pack, unpack_maybe};
use super::lease::now;
use super::link::{Link, Row, Words};
use super::{StoreError, types::Millis};

const EDIT: &str = "
UPDATE dead SET edited = $3, edited_by = $4, edited_at = {now}, source_print = COALESCE(
    (SELECT l.source_print FROM ledger l WHERE l.flow = dead.flow AND l.source_key = dead.source_key),
    source_print)
WHERE flow = $1 AND source_key = $2 AND resolved_at IS NULL";

const UNEDIT: &str = "
UPDATE dead SET edited = NULL, edited_by = NULL, edited_at = NULL
WHERE flow = $1 AND source_key = $2 AND edited IS NOT NULL AND resolved_at IS NULL";

const DROP: &str = "
UPDATE dead SET resolved_at = $3, dropped_by = $4, dropped_why = $5
WHERE flow = $1 AND source_key = $2 AND resolved_at IS NULL";

/// Left out from here on, until the record or the plan changes.
const SKIP: &str = "
UPDATE ledger SET outcome = 'skipped', reason = $3, attempts = 0, run_id = $4, updated_at = $5
WHERE flow = $1 AND source_key = $2 AND outcome IN ('failed', 'waiting')";

/// A run of its own, so that the log of it grows old like any other.
const RUN: &str = "
INSERT INTO run (id, flow, epoch, cause, plan_print, state, started_at, ended_at, pages, records_read,
    created, updated, unchanged, skipped, failed, waiting)
VALUES ($1, $2, 0, 'dropped by hand', $3, 'succeeded', $4, $4, 1, $5, 0, 0, 0, $5, 0, 0)";

const LOG: &str = "
INSERT INTO activity (run_id, page, seq, flow, source_key, outcome, reason, payload, detail, at)
VALUES ($1, 1, $2, $3, $4, 'skipped', $5, NULL, NULL, $6)";

/// What a person says when giving records up.
#[derive(Clone, Copy, Debug)]
pub struct Drop<'a> {
    /// The flow.
    pub flow: &'a str,
    /// Keys of the records in the source.
    pub keys: &'a [&'a str],
    /// Who says so.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

pub(super) async fn edit(
    link: &mut dyn Link,
    words: &Words,
    [flow, source_key]: [&str; 2],
    payload: Option<&[u8]>,
    by: &str,
) -> Result<bool, StoreError> {
    let touched = match payload {
        Some(payload) => {
            let payload = pack(payload);
            let args = [flow.into(), source_key.into(), (&*payload).into(), by.into()];
            link.execute(&words.fill(EDIT), &args, true).await?
        }
        None => link.execute(UNEDIT, &[flow.into(), source_key.into()], true).await?,
    };
    Ok(touched > 0)
}

pub(super) async fn drop_letters(
    link: &mut dyn Link,
    words: &Words,
    drop: &Drop<'_>,
) -> Result<u64, StoreError> {
    let Drop { flow, keys, by, why } = *drop;
    let now = now(link, words).await?;
    let run = uuid::Uuid::now_v7().to_string();
    let reason = format!("dropped by {by}: {why}");
    let mut dropped: i64 = 0;
    for key in keys {
        let args = [flow.into(), (*key).into(), now.into(), by.into(), why.into()];
        if link.execute(DROP, &args, true).await? == 0 {
            continue;
        }
        let args = [flow.into(), (*key).into(), (&reason).into(), (&run).into(), now.into()];
        link.execute(SKIP, &args, true).await?;
        let (run, reason) = ((&run).into(), (&reason).into());
        let args = [run, dropped.into(), flow.into(), (*key).into(), reason, now.into()];
        link.execute(LOG, &args, true).await?;
        dropped += 1;
    }
    if dropped > 0 {
        let no_plan: &[u8] = &[0; 16];
        let args = [(&run).into(), flow.into(), no_plan.into(), now.into(), dropped.into()];
        link.execute(RUN, &args, true).await?;
    }
    Ok(u64::try_from(dropped).unwrap_or_default())
}

/// The columns of an edit.
pub(super) fn read_edit(row: &mut Row) -> Result<Option<Edit>, StoreError> {
    let (payload, by, at): (Option<Vec<u8>>, Option<String>, Option<Millis>) =
        (unpack_maybe(row.maybe_bytes()?)?, row.maybe_text()?, row.maybe_int()?);
    Ok(payload.zip(by).zip(at).map(|((payload, by), at)| Edit { payload, by, at }))
}

/// The columns of a drop.
pub(super) fn read_drop(row: &mut Row) -> Result<Option<Dropped>, StoreError> {
    let (by, why) = (row.maybe_text()?, row.maybe_text()?);
    Ok(by.zip(why).map(|(by, why)| Dropped { by, why }))
}
