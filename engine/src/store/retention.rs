//! What grows old: the log of runs, what it says of people, dead letters that are done with.
//!
//! Taken away in short transactions, as many as the caller allows; the ledger stays, for without
//! it records would be created again.

use super::link::{Arg, Link, Many, Words};
use super::types::Millis;
use super::{StoreError, editions, sql};

/// Source keys of some pages of a run's activity.
const KEYS: &str = "
SELECT DISTINCT source_key FROM activity WHERE run_id = $1
    AND page < (SELECT MIN(a.page) FROM activity a WHERE a.run_id = $1) + 20";

/// Addresses of people in the search index, once the log says nothing more of the record and
/// nobody has to come back to it. Numbers stay: by them records are found as long as the ledger
/// knows them.
static PEOPLE: Many = Many::new(
    "DELETE FROM record_key WHERE flow = $1 AND (search_key LIKE '%@%' OR search_key LIKE 'masked %')
    AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.flow = record_key.flow
        AND a.source_key = record_key.source_key)
    AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.flow = record_key.flow
        AND d.source_key = record_key.source_key AND d.resolved_at IS NULL)
    AND source_key IN (",
    "?",
    ")",
    1,
);

/// Reasons that name an address, once the log says nothing more of the record.
static REASONS: Many = Many::new(
    "UPDATE ledger SET reason = NULL WHERE flow = $1 AND reason LIKE '%@%' AND outcome = 'skipped'
    AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.flow = ledger.flow
        AND a.source_key = ledger.source_key)
    AND source_key IN (",
    "?",
    ")",
    1,
);

/// What a round of pruning did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Rows that went.
    pub rows: u64,
    /// There is more that is old enough; the next round takes it.
    pub more: bool,
}

/// One short step.
pub(super) async fn step(
    link: &mut dyn Link,
    words: &Words,
    flow: &str,
    before: Millis,
) -> Result<Pruned, StoreError> {
    let mut rows = link.execute(sql::PRUNE_IDLE, &[flow.into(), before.into()], true).await?;
    let old = link.fetch(sql::PRUNABLE, &[flow.into(), before.into()], true).await?;
    let Some(mut row) = old.into_iter().next() else {
        rows += link.execute(sql::PRUNE_DEAD, &[flow.into(), before.into()], true).await?;
        rows += editions::prune(link, flow).await?;
        return Ok(Pruned { rows, more: false });
    };
    let run = row.text()?;
    let keys = link.fetch(KEYS, &[(&run).into()], true).await?;
    let keys: Vec<String> = keys.into_iter().map(|mut row| row.text()).collect::<Result<_, _>>()?;
    let removed = link.execute(sql::PRUNE_PAGES, &[(&run).into()], true).await?;
    if removed == 0 {
        link.execute(&words.fill(sql::PRUNED), &[(&run).into()], true).await?;
    }
    let keys: Vec<Vec<Arg<'_>>> = keys.iter().map(|key| vec![key.into()]).collect();
    rows += link.execute_many(&PEOPLE, &[flow.into()], &keys).await?;
    link.execute_many(&REASONS, &[flow.into()], &keys).await?;
    Ok(Pruned { rows: rows + removed, more: true })
}
