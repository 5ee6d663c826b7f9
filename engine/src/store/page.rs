//! A page of records: what is known of it, that it begins, how it ended.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::answers::{Intent, Known};
use super::compact::pack;
use super::lease::{fence, fingerprint, print};
use super::link::{Arg, Link, Row, Words};
use super::records::{read_ledger, search_key};
use super::types::{Counts, Cursor, Lease, Millis, OutcomeWord, Page, Settled, Written};
use super::{StoreError, journal, person, restored, sql};

pub(super) async fn cursor(link: &mut dyn Link, flow: &str) -> Result<Option<Cursor>, StoreError> {
    let rows = link.fetch(sql::CURSOR, &[flow.into()], true).await?;
    rows.into_iter().next().map(read_cursor).transpose()
}

fn read_cursor(mut row: Row) -> Result<Cursor, StoreError> {
    Ok(Cursor {
        since: row.maybe_text()?,
        high: row.maybe_text()?,
        position: row.maybe_text()?,
        plan: row.maybe_bytes()?.map(|bytes| fingerprint(&bytes)).transpose()?,
    })
}

/// Moves the cursor, the lease having been checked.
async fn move_cursor(
    link: &mut dyn Link,
    flow: &str,
    cursor: &Cursor,
    now: Millis,
) -> Result<(), StoreError> {
    let args = [
        flow.into(),
        cursor.since.as_deref().into(),
        cursor.high.as_deref().into(),
        cursor.position.as_deref().into(),
        cursor.plan.as_ref().map(|plan| plan.0.as_slice()).into(),
        now.into(),
    ];
    link.execute(sql::SET_CURSOR, &args, true).await?;
    Ok(())
}

pub(super) async fn set_cursor(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    cursor: &Cursor,
) -> Result<(), StoreError> {
    let now = fence(link, words, lease).await?;
    move_cursor(link, &lease.flow, cursor, now).await
}

pub(super) async fn known(link: &mut dyn Link, flow: &str, keys: &[&str]) -> Result<Vec<Known>, StoreError> {
    let asked = once(keys.iter().copied());
    let mut found = known_by(link, flow, &asked).await?;
    let new: Vec<&str> = asked.iter().copied().filter(|key| !found.contains_key(*key)).collect();
    found.extend(person::known(link, flow, &new).await?);
    let is_new = |key: &&str| found.get(*key).is_none_or(|known| known.ledger.is_none());
    let gap = if keys.iter().any(is_new) { restored::since(link, flow).await? } else { None };
    let answer = |key: &&str| {
        let mut known = found.get(*key).cloned().unwrap_or_default();
        if let Some(at) = gap {
            restored::doubt(&mut known, key, at);
        }
        known
    };
    Ok(keys.iter().map(answer).collect())
}

/// What is known under these very keys.
pub(super) async fn known_by(
    link: &mut dyn Link,
    flow: &str,
    asked: &[&str],
) -> Result<HashMap<String, Known>, StoreError> {
    let shared = [flow.into()];
    let mut found: HashMap<String, Known> = HashMap::with_capacity(asked.len());
    for mut row in link.fetch_many(&sql::KNOWN_LEDGER, &shared, asked).await? {
        let key = row.text()?;
        found.entry(key).or_default().ledger = Some(read_ledger(&mut row)?);
    }
    for mut row in link.fetch_many(&sql::KNOWN_WRITTEN, &shared, asked).await? {
        let key = row.text()?;
        found.entry(key).or_default().written.push(read_written(&mut row)?);
    }
    for row in link.fetch_many(&sql::KNOWN_INTENTS, &shared, asked).await? {
        let intent = read_intent(row)?;
        let known = found.entry(intent.source_key.clone()).or_default();
        known.intent = Some(intent);
    }
    Ok(found)
}

fn read_written(row: &mut Row) -> Result<Written, StoreError> {
    Ok(Written {
        write_id: row.text()?,
        item: row.text()?,
        target_key: row.text()?,
        sent_print: print(row)?,
        sent: row.maybe_bytes()?,
    })
}

fn read_intent(mut row: Row) -> Result<Intent, StoreError> {
    Ok(Intent { source_key: row.text()?, epoch: row.int()?, run: row.text()?, begun_at: row.int()? })
}

pub(super) async fn open_intents(link: &mut dyn Link, flow: &str) -> Result<Vec<Intent>, StoreError> {
    link.fetch(sql::OPEN_INTENTS, &[flow.into()], true).await?.into_iter().map(read_intent).collect()
}

pub(super) async fn begin(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    run: &str,
    keys: &[&str],
) -> Result<(), StoreError> {
    let now = fence(link, words, lease).await?;
    person::come_back(link, &lease.flow, keys).await?;
    let shared = [(&lease.flow).into(), lease.epoch.into(), run.into(), now.into()];
    let rows: Vec<Vec<Arg<'_>>> =
        once(keys.iter().copied()).into_iter().map(|key| vec![key.into()]).collect();
    link.execute_many(&sql::BEGIN, &shared, &rows).await?;
    Ok(())
}

pub(super) async fn settle(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    page: &Page,
) -> Result<(), StoreError> {
    let now = fence(link, words, lease).await?;
    let number = count(link, lease, page).await?;
    let records = latest(&page.records);
    write_ledger(link, lease, page, &records, now).await?;
    write_written(link, lease, page, now).await?;
    write_activity(link, lease, page, number, now).await?;
    write_search_keys(link, lease, &records).await?;
    write_dead(link, lease, page, &records, now).await?;
    journal::write(link, lease, page, now).await?;
    if let Some(cursor) = &page.cursor {
        move_cursor(link, &lease.flow, cursor, now).await?;
        if cursor.position.is_none() {
            restored::unmark(link, &lease.flow).await?;
        }
    }
    drop_intents(link, lease, page).await
}

/// Adds the page to its run; answers the number of the page.
async fn count(link: &mut dyn Link, lease: &Lease, page: &Page) -> Result<i64, StoreError> {
    let mut counts: Counts = page.counted;
    for record in &page.records {
        counts.add(record.outcome.word());
    }
    let args = [
        (&page.run).into(),
        (&lease.flow).into(),
        counts.read().into(),
        counts.created.into(),
        counts.updated.into(),
        counts.unchanged.into(),
        counts.skipped.into(),
        counts.failed.into(),
        counts.waiting.into(),
    ];
    let rows = link.fetch(sql::COUNT_PAGE, &args, true).await?;
    let no_run = || StoreError::NoSuchRun { flow: lease.flow.clone(), run: page.run.clone() };
    rows.into_iter().next().ok_or_else(no_run)?.int()
}

async fn write_ledger(
    link: &mut dyn Link,
    lease: &Lease,
    page: &Page,
    records: &[&Settled],
    now: Millis,
) -> Result<(), StoreError> {
    let shared = [(&lease.flow).into(), page.plan.0.as_slice().into(), (&page.run).into(), now.into()];
    let rows: Vec<Vec<Arg<'_>>> = records
        .iter()
        .map(|record| {
            vec![
                (&record.source_key).into(),
                record.source_print.0.as_slice().into(),
                record.outcome.word().as_str().into(),
                record.outcome.reason().into(),
                i64::from(is_open(record)).into(),
            ]
        })
        .collect();
    link.execute_many(&sql::LEDGER, &shared, &rows).await?;
    Ok(())
}

/// Writes of records that are on their way, by key of the record.
pub(super) async fn note_writes(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    run: &str,
    writes: &[(String, Written)],
) -> Result<(), StoreError> {
    let now = fence(link, words, lease).await?;
    let shared = [(&lease.flow).into(), run.into(), now.into()];
    // One statement sets no row twice.
    let rows: BTreeMap<(&str, &str, &str), Vec<Arg<'_>>> = writes
        .iter()
        .map(|(key, written)| ((&**key, &*written.write_id, &*written.item), row_of(key, written)))
        .collect();
    let rows: Vec<Vec<Arg<'_>>> = rows.into_values().collect();
    link.execute_many(&sql::WRITTEN, &shared, &rows).await?;
    Ok(())
}

fn row_of<'w>(source_key: &'w str, written: &'w Written) -> Vec<Arg<'w>> {
    vec![
        source_key.into(),
        (&written.write_id).into(),
        (&written.item).into(),
        (&written.target_key).into(),
        written.sent_print.0.as_slice().into(),
        written.sent.as_deref().into(),
    ]
}

async fn write_written(
    link: &mut dyn Link,
    lease: &Lease,
    page: &Page,
    now: Millis,
) -> Result<(), StoreError> {
    let shared = [(&lease.flow).into(), (&page.run).into(), now.into()];
    // What an earlier mention of a record wrote stands too: it was sent.
    let mut all: BTreeMap<(&str, &str, &str), &Written> = BTreeMap::new();
    for record in &page.records {
        for written in &record.written {
            all.insert((&record.source_key, &written.write_id, &written.item), written);
        }
    }
    let rows: Vec<Vec<Arg<'_>>> =
        all.into_iter().map(|((record, ..), written)| row_of(record, written)).collect();
    link.execute_many(&sql::WRITTEN, &shared, &rows).await?;
    Ok(())
}

async fn write_activity(
    link: &mut dyn Link,
    lease: &Lease,
    page: &Page,
    number: i64,
    now: Millis,
) -> Result<(), StoreError> {
    let shared = [(&page.run).into(), number.into(), (&lease.flow).into(), now.into()];
    let logged = page.records.iter().filter_map(|record| Some((record, record.activity.as_ref()?)));
    let packed: Vec<_> = logged
        .map(|(record, activity)| {
            let [payload, detail] =
                [&activity.payload, &activity.detail].map(|text| text.as_deref().map(pack));
            (record, payload, detail)
        })
        .collect();
    let rows: Vec<Vec<Arg<'_>>> = (0_i64..)
        .zip(&packed)
        .map(|(seq, (record, payload, detail))| {
            vec![
                seq.into(),
                (&record.source_key).into(),
                record.outcome.word().as_str().into(),
                record.outcome.reason().into(),
                payload.as_deref().into(),
                detail.as_deref().into(),
            ]
        })
        .collect();
    link.execute_many(&sql::ACTIVITY, &shared, &rows).await?;
    Ok(())
}

async fn write_search_keys(
    link: &mut dyn Link,
    lease: &Lease,
    records: &[&Settled],
) -> Result<(), StoreError> {
    let keys: HashSet<(String, &str)> = records
        .iter()
        .flat_map(|record| record.search_keys.iter().map(|key| (search_key(key), record.source_key.as_str())))
        .filter(|(key, _)| !key.is_empty())
        .collect();
    let rows: Vec<Vec<Arg<'_>>> =
        keys.iter().map(|(key, record)| vec![key.into(), (*record).into()]).collect();
    link.execute_many(&sql::RECORD_KEYS, &[(&lease.flow).into()], &rows).await?;
    Ok(())
}

/// Buries what failed or waits, resolves what came through.
async fn write_dead(
    link: &mut dyn Link,
    lease: &Lease,
    page: &Page,
    records: &[&Settled],
    now: Millis,
) -> Result<(), StoreError> {
    let (open, well): (Vec<&Settled>, Vec<&Settled>) = records.iter().partition(|record| is_open(record));
    let shared = [(&lease.flow).into(), page.plan.0.as_slice().into(), (&page.run).into(), now.into()];
    let packed: Vec<_> = open.into_iter().map(|record| (record, pack(&record.payload))).collect();
    let rows: Vec<Vec<Arg<'_>>> =
        packed.iter().filter_map(|(record, payload)| letter(record, payload)).collect();
    link.execute_many(&sql::BURY, &shared, &rows).await?;
    let rows: Vec<Vec<Arg<'_>>> = well.into_iter().map(|record| vec![(&record.source_key).into()]).collect();
    link.execute_many(&sql::RESOLVE, &[(&lease.flow).into(), now.into()], &rows).await?;
    Ok(())
}

/// The values of a dead letter.
fn letter<'r>(record: &'r Settled, payload: &'r [u8]) -> Option<Vec<Arg<'r>>> {
    use super::types::Outcome::{Failed, Waiting};
    let (class, reason, retry_at) = match &record.outcome {
        Failed { class, reason } => (class, reason, None),
        Waiting { class, reason, retry_at } => (class, reason, Some(*retry_at)),
        _ => return None,
    };
    let print = record.source_print.0.as_slice();
    let key = (&record.source_key).into();
    Some(vec![key, payload.into(), class.into(), reason.into(), retry_at.into(), print.into()])
}

async fn drop_intents(link: &mut dyn Link, lease: &Lease, page: &Page) -> Result<(), StoreError> {
    // The later mention of a record decides, as it does for its outcome.
    let records = latest(&page.records);
    let settled = records.iter().filter(|record| !record.in_doubt).map(|record| record.source_key.as_str());
    let withdrawn = page.withdrawn.iter().map(String::as_str);
    let rows: Vec<Vec<Arg<'_>>> =
        once(settled.chain(withdrawn)).into_iter().map(|key| vec![key.into()]).collect();
    link.execute_many(&sql::DROP_INTENTS, &[(&lease.flow).into()], &rows).await?;
    Ok(())
}

/// Somebody, or the engine, has to come back to it.
fn is_open(record: &Settled) -> bool {
    matches!(record.outcome.word(), OutcomeWord::Failed | OutcomeWord::Waiting)
}

/// Each record once, as it was last mentioned: one statement may touch a row only once.
fn latest(records: &[Settled]) -> Vec<&Settled> {
    let mut seen = HashSet::with_capacity(records.len());
    let mut latest: Vec<&Settled> =
        records.iter().rev().filter(|record| seen.insert(record.source_key.as_str())).collect();
    latest.reverse();
    latest
}

/// Each key once.
fn once<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    keys.filter(|key| seen.insert(*key)).collect()
}
