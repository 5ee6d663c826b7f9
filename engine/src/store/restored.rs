//! What a store that was put back does not know: what was sent after the copy was made.
//!
//! Until a flow has read its source to the end once, a record of which nothing is known may be one
//! that was created in that time. It is answered with an intent, as one whose process died on the
//! way: so it is looked for in the target before it is created, and where that cannot be, it is
//! refused. Journals need none of this: what stands behind the mark of a page is taken back.

use super::StoreError;
use super::answers::{Intent, Known};
use super::lease::one;
use super::link::{Link, Words};
use super::types::Millis;

/// Marks every flow that ever ran. What follows WHERE keeps SQLite from taking ON for a join.
pub(super) const MARK: &str = "
INSERT INTO restored (flow, at) SELECT flow, {now} FROM lease WHERE flow NOT LIKE 'create %'
ON CONFLICT (flow) DO UPDATE SET at = excluded.at";

/// The first schema that knows journals, and what keeps them out.
pub(super) const SPARE_JOURNALS: (i64, &str) =
    (2, "DELETE FROM restored WHERE flow IN (SELECT flow FROM journal)");

/// A pass that was under way had read past what was sent since, so it begins again.
pub(super) const BEGIN_AGAIN: &str = "
UPDATE cursor SET position = NULL, high = NULL
WHERE position IS NOT NULL AND flow IN (SELECT flow FROM restored)";

/// How many flows are marked.
const MARKED: &str = "SELECT COUNT(*) FROM restored";

/// Since when a flow is marked.
const MARK_OF: &str = "SELECT at FROM restored WHERE flow = $1";

/// Removes the mark.
const UNMARK: &str = "DELETE FROM restored WHERE flow = $1";

/// Marks all flows; answers how many those are.
pub(super) async fn mark(link: &mut dyn Link, words: &Words) -> Result<i64, StoreError> {
    for sql in [MARK, SPARE_JOURNALS.1, BEGIN_AGAIN] {
        link.execute(&words.fill(sql), &[], false).await?;
    }
    one(link.fetch(MARKED, &[], false).await?)?.int()
}

/// A pass over the source of the flow has come to its end.
pub(super) async fn unmark(link: &mut dyn Link, flow: &str) -> Result<(), StoreError> {
    link.execute(UNMARK, &[flow.into()], true).await?;
    Ok(())
}

/// Since when the past of a flow has a gap; `None`: it has none.
pub(super) async fn since(link: &mut dyn Link, flow: &str) -> Result<Option<Millis>, StoreError> {
    let rows = link.fetch(MARK_OF, &[flow.into()], true).await?;
    rows.into_iter().next().map(|mut row| row.int()).transpose()
}

/// Puts a record in doubt of which nothing is known.
pub(super) fn doubt(known: &mut Known, source_key: &str, at: Millis) {
    if known.ledger.is_none() && known.intent.is_none() {
        let (source_key, run) = (source_key.to_owned(), String::new());
        known.intent = Some(Intent { source_key, epoch: 0, run, begun_at: at });
    }
}
