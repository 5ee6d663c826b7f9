//! Lists: filter, order, page, and the five figures about them.

use std::cmp::Ordering;

use super::books::{Books, Kind, Refusal, refuse};
use super::filter::{self, Filter};
use crate::eaccounting::members::{Entity, Form, entity};
use crate::record::{Map, Value};

/// A page of a list, as the service answers it.
pub(super) fn page(
    books: &mut Books,
    kind: &Kind,
    rows: Vec<Map>,
    query: &[(String, String)],
) -> Result<Map, Refusal> {
    // Names without the sign are ignored, as whatever else is not known.
    let get = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let known = entity(kind.entity).ok_or_else(|| books.absence())?;
    let number = |name: &str, standard: usize, most: usize| match get(name).map(str::parse::<usize>) {
        None => Ok(standard),
        Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
        Some(_) => Err(refuse(400, 6000, &format!("The query option {name} is out of range"))),
    };
    let size = number("$pagesize", 50, 1000)?;
    let page = number("$page", 1, usize::MAX)?;
    let unfilterable: Vec<String> = books
        .options
        .unfilterable
        .iter()
        .filter(|(path, _)| path == kind.path)
        .map(|(_, member)| member.clone())
        .collect();
    let filter = get("$filter").map(|text| filter::read(text, known, &unfilterable)).transpose()?;
    let mut rows: Vec<Map> = match &filter {
        Some(filter) => rows.into_iter().filter(|row| Filter::has(filter, row)).collect(),
        None => rows,
    };
    match get("$orderby") {
        Some(order) => sort(&mut rows, order, known)?,
        None if !books.options.keeps_order => shuffle(books, &mut rows),
        None => {}
    }
    let total = rows.len();
    let from = (page - 1).saturating_mul(size);
    let mut rows: Vec<Map> = rows.into_iter().skip(from).take(size).collect();
    if books.options.lists_lack_rows {
        for row in &mut rows {
            row.remove("Rows");
        }
    }
    let integer = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let meta: Map = [
        ("CurrentPage", integer(page)),
        ("PageSize", integer(size)),
        ("TotalNumberOfPages", integer(total.div_ceil(size))),
        ("TotalNumberOfResults", integer(total)),
        ("ServerTimeUtc", jiff::Timestamp::now().to_string().into()),
    ]
    .into_iter()
    .collect();
    let data: Vec<Value> = rows.into_iter().map(Value::Map).collect();
    Ok([("Meta", Value::Map(meta)), ("Data", Value::List(data))].into_iter().collect())
}

/// Another order each time: nobody may rely on one that was not asked for.
fn shuffle(books: &mut Books, rows: &mut [Map]) {
    books.lists += 1;
    let seed = books.lists;
    rows.sort_by_cached_key(|row| {
        let id = row
            .text("Id")
            .or_else(|| row.text("ArticleId"))
            .or_else(|| row.text("Number"))
            .unwrap_or_default();
        xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), seed)
    });
}

fn sort(rows: &mut [Map], order: &str, known: &Entity) -> Result<(), Refusal> {
    let mut keys: Vec<(String, Form, bool)> = Vec::new();
    for part in order.split(',') {
        let mut words = part.split_whitespace();
        let name = words.next().unwrap_or_default();
        let down = words.next() == Some("desc");
        match known.member(name) {
            Some(member) if !matches!(member.form, Form::List(_) | Form::Record(_)) => {
                keys.push((name.to_owned(), member.form, down));
            }
            _ => return Err(refuse(400, 6000, &format!("The query option $orderby is invalid: '{name}'"))),
        }
    }
    rows.sort_by(|left, right| {
        for (name, form, down) in &keys {
            let (left, right) =
                (filter::literal(left.get(name), *form), filter::literal(right.get(name), *form));
            // Nothing comes first.
            let order = filter::compare(&left, &right)
                .unwrap_or_else(|| (left != filter::Literal::Null).cmp(&(right != filter::Literal::Null)));
            let order = if *down { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    });
    Ok(())
}
