//! Gives a flow back after the store could not be used: later, when it can.
//!
//! A run that ends because of the store cannot say so in the store. Its process lives on, so the
//! claim would only run out, and the flow stand still until then.

use std::sync::Arc;

use crate::store::{Lease, RunState, Store, wait};

/// What such a run leaves as its reason.
const CAUSE: &str = "the store could not be used for a while; the next run goes on from here";

/// Ends the run and gives the flow back as soon as the store can be used. Does nothing once
/// another process has claimed the flow.
pub(crate) async fn later(store: Arc<dyn Store>, lease: Lease, run: String) {
    if let Err(error) = wait(&*store, |_| {}).await {
        tracing::warn!(flow = lease.flow, %error, "the flow is not given back before its claim runs out");
        return;
    }
    // Said already, or nobody's business any more, when it is refused.
    if let Err(error) = store.end_run(&lease, &run, RunState::Stopped, Some(CAUSE)).await {
        tracing::debug!(flow = lease.flow, %error, "the run had its end already");
    }
    if let Err(error) = store.release(&lease).await {
        tracing::warn!(flow = lease.flow, %error, "the flow is not given back before its claim runs out");
    }
}

/// The same of a lease that no run goes with.
pub(crate) async fn alone(store: Arc<dyn Store>, lease: Lease) {
    let freed = match wait(&*store, |_| {}).await {
        Ok(()) => store.release(&lease).await,
        Err(error) => Err(error),
    };
    if let Err(error) = freed {
        // It may have been given back before the store went away.
        tracing::debug!(lease = lease.flow, %error, "not given back before it runs out");
    }
}
