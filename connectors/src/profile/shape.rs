//! A record as the wire has it, and as flows know it.
//!
//! Each field knows where its value stands and in which form. Values are moved out of the
//! page, not copied, unless two fields read one place.

use super::form::Form;
use super::path::{Path, put};
use crate::record::{Map, Record, Text, Value, write_text};

/// The fields of a record and where they stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) members: Vec<Member>,
    /// No field reads a place that another one reads too, so values may be moved.
    movable: bool,
    /// No two fields are written to one place.
    distinct: bool,
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: Text,
    pub(crate) from: Path,
    pub(crate) form: Form,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl Shape {
    pub(crate) fn new(members: Vec<Member>) -> Self {
        let places: Vec<_> =
            members.iter().filter(|member| member.readable).map(|member| member.from.members()).collect();
        let movable = places.iter().enumerate().all(|(at, place)| match place {
            // A nested record read from the same object shares it with its neighbours.
            None | Some([]) => false,
            Some(place) => places.iter().enumerate().all(|(other, elsewhere)| {
                other == at || elsewhere.is_none_or(|elsewhere| !elsewhere.starts_with(place))
            }),
        });
        let written: Vec<_> =
            members.iter().filter(|member| member.writable).map(|member| member.from.members()).collect();
        let distinct = written
            .iter()
            .enumerate()
            .all(|(at, place)| !written.iter().skip(at + 1).any(|other| other == place));
        Self { members, movable, distinct }
    }

    /// The record in a value of the wire. The error names the field.
    pub(crate) fn read(&self, value: Value) -> Result<Record, String> {
        let (record, fault) = self.read_what_can_be(value);
        fault.map_or(Ok(record), Err)
    }

    /// The record as far as it can be read, and what could not.
    pub(crate) fn read_what_can_be(&self, mut value: Value) -> (Record, Option<String>) {
        let mut record = Map::with_capacity(self.members.len());
        let mut fault = None;
        if value.as_map().is_none() {
            return (record, Some(format!("{} stands where a record should", super::form::shown(&value))));
        }
        for member in self.members.iter().filter(|member| member.readable) {
            let found = if self.movable { member.take(&mut value) } else { member.copy(&value) };
            match found.map(|found| member.form.read(found)) {
                None | Some(Ok(Value::Null)) => {}
                Some(Ok(read)) => record.push(member.name.clone(), read),
                Some(Err(reason)) => {
                    fault.get_or_insert_with(|| format!("field `{}` {reason}", member.name));
                }
            }
        }
        (record, fault)
    }

    /// The record as the wire wants it. The error names the field.
    pub(crate) fn write(&self, record: &Record) -> Result<Map, String> {
        let mut wire = Map::with_capacity(record.len());
        for (name, value) in record.iter() {
            let Some(member) = self.member(name) else {
                return Err(format!("field `{name}` is not known to this system"));
            };
            let (true, Some(place)) = (member.writable, member.from.members()) else {
                return Err(format!("field `{name}` can be read but not written"));
            };
            let value = member.form.write(value).map_err(|reason| format!("field `{name}` {reason}"))?;
            put(&mut wire, place, value);
        }
        Ok(wire)
    }

    /// The name of a field in JSON, when its value stands by itself there, and its form.
    pub(crate) fn simple(&self, name: &str) -> Option<(&Text, &Form)> {
        let member = self.member(name).filter(|member| member.writable)?;
        match member.from.members()? {
            [place] => Some((place, &member.form)),
            _ => None,
        }
    }

    /// The same as JSON at the end of `out`; what is in `out` after an error is half a record.
    pub(crate) fn write_json(&self, record: &Record, out: &mut Vec<u8>) -> Result<(), String> {
        let simple =
            |member: &Member| self.distinct && member.writable && matches!(member.from.members(), Some([_]));
        let start = out.len();
        out.push(b'{');
        let mut first = true;
        for (at, (name, value)) in record.iter().enumerate() {
            // Records are mostly made in the order of their fields.
            let near = self.members.get(at).filter(|member| member.name == *name);
            let Some((member, place)) = near
                .or_else(|| self.member(name))
                .filter(|one| simple(one))
                .and_then(|member| Some((member, member.from.members()?.first()?)))
            else {
                // It goes inside another one, or cannot be written; there is one place that knows.
                let wire = self.write(record)?;
                out.truncate(start);
                wire.write_json(out);
                return Ok(());
            };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            write_text(place, out);
            out.push(b':');
            if member.form.is_plain(value) {
                value.write_json(out);
            } else {
                let value = member.form.write(value).map_err(|reason| format!("field `{name}` {reason}"))?;
                value.write_json(out);
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// The fields that can be written, within nested records too.
    pub(crate) fn writable(&self, record: &Record) -> Record {
        let fields = record.iter().filter_map(|(name, value)| {
            let member = self.member(name).filter(|member| member.writable)?;
            Some((name.clone(), member.form.writable(value)))
        });
        fields.collect()
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name.as_str() == name)
    }
}

impl Member {
    fn take(&self, value: &mut Value) -> Option<Value> {
        let (last, way) = self.from.members()?.split_last()?;
        let mut inner = value;
        for name in way {
            let Value::Map(map) = inner else { return None };
            inner = map.get_mut(name)?;
        }
        let Value::Map(map) = inner else { return None };
        map.get_mut(last).map(std::mem::take)
    }

    fn copy(&self, value: &Value) -> Option<Value> {
        match (&self.from, &self.form) {
            (Path::Plain(_), _) => self.from.pick(value).cloned(),
            (path, Form::List(_)) => {
                let mut all = path.copy_all(value);
                // `$.x[?…]` picks items; `$..lines` picks one list.
                match (all.pop(), all.is_empty()) {
                    (Some(Value::List(items)), true) => Some(Value::List(items)),
                    (Some(last), _) => {
                        all.push(last);
                        Some(Value::List(all))
                    }
                    (None, _) => None,
                }
            }
            (path, _) => path.pick(value).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::form::Money;
    use super::*;

    fn member(name: &str, from: &str, form: Form) -> Member {
        let from = Path::json(from).unwrap();
        Member { name: name.into(), from, form, readable: true, writable: name != "number" }
    }

    fn shape(last: &str) -> Shape {
        Shape::new(vec![
            member("number", "$.nr", Form::Integer { as_text: false }),
            member("name", "$.naam", Form::Text { as_number: false }),
            member("code", "$.code", Form::Text { as_number: true }),
            member("count", "$.aantal", Form::Integer { as_text: true }),
            member("price", "$.prijs", Form::Decimal(Money::Units(2))),
            member("any", last, Form::Any),
        ])
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-1000_i64..1000).prop_map(Value::Int),
            (0_i64..1000).prop_map(|cents| Value::Decimal(rust_decimal::Decimal::new(cents, 2))),
            "[a-z0-9\"é]{0,4}".prop_map(Value::from),
            Just(Value::List(vec![Value::Null, 1.into()])),
        ]
    }

    proptest! {
        #[test]
        fn both_ways_to_json_say_the_same(
            fields in prop::collection::vec((prop_oneof![
                Just("name"), Just("code"), Just("count"), Just("price"), Just("any"), Just("number"), Just("x"),
            ], value()), 0..7),
            last in prop_oneof![Just("$.rest"), Just("$.in.ner"), Just("$.naam")],
        ) {
            let (shape, record) = (shape(last), fields.into_iter().collect::<Record>());
            let mut out = b"before ".to_vec();
            let straight = shape.write_json(&record, &mut out).map(|()| out);
            let through = shape.write(&record).map(|wire| {
                let mut out = b"before ".to_vec();
                wire.write_json(&mut out);
                out
            });
            prop_assert_eq!(straight, through);
        }
    }
}
