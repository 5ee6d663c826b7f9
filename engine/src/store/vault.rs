//! Sealed secrets and the guards that processes take with them. What is sealed, and how, is not
//! known here.
//!
//! Invariant: all secrets are sealed with one key. Beside them lies its mark, a text sealed with
//! it, and whoever keeps a secret shows the mark that it believes in: a process that missed a
//! change of the key keeps nothing.

use std::time::Duration;

use super::StoreError;
use super::lease::{millis, now, one};
use super::link::{Link, Row, Words};
use super::types::Millis;

/// Where the mark of the key lies; no connection has this name.
const MARK: (&str, &str) = ("", "key");

/// A secret as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The connection that it belongs to.
    pub connection: String,
    /// Which secret.
    pub name: String,
    /// Cipher text.
    pub sealed: Vec<u8>,
    /// When it was last replaced.
    pub updated_at: Millis,
}

/// A secret on its way into the store.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// Mark of the key that it is sealed with; becomes the store's where it has none.
    pub mark: &'a [u8],
    /// The connection that it belongs to.
    pub connection: &'a str,
    /// Which secret.
    pub name: &'a str,
    /// Cipher text.
    pub sealed: &'a [u8],
    /// Leaves the one alone that is there already.
    pub only_new: bool,
}

/// What came of keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It is kept.
    Done,
    /// There was one, and it was to be left alone.
    Present,
    /// The store's secrets are sealed with another key; nothing was kept.
    OtherKey,
}

/// What came of sealing everything anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resealed {
    /// So many secrets.
    Done(u64),
    /// Somebody changed the key in the meantime; nothing was changed.
    OtherKey,
    /// This one could not be opened; nothing was changed.
    Unreadable {
        /// The connection that it belongs to.
        connection: String,
        /// Which secret.
        name: String,
    },
}

/// Opens a secret and seals it anew.
pub type Reseal<'a> = dyn for<'k> Fn(&'k Kept) -> Option<Vec<u8>> + Send + Sync + 'a;

const SET_MARK: &str = "
INSERT INTO kept (connection, name, sealed, updated_at) VALUES ($1, $2, $3, {now})
ON CONFLICT (connection, name) DO NOTHING";

/// Held, so that nobody changes the key while a secret is kept.
const MARK_HELD: &str = "SELECT sealed FROM kept WHERE connection = $1 AND name = $2{hold}";

const KEPT: &str = "SELECT sealed FROM kept WHERE connection = $1 AND name = $2";

const KEEP: &str = "
INSERT INTO kept (connection, name, sealed, updated_at) VALUES ($1, $2, $3, {now})
ON CONFLICT (connection, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at";

const ALL: &str = "
SELECT connection, name, sealed, updated_at FROM kept WHERE NOT (connection = $1 AND name = $2)
ORDER BY connection, name";

/// The moment stays: the secret is no younger for it.
const RESEAL: &str = "UPDATE kept SET sealed = $3 WHERE connection = $1 AND name = $2";

const DROP: &str = "DELETE FROM kept WHERE connection = $1 AND name = $2";

const RESET: &str = "DELETE FROM kept";

const GUARD: &str = "SELECT holder, expires_at FROM guard WHERE name = $1{hold}";

const TAKE_GUARD: &str = "
INSERT INTO guard (name, ticket, holder, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE
SET ticket = excluded.ticket, holder = excluded.holder, expires_at = excluded.expires_at
WHERE guard.expires_at <= $5 OR guard.holder = $6
RETURNING ticket";

const EXTEND_GUARD: &str = "UPDATE guard SET expires_at = $3 WHERE name = $1 AND ticket = $2";

const END_GUARD: &str = "DELETE FROM guard WHERE name = $1 AND ticket = $2";

pub(super) async fn mark(link: &mut dyn Link) -> Result<Option<Vec<u8>>, StoreError> {
    kept(link, MARK.0, MARK.1).await
}

pub(super) async fn kept(
    link: &mut dyn Link,
    connection: &str,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let rows = link.fetch(KEPT, &[connection.into(), name.into()], true).await?;
    rows.into_iter().next().map(|mut row| row.bytes()).transpose()
}

pub(super) async fn keep(
    link: &mut dyn Link,
    words: &Words,
    secret: &Keep<'_>,
) -> Result<Keeping, StoreError> {
    let args = [MARK.0.into(), MARK.1.into(), secret.mark.into()];
    link.execute(&words.fill(SET_MARK), &args, true).await?;
    if held_mark(link, words).await? != secret.mark {
        return Ok(Keeping::OtherKey);
    }
    if secret.only_new && kept(link, secret.connection, secret.name).await?.is_some() {
        return Ok(Keeping::Present);
    }
    let args = [secret.connection.into(), secret.name.into(), secret.sealed.into()];
    link.execute(&words.fill(KEEP), &args, true).await?;
    Ok(Keeping::Done)
}

async fn held_mark(link: &mut dyn Link, words: &Words) -> Result<Vec<u8>, StoreError> {
    one(link.fetch(&words.fill(MARK_HELD), &[MARK.0.into(), MARK.1.into()], true).await?)?.bytes()
}

pub(super) async fn all(link: &mut dyn Link) -> Result<Vec<Kept>, StoreError> {
    let rows = link.fetch(ALL, &[MARK.0.into(), MARK.1.into()], true).await?;
    let read = |mut row: Row| {
        let (connection, name) = (row.text()?, row.text()?);
        Ok(Kept { connection, name, sealed: row.bytes()?, updated_at: row.int()? })
    };
    rows.into_iter().map(read).collect()
}

pub(super) async fn reseal(
    link: &mut dyn Link,
    words: &Words,
    old: &[u8],
    new: &[u8],
    each: &Reseal<'_>,
) -> Result<Resealed, StoreError> {
    if held_mark(link, words).await? != old {
        return Ok(Resealed::OtherKey);
    }
    let mut number = 0;
    for kept in all(link).await? {
        let Some(sealed) = each(&kept) else {
            return Ok(Resealed::Unreadable { connection: kept.connection, name: kept.name });
        };
        let args = [(&kept.connection).into(), (&kept.name).into(), sealed.as_slice().into()];
        number += link.execute(RESEAL, &args, true).await?;
    }
    link.execute(RESEAL, &[MARK.0.into(), MARK.1.into(), new.into()], true).await?;
    Ok(Resealed::Done(number))
}

pub(super) async fn remove(link: &mut dyn Link, connection: &str, name: &str) -> Result<bool, StoreError> {
    Ok(link.execute(DROP, &[connection.into(), name.into()], true).await? > 0)
}

pub(super) async fn reset(link: &mut dyn Link) -> Result<u64, StoreError> {
    link.execute(RESET, &[], true).await
}

pub(super) async fn take_guard(
    link: &mut dyn Link,
    words: &Words,
    [name, ticket, holder]: [&str; 3],
    ttl: Duration,
    dead: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
) -> Result<bool, StoreError> {
    let now = now(link, words).await?;
    let mut gone = None;
    if let Some(mut row) = link.fetch(&words.fill(GUARD), &[name.into()], true).await?.into_iter().next() {
        let (holder, expires_at) = (row.text()?, row.int()?);
        gone = (expires_at > now && dead(&holder)).then_some(holder);
    }
    let expires_at = now.saturating_add(millis(ttl));
    let gone = gone.as_deref().into();
    let args = [name.into(), ticket.into(), holder.into(), expires_at.into(), now.into(), gone];
    Ok(!link.fetch(TAKE_GUARD, &args, true).await?.is_empty())
}

pub(super) async fn extend_guard(
    link: &mut dyn Link,
    words: &Words,
    name: &str,
    ticket: &str,
    ttl: Duration,
) -> Result<(), StoreError> {
    let expires_at = now(link, words).await?.saturating_add(millis(ttl));
    link.execute(EXTEND_GUARD, &[name.into(), ticket.into(), expires_at.into()], true).await?;
    Ok(())
}

pub(super) async fn end_guard(link: &mut dyn Link, name: &str, ticket: &str) -> Result<(), StoreError> {
    link.execute(END_GUARD, &[name.into(), ticket.into()], true).await?;
    Ok(())
}
