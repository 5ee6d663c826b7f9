//! Records and values of any kind.

use rhai::{Array, Dynamic};

use super::LibraryFunction;
use super::call::{Call, Outcome};
use super::text::{TEXT, function};
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::values::kind;

pub(super) const FUNCTIONS: &[LibraryFunction] = &[
    function!(
        "keys",
        (1, 1),
        "keys(record) -> list",
        "The names of its fields, in alphabetical order.",
        "keys(#{b: 1, a: 2}) → [\"a\", \"b\"]",
        |call| {
            let fields = call.fields(0)?;
            call.room_for_items(fields.len())?;
            let mut bytes = 0;
            fields.each(|name, _| {
                bytes += name.len() + TEXT;
                Ok::<_, Mistake>(())
            })?;
            budget::make(bytes)?;
            let record = call.record(0)?;
            Ok(record.into_keys().map(|name| Dynamic::from(name.to_string())).collect::<Array>().into())
        }
    ),
    function!(
        "values",
        (1, 1),
        "values(record) -> list",
        "The values of its fields, in the order of their names.",
        "values(#{b: 1, a: 2}) → [2, 1]",
        |call| {
            let record = call.record(0)?;
            call.room_for_items(record.len())?;
            Ok(record.into_values().collect::<Array>().into())
        }
    ),
    function!(
        "get",
        (2, 2),
        "get(record, name) -> value",
        "The value of a field whose name is in a text; `()` when it is not there.",
        "get(#{a: 1}, \"a\") → 1",
        |call| {
            let name = call.text(1)?;
            Ok(call.fields(0)?.get(name.as_str()).cloned().unwrap_or(Dynamic::UNIT))
        }
    ),
    function!(
        "set",
        (3, 3),
        "set(record, name, value)",
        "Sets a field of a record variable.",
        "let r = #{}; r.set(\"a\", 1); r → #{a: 1}",
        |call| {
            let (mut record, name, value) = (call.record(0)?, call.text(1)?, call.owned(2));
            record.insert(name.as_str().into(), value);
            replace(call, Dynamic::from_map(record))
        }
    ),
    function!(
        "remove",
        (2, 2),
        "remove(record, name) -> value",
        "Takes a field out of a record variable and gives what it held.",
        "let r = #{a: 1}; r.remove(\"a\") → 1",
        |call| {
            let (mut record, name) = (call.record(0)?, call.text(1)?);
            let removed = record.remove(name.as_str()).unwrap_or(Dynamic::UNIT);
            *call.change(0)? = Dynamic::from_map(record);
            Ok(removed)
        }
    ),
    function!(
        "without",
        (2, 2),
        "without(record, names) -> record",
        "A copy without some of its fields.",
        "without(#{a: 1, b: 2}, [\"b\"]) → #{a: 1}",
        |call| {
            let mut record = call.record(0)?;
            for name in call.list(1)?.iter() {
                if let Some(name) = super::text::of(name) {
                    record.remove(name.as_str());
                }
            }
            Ok(Dynamic::from_map(record))
        }
    ),
    function!(
        "kind",
        (1, 1),
        "kind(value) -> text",
        "What it is: `text`, `integer`, `decimal`, `boolean`, `list`, `record` or `nothing`.",
        "kind(1.5) → \"decimal\"",
        |call| Ok(kind(call.value(0)).into())
    ),
    function!(
        "is_nothing",
        (1, 1),
        "is_nothing(value) -> boolean",
        "True for `()`, which is how a field without value reads.",
        "is_nothing(()) → true",
        |call| Ok(call.value(0).is_unit().into())
    ),
];

fn replace(call: &mut Call<'_, '_>, value: Dynamic) -> Outcome {
    *call.change(0)? = value;
    Ok(Dynamic::UNIT)
}
