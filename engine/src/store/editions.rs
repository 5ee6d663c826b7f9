//! Flows as they were: text, scripts and answers by the fingerprint that runs and records name. An
//! edition is kept as long as a run of it is.

use super::StoreError;
use super::link::{Link, Words};
use super::types::Fingerprint;

const IS_KEPT: &str = "SELECT CAST(1 AS BIGINT) FROM edition WHERE flow = $1 AND print = $2";

const KEEP: &str = "
INSERT INTO edition (flow, print, text, kept_at) VALUES ($1, $2, $3, {now})
ON CONFLICT (flow, print) DO NOTHING";

const TEXT: &str = "SELECT text FROM edition WHERE flow = $1 AND print = $2";

/// Those of which no run is left.
const PRUNE: &str = "
DELETE FROM edition WHERE flow = $1
    AND NOT EXISTS (SELECT 1 FROM run r WHERE r.flow = edition.flow AND r.plan_print = edition.print)";

/// Records of which a run has left a line in the log.
const OF_RUN: &str =
    "SELECT DISTINCT source_key FROM activity WHERE run_id = $1 ORDER BY source_key LIMIT $2";

pub(super) async fn is_kept(link: &mut dyn Link, flow: &str, print: Fingerprint) -> Result<bool, StoreError> {
    Ok(!link.fetch(IS_KEPT, &[flow.into(), print.0.as_slice().into()], true).await?.is_empty())
}

pub(super) async fn keep(
    link: &mut dyn Link,
    words: &Words,
    flow: &str,
    print: Fingerprint,
    text: &[u8],
) -> Result<(), StoreError> {
    let args = [flow.into(), print.0.as_slice().into(), text.into()];
    link.execute(&words.fill(KEEP), &args, false).await?;
    Ok(())
}

pub(super) async fn text(
    link: &mut dyn Link,
    flow: &str,
    print: Fingerprint,
) -> Result<Option<Vec<u8>>, StoreError> {
    let rows = link.fetch(TEXT, &[flow.into(), print.0.as_slice().into()], false).await?;
    rows.into_iter().next().map(|mut row| row.bytes()).transpose()
}

pub(super) async fn prune(link: &mut dyn Link, flow: &str) -> Result<u64, StoreError> {
    link.execute(PRUNE, &[flow.into()], true).await
}

pub(super) async fn of_run(link: &mut dyn Link, run: &str, limit: u32) -> Result<Vec<String>, StoreError> {
    let rows = link.fetch(OF_RUN, &[run.into(), i64::from(limit).into()], false).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}
