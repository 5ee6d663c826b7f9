//! The tree that lowered code is.

use std::sync::atomic::{AtomicUsize, Ordering};

use connectors::record::{Text, Value};

use super::call::NativeCall;
use super::choose::Switch;
use super::names::Input;
use crate::script::library::{Given, Operator};

/// What runs natively for a function of the library.
pub(super) type Native = for<'m, 'a> fn(&mut NativeCall<'m, 'a>) -> Given<NativeCall<'m, 'a>>;

/// An expression that is ready to run.
#[derive(Debug)]
pub(in crate::script) struct Program {
    /// Variables that it has at most.
    pub(super) slots: usize,
    pub(super) body: Node,
}

/// A function of a script.
#[derive(Debug)]
pub(in crate::script) struct Function {
    pub(in crate::script) name: String,
    pub(super) params: usize,
    pub(super) slots: usize,
    pub(super) body: Node,
    /// Nodes within each other.
    pub(super) depth: usize,
    /// Functions that it calls, by number.
    pub(in crate::script) calls: Vec<usize>,
}

/// One operation.
#[derive(Debug)]
pub(super) enum Node {
    Nothing,
    Bool(bool),
    Int(i64),
    Constant(Value),
    /// A name from outside.
    Input(Box<Input>),
    /// A variable.
    Slot(usize),
    Path(Box<Path>),
    Binary(Operator, Box<(Node, Node)>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Coalesce(Box<[Node]>),
    Call(Box<Call>),
    /// A library function that changes a variable.
    Change(usize, Box<Call>),
    Script(usize, Box<[Node]>),
    Function(Box<Closure>),
    Interpolated(Box<[Node]>),
    List(Box<[Node]>),
    /// Fields in the order of their names.
    Record(Box<[(Text, Node)]>),
    Range(Box<(Node, Node)>, bool),
    Block(Box<[Node]>),
    If(Box<(Node, Node, Node)>),
    Switch(Box<Switch>),
    Let(usize, Box<Node>),
    Set(usize, Option<Operator>, Box<Node>),
    SetIn(Box<SetIn>),
    /// A condition and a body.
    While(Box<(Node, Node)>),
    For(Box<For>),
    Break(Option<Box<Node>>),
    Continue,
    Return(Option<Box<Node>>),
    /// What is thrown is told by Rhai.
    Throw,
}

/// `order.billing?.street`, `lines[0].sku.trim()`.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) root: Node,
    pub(super) links: Box<[Link]>,
}

/// One step of a path.
#[derive(Debug)]
pub(super) struct Link {
    /// `?.` and `?[`: nothing gives nothing.
    pub(super) optional: bool,
    pub(super) step: Step,
}

#[derive(Debug)]
pub(super) enum Step {
    Field(Field),
    Index(Node),
    /// The first argument is what stands before.
    Call(Call),
}

/// A field's name, and where it was found last.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Text,
    hint: AtomicUsize,
}

impl Field {
    pub(super) fn new(name: &str) -> Self {
        Self { name: Text::from(name), hint: AtomicUsize::new(0) }
    }

    /// The place to look at first. Records of one source mostly have their fields in one order.
    pub(super) fn hint(&self) -> usize {
        self.hint.load(Ordering::Relaxed)
    }

    pub(super) fn found_at(&self, at: usize) {
        self.hint.store(at, Ordering::Relaxed);
    }
}

/// A call of a library function.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) run: Native,
    pub(super) args: Box<[Node]>,
}

/// `|line| line.price`: runs among the variables of the code around it.
#[derive(Debug)]
pub(in crate::script) struct Closure {
    pub(super) first: usize,
    pub(super) params: usize,
    pub(super) body: Node,
}

/// `record.field = value`, `list[0] += 1`.
#[derive(Debug)]
pub(super) struct SetIn {
    pub(super) slot: usize,
    pub(super) steps: Box<[Node]>,
    pub(super) operator: Option<Operator>,
    pub(super) value: Node,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) slot: usize,
    pub(super) counter: Option<usize>,
    pub(super) list: Node,
    pub(super) body: Node,
}

impl Node {
    /// True for what gives its value without doing anything.
    pub(super) const fn is_still(&self) -> bool {
        matches!(
            self,
            Self::Nothing
                | Self::Bool(_)
                | Self::Int(_)
                | Self::Constant(_)
                | Self::Slot(_)
                | Self::Function(_)
        )
    }
}
