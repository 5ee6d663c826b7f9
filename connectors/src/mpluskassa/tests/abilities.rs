//! Every ability of every resource, as the manifest promises it.

use super::super::MANIFEST;
use super::*;
use crate::manifest::{Field, Kind, Named};
use crate::simulator::Simulator as _;

/// A record has only fields of the manifest, with their types.
fn check_fields(fields: &Named<Field>, record: &Record, at: &str) {
    for (name, value) in record.iter() {
        let Some(field) = fields.get(name) else { panic!("{at}: `{name}` is not in the manifest") };
        let at = format!("{at}.{name}");
        assert!(value.as_str() != Some(""), "{at}: the empty text");
        assert!(!field.write_only, "{at} cannot be read");
        check_value(field, value, &at);
    }
}

fn check_value(field: &Field, value: &Value, at: &str) {
    let fits = match field.kind {
        Kind::Text => value.as_str().is_some_and(|text| {
            (field.values.is_empty() || field.values.iter().any(|known| known == text))
                && (!field.digits_only || text.bytes().all(|byte| byte.is_ascii_digit()))
        }),
        Kind::Integer => value.as_int().is_some(),
        Kind::Decimal => matches!(value, Value::Decimal(_)),
        Kind::Boolean => value.as_bool().is_some(),
        Kind::Date => value.as_str().is_some_and(|text| text.parse::<jiff::civil::Date>().is_ok()),
        Kind::Datetime => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        Kind::Record => value.as_map().is_some(),
        Kind::List => value.as_list().is_some(),
        Kind::Any => true,
    };
    assert!(fits || value.is_null(), "{at}: {value} is no {:?}", field.kind);
    match value {
        Value::Map(inner) if !field.fields.is_empty() => check_fields(&field.fields, inner, at),
        Value::List(items) => {
            for item in items {
                match item {
                    Value::Map(inner) => check_fields(&field.fields, inner, at),
                    Value::Text(_) => assert_eq!(field.items, Some(Kind::Text), "{at}"),
                    other => panic!("{at}: {other}"),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_resource_is_read_page_by_page() {
    let stand = Stand::filled().await;
    for (name, resource) in MANIFEST.resources.iter() {
        let Some(fetch) = &resource.fetch else { continue };
        let all = stand.all(name, 7, None).await;
        assert!(all.len() >= 25, "{name}: {}", all.len());
        let mut keys: Vec<&str> = all.iter().map(|record| record.text(&resource.key).unwrap()).collect();
        for record in &all {
            check_fields(&resource.fields, record, name);
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.len(), "{name}: each once");
        let Some(since) = fetch.since.first() else { continue };
        let markers: Vec<i64> =
            all.iter().map(|record| record.get(since).unwrap().as_int().unwrap()).collect();
        assert!(markers.is_sorted(), "{name}: {markers:?}");
        let from = markers[markers.len() / 2];
        let later = stand.all(name, 1000, Some((since, from))).await;
        let expected = markers.iter().filter(|marker| **marker >= from).count();
        assert_eq!(later.len(), expected, "{name}: since is inclusive");
    }
}

#[tokio::test]
async fn what_is_read_is_found_by_every_key() {
    let stand = Stand::filled().await;
    for (name, resource) in MANIFEST.resources.iter() {
        if resource.fetch.is_none() {
            continue;
        }
        let all = stand.all(name, 100, None).await;
        for find in &resource.find {
            let by: Vec<&str> = find.by.iter().map(String::as_str).collect();
            let has = |record: &&Record| find.unique || by.iter().any(|field| record.get(field).is_some());
            let some: Vec<&Record> = all.iter().filter(has).take(find.batch.min(12)).collect();
            if some.is_empty() {
                // The sample has no such values; the tests of single resources do.
                continue;
            }
            let keys: Vec<Vec<Value>> = some
                .iter()
                .map(|record| by.iter().map(|field| record.get(field).cloned().unwrap_or_default()).collect())
                .collect();
            let slices: Vec<&[Value]> = keys.iter().map(Vec::as_slice).collect();
            let found = stand.find(name, &by, &slices).await;
            assert_eq!(found.len(), keys.len());
            for (record, found) in some.iter().zip(found) {
                let key = record.get(&resource.key);
                assert!(
                    found.iter().any(|found| found.get(&resource.key) == key),
                    "{name} by {by:?}: {record:?}"
                );
                assert!(found.len() == 1 || !find.unique, "{name} by {by:?}");
                for found in found {
                    check_fields(&resource.fields, &found, name);
                }
            }
            let strange: Vec<Value> = by.iter().map(|_| "AB-1".into()).collect();
            let missing: Vec<Value> = by.iter().map(|_| "99999999".into()).collect();
            let empty = vec![Value::Null; by.len()];
            let keys: [&[Value]; 3] = [&strange, &missing, &empty];
            let none = stand.find(name, &by, &keys[..find.batch.min(3)]).await;
            assert!(none.iter().take(2).all(Vec::is_empty), "{name} by {by:?}: {none:?}");
        }
    }
}

#[tokio::test]
async fn every_resource_is_created_and_updated() {
    let stand = Stand::filled().await;
    for (name, resource) in MANIFEST.resources.iter() {
        if resource.create.is_some() {
            for number in 1..=3 {
                let sample = stand.till.sample(name, number).unwrap();
                for field in resource.fields.iter().filter(|(_, field)| field.required) {
                    assert!(sample.get(field.0).is_some(), "{name}: the sample lacks {}", field.0);
                }
                let key = format!("{name}-{number}");
                let written = stand.session.create(name).unwrap().create(name, &sample, &key).await.unwrap();
                assert_eq!(written.record.text(&resource.key), Some(written.key.as_str()), "{name}");
                let Some(find) = resource.find.iter().find(|find| find.unique) else { continue };
                let key: Vec<Value> =
                    find.by.iter().map(|field| written.record.get(field).cloned().unwrap()).collect();
                let by: Vec<&str> = find.by.iter().map(String::as_str).collect();
                let found = stand.find(name, &by, &[&key]).await.remove(0).remove(0);
                for (field, value) in sample.iter() {
                    let is_write_only = resource.fields.get(field).unwrap().write_only;
                    let is_part = matches!(value, Value::List(_) | Value::Map(_));
                    let same = value.says_the_same_as(found.get(field).unwrap_or(&Value::Null));
                    assert!(
                        same || is_write_only || is_part,
                        "{name}.{field}: {value} became {:?}",
                        found.get(field)
                    );
                }
            }
        }
        if resource.update.is_some() {
            let current = stand.all(name, 100, None).await.remove(3);
            let key = current.text(&resource.key).unwrap().to_owned();
            for (number, known) in [(1, None), (2, Some(&current))] {
                let changes = stand.till.change(name, number).unwrap();
                let update = stand.session.update(name).unwrap();
                let written = update.update(name, &key, &changes, known).await.unwrap();
                assert_eq!(written.key, key);
                let now = stand.all(name, 100, None).await;
                let now = now.iter().find(|record| record.text(&resource.key) == Some(&key)).unwrap();
                for (field, value) in changes.iter() {
                    assert!(value.says_the_same_as(now.get(field).unwrap()), "{name}.{field}");
                }
                for (field, value) in current.iter() {
                    let field_of = resource.fields.get(field).unwrap();
                    let may_change =
                        field_of.read_only || changes.get(field).is_some() || field.starts_with("price_");
                    let is_list = matches!(value, Value::List(_));
                    assert!(
                        may_change || is_list || now.get(field) == Some(value),
                        "{name}.{field} changed too"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn what_the_manifest_does_not_promise_is_not_offered() {
    let stand = Stand::empty().await;
    for (name, resource) in MANIFEST.resources.iter() {
        assert_eq!(stand.session.fetch(name).is_some(), resource.fetch.is_some());
        assert_eq!(stand.session.find(name).is_some(), !resource.find.is_empty());
        assert_eq!(stand.session.create(name).is_some(), resource.create.is_some());
        assert_eq!(stand.session.update(name).is_some(), resource.update.is_some());
        assert!(stand.session.detail(name).is_none());
    }
    assert!(stand.session.fetch("nothing").is_none());
}
