//! What one process does at a time, whichever database and machine it works with: a guard in the
//! store, held for as long as somebody has the guard.

use std::sync::Arc;
use std::time::Duration;

use super::Vault;
use crate::store::{Store, is_dead, this_process};
use crate::trouble::Trouble;

/// How long a guard holds without being extended: longer than a process stalls that still lives.
const HOLDS: Duration = Duration::from_mins(1);

/// Pause between two looks whether the guard is free.
const PAUSE: Duration = Duration::from_millis(100);

/// A guard; dropped, it goes to the next.
pub struct Guard {
    store: Arc<dyn Store>,
    name: String,
    ticket: String,
    extends: tokio::task::AbortHandle,
}

impl Vault {
    /// Waits for the guard of that name.
    pub async fn guard(&self, name: &str) -> Result<Guard, Trouble> {
        let store = self.store()?;
        let ticket = uuid::Uuid::new_v4().to_string();
        let holder = this_process();
        while !store.take_guard(name, &ticket, &holder, HOLDS, &is_dead).await? {
            tokio::time::sleep(PAUSE).await;
        }
        let extends = tokio::spawn(extend(Arc::clone(&store), name.to_owned(), ticket.clone()));
        Ok(Guard { store, name: name.to_owned(), ticket, extends: extends.abort_handle() })
    }
}

async fn extend(store: Arc<dyn Store>, name: String, ticket: String) {
    loop {
        tokio::time::sleep(HOLDS / 4).await;
        if let Err(error) = store.extend_guard(&name, &ticket, HOLDS).await {
            tracing::warn!(%error, "a guard could not be extended");
        }
    }
}

impl Guard {
    /// Gives the guard back; durable when it returns, while a dropped one takes a moment.
    pub async fn end(self) -> Result<(), Trouble> {
        self.store.end_guard(&self.name, &self.ticket).await.map_err(Trouble::from)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.extends.abort();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (store, name, ticket) = (Arc::clone(&self.store), self.name.clone(), self.ticket.clone());
        // Should the process end first, the guard is that of a dead process, and free.
        runtime.spawn(async move {
            if let Err(error) = store.end_guard(&name, &ticket).await {
                tracing::debug!(%error, "a guard was not given back");
            }
        });
    }
}
