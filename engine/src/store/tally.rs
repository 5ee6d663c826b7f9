//! Numbers for whoever watches over flows: what is left undone, and when things last went well.

use super::StoreError;
use super::link::Link;
use super::types::Millis;

/// What a flow has left undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// The flow.
    pub flow: String,
    /// Records that were refused and need somebody.
    pub refused: i64,
    /// Records that the engine tries again by itself.
    pub waiting: i64,
}

const UNDONE: &str = "
SELECT flow, SUM(CASE WHEN retry_at IS NULL THEN 1 ELSE 0 END),
    SUM(CASE WHEN retry_at IS NULL THEN 0 ELSE 1 END)
FROM dead WHERE resolved_at IS NULL GROUP BY flow ORDER BY flow";

const LAST_SUCCESS: &str = "
SELECT ended_at FROM run
WHERE flow = $1 AND state IN ('succeeded', 'partial') AND ended_at IS NOT NULL ORDER BY id DESC LIMIT 1";

pub(super) async fn undone(link: &mut dyn Link) -> Result<Vec<Undone>, StoreError> {
    let rows = link.fetch(UNDONE, &[], true).await?;
    rows.into_iter()
        .map(|mut row| Ok(Undone { flow: row.text()?, refused: row.int()?, waiting: row.int()? }))
        .collect()
}

pub(super) async fn last_success(link: &mut dyn Link, flow: &str) -> Result<Option<Millis>, StoreError> {
    let rows = link.fetch(LAST_SUCCESS, &[flow.into()], true).await?;
    rows.into_iter().next().map(|mut row| row.int()).transpose()
}
