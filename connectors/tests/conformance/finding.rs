//! What holds for resources whose records can be found.

use connectors::check::check_read;
use connectors::contract::Key;
use connectors::manifest::{Field, Find, Kind, Resource};
use connectors::record::{Record, Value};

use crate::subject::{Bench, Check, Outcome, Subject, check, ensure, key, told};

fn is_found(resource: &Resource) -> bool {
    !resource.find.is_empty()
}

pub(crate) const CHECKS: &[Check] =
    &[check!(Any, finds_what_is_there, is_found), check!(Any, finds_exactly, is_found)];

/// The values of the searched fields, when the record has them all.
fn key_by(record: &Record, find: &Find) -> Option<Key> {
    let value = |field: &String| record.at(field).filter(|value| !value.says_nothing()).cloned();
    find.by.iter().map(value).collect()
}

fn has(record: &Record, find: &Find, key: &Key) -> bool {
    let same = |(field, value): (&String, &Value)| {
        record.at(field).is_some_and(|other| other.says_the_same_as(value))
    };
    find.by.iter().zip(key).all(same)
}

/// A key that no record has, where one can be thought of.
fn unknown(resource: &Resource, find: &Find) -> Option<Key> {
    let value = |field: &Field| match field.kind {
        Kind::Text if field.values.is_empty() => {
            let text: String = "98989898989898".chars().take(field.max_length.unwrap_or(9)).collect();
            Some(Value::from(text))
        }
        Kind::Integer => Some(Value::Int(98_989_898)),
        _ => None,
    };
    find.by.iter().map(|name| resource.fields.get(name).and_then(value)).collect()
}

async fn ask(bench: &Bench, name: &str, find: &Find, keys: &[Key]) -> Result<Vec<Vec<Record>>, String> {
    let finder = bench.session.find(name).ok_or("the session cannot find")?;
    let found = finder.find(name, &find.by, keys).await.map_err(told)?;
    ensure!(found.len() == keys.len(), "{} answers to {} keys", found.len(), keys.len());
    Ok(found)
}

async fn finds_what_is_there(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let records = bench.some(&name).await?;
    for find in &resource.find {
        let by = find.by.join(", ");
        let mut keys: Vec<Key> = Vec::new();
        for key in records.iter().rev().filter_map(|record| key_by(record, find)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        ensure!(!keys.is_empty(), "no record at hand has {by}");
        // An unknown key in the middle shows whether answers keep the order of the keys.
        if let Some(unknown) = unknown(resource, find) {
            let at = usize::from(find.batch > 1);
            keys.insert(at.min(keys.len()), unknown);
        }
        for keys in keys.chunks(find.batch).take(6) {
            for (key, found) in keys.iter().zip(ask(&bench, &name, find, keys).await?) {
                let known = records.iter().filter(|record| has(record, find, key)).count();
                let expected = if find.first_only { known.min(1) } else { known };
                ensure!(found.len() >= expected, "by {by} {key:?}: {} found, {expected} known", found.len());
                ensure!(
                    expected > 0 || found.is_empty(),
                    "by {by} {key:?}: found what nobody has: {found:?}"
                );
                let one = find.unique || find.first_only;
                ensure!(!one || found.len() <= 1, "by {by} {key:?}: {} found, not one", found.len());
                for record in found {
                    ensure!(has(&record, find, key), "by {by} {key:?}: {record} has other values");
                    crate::subject::key(resource, &record)?;
                    let problems = check_read(&resource.fields, &record);
                    ensure!(problems.is_empty(), "{}\nin {record}", problems.join("\n"));
                }
            }
        }
        let nothing = ask(&bench, &name, find, &[]).await?;
        ensure!(nothing.is_empty(), "no keys, {} answers", nothing.len());
    }
    Ok(())
}

/// Many systems search for what begins with a text, or holds it; a find may not.
async fn finds_exactly(subject: Subject, name: String) -> Outcome {
    let bench = subject.bench().await?;
    let resource = bench.resource(&name)?;
    let records = bench.some(&name).await?;
    for find in &resource.find {
        let Some(whole) = records.iter().find_map(|record| key_by(record, find)) else { continue };
        for (at, value) in whole.iter().enumerate() {
            let Some(text) = value.as_str().filter(|text| text.chars().count() > 1) else { continue };
            let field = find.by.get(at).and_then(|name| resource.fields.get(name));
            if field.is_none_or(|field| field.kind != Kind::Text || !field.values.is_empty()) {
                continue;
            }
            let mut part = text.to_owned();
            part.pop();
            let mut wanted = whole.clone();
            if let Some(value) = wanted.get_mut(at) {
                *value = Value::from(part);
            }
            for record in ask(&bench, &name, find, std::slice::from_ref(&wanted)).await?.concat() {
                let key = key(resource, &record)?;
                ensure!(has(&record, find, &wanted), "by {:?} {wanted:?}: finds {key}: {record}", find.by);
            }
        }
    }
    Ok(())
}
