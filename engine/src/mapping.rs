//! Records from field lines.
//!
//! A block whose lines are all lowered is made in one go, straight from the values that it reads.
//! When anything in it is odd, the block is made again line by line, and that way is the one that
//! says what is wrong and where.

mod line;

use connectors::record::{Record, Value};
use dsl::plan::On;

use crate::program::{From, Line, Script};
use crate::script::{Bindings, Natively, ScriptError, ScriptHost};

pub use line::Template;

/// Why field lines made no record.
#[derive(Debug)]
pub struct Failed<'l> {
    /// The expression.
    pub script: &'l Script,
    /// What came of it.
    pub why: Why,
}

/// What an expression of a field line did.
#[derive(Debug)]
pub enum Why {
    /// It failed.
    Script(ScriptError),
    /// It gave a value of this kind where `each` needs a list.
    NoList(&'static str),
}

/// The record that field lines make. Lines whose value is `()` are left out.
///
/// # Errors
/// The first line, in the order of the text, that fails.
pub fn record<'l>(
    host: &ScriptHost,
    lines: &'l [Line],
    bindings: &Bindings,
    creating: bool,
) -> Result<Record, Failed<'l>> {
    match host.natively(bindings, |names| quick(names, lines, creating)) {
        Some(record) => Ok(record),
        None => Slow { host, creating }.record(lines, &mut bindings.clone()),
    }
}

const fn wanted(line: &Line, creating: bool) -> bool {
    match line.on {
        On::Always => true,
        On::Create => creating,
        On::Update => !creating,
        // Those are lines of their own in a program.
        On::Delete => false,
    }
}

/// Adds to a field that may have been set by an earlier line.
fn set(record: &mut Record, line: &Line, value: Value) {
    if line.is_first {
        record.push(line.field.clone(), value);
    } else {
        record.set(&line.field, value);
    }
}

/// Adds to a list that an earlier line may have begun.
fn extend(record: &mut Record, line: &Line, mut entries: Vec<Value>) {
    match record.get_mut(&line.field) {
        Some(Value::List(known)) => known.append(&mut entries),
        _ => set(record, line, Value::List(entries)),
    }
}

fn quick<'a>(names: &Natively<'a>, lines: &'a [Line], creating: bool) -> Option<Record> {
    let mut record = Record::with_capacity(lines.len());
    for line in lines.iter().filter(|line| wanted(line, creating)) {
        if let Some(when) = &line.when
            && !names.truth(&when.compiled)?
        {
            continue;
        }
        match &line.value {
            From::Script(script) => {
                let value = names.value(&script.compiled)?;
                if !value.is_null() {
                    set(&mut record, line, value);
                }
            }
            From::Record(lines) => {
                let inner = quick(names, lines, creating)?;
                if !inner.is_empty() {
                    set(&mut record, line, inner.into());
                }
            }
            From::Each(name, list, lines) => {
                let mut entries = Vec::new();
                names.each(&list.compiled, name, |names| {
                    entries.push(Value::Map(quick(names, lines, creating)?));
                    Some(())
                })?;
                extend(&mut record, line, entries);
            }
        }
    }
    Some(record)
}

struct Slow<'h> {
    host: &'h ScriptHost,
    creating: bool,
}

impl Slow<'_> {
    fn record<'l>(&self, lines: &'l [Line], bindings: &mut Bindings) -> Result<Record, Failed<'l>> {
        let mut record = Record::with_capacity(lines.len());
        for line in lines.iter().filter(|line| wanted(line, self.creating)) {
            if let Some(when) = &line.when {
                let holds = self.host.truth(&when.compiled, bindings);
                if !holds.map_err(|error| Failed { script: when, why: Why::Script(error) })? {
                    continue;
                }
            }
            match &line.value {
                From::Script(script) => {
                    let value = self.value(script, bindings)?;
                    if !value.is_null() {
                        set(&mut record, line, value);
                    }
                }
                From::Record(lines) => {
                    let inner = self.record(lines, bindings)?;
                    if !inner.is_empty() {
                        set(&mut record, line, inner.into());
                    }
                }
                From::Each(name, list, lines) => {
                    let items = match self.value(list, bindings)? {
                        Value::List(items) => items,
                        Value::Null => Vec::new(),
                        other => return Err(Failed { script: list, why: Why::NoList(other.kind()) }),
                    };
                    let mut entries = Vec::with_capacity(items.len());
                    let mark = bindings.mark();
                    for item in items {
                        bindings.set(name.clone(), item);
                        entries.push(Value::Map(self.record(lines, bindings)?));
                        bindings.back_to(mark);
                    }
                    extend(&mut record, line, entries);
                }
            }
        }
        Ok(record)
    }

    fn value<'l>(&self, script: &'l Script, bindings: &Bindings) -> Result<Value, Failed<'l>> {
        let value = self.host.evaluate(&script.compiled, bindings);
        value.map_err(|error| Failed { script, why: Why::Script(error) })
    }
}
