//! `weft verify`: reads the whole store and says what is damaged.

use clap::Args;

use super::Ended;
use super::run::{open_store, store_trouble};
use super::show::{Show, count};
use crate::project::Project;
use crate::store::StoreError;
use crate::trouble::Trouble;

/// Read the whole store and say what is damaged.
#[derive(Debug, Args)]
pub(crate) struct Verify {}

impl Verify {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let place = project.store.to_string();
        let store = open_store(project).await?;
        let damaged = store.verify().await;
        store.close().await;
        let damaged = damaged.map_err(|error| store_trouble(&error))?;
        show.json(&serde_json::json!({ "store": place, "damaged": damaged }));
        if damaged.is_empty() {
            show.line(format!("{} the store {place} is whole", show.good("✓")));
            return Ok(Ended::Well);
        }
        for line in &damaged {
            show.line(format!("{} {line}", show.bad("✗")));
        }
        let found = i64::try_from(damaged.len()).unwrap_or(i64::MAX);
        let cause = format!("{}, listed above", count(found, "place", "places"));
        Err(store_trouble(&StoreError::Corrupt { place, cause }))
    }
}
