//! What holds for resources that are read page by page.

use std::collections::BTreeSet;

use connectors::check::check_read;
use connectors::contract::{FetchRequest, Limits};
use connectors::manifest::Resource;
use connectors::record::{Record, Value};
use connectors::simulator::Fault;

use crate::subject::{Check, Outcome, Subject, check, ensure, key, keys, read_from, tiny, told};

const fn is_fetched(resource: &Resource) -> bool {
    resource.fetch.is_some()
}

fn follows(resource: &Resource) -> bool {
    resource.fetch.as_ref().is_some_and(|fetch| !fetch.since.is_empty())
}

fn filters(resource: &Resource) -> bool {
    resource.fetch.as_ref().is_some_and(|fetch| !fetch.filters.is_empty())
}

fn has_detail(resource: &Resource) -> bool {
    resource.fetch.as_ref().is_some_and(|fetch| !fetch.detail.is_empty())
}

pub(crate) const CHECKS: &[Check] = &[
    check!(Any, pages_add_up, is_fetched),
    check!(Any, records_match_the_manifest, is_fetched),
    check!(Any, positions_resume, is_fetched),
    check!(Any, since_misses_nothing, follows),
    check!(Any, filters_filter, filters),
    check!(Any, detail_completes, has_detail),
    check!(Remote, a_busy_server_is_read_whole, is_fetched),
];

async fn pages_add_up(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let mut sets = Vec::new();
    for size in [7, 500] {
        let request = FetchRequest { resource: name.clone(), size, ..FetchRequest::default() };
        let pages = read_from(bench.session.as_ref(), &request, None).await?;
        for (next, records) in &pages {
            // A system without pages gives everything at once.
            let whole = pages.len() == 1 && next.is_none();
            ensure!(whole || records.len() <= size, "{} records in a page of {size}", records.len());
        }
        let records: Vec<_> = pages.into_iter().flat_map(|(_, records)| records).collect();
        let listed = keys(resource, &records)?;
        let unique: BTreeSet<_> = listed.iter().cloned().collect();
        ensure!(unique.len() == listed.len(), "{} records, {} keys", listed.len(), unique.len());
        sets.push(unique);
    }
    let found = sets.first().map_or(0, BTreeSet::len);
    ensure!(found >= 25, "{found} records; 25 or more show whether paging works");
    ensure!(sets.first() == sets.last(), "small pages and large ones hold different records");
    if let Some(book) = bench.simulator.books().get(&name).and_then(|book| book.as_array()) {
        ensure!(book.len() == found, "{found} records were read, {} are in the books", book.len());
    }
    Ok(())
}

async fn records_match_the_manifest(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    for record in bench.everything(&name).await? {
        let problems = check_read(&resource.fields, &record);
        ensure!(problems.is_empty(), "{}\nin {record}", problems.join("\n"));
        for since in resource.fetch.iter().flat_map(|fetch| &fetch.since) {
            let value = record.at(since).filter(|value| !value.is_null());
            ensure!(value.is_some(), "`{since}`, which a cursor follows, is not in {record}");
        }
    }
    Ok(())
}

async fn positions_resume(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let request = FetchRequest { resource: name.clone(), size: 7, ..FetchRequest::default() };
    let pages = read_from(bench.session.as_ref(), &request, None).await?;
    for (at, (next, _)) in pages.iter().enumerate() {
        let Some(next) = next else { continue };
        let rest = pages.iter().skip(at + 1).flat_map(|(_, records)| records.clone());
        let rest = keys(resource, &rest.collect::<Vec<_>>())?;
        let session = bench.again()?;
        let again = read_from(session.as_ref(), &request, Some(next.clone())).await?;
        let again: Vec<_> = again.into_iter().flat_map(|(_, records)| records).collect();
        let again = keys(resource, &again)?;
        ensure!(again == rest, "after page {at} a new session reads {again:?}, the old one {rest:?}");
    }
    Ok(())
}

/// A value that a cursor can follow, as a number that grows with it.
fn place(record: &Record, field: &str) -> Result<i128, String> {
    match record.at(field) {
        Some(Value::Int(number)) => Ok(i128::from(*number)),
        Some(Value::Text(text)) => {
            let moment: jiff::Timestamp = text.parse().map_err(|_| format!("`{text}` is no moment"))?;
            Ok(moment.as_nanosecond())
        }
        _ => Err(format!("no `{field}` in {record}")),
    }
}

async fn since_misses_nothing(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let fetch = resource.fetch.clone().unwrap_or_default();
    let all = bench.everything(&name).await?;
    for field in &fetch.since {
        let mut sorted = all.clone();
        sorted.sort_by_cached_key(|record| place(record, field).unwrap_or_default());
        let lowest = sorted.first().map_or(Ok(0), |record| place(record, field))?;
        for at in [0, sorted.len() / 2, sorted.len().saturating_sub(1)] {
            let Some(record) = sorted.get(at) else { continue };
            let (least, value) = (place(record, field)?, record.at(field).cloned().unwrap_or_default());
            let since = Some((field.clone(), value.clone()));
            let request = FetchRequest { resource: name.clone(), since, size: 7, ..FetchRequest::default() };
            let pages = read_from(bench.session.as_ref(), &request, None).await?;
            let found: Vec<_> = pages.into_iter().flat_map(|(_, records)| records).collect();
            let found_keys: BTreeSet<_> = keys(resource, &found)?.into_iter().collect();
            for record in &all {
                let due = place(record, field)? >= least;
                let key = key(resource, record)?;
                ensure!(!due || found_keys.contains(&key), "since {field} = {value} misses {key}: {record}");
            }
            let narrows = least == lowest || found_keys.len() < all.len();
            ensure!(narrows, "since {field} = {value} leaves nothing out");
            let places = found.iter().map(|record| place(record, field)).collect::<Result<Vec<_>, _>>()?;
            // The first of several since fields is the one that pages are sorted by.
            let sorted = !fetch.ascending || fetch.since.first() != Some(field) || places.is_sorted();
            ensure!(sorted, "pages are not in ascending order of `{field}`");
        }
    }
    Ok(())
}

async fn filters_filter(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let all = bench.everything(&name).await?;
    for field in resource.fetch.iter().flat_map(|fetch| &fetch.filters) {
        let some = |record: &&Record| record.at(field).is_some_and(|value| !value.says_nothing());
        let Some(value) = all.iter().find(some).and_then(|record| record.at(field)) else { continue };
        let conditions = vec![(field.clone(), value.clone())];
        let request = FetchRequest { resource: name.clone(), conditions, size: 7, ..FetchRequest::default() };
        let pages = read_from(bench.session.as_ref(), &request, None).await?;
        let found: Vec<_> = pages.into_iter().flat_map(|(_, records)| records).collect();
        let has = |record: &&Record| record.at(field).is_some_and(|other| other.says_the_same_as(value));
        let expected: Vec<_> = all.iter().filter(has).cloned().collect();
        let (found, expected) = (keys(resource, &found)?, keys(resource, &expected)?);
        let (found, expected) = (BTreeSet::from_iter(found), BTreeSet::from_iter(expected));
        ensure!(found == expected, "where {field} = {value}: {found:?} were read, {expected:?} have it");
    }
    Ok(())
}

async fn detail_completes(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let detail = bench.session.detail(&name).ok_or("the session has no detail")?;
    let fields = resource.fetch.clone().unwrap_or_default().detail;
    let mut filled = BTreeSet::new();
    for record in bench.everything(&name).await?.into_iter().take(8) {
        let whole = detail.complete(&name, record.clone()).await.map_err(told)?;
        let problems = check_read(&resource.fields, &whole);
        ensure!(problems.is_empty(), "{}\nin {whole}", problems.join("\n"));
        for (field, value) in
            record.iter().filter(|(field, _)| !fields.iter().any(|name| name == field.as_str()))
        {
            let kept = whole.get(field).unwrap_or(&Value::Null);
            ensure!(kept.says_the_same_as(value), "{field} was {value} and became {kept}");
        }
        filled
            .extend(fields.iter().filter(|field| whole.at(field).is_some_and(|value| !value.says_nothing())));
    }
    let missing: Vec<_> = fields.iter().filter(|field| !filled.contains(field)).collect();
    ensure!(missing.is_empty(), "in none of the first records: {missing:?}");
    Ok(())
}

async fn a_busy_server_is_read_whole(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench_with(&Limits { tries: 12, ..tiny() }).await?;
    let resource = bench.resource(&name)?;
    let calm = keys(resource, &bench.everything(&name).await?)?;
    bench.running.faults.rate(Fault::Busy, 200);
    bench.running.faults.rate(Fault::Cut, 50);
    bench.running.faults.rate(Fault::Reset, 50);
    let busy = keys(resource, &bench.everything(&name).await?)?;
    ensure!(busy == calm, "a busy server gives other records");
    Ok(())
}
