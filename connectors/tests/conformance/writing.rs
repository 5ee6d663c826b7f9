//! What holds for resources that are written.

use connectors::check::check_write;
use connectors::contract::{Advice, Limits, Written};
use connectors::manifest::{Field, Kind, Named, Resource};
use connectors::record::{Record, Value};
use connectors::simulator::Fault;

use crate::subject::{Bench, Check, Outcome, Subject, check, ensure, key, tiny, told};

const fn is_created(resource: &Resource) -> bool {
    resource.create.is_some()
}

fn is_idempotent(resource: &Resource) -> bool {
    resource.create.as_ref().is_some_and(|create| create.idempotent)
}

const fn is_updated(resource: &Resource) -> bool {
    resource.update.is_some()
}

pub(crate) const CHECKS: &[Check] = &[
    check!(Any, what_is_created_is_there, is_created),
    check!(Any, the_same_key_creates_once, is_idempotent),
    check!(Remote, a_lost_answer_never_doubles, is_created),
    check!(Remote, a_busy_server_takes_every_record, is_created),
    check!(Any, an_update_changes_only_what_it_says, is_updated),
    check!(Any, an_update_of_nothing_is_refused, is_updated),
    check!(Remote, a_lost_update_is_repeated_or_in_doubt, is_updated),
];

/// The record with that key, by find or by reading everything; `None` when neither can tell.
async fn look(bench: &Bench, name: &str, wanted: &str, hint: &Record) -> Result<Option<Vec<Record>>, String> {
    let resource = bench.resource(name)?;
    let mut hint = hint.clone();
    hint.set(resource.key.as_str(), wanted);
    let is_it = |record: &Record| key(resource, record).is_ok_and(|key| key == wanted);
    for find in &resource.find {
        let value = |field: &String| hint.at(field).filter(|value| !value.says_nothing()).cloned();
        let (Some(by), Some(finder)) = (find.by.iter().map(value).collect(), bench.session.find(name)) else {
            continue;
        };
        let found = finder.find(name, &find.by, &[by]).await.map_err(told)?.concat();
        return Ok(Some(found.into_iter().filter(is_it).collect()));
    }
    if bench.session.fetch(name).is_none() {
        return Ok(None);
    }
    let mut found: Vec<_> = bench.everything(name).await?.into_iter().filter(is_it).collect();
    if let (Some(detail), Some(record)) = (bench.session.detail(name), found.first_mut()) {
        *record = detail.complete(name, record.clone()).await.map_err(told)?;
    }
    Ok(Some(found))
}

/// Plain values of what was sent that are not so in what is there.
fn lost(resource: &Resource, sent: &Record, there: &Record) -> Vec<String> {
    let plain = sent.iter().filter(|(name, value)| {
        let field = resource.fields.get(name);
        !matches!(value, Value::List(_) | Value::Map(_)) && field.is_none_or(|field| !field.write_only)
    });
    plain
        .filter_map(|(name, value)| {
            let now = there.get(name).unwrap_or(&Value::Null);
            (!now.says_the_same_as(value)).then(|| format!("{name} was sent as {value} and is {now}"))
        })
        .collect()
}

async fn create(bench: &Bench, name: &str, number: usize, key: &str) -> Result<Written, String> {
    let create = bench.session.create(name).ok_or("the session cannot create")?;
    create.create(name, &bench.sample(name, number)?, key).await.map_err(told)
}

async fn what_is_created_is_there(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let mut known = Vec::new();
    for number in 1..=2 {
        let sample = bench.sample(&name, number)?;
        let problems = check_write(&resource.fields, &sample, true);
        ensure!(problems.is_empty(), "the sample is no good: {}", problems.join("\n"));
        let before = bench.count();
        let written = create(&bench, &name, number, &format!("there-{number}")).await?;
        ensure!(!written.key.is_empty(), "the create gives no key");
        ensure!(!known.contains(&written.key), "two creates give the key {}", written.key);
        ensure!(bench.count() > before, "nothing was added to the books");
        if let Some(found) = look(&bench, &name, &written.key, &sample).await? {
            let [record] = found.as_slice() else {
                return Err(format!("{} records have the new key {}", found.len(), written.key));
            };
            let lost = lost(resource, &sample, record);
            ensure!(lost.is_empty(), "{}", lost.join("\n"));
        }
        known.push(written.key);
    }
    Ok(())
}

async fn the_same_key_creates_once(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let one = create(&bench, &name, 1, "the-same-key").await?;
    let after_one = bench.count();
    let two = create(&bench, &name, 1, "the-same-key").await?;
    ensure!(one.key == two.key, "the same create gives the keys {} and {}", one.key, two.key);
    ensure!(bench.count() == after_one, "the same create added {} records more", bench.count() - after_one);
    let other = create(&bench, &name, 2, "another-key").await?;
    ensure!(other.key != one.key, "another create gives the same key");
    Ok(())
}

/// Loses, cuts and resets each request that a create makes, one at a time.
async fn a_lost_answer_never_doubles(subject: Subject, name: String) -> Outcome {
    let calm = subject.bench().await?;
    calm.session.probe().await.map_err(told)?;
    let (before, asked) = (calm.count(), calm.running.requests());
    create(&calm, &name, 1, "lost").await?;
    let (once, requests) = (calm.count() - before, calm.running.requests() - asked);
    let idempotent = is_idempotent(calm.resource(&name)?);
    for fault in [Fault::Lost, Fault::Cut, Fault::Reset] {
        for others in 0..usize::try_from(requests.min(6)).unwrap_or(6) {
            let bench = subject.bench().await?;
            bench.session.probe().await.map_err(told)?;
            let before = bench.count();
            bench.running.faults.after(others, fault);
            let creator = bench.session.create(&name).ok_or("the session cannot create")?;
            let sample = bench.sample(&name, 1)?;
            let outcome = creator.create(&name, &sample, "lost").await;
            bench.running.faults.clear();
            let added = bench.count() - before;
            let place = format!("{fault:?} at request {} of {requests}", others + 1);
            // A create of several parts may stop between them, but only in doubt.
            ensure!(added <= once, "{place}: {added} records were added, not {once}");
            match outcome.as_ref().map_err(|error| error.advice) {
                Ok(_) => ensure!(added == once, "{place}: a success that added nothing"),
                Err(Advice::Unknown) => {}
                Err(Advice::Retry(_)) => {
                    ensure!(idempotent || added == 0, "{place}: said to have done nothing, and did");
                }
                Err(advice) => return Err(format!("{place}: is {advice:?}")),
            }
            if idempotent && outcome.is_err() {
                creator.create(&name, &sample, "lost").await.map_err(told)?;
                let added = bench.count() - before;
                ensure!(added == once, "{place}: after the repeat {added} records were added, not {once}");
            }
        }
    }
    Ok(())
}

async fn a_busy_server_takes_every_record(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench_with(&Limits { tries: 12, ..tiny() }).await?;
    let before = bench.count();
    create(&bench, &name, 1, "busy-1").await?;
    let once = bench.count() - before;
    bench.running.faults.rate(Fault::Busy, 200);
    for number in 2..=8 {
        create(&bench, &name, number, &format!("busy-{number}")).await?;
    }
    let added = bench.count() - before;
    ensure!(added == 8 * once, "8 creates added {added} records, one adds {once}");
    Ok(())
}

/// The record without what only the system writes, in its parts too.
fn own(fields: &Named<Field>, record: &Record) -> Record {
    let own = |name: &str, value: &Value| {
        let field = fields.get(name).filter(|field| !field.read_only)?;
        Some(match value {
            Value::Map(part) if !field.fields.is_empty() => self::own(&field.fields, part).into(),
            Value::List(items) => items
                .iter()
                .map(|item| match item {
                    Value::Map(part) if !field.fields.is_empty() => self::own(&field.fields, part).into(),
                    other => other.clone(),
                })
                .collect::<Vec<_>>()
                .into(),
            other => other.clone(),
        })
    };
    record.iter().filter_map(|(name, value)| Some((name.clone(), own(name, value)?))).collect()
}

async fn an_update_changes_only_what_it_says(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let update = bench.session.update(&name).ok_or("the session cannot update")?;
    let first = bench.some(&name).await?.into_iter().next().ok_or("there is no record")?;
    let wanted = key(resource, &first)?;
    for number in 1..=2 {
        let changes = bench.simulator.change(&name, number).ok_or("the simulator has no change")?;
        let problems = check_write(&resource.fields, &changes, false);
        ensure!(problems.is_empty(), "the change is no good: {}", problems.join("\n"));
        let before = look(&bench, &name, &wanted, &first).await?.and_then(|found| found.into_iter().next());
        // With and without the record as it was, and twice: saying the same again is no fault.
        let current = before.as_ref().filter(|_| number == 1);
        for _ in 0..2 {
            let written = update.update(&name, &wanted, &changes, current).await.map_err(told)?;
            ensure!(written.key == wanted, "the update of {wanted} gives the key {}", written.key);
        }
        let mut hint = first.clone();
        changes.iter().for_each(|(name, value)| drop(hint.set(name, value.clone())));
        let after = look(&bench, &name, &wanted, &hint).await?.and_then(|found| found.into_iter().next());
        let (Some(before), Some(after)) = (before, after) else { continue };
        let lost = lost(resource, &changes, &after);
        ensure!(lost.is_empty(), "{}", lost.join("\n"));
        let (before, after) = (own(&resource.fields, &before), own(&resource.fields, &after));
        for (field, value) in before.iter().filter(|(field, _)| changes.get(field).is_none()) {
            let kept = after.get(field).unwrap_or(&Value::Null);
            let follows = resource
                .fields
                .get(field)
                .is_some_and(|field| field.follows.iter().any(|other| changes.get(other).is_some()));
            ensure!(follows || kept.says_the_same_as(value), "{field} was {value} and became {kept}");
        }
    }
    Ok(())
}

async fn an_update_of_nothing_is_refused(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let update = bench.session.update(&name).ok_or("the session cannot update")?;
    let changes = bench.simulator.change(&name, 1).ok_or("the simulator has no change")?;
    let field = resource.fields.get(&resource.key).filter(|field| field.kind == Kind::Text);
    let most = field.and_then(|field| field.max_length).unwrap_or(8);
    let nobody: String = "98989898".chars().take(most).collect();
    let before = bench.simulator.books();
    match update.update(&name, &nobody, &changes, None).await {
        Ok(_) => return Err(format!("an update of {nobody}, which does not exist, succeeds")),
        Err(error) => ensure!(error.advice == Advice::SkipRecord, "{}", told(error)),
    }
    ensure!(bench.simulator.books() == before, "the books changed");
    Ok(())
}

async fn a_lost_update_is_repeated_or_in_doubt(subject: Subject, name: String) -> Outcome {
    for fault in [Fault::Lost, Fault::Cut] {
        let bench = subject.bench().await?;
        let resource = bench.resource(&name)?;
        let first = bench.some(&name).await?.into_iter().next().ok_or("there is no record")?;
        let changes = bench.simulator.change(&name, 1).ok_or("the simulator has no change")?;
        let update = bench.session.update(&name).ok_or("the session cannot update")?;
        let before = bench.count();
        bench.running.faults.next([fault]);
        let outcome = update.update(&name, &key(resource, &first)?, &changes, Some(&first)).await;
        let fits = matches!(outcome.as_ref().map_err(|error| error.advice), Ok(_) | Err(Advice::Unknown));
        ensure!(fits, "{fault:?}: {}", outcome.map_or_else(told, |written| written.key));
        ensure!(bench.count() == before, "an update added records");
    }
    Ok(())
}
