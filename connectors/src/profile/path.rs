//! Where in a reply a value stands: JSONPath, with a short way for the plain ones.
//!
//! Most paths in profiles only name members, `$.data[*]` or `$.customer.email`. Those are
//! walked directly and their values moved out of the page; everything else is run by
//! `jsonpath-rust`, on the same values, without turning them into another form first.

use jsonpath_rust::parser::errors::JsonPathError;
use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use jsonpath_rust::query::queryable::Queryable;
use pest::error::InputLocation;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::record::{Map, Text, Value};

/// A compiled path.
#[derive(Clone, Debug)]
pub(crate) enum Path {
    /// Member by member; no members: the value itself.
    Plain(Box<[Text]>),
    /// Member by member, then every item.
    Items(Box<[Text]>),
    /// Anything else.
    Query(Box<JpQuery>),
}

/// Why a path cannot be read, and where in it.
#[derive(Debug)]
pub(crate) struct BadPath {
    pub(crate) at: std::ops::Range<usize>,
    pub(crate) reason: String,
}

impl Path {
    /// Reads a JSONPath; it starts with `$`.
    pub(crate) fn json(text: &str) -> Result<Self, BadPath> {
        let query = parse_json_path(text).map_err(|error| explain(&error, text))?;
        let mut names = Vec::with_capacity(query.segments.len());
        let mut segments = query.segments.iter().peekable();
        while let Some(segment) = segments.next() {
            match segment {
                Segment::Selector(Selector::Name(name)) => names.push(Text::from(name.as_str())),
                Segment::Selector(Selector::Wildcard) if segments.peek().is_none() => {
                    return Ok(Self::Items(names.into()));
                }
                _ => return Ok(Self::Query(Box::new(query))),
            }
        }
        Ok(Self::Plain(names.into()))
    }

    /// Members joined by dots, `customer.email`.
    pub(crate) fn dotted(text: &str) -> Self {
        Self::Plain(text.split('.').map(Text::from).collect())
    }

    /// The members of a plain path.
    pub(crate) fn members(&self) -> Option<&[Text]> {
        match self {
            Self::Plain(names) => Some(names),
            _ => None,
        }
    }

    /// The first value there.
    pub(crate) fn pick<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Plain(names) => walk(value, names),
            Self::Items(names) => match walk(value, names)? {
                Value::List(items) => items.first(),
                Value::Map(map) => map.iter().next().map(|(_, value)| value),
                _ => None,
            },
            Self::Query(query) => Some(js_path_process(query, value).ok()?.into_iter().next()?.val),
        }
    }

    /// Takes the records out of a page: every value there, and the items of a single list.
    pub(crate) fn take_all(&self, page: Value) -> Vec<Value> {
        let mut page = page;
        let found = match self {
            Self::Plain(names) | Self::Items(names) => walk_mut(&mut page, names).map(std::mem::take),
            Self::Query(query) => {
                let found = js_path_process(query, &page).unwrap_or_default();
                let mut found: Vec<Value> = found.into_iter().map(|found| found.val.clone()).collect();
                match (found.pop(), found.is_empty()) {
                    (Some(Value::List(items)), true) => return items,
                    (Some(last), _) => found.push(last),
                    (None, _) => {}
                }
                return found;
            }
        };
        match (found, self) {
            (Some(Value::List(items)), _) => items,
            (Some(Value::Map(map)), Self::Items(_)) => {
                let mut map = map;
                map.iter_mut().map(|(_, value)| std::mem::take(value)).collect()
            }
            (None | Some(Value::Null), _) | (Some(_), Self::Items(_)) => Vec::new(),
            (Some(value), _) => vec![value],
        }
    }

    /// Every value there, copied.
    pub(crate) fn copy_all(&self, value: &Value) -> Vec<Value> {
        match self {
            Self::Plain(_) => self.pick(value).into_iter().cloned().collect(),
            Self::Items(names) => match walk(value, names) {
                Some(Value::List(items)) => items.clone(),
                Some(Value::Map(map)) => map.iter().map(|(_, value)| value.clone()).collect(),
                _ => Vec::new(),
            },
            Self::Query(query) => js_path_process(query, value)
                .unwrap_or_default()
                .into_iter()
                .map(|found| found.val.clone())
                .collect(),
        }
    }
}

fn walk<'v>(value: &'v Value, names: &[Text]) -> Option<&'v Value> {
    names.iter().try_fold(value, |value, name| value.as_map()?.get(name))
}

fn walk_mut<'v>(value: &'v mut Value, names: &[Text]) -> Option<&'v mut Value> {
    names.iter().try_fold(value, |value, name| match value {
        Value::Map(map) => map.get_mut(name),
        _ => None,
    })
}

/// Sets the value at a plain path, making the records on the way.
pub(crate) fn put(map: &mut Map, names: &[Text], value: Value) {
    let Some((first, rest)) = names.split_first() else {
        if let Value::Map(inner) = value {
            for (name, value) in inner.iter() {
                map.set(name, value.clone());
            }
        }
        return;
    };
    if rest.is_empty() {
        map.set(first, value);
        return;
    }
    if !matches!(map.get(first), Some(Value::Map(_))) {
        map.set(first, Map::new());
    }
    if let Some(Value::Map(inner)) = map.get_mut(first) {
        put(inner, rest, value);
    }
}

fn explain(error: &JsonPathError, text: &str) -> BadPath {
    if !text.starts_with('$') {
        let end = text.chars().next().map_or(0, char::len_utf8);
        return BadPath { at: 0..end, reason: "a JSONPath starts with `$`".into() };
    }
    if let (Some(open), true) = (text.rfind('['), text.matches('[').count() > text.matches(']').count()) {
        return BadPath { at: open..open + 1, reason: "this `[` is never closed".into() };
    }
    let JsonPathError::PestError(error) = error else {
        return BadPath { at: 0..text.len(), reason: "not a JSONPath".into() };
    };
    let start = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    match text.get(start..).and_then(|rest| rest.chars().next()) {
        Some(letter) => BadPath {
            at: start..start + letter.len_utf8(),
            reason: format!("the path goes wrong at `{letter}`"),
        },
        None => BadPath { at: 0..text.len(), reason: "the path stops too early".into() },
    }
}

/// Numbers with a point in a JSONPath, as in `@.price < 9.5`; nothing else comes this way.
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Decimal::try_from(number).map_or(Self::Null, Self::Decimal)
    }
}

/// Lets JSONPath run on our own values.
impl Queryable for Value {
    fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    fn as_array(&self) -> Option<&Vec<Self>> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    fn as_object(&self) -> Option<Vec<(&str, &Self)>> {
        Some(self.as_map()?.iter().map(|(name, value)| (name.as_str(), value)).collect())
    }

    fn as_str(&self) -> Option<&str> {
        Self::as_str(self)
    }

    fn as_i64(&self) -> Option<i64> {
        self.as_int()
    }

    fn as_f64(&self) -> Option<f64> {
        self.as_decimal()?.to_f64()
    }

    fn as_bool(&self) -> Option<bool> {
        Self::as_bool(self)
    }

    fn null() -> Self {
        Self::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::read_json;
    use bytes::Bytes;

    fn page() -> Value {
        read_json(&Bytes::from_static(
            br#"{"data":[{"id":1,"price":9.50},{"id":2,"price":12}],"meta":{"more":true}}"#,
        ))
        .unwrap()
    }

    fn ids(path: &str) -> Vec<Value> {
        let records = Path::json(path).unwrap().take_all(page());
        records.into_iter().map(|record| record.as_map().unwrap().get("id").unwrap().clone()).collect()
    }

    #[test]
    fn plain_paths_are_walked_and_the_rest_is_queried() {
        assert!(matches!(Path::json("$.data[*]").unwrap(), Path::Items(_)));
        assert!(matches!(Path::json("$['meta'].more").unwrap(), Path::Plain(_)));
        assert!(matches!(Path::json("$.data[0]").unwrap(), Path::Query(_)));
        let both = vec![Value::Int(1), Value::Int(2)];
        assert_eq!((ids("$.data[*]"), ids("$.data"), ids("$..data[*]")), (both.clone(), both.clone(), both));
        assert_eq!(ids("$.data[?@.price > 9.75]"), [Value::Int(2)]);
        assert_eq!(ids("$.nothing[*]"), []);
        assert_eq!(Path::json("$.data[-1].id").unwrap().pick(&page()), Some(&Value::Int(2)));
    }

    #[test]
    fn faults_name_the_letter() {
        let fault = Path::json("$.data[*").unwrap_err();
        assert!(fault.reason.contains("too early") || fault.at.start > 0, "{fault:?}");
        assert_eq!(Path::json("data").unwrap_err().at, 0..1);
        assert_eq!(Path::json("$.da ta!").unwrap_err().at.len(), 1);
    }

    #[test]
    fn values_are_put_where_they_were_read() {
        let mut map = Map::new();
        put(&mut map, &["a".into(), "b".into()], Value::Int(1));
        put(&mut map, &["a".into(), "c".into()], Value::Int(2));
        assert_eq!(map.to_string(), r#"{"a":{"b":1,"c":2}}"#);
    }
}
