//! Expressions and script functions as native trees, so that they run about as fast as Rust.
//!
//! Rhai parses and remains the reference: what a tree cannot express stays with it as a whole,
//! with the reason. A tree that comes upon anything unusual while it runs (a mistake, a value of
//! another kind, something too large) stops without a word, and Rhai evaluates the expression
//! again and says what it says. Expressions change nothing outside themselves, so that is safe,
//! and it means that every mistake is told in one place only. What may differ are the limits of
//! time, operations and memory: a tree needs fewer operations, so it reaches them later.

mod call;
mod callee;
mod calls;
mod chain;
mod choose;
mod compile;
mod machine;
mod names;
mod natively;
mod operand;
mod out;
mod statement;
mod tree;
mod value;

pub(super) use call::NativeCall;
pub(super) use callee::{Callee, Source};
pub(super) use compile::Lowerer;
pub(super) use machine::{Machine, Stop};
pub(super) use names::Names;
pub use natively::Natively;
pub(super) use out::{into_value, truth};
pub(super) use tree::{Function, Program};
pub(super) use value::Val;

use super::error::Place;

/// Why an expression, or a function of a script, is left to Rhai.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLowered {
    /// In plain words: `switch is left to Rhai`.
    pub reason: String,
    /// Where, in the expression or in the script.
    pub at: Option<Place>,
    /// The script and the function, when it lies there.
    pub inside: Option<(String, String)>,
}
