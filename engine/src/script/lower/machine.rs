//! Runs lowered code.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use connectors::record::Text;

use super::call::NativeCall;
use super::names::Input;
use super::tree::{Call, Closure, Function, Node, Program};
use super::value::{Fields, List, Val};
use crate::script::bindings::Bindings;
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::library::{Most, Operand, Operator, operate, shown};
use crate::script::limits::Limits;
use crate::script::table::TableValue;

/// Deepest nesting of the values that lowered code makes. Rhai takes deeper ones, on a thread
/// with room for them.
const DEEPEST: usize = 64;

/// Nodes within each other, calls included, before Rhai takes over.
const MOST_NODES: usize = 400;

/// Why lowered code did not come to its end.
#[derive(Debug)]
pub(in crate::script) enum Stop {
    /// Something that Rhai has to look at: a mistake, as a rule.
    Odd,
    /// A limit of operations, time or memory.
    Limit(Box<Mistake>),
    /// `return`; what is given back waits in the machine.
    Return,
    /// `break`, likewise.
    Break,
    Continue,
}

impl From<Mistake> for Stop {
    fn from(mistake: Mistake) -> Self {
        match &mistake {
            Mistake::Limit { what, .. } if matches!(what.as_str(), "operations" | "time" | "memory") => {
                Self::Limit(Box::new(mistake))
            }
            _ => Self::Odd,
        }
    }
}

/// What lowered code gives, or why not.
pub(in crate::script) type Ran<'a> = Result<Val<'a>, Stop>;

/// What evaluations run in, one after the other, over the same names.
pub(in crate::script) struct Machine<'a> {
    functions: &'a [Option<Function>],
    limits: &'a Limits,
    bindings: &'a Bindings,
    tables: &'a BTreeMap<String, TableValue>,
    /// What names from outside hold, by their numbers, as far as they were asked for.
    known: RefCell<Vec<Option<Val<'a>>>>,
    /// Where texts are put together.
    scratch: Cell<String>,
    pub(super) slots: RefCell<Vec<Val<'a>>>,
    pub(super) base: Cell<usize>,
    calls: Cell<usize>,
    nodes: Cell<usize>,
    /// What a `return` or `break` gives.
    pub(super) carried: Cell<Option<Val<'a>>>,
}

impl<'a> Machine<'a> {
    pub(in crate::script) const fn new(
        functions: &'a [Option<Function>],
        limits: &'a Limits,
        bindings: &'a Bindings,
        tables: &'a BTreeMap<String, TableValue>,
    ) -> Self {
        Self {
            functions,
            limits,
            bindings,
            tables,
            known: RefCell::new(Vec::new()),
            scratch: Cell::new(String::new()),
            slots: RefCell::new(Vec::new()),
            base: Cell::new(0),
            calls: Cell::new(0),
            nodes: Cell::new(0),
            carried: Cell::new(None),
        }
    }

    /// Evaluates an expression. The budget is the caller's to open.
    pub(in crate::script) fn run(&self, program: &'a Program) -> Ran<'a> {
        if program.slots > 0 {
            let mut slots = self.slots.borrow_mut();
            slots.clear();
            slots.resize(program.slots, Val::Nothing);
        }
        self.base.set(0);
        self.whole(&program.body)
    }

    /// What a name from outside holds.
    fn input(&self, input: &Input) -> Ran<'a> {
        if let Some(Some(value)) = self.known.borrow().get(input.number) {
            return Ok(value.clone());
        }
        let bound = self.bindings.get(&input.name).map(Val::of);
        let value = bound.or_else(|| self.tables.get(&input.name).map(Val::Table)).ok_or(Stop::Odd)?;
        self.know(input.number, Some(value.clone()));
        Ok(value)
    }

    /// From here on the name with that number holds this; gives back what it held.
    pub(super) fn know(&self, number: usize, value: Option<Val<'a>>) -> Option<Val<'a>> {
        let mut known = self.known.borrow_mut();
        if known.len() <= number {
            known.resize(number + 1, None);
        }
        known.get_mut(number).and_then(|place| std::mem::replace(place, value))
    }

    /// Runs what `return` leaves.
    fn whole(&self, body: &'a Node) -> Ran<'a> {
        match self.eval(body) {
            Err(Stop::Return) => self.carried.take().ok_or(Stop::Odd),
            Err(Stop::Break | Stop::Continue) => Err(Stop::Odd),
            other => other,
        }
    }

    pub(super) fn most(&self) -> Most {
        Most { text: self.limits.text_length, items: self.limits.list_length }
    }

    pub(super) fn eval(&self, node: &'a Node) -> Ran<'a> {
        Ok(match node {
            Node::Nothing => Val::Nothing,
            Node::Bool(truth) => Val::Bool(*truth),
            Node::Int(number) => Val::Int(*number),
            Node::Constant(value) => Val::of(value),
            Node::Input(input) => return self.input(input),
            Node::Slot(slot) => self.slot(*slot)?,
            Node::Path(path) => return self.path(path),
            Node::Binary(operator, sides) => {
                let (left, right) = (self.eval(&sides.0)?, self.eval(&sides.1)?);
                return self.operate(*operator, &left, &right);
            }
            Node::And(all) => {
                for node in all {
                    if !self.condition(node)? {
                        return Ok(Val::Bool(false));
                    }
                }
                Val::Bool(true)
            }
            Node::Or(any) => {
                for node in any {
                    if self.condition(node)? {
                        return Ok(Val::Bool(true));
                    }
                }
                Val::Bool(false)
            }
            Node::Coalesce(values) => {
                for node in values {
                    let value = self.eval(node)?;
                    if !value.is_nothing() {
                        return Ok(value);
                    }
                }
                Val::Nothing
            }
            Node::Call(call) => return self.library(call, None),
            Node::Function(closure) => Val::Function(closure),
            Node::Script(function, args) => return self.script(*function, args),
            Node::Interpolated(parts) => return self.interpolated(parts),
            Node::List(nodes) => {
                budget::step()?;
                let items: Result<Vec<_>, Stop> = nodes.iter().map(|node| self.eval(node)).collect();
                return self.bounded(Val::MadeList(Rc::new(List::new(items?))));
            }
            Node::Record(nodes) => {
                budget::step()?;
                let mut fields = Vec::with_capacity(nodes.len());
                for (name, node) in nodes {
                    fields.push((name.clone(), self.eval(node)?));
                }
                return self.bounded(Val::MadeRecord(Rc::new(Fields::new(fields))));
            }
            Node::Range(ends, inclusive) => match (self.eval(&ends.0)?, self.eval(&ends.1)?) {
                (Val::Int(from), Val::Int(to)) => Val::Range { from, to, inclusive: *inclusive },
                _ => return Err(Stop::Odd),
            },
            Node::If(branches) => {
                let (condition, then, otherwise) = &**branches;
                return self.eval(if self.condition(condition)? { then } else { otherwise });
            }
            Node::Switch(switch) => return self.choose(switch),
            _ => return self.statement(node),
        })
    }

    pub(super) fn condition(&self, node: &'a Node) -> Result<bool, Stop> {
        match self.eval(node)? {
            Val::Bool(truth) => Ok(truth),
            _ => Err(Stop::Odd),
        }
    }

    pub(super) fn operate(&self, operator: Operator, left: &Val<'a>, right: &Val<'a>) -> Ran<'a> {
        if operator == Operator::Plus {
            budget::step()?;
            return self.bounded(operate(operator, left, right, self.most())?);
        }
        budget::pass()?;
        Ok(operate(operator, left, right, self.most())?)
    }

    /// A value that was just made, unless it is larger than Rhai would let it be.
    #[inline]
    pub(super) fn bounded(&self, value: Val<'a>) -> Ran<'a> {
        let size = match &value {
            Val::MadeList(list) => list.size,
            Val::MadeRecord(record) => record.size,
            Val::Made(text) if text.len() > self.limits.text_length => return Err(Stop::Odd),
            _ => return Ok(value),
        };
        let fits = size.items <= self.limits.list_length
            && size.fields <= self.limits.record_size
            && size.bytes <= self.limits.text_length
            && size.depth <= DEEPEST;
        if fits { Ok(value) } else { Err(Stop::Odd) }
    }

    /// Calls a library function; `first` stands before the arguments.
    pub(super) fn library(&self, call: &'a Call, first: Option<Val<'a>>) -> Ran<'a> {
        budget::step()?;
        let mut args = [Val::Nothing, Val::Nothing, Val::Nothing, Val::Nothing];
        let mut count = 0;
        if let (Some(place), Some(first)) = (args.first_mut(), first) {
            *place = first;
            count = 1;
        }
        for node in &call.args {
            *args.get_mut(count).ok_or(Stop::Odd)? = self.eval(node)?;
            count += 1;
        }
        let args = args.get_mut(..count).ok_or(Stop::Odd)?;
        self.bounded((call.run)(&mut NativeCall { name: call.name, machine: self, args })?)
    }

    /// Calls a library function that changes its first argument, a variable.
    pub(super) fn change(&self, slot: usize, call: &'a Call) -> Ran<'a> {
        budget::step()?;
        let mut args = vec![Val::Nothing];
        for node in &call.args {
            args.push(self.eval(node)?);
        }
        let taken = std::mem::replace(
            self.slots.borrow_mut().get_mut(self.base.get() + slot).ok_or(Stop::Odd)?,
            Val::Nothing,
        );
        *args.first_mut().ok_or(Stop::Odd)? = taken;
        let given = (call.run)(&mut NativeCall { name: call.name, machine: self, args: &mut args })?;
        let changed = self.bounded(args.swap_remove(0))?;
        self.set_slot(slot, changed)?;
        self.bounded(given)
    }

    fn script(&self, number: usize, args: &'a [Node]) -> Ran<'a> {
        budget::step()?;
        let function = self.functions.get(number).and_then(Option::as_ref).ok_or(Stop::Odd)?;
        let nodes = self.nodes.get() + function.depth;
        if nodes > MOST_NODES || args.len() != function.params {
            return Err(Stop::Odd);
        }
        let mut frame = Vec::with_capacity(function.slots);
        for node in args {
            frame.push(self.eval(node)?);
        }
        self.enter()?;
        let (base, top) = (self.base.get(), self.slots.borrow().len());
        {
            let mut slots = self.slots.borrow_mut();
            slots.append(&mut frame);
            slots.resize(top + function.slots, Val::Nothing);
        }
        self.base.set(top);
        let nodes = self.nodes.replace(nodes);
        let given = self.whole(&function.body);
        self.nodes.set(nodes);
        self.base.set(base);
        self.slots.borrow_mut().truncate(top);
        self.calls.set(self.calls.get() - 1);
        given
    }

    pub(super) fn call_closure<const N: usize>(&self, closure: &'a Closure, args: [Val<'a>; N]) -> Ran<'a> {
        if closure.params != N {
            return Err(Stop::Odd);
        }
        self.enter()?;
        for (at, value) in args.into_iter().enumerate() {
            self.set_slot(closure.first + at, value)?;
        }
        let given = self.whole(&closure.body);
        self.calls.set(self.calls.get() - 1);
        given
    }

    /// One call more within the others.
    fn enter(&self) -> Result<(), Stop> {
        let calls = self.calls.get() + 1;
        if calls > self.limits.call_depth {
            return Err(Stop::Odd);
        }
        self.calls.set(calls);
        Ok(())
    }

    fn interpolated(&self, parts: &'a [Node]) -> Ran<'a> {
        budget::step()?;
        let mut text = self.scratch.take();
        text.clear();
        for part in parts {
            let failed = match self.eval(part)? {
                Val::Text(part) => text.write_str(part),
                Val::Int(number) => write!(text, "{number}"),
                Val::Decimal(number) => write!(text, "{number}"),
                other => text.write_str(&shown(&other, self.limits.text_length)?),
            };
            if failed.is_err() || text.len() > self.limits.text_length {
                return Err(Stop::Odd);
            }
        }
        budget::make(text.len())?;
        let made = Text::from(text.as_str());
        self.scratch.set(text);
        Ok(Val::Made(made))
    }

    #[inline]
    pub(super) fn slot(&self, slot: usize) -> Ran<'a> {
        self.slots.borrow().get(self.base.get() + slot).cloned().ok_or(Stop::Odd)
    }

    #[inline]
    pub(super) fn set_slot(&self, slot: usize, value: Val<'a>) -> Result<(), Stop> {
        *self.slots.borrow_mut().get_mut(self.base.get() + slot).ok_or(Stop::Odd)? = value;
        Ok(())
    }
}
