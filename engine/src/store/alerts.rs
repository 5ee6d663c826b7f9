//! What people have been told: a line for each cause that holds, so that neither a restart nor a
//! second daemon tells it again.

use super::StoreError;
use super::link::Link;
use super::types::Millis;

/// A cause that holds, and what was said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is wrong, and with what: unique.
    pub cause: String,
    /// When it was first seen.
    pub since: Millis,
    /// Messages so far; 0: it may still pass by itself.
    pub told: i64,
    /// When the last one went out; before the first, the same as `since`.
    pub told_at: Millis,
}

const TOLD: &str = "SELECT cause, since, told, told_at FROM alert ORDER BY cause";

const ADD: &str =
    "INSERT INTO alert (cause, since, told, told_at) VALUES ($1, $2, $3, $4) ON CONFLICT (cause) DO NOTHING";

const CHANGE: &str = "UPDATE alert SET told = $3, told_at = $4 WHERE cause = $1 AND told = $2";

const REMOVE: &str = "DELETE FROM alert WHERE cause = $1 AND told = $2";

pub(super) async fn told(link: &mut dyn Link) -> Result<Vec<Told>, StoreError> {
    let rows = link.fetch(TOLD, &[], true).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Told { cause: row.text()?, since: row.int()?, told: row.int()?, told_at: row.int()? })
        })
        .collect()
}

/// Puts `after` in the place of `before`; answers whether `before` was still there.
pub(super) async fn tell(
    link: &mut dyn Link,
    before: Option<&Told>,
    after: Option<&Told>,
) -> Result<bool, StoreError> {
    let touched = match (before, after) {
        (None, None) => 0,
        (None, Some(new)) => {
            let args = [(&new.cause).into(), new.since.into(), new.told.into(), new.told_at.into()];
            link.execute(ADD, &args, true).await?
        }
        (Some(old), Some(new)) => {
            let args = [(&old.cause).into(), old.told.into(), new.told.into(), new.told_at.into()];
            link.execute(CHANGE, &args, true).await?
        }
        (Some(old), None) => link.execute(REMOVE, &[(&old.cause).into(), old.told.into()], true).await?,
    };
    Ok(touched > 0)
}
