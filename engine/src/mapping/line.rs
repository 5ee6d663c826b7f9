//! Field lines straight to the JSON of a journal, without a record in between.
//!
//! Only for what is plain: every expression is lowered, no field is set twice, and every value is of
//! a kind that the journal takes as it is. Whatever is not, goes by way of a record.

use connectors::contract::{Member, Takes};

use super::wanted;
use crate::program::{From, Line};
use crate::script::{Bindings, Natively, ScriptHost};

/// Field lines, and how each stands in the journal.
pub struct Template<'l> {
    lines: &'l [Line],
    members: Vec<Member>,
}

impl<'l> Template<'l> {
    /// The template, when a line can be made of these fields without a record.
    pub fn of(lines: &'l [Line], member: impl Fn(&str) -> Option<Member>) -> Option<Self> {
        let members: Vec<Member> = lines.iter().map(|line| member(&line.field)).collect::<Option<_>>()?;
        // Where the key may be missing it takes a record to tell.
        let says_key = |(line, member): (&Line, &Member)| member.is_key && line.when.is_none();
        (are_plain(lines) && lines.iter().zip(&members).any(says_key)).then_some(Self { lines, members })
    }

    /// Adds the line to a page. `None`: the page may have half a line, and it takes a record.
    pub fn write(
        &self,
        host: &ScriptHost,
        bindings: &Bindings,
        creating: bool,
        page: &mut Vec<u8>,
    ) -> Option<()> {
        host.natively(bindings, |names| {
            let mut object = Object::begin(page);
            for (line, member) in self.lines.iter().zip(&self.members) {
                let wrote = object.field(names, line, (&member.name, member.takes), creating)?;
                if member.is_key && !wrote {
                    return None;
                }
            }
            object.end();
            Some(())
        })
    }
}

/// No field is set twice, at any level.
fn are_plain(lines: &[Line]) -> bool {
    lines.iter().all(|line| {
        line.is_first
            && match &line.value {
                From::Script(_) => true,
                From::Record(lines) | From::Each(.., lines) => are_plain(lines),
            }
    })
}

/// A record that is being written.
struct Object<'p> {
    page: &'p mut Vec<u8>,
    is_empty: bool,
}

impl<'p> Object<'p> {
    fn begin(page: &'p mut Vec<u8>) -> Self {
        page.push(b'{');
        Self { page, is_empty: true }
    }

    fn end(self) {
        self.page.push(b'}');
    }

    /// Adds a field, unless its line does not count or has no value.
    fn field<'a>(
        &mut self,
        names: &Natively<'a>,
        line: &'a Line,
        (name, takes): (&[u8], Takes),
        creating: bool,
    ) -> Option<bool> {
        if !wanted(line, creating) {
            return Some(false);
        }
        if let Some(when) = &line.when
            && !names.truth(&when.compiled)?
        {
            return Some(false);
        }
        let before = self.page.len();
        if !self.is_empty {
            self.page.push(b',');
        }
        self.page.extend_from_slice(name);
        let wrote = match &line.value {
            From::Script(script) => names.write(&script.compiled, takes, self.page)?,
            // A list or a record.
            From::Record(_) | From::Each(..) if !takes.other => return None,
            From::Record(lines) => !block(names, lines, creating, self.page)?,
            From::Each(item, list, lines) => {
                self.page.push(b'[');
                let mut is_first = true;
                names.each(&list.compiled, item, |names| {
                    if !std::mem::take(&mut is_first) {
                        self.page.push(b',');
                    }
                    block(names, lines, creating, self.page).map(|_| ())
                })?;
                self.page.push(b']');
                true
            }
        };
        if wrote {
            self.is_empty = false;
        } else {
            self.page.truncate(before);
        }
        Some(wrote)
    }
}

/// Adds a record of field lines; whether it is empty.
fn block<'a>(names: &Natively<'a>, lines: &'a [Line], creating: bool, page: &mut Vec<u8>) -> Option<bool> {
    let mut object = Object::begin(page);
    for line in lines {
        object.field(names, line, (&line.json, Takes::ALL), creating)?;
    }
    let is_empty = object.is_empty;
    object.end();
    Some(is_empty)
}

#[cfg(test)]
mod tests {
    use connectors::record::read_json;
    use dsl::plan::{Expr, FieldLine, FieldValue, On};

    use super::*;
    use crate::mapping;
    use crate::program::compile_lines;
    use crate::script::Limits;

    fn expr(rhai: &str) -> Expr {
        Expr { rhai: rhai.to_owned(), span: 0..0, inserted: Vec::new() }
    }

    fn line(field: &str, value: FieldValue) -> FieldLine {
        FieldLine { field: field.to_owned(), value, on: On::Always, when: None, span: 0..0 }
    }

    fn says(field: &str, rhai: &str) -> FieldLine {
        line(field, FieldValue::Expr(expr(rhai)))
    }

    fn lines() -> Vec<FieldLine> {
        let each = |fields| FieldValue::Each { name: "line".to_owned(), list: expr("order.lines"), fields };
        let lines = vec![says("sku", "line.sku"), says("total", "line.price * order.factor")];
        let tags = vec![says("tag", "line.none")];
        vec![
            says("id", "order.id"),
            says("say \"what\"", "`${order.name} \"é\"\n`"),
            FieldLine { when: Some(expr("order.factor > 1")), ..says("when", "order.factor") },
            FieldLine { on: On::Update, ..says("updated", "true") },
            line("address", FieldValue::Record(vec![says("street", "order.street"), says("known", "true")])),
            line("left_out", FieldValue::Record(vec![says("street", "order.none")])),
            line("lines", each(lines)),
            line("tags", each(tags)),
            says("all", "order"),
            says("list", "[order.id, (), 1.10, #{ b: true }]"),
            says("truth", "order.factor == 2"),
            says("name", "order.name"),
        ]
    }

    const ORDERS: [&str; 4] = [
        r#"{"id":1,"name":"Sanne","street":"Lindelaan","factor":2,"lines":[{"sku":"a","price":1.50},{"price":2}]}"#,
        r#"{"id":"2","name":"","street":null,"factor":0.5,"lines":[]}"#,
        r#"{"id":3.10,"name":"a name of more than twenty-three letters","factor":-1}"#,
        r#"{"id":4,"name":"a \"quoted\" name\u0001","factor":1,"lines":[{"sku":{"deep":[1]},"price":-2.5}]}"#,
    ];

    /// What the lines make of an order: by way of a record, and without one.
    fn both(lines: &[FieldLine], order: &str, takes: Takes) -> (String, Option<String>) {
        let host = ScriptHost::load(Limits::default(), &[], &[]).unwrap();
        let lines = compile_lines(lines, &host).unwrap();
        let member = |field: &str| {
            let name = format!("{}:", connectors::record::Value::from(field)).into_bytes();
            let takes = if field == "id" { Takes { empty: false, ..takes } } else { takes };
            Some(Member { name, takes, is_key: field == "id" })
        };
        let mut bindings = Bindings::new();
        bindings.set("order", read_json(&order.to_owned().into()).unwrap());
        let record = mapping::record(&host, &lines, &bindings, true).unwrap();
        let mut page = Vec::new();
        let written = Template::of(&lines, member)
            .and_then(|template| template.write(&host, &bindings, true, &mut page))
            .map(|()| String::from_utf8(page).unwrap());
        (record.to_string(), written)
    }

    #[test]
    fn a_line_says_what_the_record_says() {
        for order in ORDERS {
            let (record, written) = both(&lines(), order, Takes::ALL);
            assert_eq!(written, Some(record));
        }
    }

    #[test]
    fn what_the_journal_does_not_take_needs_a_record() {
        let numbers = Takes { text: false, empty: false, ..Takes::ALL };
        let plain = Takes { other: false, ..Takes::ALL };
        let written = |field: &str, rhai: &str, takes| {
            let order = ORDERS[0];
            both(&[says("id", "order.id"), says(field, rhai)], order, takes).1.is_some()
        };
        assert!(written("a", "1", numbers) && written("a", "()", numbers) && written("a", "\"x\"", plain));
        assert!(!written("a", "\"x\"", numbers) && !written("a", "\"\"", numbers));
        assert!(!written("a", "true", plain) && !written("a", "[1]", plain));
        assert!(!written("a", "1", Takes { integer: false, ..Takes::ALL }));
        assert!(!written("a", "1.5", Takes { decimal: false, ..Takes::ALL }));
        assert!(!written("id", "2", Takes::ALL), "set twice");
        let without = |id: &str| both(&[says("id", id)], ORDERS[0], Takes::ALL).1;
        assert_eq!((without("()"), without("\"\"")), (None, None), "no line goes without its key");
        assert_eq!(both(&[says("a", "1")], ORDERS[0], Takes::ALL).1, None);
    }
}
