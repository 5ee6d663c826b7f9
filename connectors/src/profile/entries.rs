//! Objects whose names are values, and the lists that flows see in their place.

use super::form::{plain, shown};
use super::shape::Shape;
use crate::record::{Map, Value};

/// `{"size": "M"}` as `[{name: "size", value: "M"}]`; a system without any may say `[]`.
pub(super) fn read(shape: &Shape, value: Value) -> Result<Value, String> {
    let [name, content] = shape.members.as_slice() else { return Ok(Value::Null) };
    match value {
        Value::Map(map) => {
            // The order of members means nothing: readers get one that they can compare.
            let mut members: Vec<_> = map.iter().filter(|(_, value)| !value.says_nothing()).collect();
            members.sort_by_key(|(name, _)| *name);
            let read = members.into_iter().map(|(key, value)| {
                let value =
                    content.form.read(value.clone()).map_err(|fault| format!("{fault} (at `{key}`)"))?;
                let mut entry = Map::with_capacity(2);
                entry.set(&name.name, Value::Text(key.clone()));
                entry.set(&content.name, value);
                Ok(Value::Map(entry))
            });
            read.collect::<Result<_, String>>().map(Value::List)
        }
        Value::List(items) if items.is_empty() => Ok(Value::Null),
        other => Err(format!("is {}, not an object", shown(&other))),
    }
}

/// The object that a list of names and values becomes.
pub(super) fn write(shape: &Shape, value: &Value) -> Result<Value, String> {
    let ([name, content], Value::List(items)) = (shape.members.as_slice(), value) else {
        return Err(format!("is {}, not a list", shown(value)));
    };
    let mut map = Map::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let part = |field: &str| item.as_map().and_then(|entry| entry.get(field));
        let key = part(&name.name).filter(|key| !key.says_nothing()).map(plain);
        let key = key.ok_or_else(|| format!("has no `{}` (item {})", name.name, at + 1))?;
        let written = content.form.write(part(&content.name).unwrap_or(&Value::Null));
        map.set(key.as_str(), written.map_err(|fault| format!("{fault} (item {})", at + 1))?);
    }
    Ok(Value::Map(map))
}
