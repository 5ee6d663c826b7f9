//! Variants: the shop makes them itself, one for each combination of the offered values.

use super::books::{Books, Refusal, int, map, num, refuse};
use super::rules::refers;
use crate::record::{Map, Value};

/// Fills in a value that a product offers.
pub(super) fn offered_value(books: &Books, record: &mut Map, body: &Map) -> Result<(), Refusal> {
    refers(books, body, "optionvalue", "attributevalues")?;
    let Some(value) = int(body, "optionvalue").and_then(|key| books.row("attributevalues", key)) else {
        return refuse("400.10", "Property optionvalue is required.");
    };
    let attribute = int(value, "attribute_id").and_then(|key| books.row("attributes", key));
    record.set("optionvalue_id", int(value, "id"));
    record.set("optionvalue_name", value.text("name"));
    record.set("optionid", int(value, "attribute_id"));
    record.set("optionname", attribute.and_then(|attribute| attribute.text("name")));
    record.set("optionposition", 1);
    for name in ["position", "price"] {
        if let Some(value) = body.get(name) {
            record.set(name, value.clone());
        }
    }
    Ok(())
}

/// Makes the variants of a product anew from the values that it offers. Those that are still
/// offered stay as they are; new ones start with that stock.
pub(super) fn regenerate(books: &mut Books, product: i64, stock: Option<&Value>) {
    let mut wanted: Vec<Vec<Map>> = vec![Vec::new()];
    for values in menus(books, product) {
        wanted = wanted
            .iter()
            .flat_map(|chosen| {
                values.iter().map(move |value| [chosen.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    wanted.retain(|choice| !choice.is_empty());
    let old: Vec<(i64, Vec<i64>)> = books
        .below("attributecombinations", "product_id", product)
        .into_iter()
        .filter_map(|row| Some((int(row, "id")?, values_of(row))))
        .collect();
    let keys = |choice: &[Map]| {
        let mut keys: Vec<i64> = choice.iter().filter_map(|value| int(value, "optionvalue_id")).collect();
        keys.sort_unstable();
        keys
    };
    for (key, values) in &old {
        if !wanted.iter().any(|choice| keys(choice) == *values) {
            books.remove("attributecombinations", *key);
        }
    }
    for choice in wanted {
        if !old.iter().any(|(_, values)| *values == keys(&choice)) {
            books.insert("attributecombinations", combination(product, &choice, stock));
        }
    }
    let has_variants = !books.below("attributecombinations", "product_id", product).is_empty();
    if let Some(mut record) = books.row("products", product).cloned() {
        record.set("stocktype", if has_variants { "attribute" } else { "product" });
        books.replace("products", record);
    }
}

/// Offered values of attributes that make variants, attribute by attribute.
fn menus(books: &Books, product: i64) -> Vec<Vec<Map>> {
    let mut menus: Vec<(i64, Vec<Map>)> = Vec::new();
    for value in books.below("productattributevalues", "product_id", product) {
        let Some(attribute) = int(value, "optionid") else { continue };
        let kind = books.row("attributes", attribute).and_then(|row| row.text("type")).unwrap_or_default();
        if !kind.starts_with("option_menu") {
            continue;
        }
        match menus.iter_mut().find(|(known, _)| *known == attribute) {
            Some((_, values)) => values.push(value.clone()),
            None => menus.push((attribute, vec![value.clone()])),
        }
    }
    menus.into_iter().map(|(_, values)| values).collect()
}

fn values_of(combination: &Map) -> Vec<i64> {
    let choices = combination.get("combination").and_then(Value::as_list).unwrap_or_default();
    let mut keys: Vec<i64> = choices
        .iter()
        .filter_map(Value::as_map)
        .filter_map(|choice| int(choice, "attribute_value.id"))
        .collect();
    keys.sort_unstable();
    keys
}

fn combination(product: i64, choice: &[Map], stock: Option<&Value>) -> Map {
    let part = |value: &Map| {
        let named = |id: &str, name: &str| {
            Value::Map(map([("id", Value::from(int(value, id))), ("name", Value::from(value.text(name)))]))
        };
        Value::Map(map([
            ("attribute", named("optionid", "optionname")),
            ("attribute_value", named("optionvalue_id", "optionvalue_name")),
            ("extra_price", Value::Decimal(num(value, "price"))),
        ]))
    };
    let extra = choice.iter().map(|value| num(value, "price")).sum::<rust_decimal::Decimal>();
    map([
        ("note", Value::from("")),
        ("product_id", Value::Int(product)),
        ("stock", stock.cloned().unwrap_or(Value::Int(0))),
        ("netto_extra_price", Value::Decimal(extra)),
        ("ordering_without_stock", Value::from("global_setting")),
        ("product_number", Value::from("")),
        ("ean_number", Value::from("")),
        ("sku_number", Value::from("")),
        ("delivery_time", Value::Null),
        ("delivery_time_type", Value::from("")),
        ("delivery_default_text", Value::from("")),
        ("active", Value::Bool(true)),
        ("combination", Value::List(choice.iter().map(part).collect())),
    ])
}
