//! Every ability of every resource, by the manifest.

use std::collections::HashSet;

use super::*;
use crate::contract::Key;
use crate::manifest::{Field, Kind, Named};

fn fits(fields: &Named<Field>, record: &Record, place: &str) {
    for (name, value) in record.iter() {
        let Some(field) = fields.get(name) else { panic!("{place} has no field {name}") };
        assert!(!value.says_nothing(), "{place}.{name} says nothing");
        let is_right = match field.kind {
            Kind::Text | Kind::Date => value.as_str().is_some(),
            Kind::Integer => value.as_int().is_some(),
            Kind::Decimal => matches!(value, Value::Decimal(_)),
            Kind::Boolean => value.as_bool().is_some(),
            Kind::Datetime => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            Kind::Record | Kind::List | Kind::Any => true,
        };
        assert!(is_right, "{place}.{name} is {value}");
        if let (Kind::Text, Some(text), false) = (field.kind, value.as_str(), field.values.is_empty()) {
            assert!(field.values.iter().any(|known| known == text), "{place}.{name} is {text}");
        }
        let place = format!("{place}.{name}");
        match value {
            Value::Map(inner) if !field.fields.is_empty() => fits(&field.fields, inner, &place),
            Value::List(items) if !field.fields.is_empty() => {
                for item in items {
                    fits(&field.fields, item.as_map().unwrap(), &place);
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_resource_is_read_page_by_page() {
    let stage = Stage::filled().await;
    for (name, resource) in MANIFEST.resources.iter() {
        let Some(fetch) = &resource.fetch else {
            assert!(stage.session.fetch(name).is_none());
            continue;
        };
        let small = stage.all(name, request(&[], 7)).await;
        let large = stage.all(name, request(&[], 0)).await;
        assert!(small.len() >= 25, "{name} has {}", small.len());
        let keys = |records: &[Record]| records.iter().map(|record| shown(record, "id")).collect::<Vec<_>>();
        let unique: HashSet<String> = keys(&small).into_iter().collect();
        assert_eq!(unique.len(), small.len(), "{name} repeats records");
        assert_eq!(unique, keys(&large).into_iter().collect(), "{name} at another size");
        for record in &small {
            fits(&resource.fields, record, name);
        }
        assert_eq!(stage.session.detail(name).is_some(), !fetch.detail.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn every_set_of_fields_finds_what_was_read() {
    let stage = Stage::filled().await;
    let shops = stage.session.find("vat_rates").unwrap();
    for (name, resource) in MANIFEST.resources.iter() {
        if resource.fetch.is_none() {
            continue;
        }
        let records = stage.all(name, request(&[], 0)).await;
        for find in &resource.find {
            let has_all = |record: &&Record| find.by.iter().all(|field| record.get(field).is_some());
            let Some(record) = records.iter().rfind(has_all) else {
                assert!(
                    ["mpn", "reservation", "reference"].contains(&find.by[0].as_str()),
                    "no {name} has {:?}",
                    find.by
                );
                continue;
            };
            let key: Key = find.by.iter().map(|field| record.get(field).unwrap().clone()).collect();
            let nothing: Key = find.by.iter().map(|_| Value::from("987654321")).collect();
            let by_session = stage.session.find(name).unwrap();
            let found = by_session.find(name, &find.by, std::slice::from_ref(&key)).await.unwrap();
            assert!(
                found[0].iter().any(|found| found.get("id") == record.get("id")),
                "{name} by {:?}",
                find.by
            );
            assert!(!find.unique || found[0].len() == 1, "{name} by {:?}: {}", find.by, found[0].len());
            let missed = by_session.find(name, &find.by, &[nothing]).await.unwrap();
            assert!(missed[0].is_empty(), "{name} by {:?}", find.by);
            if find.batch > 1 {
                let many = vec![key; find.batch.min(8)];
                let found = by_session.find(name, &find.by, &many).await.unwrap();
                assert_eq!(found.len(), many.len());
                assert!(found.iter().all(|found| !found.is_empty()), "{name} by {:?} in a batch", find.by);
            }
        }
    }
    let by = ["country".to_owned(), "tariff".to_owned()];
    let found = shops.find("vat_rates", &by, &[vec!["BE".into(), "low a".into()]]).await.unwrap();
    assert_eq!(shown(&found[0][0], "percentage"), "6");
}

/// What was written is what is read, under the same names.
fn holds(found: &Record, written: &Record, fields: &Named<Field>, place: &str) {
    for (name, value) in written.iter() {
        let field = fields.get(name).unwrap();
        let place = format!("{place}.{name}");
        match (value, found.get(name)) {
            _ if field.write_only => {}
            (Value::Map(written), Some(Value::Map(found))) => holds(found, written, &field.fields, &place),
            (Value::List(written), Some(Value::List(found))) => {
                assert_eq!(written.len(), found.len(), "{place}");
                for (written, found) in written.iter().zip(found) {
                    holds(found.as_map().unwrap(), written.as_map().unwrap(), &field.fields, &place);
                }
            }
            (value, Some(found)) => assert!(found.says_the_same_as(value), "{place}: {found} is not {value}"),
            (value, None) => panic!("{place}: {value} is lost"),
        }
    }
}

#[tokio::test]
async fn every_create_reads_back_and_every_update_shows() {
    let stage = Stage::filled().await;
    for (name, resource) in MANIFEST.resources.iter() {
        for number in 0..2 {
            let Some(sample) = stage.shop.sample(name, number) else {
                assert!(resource.create.is_none(), "{name} needs a sample");
                continue;
            };
            let create = stage.session.create(name).unwrap();
            let written = create.create(name, &sample, "key").await.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!written.key.is_empty(), "{name}");
            fits(&resource.fields, &written.record, name);
            if resource.find.iter().any(|find| find.by == ["id"]) {
                let found = stage.find(name, &["id"], &[&written.key]).await.remove(0);
                holds(&found, &sample, &resource.fields, name);
            }
            for (field, value) in sample.iter() {
                if value.as_list().is_some() || resource.fields.get(field).unwrap().write_only {
                    continue;
                }
                let Some(found) = written.record.get(field) else { panic!("{name}.{field} is lost") };
                if value.as_map().is_none() {
                    assert!(found.says_the_same_as(value), "{name}.{field}: {found} is not {value}");
                }
            }
        }
        let Some(update) = stage.session.update(name) else { continue };
        let target = match stage.session.fetch(name) {
            Some(_) => stage.all(name, request(&[], 0)).await.pop().unwrap(),
            None => continue,
        };
        let change = stage.shop.change(name, 3).unwrap_or_else(|| panic!("{name} needs a change"));
        let key = shown(&target, "id");
        update.update(name, &key, &change, Some(&target)).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let after = stage.all(name, request(&[], 0)).await;
        let after = after.iter().find(|record| shown(record, "id") == key).unwrap();
        for (field, value) in change.iter() {
            let found = after.get(field).unwrap_or_else(|| panic!("{name}.{field} is lost"));
            assert!(found.says_the_same_as(value), "{name}.{field}: {found} is not {value}");
        }
    }
}

#[tokio::test]
async fn the_probe_names_the_shop() {
    let stage = Stage::empty().await;
    assert_eq!(stage.session.probe().await.unwrap(), "Koffiehuis: till and web shop");
}

#[tokio::test]
async fn settings_of_the_shop_come_with_a_closer_look() {
    let stage = Stage::empty().await;
    let shop = stage.all("shops", request(&[], 0)).await.remove(0);
    assert!(shop.get("prices_include_vat").is_none());
    let whole = stage.session.detail("shops").unwrap().complete("shops", shop).await.unwrap();
    assert_eq!(shown(&whole, "prices_include_vat"), "true");
    assert_eq!(whole.get("order_statuses").unwrap().as_list().unwrap().len(), 14);
    assert_eq!(
        shown(whole.get("order_statuses").unwrap().as_list().unwrap()[4].as_map().unwrap(), "status"),
        "sent"
    );
    assert_eq!(shown(&whole, "low_stock"), "3");
}
