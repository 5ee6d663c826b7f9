//! Elements to records.

use rust_decimal::Decimal;

use super::super::xml::{Element, Space};
use super::moment::{date_from_wire, moment_from_wire};
use super::{Codec, Form, Item, Misfit, Part, Shape, choice_from_wire, choice_to_wire};
use crate::record::{Map, Text, Value};

impl Codec {
    /// The record that the children of an element hold.
    pub(in super::super) fn decode(&self, shape: &Shape, element: &Element) -> Result<Map, Misfit> {
        let mut record = Map::with_capacity(element.children.len());
        self.fill_record(shape, element, &mut record)?;
        Ok(record)
    }

    fn fill_record(&self, shape: &Shape, element: &Element, record: &mut Map) -> Result<(), Misfit> {
        if self.strict {
            in_order(shape, element)?;
        }
        // Both run in the order of the schema, so the search starts where the last one ended.
        let mut next = 0;
        for child in element.children.iter().filter(|child| child.space == Space::Ours) {
            let name = child.name.as_str();
            let after = shape.parts.iter().skip(next).position(|part| part.wire == name).map(|at| at + next);
            let Some(at) = after.or_else(|| shape.parts.iter().position(|part| part.wire == name)) else {
                continue;
            };
            let Some(part) = shape.parts.get(at) else { continue };
            next = at;
            let value = match part.form {
                Form::Inline(inner) => {
                    self.fill_record(inner, child, record).map_err(|misfit| misfit.within(name))?;
                    continue;
                }
                Form::Repeat(kind) => {
                    let item = self.item(kind, child).map_err(|misfit| located(misfit, name))?;
                    match record.get_mut(part.field) {
                        Some(Value::List(items)) => items.extend(item),
                        _ => drop(record.set(part.field, item.into_iter().collect::<Vec<_>>())),
                    }
                    continue;
                }
                _ => self.value(part, child, element).map_err(|misfit| located(misfit, name))?,
            };
            match value {
                Some(value) => drop(record.set(Text::from_static(part.field), value)),
                None if self.strict && !matches!(part.form, Form::Unused) => {
                    record.set(Text::from_static(part.field), Value::Null);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// `None`: the element says that there is no value.
    fn value(&self, part: &Part, child: &Element, parent: &Element) -> Result<Option<Value>, Misfit> {
        if let Form::List(item, kind) = part.form {
            return self.list(item, kind, child).map(Some);
        }
        let nothing = child.text.is_empty() && child.children.is_empty();
        if nothing && (!self.strict || matches!(part.form, Form::Text)) {
            return Ok(None);
        }
        let text = child.text.trim();
        Ok(match part.form {
            Form::Text => Some(Value::Text(child.text.clone())),
            Form::Number { most, zero } => {
                let number = whole(text, most)?;
                (number != 0 || zero || self.strict).then(|| Value::from(number.to_string()))
            }
            Form::Integer { most } => Some(Value::Int(whole(text, most)?)),
            Form::Cents => Some(Value::Decimal(Decimal::new(whole(text, i64::MAX)?, 2))),
            Form::Scaled(companion) => {
                let scale = parent.child(companion).map_or("0", |scale| scale.text.trim());
                let scale = scale.parse().ok().filter(|scale| *scale <= 18);
                let scale = scale.ok_or_else(|| Misfit::new(companion, "is no number of decimals"))?;
                Some(Value::Decimal(Decimal::new(whole(text, i64::MAX)?, scale).normalize()))
            }
            Form::Percent => {
                let percent = Decimal::from(whole(text, i64::MAX)?).checked_div(self.divisor);
                percent.map(|percent| Value::Decimal(percent.normalize()))
            }
            Form::Bool => match text {
                "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                _ => return Err(unreadable(text, "truth value")),
            },
            Form::Choice(prefix, names) => Some(self.choice(text, prefix, names)?),
            Form::Date => {
                self.whole_struct(child, &["day", "mon", "year"])?;
                let date = date_from_wire(child).map_err(|reason| Misfit::new("", reason))?;
                date.map(|date| Value::from(date.to_string()))
            }
            Form::Moment => {
                let names = ["sec", "min", "hour", "day", "mon", "year", "isdst", "timezone"];
                self.whole_struct(child, &names)?;
                moment_from_wire(child, &self.zone)
                    .map_err(|reason| Misfit::new("", reason))?
                    .map(Value::from)
            }
            Form::Dotted(names) => self.dotted(child, names)?,
            Form::Record(shape) => {
                let record = self.decode(shape, child)?;
                (self.strict || !record.is_empty()).then_some(Value::Map(record))
            }
            Form::List(..) | Form::Inline(_) | Form::Repeat(_) | Form::Unused => None,
        })
    }

    fn list(&self, item: &str, kind: Item, wrapper: &Element) -> Result<Value, Misfit> {
        if self.strict && !wrapper.text.trim().is_empty() {
            return Err(Misfit::new("", format!("holds a text where `{item}` is due")));
        }
        let mut items = Vec::with_capacity(wrapper.children.len());
        for child in &wrapper.children {
            if child.name.as_str() != item {
                if self.strict {
                    return Err(Misfit::new(&child.name, format!("is not expected here, `{item}` is")));
                }
                continue;
            }
            items.extend(self.item(kind, child).map_err(|misfit| located(misfit, item))?);
        }
        Ok(Value::List(items))
    }

    fn item(&self, kind: Item, element: &Element) -> Result<Option<Value>, Misfit> {
        let text = element.text.trim();
        Ok(match kind {
            Item::Record(shape) => Some(Value::Map(self.decode(shape, element)?)),
            Item::Text => (!element.text.is_empty()).then(|| Value::Text(element.text.clone())),
            Item::Nested(inner) => {
                self.whole_struct(element, &[inner])?;
                let inner = element.child(inner).map(|inner| inner.text.clone());
                inner.filter(|text| !text.is_empty()).map(Value::Text)
            }
            Item::Number { most } => match whole(text, most)? {
                0 if !self.strict => None,
                number => Some(Value::from(number.to_string())),
            },
            Item::Dotted(names) => self.dotted(element, names)?,
            Item::Choice(prefix, names) => Some(self.choice(text, prefix, names)?),
            Item::Custom => self.custom_field(element)?,
        })
    }

    /// A last number of 0 means none.
    fn dotted(&self, element: &Element, names: &[&str]) -> Result<Option<Value>, Misfit> {
        self.whole_struct(element, names)?;
        let pieces = names.iter().map(|name| {
            let text = element.child(name).map_or("", |piece| piece.text.trim());
            whole(text, i64::MAX).map(|number| number.to_string())
        });
        let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
        Ok(pieces.last().is_some_and(|last| last != "0").then(|| Value::from(pieces.join("."))))
    }

    fn choice(&self, text: &str, prefix: &str, names: &'static [&'static str]) -> Result<Value, Misfit> {
        let name = choice_from_wire(prefix, text);
        // New names come without notice; only the simulator knows them all.
        if self.strict && !names.iter().any(|known| choice_to_wire(prefix, known) == text) {
            return Err(unreadable(text, "value of the enumeration"));
        }
        let known = names.iter().find(|known| **known == name);
        Ok(Value::Text(known.map_or_else(|| Text::from(name.as_str()), |known| Text::from_static(known))))
    }

    /// One of the merchant's own fields; one without a value is no value.
    fn custom_field(&self, element: &Element) -> Result<Option<Value>, Misfit> {
        let kind = element.child("dataType").map_or("", |kind| kind.text.as_str());
        let kind = choice_from_wire("DATA-TYPE-", kind);
        let name = element.child("fieldName").map(|name| name.text.clone()).unwrap_or_default();
        let part = |wire, form| super::part(wire, "value", form);
        let parts = [
            part("strValue", Form::Text),
            match kind.as_str() {
                "decimal" => part("intValue", Form::Scaled("decimalPlaces")),
                _ => part("intValue", Form::LONG),
            },
            part("boolValue", Form::Bool),
            part("dateValue", Form::Date),
            part("dateTimeValue", Form::Moment),
        ];
        let mut value = None;
        for part in &parts {
            if let (None, Some(child)) = (&value, element.child(part.wire)) {
                value = self.value(part, child, element).map_err(|misfit| misfit.within(part.wire))?;
            }
        }
        let chosen = element.children.iter().filter(|child| child.name.as_str() == "multiSelectInt");
        let chosen = chosen.map(|child| whole(child.text.trim(), i64::MAX).map(Value::Int));
        let chosen = chosen.collect::<Result<Vec<_>, _>>()?;
        if !chosen.is_empty() {
            value = Some(Value::List(chosen));
        }
        Ok(value.map(|value| {
            let mut record = Map::with_capacity(3);
            record.set("name", name);
            if !kind.is_empty() {
                record.set("type", kind);
            }
            record.set("value", value);
            Value::Map(record)
        }))
    }

    /// Strictly: these children, in this order, no others.
    fn whole_struct(&self, element: &Element, names: &[&str]) -> Result<(), Misfit> {
        let found = || element.children.iter().map(|child| child.name.as_str());
        if !self.strict || found().eq(names.iter().copied()) {
            return Ok(());
        }
        Err(Misfit::new("", format!("needs {}", names.join(", "))))
    }
}

/// Strictly: every element is known, in its place, and none is missing.
fn in_order(shape: &Shape, element: &Element) -> Result<(), Misfit> {
    if !element.text.trim().is_empty() {
        return Err(Misfit::new("", "holds a text where elements are due"));
    }
    let mut due = shape.parts.iter().flat_map(|part| match part.form {
        Form::Scaled(companion) => vec![*part, super::unused(companion)],
        _ => vec![*part],
    });
    let mut current: Option<Part> = None;
    for child in &element.children {
        let name = child.name.as_str();
        if child.space != Space::Ours {
            return Err(Misfit::new(name, "is not in the namespace of the service"));
        }
        let again = current.is_some_and(|part| part.wire == name && matches!(part.form, Form::Repeat(_)));
        if again {
            continue;
        }
        loop {
            match due.next() {
                Some(part) if part.wire == name => {
                    current = Some(part);
                    break;
                }
                Some(part) if part.required => return Err(Misfit::new(part.wire, "is missing")),
                Some(_) => {}
                None => return Err(Misfit::new(name, "is not expected here")),
            }
        }
    }
    match due.find(|part| part.required) {
        Some(part) => Err(Misfit::new(part.wire, "is missing")),
        None => Ok(()),
    }
}

fn located(misfit: Misfit, name: &str) -> Misfit {
    if misfit.path.is_empty() { Misfit { path: name.to_owned(), ..misfit } } else { misfit.within(name) }
}

fn unreadable(text: &str, what: &str) -> Misfit {
    Misfit::new("", format!("`{text}` is no {what}"))
}

fn whole(text: &str, most: i64) -> Result<i64, Misfit> {
    let number = text.parse::<i64>().map_err(|_| unreadable(text, "whole number"))?;
    if number.unsigned_abs() > most.unsigned_abs() {
        return Err(unreadable(text, "number of 32 bits"));
    }
    Ok(number)
}
