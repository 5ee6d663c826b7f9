//! Records that were created by the page, in a target that is a journal itself: of each the
//! fingerprint of its key is kept, and no more.

use super::answers::{Found, HistoryRow, LedgerRow};
use super::lease::{fence, print};
use super::link::{Link, Row, Words};
use super::types::{Fingerprint, Journal, JournalKeys, Lease, Millis, OutcomeWord, Page};
use super::{StoreError, sql};

/// Pages that are read at once.
const PAGES: i64 = 64;

/// Bytes of a key's fingerprint.
const PRINT: usize = 16;

/// What a history says of a record that has no line of its own.
const BY_THE_PAGE: &str = "written together with the records around it; what was read and what was written stands in the source and in the target";

pub(super) async fn journal(link: &mut dyn Link, flow: &str) -> Result<Option<Journal>, StoreError> {
    let rows = link.fetch(sql::JOURNAL, &[flow.into()], true).await?;
    let read = |mut row: Row| Ok(Journal { owner: row.text()?, write_id: row.text()?, mark: row.text()? });
    rows.into_iter().next().map(read).transpose()
}

pub(super) async fn set(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    journal: &Journal,
) -> Result<(), StoreError> {
    let now = fence(link, words, lease).await?;
    move_mark(link, &lease.flow, journal, now).await
}

async fn move_mark(
    link: &mut dyn Link,
    flow: &str,
    journal: &Journal,
    now: Millis,
) -> Result<(), StoreError> {
    let Journal { owner, write_id, mark } = journal;
    let args = [flow.into(), owner.into(), write_id.into(), mark.into(), now.into()];
    link.execute(sql::SET_JOURNAL, &args, true).await?;
    Ok(())
}

/// Keeps what a page brings, the lease having been checked.
pub(super) async fn write(
    link: &mut dyn Link,
    lease: &Lease,
    page: &Page,
    now: Millis,
) -> Result<(), StoreError> {
    let Some(added) = &page.added else { return Ok(()) };
    move_mark(link, &lease.flow, &added.journal, now).await?;
    let keys: Vec<u8> = added.keys.iter().flat_map(|key| key.0).collect();
    let (plan, run) = (page.plan.0.as_slice(), &page.run);
    let args = [(&lease.flow).into(), plan.into(), run.into(), now.into(), keys.as_slice().into()];
    link.execute(sql::ADD_JOURNAL_PAGE, &args, true).await?;
    Ok(())
}

/// Some pages after the one of that number.
pub(super) async fn keys(
    link: &mut dyn Link,
    flow: &str,
    after: i64,
) -> Result<Vec<JournalKeys>, StoreError> {
    let rows = link.fetch(sql::JOURNAL_KEYS, &[flow.into(), after.into(), PAGES.into()], true).await?;
    rows.into_iter()
        .map(|mut row| Ok(JournalKeys { number: row.int()?, keys: read_keys(&row.bytes()?) }))
        .collect()
}

fn read_keys(bytes: &[u8]) -> Vec<Fingerprint> {
    bytes.as_chunks::<PRINT>().0.iter().map(|key| Fingerprint(*key)).collect()
}

/// Some source keys of which the ledger or an intent tells, after that one.
pub(super) async fn other_keys(
    link: &mut dyn Link,
    flow: &str,
    after: &str,
) -> Result<Vec<String>, StoreError> {
    let rows = link.fetch(sql::OTHER_KEYS, &[flow.into(), after.into()], true).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// The page of a flow that a record came with.
async fn page_with(
    link: &mut dyn Link,
    flow: &str,
    key: Fingerprint,
) -> Result<Option<JournalKeys>, StoreError> {
    let mut after = 0;
    loop {
        let pages = keys(link, flow, after).await?;
        let Some(last) = pages.last() else { return Ok(None) };
        after = last.number;
        if let Some(page) = pages.into_iter().find(|page| page.keys.contains(&key)) {
            return Ok(Some(page));
        }
    }
}

/// How a record ended that came with a page.
pub(super) async fn ledger(
    link: &mut dyn Link,
    flow: &str,
    source_key: &str,
) -> Result<Option<LedgerRow>, StoreError> {
    let Some(page) = page_with(link, flow, Fingerprint::of_key(source_key)).await? else { return Ok(None) };
    let rows = link.fetch(sql::JOURNAL_PAGE, &[flow.into(), page.number.into()], true).await?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
    Ok(Some(LedgerRow {
        source_print: Fingerprint::default(),
        plan: print(&mut row)?,
        outcome: OutcomeWord::Created,
        reason: None,
        attempts: 0,
        run: row.text()?,
        updated_at: row.int()?,
    }))
}

/// The same as a line of the log.
pub(super) async fn history(
    link: &mut dyn Link,
    flow: &str,
    source_key: &str,
) -> Result<Option<HistoryRow>, StoreError> {
    Ok(ledger(link, flow, source_key).await?.map(|row| HistoryRow {
        run: row.run,
        outcome: row.outcome,
        reason: Some(BY_THE_PAGE.to_owned()),
        payload: None,
        detail: None,
        at: row.updated_at,
    }))
}

/// Records of that source key, flow by flow, that are not found yet.
pub(super) async fn find(
    link: &mut dyn Link,
    source_key: &str,
    found: &mut Vec<Found>,
) -> Result<(), StoreError> {
    for mut row in link.fetch(sql::JOURNALS, &[], true).await? {
        let flow = row.text()?;
        let known = found.iter().any(|one| one.flow == flow && one.source_key == source_key);
        if !known && let Some(ledger) = ledger(link, &flow, source_key).await? {
            found.push(Found { flow, source_key: source_key.to_owned(), ledger: Some(ledger) });
        }
    }
    Ok(())
}
