//! Field lines: the blocks of `create`, `update`, `upsert` and `map`.

use super::Checker;
use super::abilities::unknown_field;
use super::exprs::Purpose;
use super::known::{Kind, Known, Made, Shape};
use crate::ast::{Block, Expr, Kind as Line, Name, Node};
use crate::catalog::{Field, Type};
use crate::parse::{is_head, is_step};
use crate::plan::{FieldLine, FieldValue, On, Span};
use crate::problem::{Code, Problem, closest, did_you_mean};

/// Whose fields a block gives.
#[derive(Clone)]
pub(super) struct Into<'c> {
    /// Its schema; `None` when any field goes.
    pub fields: Option<&'c [Field]>,
    /// What a writer calls it: `till.orders`, `till.orders.lines`.
    pub whose: String,
    /// Records are made here, so required fields must be given.
    pub creates: bool,
    /// `on create` and `on update` mean something: the block of an `upsert`.
    pub both: bool,
    /// The fields of a whole record that is written, where `on delete` means something.
    pub whole: bool,
}

/// The field lines of a block, and what is known of each value.
#[derive(Default)]
pub(super) struct Given<'c> {
    pub lines: Vec<FieldLine>,
    pub known: Vec<Made<'c>>,
    /// Where the names of the lines stand, in their order.
    names: Vec<Span>,
}

impl<'c> Checker<'c> {
    /// Checks a block of field lines.
    pub(super) fn fields(&mut self, block: &Block, into: &Into<'c>, owner: &Node) -> Given<'c> {
        let mut given = Given::default();
        let mut malformed = false;
        for node in &block.nodes {
            malformed |= matches!(node.kind, Line::Malformed) || node.faulty;
            self.field_line(node, into, &mut given);
        }
        if block.nodes.is_empty() && block.close.is_some() {
            self.report(
                Problem::new(Code::EmptyBlock, block.open..block.open + 1, "the block is empty")
                    .label("no field gets a value")
                    .help("give at least one line `field = value`"),
            );
        } else if !malformed && block.close.is_some() {
            self.required(&given, into, owner);
        }
        given
    }

    fn field_line(&mut self, node: &Node, into: &Into<'c>, given: &mut Given<'c>) {
        let (name, on, when) = match &node.kind {
            Line::Field { name, on, when, .. } => (name, on.as_slice(), when.iter().collect::<Vec<_>>()),
            Line::FieldEach { name, when, .. } => (name, &[][..], when.iter().collect()),
            Line::FieldBlock(name) => (name, &[][..], Vec::new()),
            Line::Malformed => return,
            _ => return self.not_a_field(node),
        };
        let field = self.target_field(name, into);
        let on = self.on(on, into);
        if let Line::FieldEach { item, .. } = &node.kind {
            self.entry = Some(item.text.clone());
        }
        if on == On::Delete {
            self.gone = Some(std::mem::take(&mut self.scope));
        }
        let when = self.whens(&when, into, node.faulty, on);
        self.entry = None;
        let (value, known) = match &node.kind {
            Line::Field { value, .. } => {
                let always = matches!(on, On::Always | On::Create) && when.is_none();
                self.field_value(value, field, into, node.faulty, always)
            }
            Line::FieldEach { item, list, .. } => self.field_each(node, item, list, name, field, into),
            _ => self.field_block(node, name, field, into),
        };
        if let Some(scope) = self.gone.take() {
            self.scope = scope;
        }
        // Under a condition there may be no value, and nothing is known of which.
        let known = if when.is_some() { Known { absent: None, ..known } } else { known };
        let line = FieldLine { field: name.text.clone(), value, on, when, span: node.span.clone() };
        self.check_repeated(&line, name, given);
        given.lines.push(line);
        given.names.push(name.span.clone());
        given.known.push(Made { name: name.text.clone(), known, at: name.span.clone() });
    }

    fn field_value(
        &mut self,
        value: &Expr,
        field: Option<&'c Field>,
        into: &Into<'c>,
        faulty: bool,
        always: bool,
    ) -> (FieldValue, Known<'c>) {
        let checked = self.expr(value, Purpose::Value, faulty);
        if let Some(field) = field {
            self.check_value(field, &into.whose, &checked.known, &value.span);
            if always && into.creates && field.required {
                self.check_given(field, &into.whose, &checked.known, &value.span);
            }
        }
        (FieldValue::Expr(checked.expr), checked.known)
    }

    fn field_block(
        &mut self,
        node: &Node,
        name: &Name,
        field: Option<&'c Field>,
        into: &Into<'c>,
    ) -> (FieldValue, Known<'c>) {
        let fields = match field.map(|field| &field.kind) {
            None | Some(Type::Any) => None,
            Some(Type::Record(fields)) => Some(fields.as_slice()),
            Some(other) => {
                let help = if matches!(other, Type::List(_)) {
                    format!("one entry a record is written `{} each NAME in LIST {{ … }}`", name.text)
                } else {
                    format!("write `{} = …`", name.text)
                };
                self.report(wrong_nesting(
                    name,
                    &format!("`{}.{}` holds no fields", into.whose, name.text),
                    &help,
                ));
                None
            }
        };
        let whose = format!("{}.{}", into.whose, name.text);
        let inner = Into { fields, whose, whole: false, ..into.clone() };
        let given = node.block.as_ref().map(|block| self.fields(block, &inner, node)).unwrap_or_default();
        let kind =
            Kind::Record(Shape::Made { fields: given.known.into(), whose: inner.whose.as_str().into() });
        (FieldValue::Record(given.lines), kind.into())
    }

    fn field_each(
        &mut self,
        node: &Node,
        item: &Name,
        list: &Expr,
        name: &Name,
        field: Option<&'c Field>,
        into: &Into<'c>,
    ) -> (FieldValue, Known<'c>) {
        let fields = match field.map(|field| &field.kind) {
            None | Some(Type::Any) => None,
            Some(Type::List(entry)) => match &**entry {
                Type::Record(fields) => Some(fields.as_slice()),
                Type::Any => None,
                _ => {
                    let help = format!("write `{} = LIST.map(|NAME| …)`", name.text);
                    self.report(wrong_nesting(
                        name,
                        &format!("`{}.{}` is a list of plain values, not of records", into.whose, name.text),
                        &help,
                    ));
                    None
                }
            },
            Some(kind) => {
                let help = if matches!(kind, Type::Record(_)) {
                    format!("write `{} {{ … }}`", name.text)
                } else {
                    format!("write `{} = …`", name.text)
                };
                self.report(wrong_nesting(
                    name,
                    &format!("`{}.{}` is no list", into.whose, name.text),
                    &help,
                ));
                None
            }
        };
        let checked = self.expr(list, Purpose::Value, node.faulty);
        let entry = self.item_of(&checked.known, &list.span);
        let depth = self.scope.depth();
        self.bind(item, entry, false);
        // Entries are made anew whatever happens to the record around them.
        let whose = format!("{}.{}", into.whose, name.text);
        let inner = Into { fields, whose, creates: true, both: into.both, whole: false };
        let given = node.block.as_ref().map(|block| self.fields(block, &inner, node)).unwrap_or_default();
        self.scope.end(depth);
        let entry =
            Kind::Record(Shape::Made { fields: given.known.into(), whose: inner.whose.as_str().into() });
        let value = FieldValue::Each { name: item.text.clone(), list: checked.expr, fields: given.lines };
        (value, Known::list_of(entry.into()))
    }

    /// The field of the schema that a line names.
    fn target_field(&mut self, name: &Name, into: &Into<'c>) -> Option<&'c Field> {
        if let Some((outer, inner)) = name.text.split_once('.') {
            self.report(
                Problem::new(
                    Code::DottedField,
                    name.span.clone(),
                    "a nested field stands in a block of its own",
                )
                .label("written with a dot")
                .help(format!(
                    "write `{} {{`, then `{} = …`, then `}}`",
                    outer.trim(),
                    inner.trim()
                )),
            );
            return None;
        }
        let fields = into.fields?;
        let Some(field) = fields.iter().find(|field| field.name == name.text) else {
            let writable = fields.iter().filter(|field| !field.read_only).map(|field| field.name.as_str());
            let help = did_you_mean(&name.text, writable, "its fields are");
            self.report(unknown_field(&into.whose, &name.text, name.span.clone()).maybe_help(help));
            return None;
        };
        if field.read_only {
            self.report(
                Problem::new(
                    Code::ReadOnly,
                    name.span.clone(),
                    format!("`{}.{}` can be read, not written", into.whose, name.text),
                )
                .label("the system fills it")
                .help("take the line away"),
            );
        }
        Some(field)
    }

    fn on(&mut self, written: &[(On, Span)], into: &Into<'c>) -> On {
        let Some((on, span)) = written.first() else { return On::Always };
        if let [_, (_, second), ..] = written {
            self.report(
                Problem::new(
                    Code::MisplacedOn,
                    second.clone(),
                    "a line takes one of `on create`, `on update` and `on delete`",
                )
                .label("a second one")
                .help("without them the field is written whether the record is new or not; another case is a line of its own"),
            );
        }
        if *on == On::Delete {
            if !into.whole {
                self.report(
                    Problem::new(
                        Code::MisplacedOn,
                        span.clone(),
                        "only whole fields of a record that is written know of its deletion",
                    )
                    .label("means nothing here")
                    .help("put the line right into the block of the `create`, `update` or `upsert`"),
                );
            }
        } else if !into.both {
            self.report(
                Problem::new(
                    Code::MisplacedOn,
                    span.clone(),
                    "only an `upsert` knows both creating and updating",
                )
                .label("means nothing here")
                .help("take it away"),
            );
        }
        *on
    }

    fn whens(
        &mut self,
        written: &[&Expr],
        into: &Into<'c>,
        faulty: bool,
        on: On,
    ) -> Option<crate::plan::Expr> {
        if let [_, second, ..] = written {
            self.report(
                Problem::new(Code::RepeatedLine, second.span.clone(), "a line takes one `when`")
                    .label("a second one")
                    .help("join the two conditions: `when … && …`"),
            );
        }
        let first = written.first()?;
        let depth = self.scope.depth();
        if on != On::Delete && (into.both || into.creates) {
            self.bind_quietly("creating", Kind::Boolean, first.span.clone());
        }
        let checked = self.expr(first, Purpose::Condition, faulty);
        self.scope.forget(depth);
        Some(checked.expr)
    }

    fn not_a_field(&mut self, node: &Node) {
        let word: String = self
            .text
            .get(node.span.clone())
            .unwrap_or_default()
            .chars()
            .take_while(|c| c.is_alphanumeric())
            .collect();
        let help = if is_head(&node.kind) {
            "move it to the head of the flow".to_owned()
        } else if matches!(node.kind, Line::When(_)) {
            "a field line takes its own condition: `field = value when CONDITION`".to_owned()
        } else if matches!(node.kind, Line::Each(..)) {
            "a list of records is written `FIELD each NAME in LIST { … }`".to_owned()
        } else {
            "move the step above the block, and read its name here".to_owned()
        };
        let what = if is_step(&node.kind) { "a step cannot stand" } else { "this cannot stand" };
        self.report(
            Problem::new(Code::StepAmongFields, node.span.clone(), format!("{what} among field lines"))
                .label(format!("`{word}` here"))
                .help(help),
        );
    }

    fn check_repeated(&mut self, line: &FieldLine, name: &Name, given: &Given<'c>) {
        let both_lists = |other: &FieldLine| {
            matches!((&other.value, &line.value), (FieldValue::Each { .. }, FieldValue::Each { .. }))
        };
        let certain = |other: &FieldLine| other.when.is_none() || line.when.is_none();
        let clash = given.lines.iter().zip(&given.names).find(|(other, _)| {
            other.field == line.field && overlap(other.on, line.on) && certain(other) && !both_lists(other)
        });
        if let Some((_, first)) = clash {
            self.report(
                Problem::new(
                    Code::RepeatedField,
                    name.span.clone(),
                    format!("`{}` gets a value twice", line.field),
                )
                .label("here again")
                .also(first.clone(), "first here")
                .help("take one of the two away, or give both a `when`"),
            );
        }
    }

    /// Required fields of a new record have a line that always counts.
    fn required(&mut self, given: &Given<'c>, into: &Into<'c>, owner: &Node) {
        let Some(fields) = into.fields.filter(|_| into.creates) else { return };
        let mut missing = Vec::new();
        for field in fields.iter().filter(|field| field.required && !field.read_only) {
            let counted = |line: &&FieldLine| line.field == field.name && line.on != On::Delete;
            let lines: Vec<&FieldLine> = given.lines.iter().filter(counted).collect();
            let for_new: Vec<&&FieldLine> = lines.iter().filter(|line| line.on != On::Update).collect();
            let counts =
                |line: &&&FieldLine| line.when.as_ref().is_none_or(|when| when.rhai.contains("creating"));
            match for_new.as_slice() {
                [] if lines.is_empty() => missing.push(field.name.as_str()),
                [] => self.sometimes(
                    field,
                    into,
                    lines.first().map(|line| line.span.clone()),
                    "given on update only",
                ),
                [only] if !counts(only) => {
                    self.sometimes(field, into, Some(only.span.clone()), "given under a condition");
                }
                // Several conditions may well leave nothing out.
                _ => {}
            }
        }
        if missing.is_empty() {
            return;
        }
        let names = crate::problem::list(missing.iter().copied(), "and");
        let (what, each) = if missing.len() == 1 { ("field", "it") } else { ("fields", "each") };
        // A field that was misspelt is not missing: that problem names it.
        let misspelt = |missing: &&str| {
            given.known.iter().any(|made| {
                !fields.iter().any(|field| field.name == made.name)
                    && closest(&made.name, [*missing]).is_some()
            })
        };
        if missing.iter().all(misspelt) {
            return;
        }
        self.report(
            Problem::new(
                Code::MissingRequired,
                owner.span.clone(),
                format!("a new record of `{}` needs the {what} {names}", into.whose),
            )
            .label(if missing.len() == 1 { "no line gives it" } else { "no line gives them" })
            .help(format!(
                "give {each} a value in this block: `{} = …`",
                missing.first().copied().unwrap_or_default()
            )),
        );
    }

    fn sometimes(&mut self, field: &Field, into: &Into<'c>, at: Option<Span>, how: &str) {
        let Some(at) = at else { return };
        self.report(
            Problem::new(
                Code::MissingRequired,
                at,
                format!("a new record of `{}` always needs `{}`", into.whose, field.name),
            )
            .label(how)
            .help("take the condition away, or add a line for the other case"),
        );
    }
}

/// Lines of both kinds may be written at once.
const fn overlap(one: On, other: On) -> bool {
    match (one, other) {
        (On::Delete, other) | (other, On::Delete) => matches!(other, On::Delete),
        (On::Create, On::Update) | (On::Update, On::Create) => false,
        _ => true,
    }
}

fn wrong_nesting(name: &Name, message: &str, help: &str) -> Problem {
    Problem::new(Code::WrongNesting, name.span.clone(), message).label("a block does not fit").help(help)
}
