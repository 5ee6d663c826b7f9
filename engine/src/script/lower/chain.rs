//! Paths: fields, items, methods, one after the other.

use connectors::record::Map;

use super::machine::{Machine, Ran, Stop};
use super::tree::{Field, Link, Path, Step};
use super::value::Val;
use crate::script::budget;
use crate::script::library::Operand;
use crate::script::table::Found;

impl<'a> Machine<'a> {
    pub(super) fn path(&self, path: &'a Path) -> Ran<'a> {
        budget::pass()?;
        let mut value = self.eval(&path.root)?;
        let mut links: &'a [Link] = &path.links;
        // Most paths are fields of fields of a record from outside.
        while let (Val::Record(map), Some((Link { step: Step::Field(field), .. }, rest))) =
            (&value, links.split_first())
        {
            (value, links) = (found(map, field), rest);
        }
        for (at, link) in links.iter().enumerate() {
            if link.optional && value.is_nothing() {
                self.left_out(links.get(at..).unwrap_or_default())?;
                return Ok(Val::Nothing);
            }
            value = match &link.step {
                Step::Field(field) => Self::field(&value, field)?,
                Step::Index(index) => Self::item(&value, &self.eval(index)?)?,
                Step::Call(call) => self.library(call, Some(value))?,
            };
        }
        Ok(value)
    }

    /// Rhai evaluates the arguments of a chain before the chain, also of the part that `?.`
    /// leaves out; what fails there has to fail here.
    fn left_out(&self, links: &'a [Link]) -> Result<(), Stop> {
        for link in links {
            let nodes = match &link.step {
                Step::Field(_) => continue,
                Step::Index(index) => std::slice::from_ref(index),
                Step::Call(call) => &call.args,
            };
            for node in nodes.iter().filter(|node| !node.is_still()) {
                self.eval(node)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn field(target: &Val<'a>, field: &Field) -> Ran<'a> {
        match target {
            Val::Record(map) => Ok(found(map, field)),
            Val::MadeRecord(record) => Ok(record.get(&field.name).cloned().unwrap_or(Val::Nothing)),
            _ => Err(Stop::Odd),
        }
    }

    pub(super) fn item(target: &Val<'a>, key: &Val<'a>) -> Ran<'a> {
        match (target, key) {
            (Val::List(items), Val::Int(at)) => {
                items.get(place(*at, items.len())?).map(Val::of).ok_or(Stop::Odd)
            }
            (Val::MadeList(list), Val::Int(at)) => {
                list.items.get(place(*at, list.items.len())?).cloned().ok_or(Stop::Odd)
            }
            (Val::Record(_) | Val::MadeRecord(_), _) => {
                let name = key.as_text().ok_or(Stop::Odd)?;
                Ok(target.field(&name).unwrap_or(Val::Nothing))
            }
            (Val::Table(table), _) => match table.find(key)? {
                Found::Value(value) => Ok(Val::of(value)),
                Found::Key => match key.items() {
                    None => Ok(key.clone()),
                    Some(_) => Err(Stop::Odd),
                },
            },
            _ => Err(Stop::Odd),
        }
    }
}

/// Counted from the end when negative.
pub(super) fn place(at: i64, length: usize) -> Result<usize, Stop> {
    match usize::try_from(at) {
        Ok(at) => Ok(at),
        Err(_) => {
            usize::try_from(at.unsigned_abs()).ok().and_then(|back| length.checked_sub(back)).ok_or(Stop::Odd)
        }
    }
}

#[inline]
fn found<'a>(map: &'a Map, field: &Field) -> Val<'a> {
    let hint = field.hint();
    match map.get_near(&field.name, hint) {
        Some((at, value)) => {
            if at != hint {
                field.found_at(at);
            }
            Val::of(value)
        }
        None => Val::Nothing,
    }
}
