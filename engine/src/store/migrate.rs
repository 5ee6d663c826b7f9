//! Brings a store to the schema of this program: forward only, one transaction a step.

use super::lease::one;
use super::link::{Dialect, Driver, Link, Words};
use super::{StoreError, sql};

/// One step from a schema to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    /// The schema that it leads to.
    pub(super) version: i64,
    /// What it brings, in a few words.
    pub(super) about: &'static str,
    /// Statements, parted by semicolons.
    pub(super) text: &'static str,
}

/// Every step, in order. One that has been released is never changed.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, about: "the first schema", text: include_str!("migrations/0001_first.sql") },
    Migration {
        version: 2,
        about: "pages of targets that are journals",
        text: include_str!("migrations/0002_journal.sql"),
    },
    Migration {
        version: 3,
        about: "turns of flows, connections and daemons",
        text: include_str!("migrations/0003_serve.sql"),
    },
    Migration {
        version: 4,
        about: "what systems tell by webhooks",
        text: include_str!("migrations/0004_inbox.sql"),
    },
    Migration {
        version: 5,
        about: "sealed secrets, dead letters by hand, people forgotten",
        text: include_str!("migrations/0005_privacy.sql"),
    },
    Migration {
        version: 6,
        about: "stores that were put back",
        text: include_str!("migrations/0006_restored.sql"),
    },
    Migration { version: 7, about: "flows as they were", text: include_str!("migrations/0007_editions.sql") },
];

/// Takes every step that the store has not taken yet. A store that holds something already is
/// copied first; a store from a newer program is refused.
pub(super) async fn run(
    driver: &dyn Driver,
    words: &Words,
    place: &str,
    steps: &[Migration],
) -> Result<(), StoreError> {
    let known = steps.iter().map(|step| step.version).max().unwrap_or(0);
    let Dialect { alone, text, bytes, keyed, .. } = driver.dialect();
    let found = {
        let mut tx = driver.begin().await?;
        tx.script(alone).await?;
        tx.script(sql::SCHEMA_TABLE).await?;
        let found = version(&mut *tx).await?;
        tx.commit().await?;
        found
    };
    if found > known {
        return Err(StoreError::Newer { place: place.to_owned(), found, known });
    }
    if found > 0 && found < known {
        driver.backup(found).await?;
    }
    for step in steps.iter().filter(|step| step.version > found) {
        let mut tx = driver.begin().await?;
        tx.script(alone).await?;
        // Another process may have been quicker.
        if version(&mut *tx).await? < step.version {
            tx.script(&step.text.replace("TEXT", text).replace("BLOB", bytes).replace("{keyed}", keyed))
                .await?;
            let args = [step.version.into(), step.about.into()];
            tx.execute(&words.fill(sql::SCHEMA_APPLIED), &args, false).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

async fn version(link: &mut dyn Link) -> Result<i64, StoreError> {
    one(link.fetch(sql::SCHEMA_VERSION, &[], false).await?)?.int()
}
