//! Records by name: search, history, dead letters.

use super::answers::{DeadLetter, DeadQuery, Found, HistoryRow, LedgerRow};
use super::compact::{unpack, unpack_maybe};
use super::lease::{now, print, word};
use super::link::{Arg, Link, Row, Words};
use super::types::{Fingerprint, OutcomeWord};
use super::{StoreError, dead, journal, sql};

/// A business key as it is stored and searched.
pub(super) fn search_key(text: &str) -> String {
    text.trim().to_lowercase()
}

/// What stands in the search index for a key that must not be kept: it is found by whoever
/// knows it already.
#[must_use]
pub fn masked_key(text: &str) -> String {
    format!("masked {:?}", Fingerprint::of_key(&search_key(text)))
}

pub(super) async fn find(link: &mut dyn Link, text: &str, limit: u32) -> Result<Vec<Found>, StoreError> {
    let key = search_key(text);
    if key.is_empty() {
        return Ok(Vec::new());
    }
    let masked = masked_key(text);
    let args = [(&key).into(), text.trim().into(), i64::from(limit).into(), (&masked).into()];
    let mut found: Vec<Found> =
        link.fetch(sql::FIND, &args, true).await?.into_iter().map(read_found).collect::<Result<_, _>>()?;
    journal::find(link, text.trim(), &mut found).await?;
    Ok(found)
}

fn read_found(mut row: Row) -> Result<Found, StoreError> {
    let (flow, source_key) = (row.text()?, row.text()?);
    // A left join: without a line in the ledger its columns are empty.
    let ledger = if row.is_null() { None } else { Some(read_ledger(&mut row)?) };
    Ok(Found { flow, source_key, ledger })
}

/// The columns of the ledger after its key.
pub(super) fn read_ledger(row: &mut Row) -> Result<LedgerRow, StoreError> {
    Ok(LedgerRow {
        source_print: print(row)?,
        plan: print(row)?,
        outcome: word(&row.text()?, OutcomeWord::from_word)?,
        reason: row.maybe_text()?,
        attempts: row.int()?,
        run: row.text()?,
        updated_at: row.int()?,
    })
}

pub(super) async fn history(
    link: &mut dyn Link,
    flow: &str,
    source_key: &str,
    limit: u32,
) -> Result<Vec<HistoryRow>, StoreError> {
    let args = [flow.into(), source_key.into(), i64::from(limit).into()];
    let mut rows: Vec<HistoryRow> = link
        .fetch(sql::HISTORY, &args, true)
        .await?
        .into_iter()
        .map(read_history)
        .collect::<Result<_, _>>()?;
    if rows.is_empty() {
        rows.extend(journal::history(link, flow, source_key).await?);
    }
    Ok(rows)
}

fn read_history(mut row: Row) -> Result<HistoryRow, StoreError> {
    Ok(HistoryRow {
        run: row.text()?,
        outcome: word(&row.text()?, OutcomeWord::from_word)?,
        reason: row.maybe_text()?,
        payload: unpack_maybe(row.maybe_bytes()?)?,
        detail: unpack_maybe(row.maybe_bytes()?)?,
        at: row.int()?,
    })
}

pub(super) async fn dead_letters(
    link: &mut dyn Link,
    query: &DeadQuery,
) -> Result<Vec<DeadLetter>, StoreError> {
    let args = [
        query.flow.as_deref().unwrap_or_default().into(),
        query.class.as_deref().unwrap_or_default().into(),
        query.run.as_deref().unwrap_or_default().into(),
        i64::from(query.resolved).into(),
        i64::from(query.waiting).into(),
        i64::from(query.limit).into(),
    ];
    link.fetch(sql::DEAD, &args, true).await?.into_iter().map(read_letter).collect()
}

pub(super) async fn dead_letter(
    link: &mut dyn Link,
    flow: &str,
    source_key: &str,
) -> Result<Option<DeadLetter>, StoreError> {
    let rows = link.fetch(sql::DEAD_LETTER, &[flow.into(), source_key.into()], true).await?;
    rows.into_iter().next().map(read_letter).transpose()
}

pub(super) async fn due(
    link: &mut dyn Link,
    words: &Words,
    flow: &str,
    limit: u32,
) -> Result<Vec<DeadLetter>, StoreError> {
    let args = [flow.into(), i64::from(limit).into()];
    link.fetch(&words.fill(sql::DUE), &args, true).await?.into_iter().map(read_letter).collect()
}

fn read_letter(mut row: Row) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        flow: row.text()?,
        source_key: row.text()?,
        payload: unpack(row.bytes()?)?,
        class: row.text()?,
        reason: row.text()?,
        attempts: row.int()?,
        plan: print(&mut row)?,
        run: row.text()?,
        first_at: row.int()?,
        last_at: row.int()?,
        retry_at: row.maybe_int()?,
        resolved_at: row.maybe_int()?,
        edited: dead::read_edit(&mut row)?,
        dropped: dead::read_drop(&mut row)?,
    })
}

pub(super) async fn resolve(
    link: &mut dyn Link,
    words: &Words,
    flow: &str,
    source_key: &str,
) -> Result<bool, StoreError> {
    let now = now(link, words).await?;
    let rows = [vec![Arg::from(source_key)]];
    Ok(link.execute_many(&sql::RESOLVE, &[flow.into(), now.into()], &rows).await? > 0)
}
