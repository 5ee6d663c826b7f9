//! What came and was not answered: flows are woken again for it, at the start and every minute.
//!
//! A wish for a run lives in memory; the inbox does not. So a daemon that was killed between
//! keeping a delivery and running its flow takes it up when it starts again.

use std::time::Duration;

use super::Desk;
use crate::serve::Cause;
use crate::store::{Millis, StoreError, Unanswered};

/// Time between two looks.
const EVERY: Duration = Duration::from_mins(1);

/// A delivery that has waited this long has been forgotten by whoever was to take it up.
const FORGOTTEN: Millis = 60_000;

/// How long deliveries are known again after they were answered; longer than systems try.
const ANSWERED: Duration = Duration::from_hours(24 * 7);

/// How long deliveries are kept that no run answers: their flow is off, or fails.
const NEVER: Duration = Duration::from_hours(24 * 30);

/// The first look, before anything new can come; true when it could be done.
pub(super) async fn first(desk: &Desk) -> bool {
    is_done(look(desk, true).await)
}

/// Looks until the daemon ends.
pub(super) async fn sweep(desk: Desk, mut was_looked: bool) {
    loop {
        tokio::time::sleep(EVERY).await;
        was_looked |= is_done(look(&desk, !was_looked).await);
    }
}

fn is_done(looked: Result<(), StoreError>) -> bool {
    // Whoever uses the store for its work says what is wrong with it.
    looked.inspect_err(|error| tracing::debug!(%error, "the inbox cannot be looked at")).is_ok()
}

async fn look(desk: &Desk, first: bool) -> Result<(), StoreError> {
    let now = desk.store.now().await?;
    for flow in desk.store.unanswered().await? {
        if is_forgotten(&flow, now, first) {
            tracing::info!(flow = flow.flow, open = flow.open, "webhooks are not answered yet");
            desk.seam.waker.wake(&flow.flow, Cause::Again);
        }
    }
    desk.store.prune_arrivals(ANSWERED, NEVER).await?;
    Ok(())
}

/// At the start everything is; later, what a run has in hand is left to that run and to what
/// becomes of it.
const fn is_forgotten(flow: &Unanswered, now: Millis, first: bool) -> bool {
    first || flow.untaken > 0 && flow.since <= now - FORGOTTEN
}
