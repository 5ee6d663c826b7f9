//! Records and values of any kind.

use super::LibraryFunction;
use super::call::{Call, FIELD};
use super::operand::Operand;
use super::text::{TEXT, function};
use crate::script::budget;

pub(super) const FUNCTIONS: &[LibraryFunction] = &[
    function!(
        "keys",
        (1, 1),
        "keys(record) -> list",
        "The names of its fields, in alphabetical order.",
        "keys(#{b: 1, a: 2}) → [\"a\", \"b\"]",
        |call| {
            let (record, fields) = call.fields(0)?;
            call.room_for_items(fields)?;
            let mut bytes = fields * FIELD;
            record.each_field(&mut |name, _| {
                bytes += name.len() + TEXT;
                Ok(())
            });
            budget::make(bytes)?;
            Ok(Operand::of_list(record.fields().into_iter().map(|(name, _)| name.into()).collect()))
        }
    ),
    function!(
        "values",
        (1, 1),
        "values(record) -> list",
        "The values of its fields, in the order of their names.",
        "values(#{b: 1, a: 2}) → [2, 1]",
        |call| {
            let (record, fields) = (call.record(0)?, call.fields(0)?.1);
            call.room_for_items(fields)?;
            Ok(Operand::of_list(record.fields().into_iter().map(|(_, value)| value).collect()))
        }
    ),
    function!(
        "get",
        (2, 2),
        "get(record, name: text) -> value",
        "The value of a field whose name is in a text; `()` when it is not there.",
        "get(#{a: 1}, \"a\") → 1",
        |call| {
            let name = call.text(1)?;
            Ok(call.fields(0)?.0.field(&name).unwrap_or_else(Operand::nothing))
        }
    ),
    function!(
        "set",
        (3, 3),
        "set(record, name: text, value)",
        "Sets a field of a record variable.",
        "let r = #{}; r.set(\"a\", 1); r → #{a: 1}",
        |call| {
            let mut fields = call.record(0)?.fields();
            fields.push((str::to_owned(&call.text(1)?), call.owned(2)));
            call.put(Operand::of_fields(fields))?;
            Ok(Operand::nothing())
        }
    ),
    function!(
        "remove",
        (2, 2),
        "remove(record, name: text) -> value",
        "Takes a field out of a record variable and gives what it held.",
        "let r = #{a: 1}; r.remove(\"a\") → 1",
        |call| {
            let mut fields = call.record(0)?.fields();
            let name = str::to_owned(&call.text(1)?);
            let at = fields.iter().position(|(field, _)| *field == name);
            let removed = at.map_or_else(Operand::nothing, |at| fields.remove(at).1);
            call.put(Operand::of_fields(fields))?;
            Ok(removed)
        }
    ),
    function!(
        "without",
        (2, 2),
        "without(record, names: list) -> record",
        "A copy without some of its fields.",
        "without(#{a: 1, b: 2}, [\"b\"]) → #{a: 1}",
        |call| {
            let mut fields = call.record(0)?.fields();
            for name in call.list(1)? {
                if let Some(name) = name.as_text() {
                    fields.retain(|(field, _)| *field != *name);
                }
            }
            Ok(Operand::of_fields(fields))
        }
    ),
    function!(
        "kind",
        (1, 1),
        "kind(value) -> text",
        "What it is: `text`, `integer`, `decimal`, `boolean`, `list`, `record` or `nothing`.",
        "kind(1.5) → \"decimal\"",
        |call| Ok(call.value(0).kind().into())
    ),
    function!(
        "is_nothing",
        (1, 1),
        "is_nothing(value) -> boolean",
        "True for `()`, which is how a field without value reads.",
        "is_nothing(()) → true",
        |call| Ok(call.value(0).is_nothing().into())
    ),
];
