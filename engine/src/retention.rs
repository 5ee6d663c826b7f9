//! The log grows old: what is past its time goes, in small bites, after runs and by the daemon.

use crate::project::Privacy;
use crate::store::{Pruned, Store, StoreError};

/// Rows that one bite takes at most, or a few more: a second or so.
pub const BITE: u64 = 20_000;

/// Removes what is past its time of a flow, and no more than a bite; the next call goes on.
pub async fn prune(store: &dyn Store, privacy: &Privacy, flow: &str) -> Result<Pruned, StoreError> {
    let keep = i64::try_from(privacy.keep(flow).as_millis()).unwrap_or(i64::MAX);
    let before = store.now().await?.saturating_sub(keep);
    let pruned = store.prune_some(flow, before, BITE).await?;
    if pruned.rows > 0 {
        tracing::info!(flow, rows = pruned.rows, more = pruned.more, "the log grew old");
    }
    Ok(pruned)
}
