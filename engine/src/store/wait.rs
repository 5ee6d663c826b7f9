//! Waiting for a store that cannot be used for a while: a full disk, a server that is started
//! again.
//!
//! What a daemon does with an error for which [`StoreError::is_temporary`] holds: it takes no
//! new work, says why, calls [`wait`], and goes on. Runs that ended with such an error have lost
//! nothing; their flows are claimed and run again, and what was on its way is taken up.

use std::sync::Arc;
use std::time::Duration;

use super::{Place, Store, StoreError, open_at};

/// Pause after the first failed try.
const FIRST: Duration = Duration::from_secs(1);

/// Longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(15);

/// Returns as soon as the store can be written again. `told` hears of every try that failed, the
/// first at once; the same trouble comes again and again, and is worth saying once. Fails with
/// what will not pass by itself.
pub async fn wait(store: &dyn Store, mut told: impl FnMut(&StoreError) + Send) -> Result<(), StoreError> {
    let mut pause = FIRST;
    loop {
        match store.ping().await {
            Err(error) if error.is_temporary() => told(&error),
            other => return other,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// Opens the store as [`open_at`] does, and waits for one that cannot be used yet, such as a
/// server that starts at the same time.
pub async fn open_and_wait(
    place: &Place,
    mut told: impl FnMut(&StoreError) + Send,
) -> Result<Arc<dyn Store>, StoreError> {
    let mut pause = FIRST;
    loop {
        match open_at(place).await {
            Err(error) if error.is_temporary() => told(&error),
            other => return other,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}
