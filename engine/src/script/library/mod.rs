//! What scripts and expressions may call: one table, from which the functions are registered, the
//! reference is written and the checker is told.
//!
//! Every function says before it works how much it will read or make; none waits, none sees
//! anything but its arguments.

mod call;
mod dates;
mod lists;
mod numbers;
mod operand;
mod operators;
mod records;
mod refused;
mod rhai_call;
mod shown;
mod text;

use std::any::TypeId;

use dsl::catalog::Function;
use rhai::{Dynamic, Engine};

use super::lower::NativeCall;
pub(super) use call::{Call, Given, Most};
pub(super) use operand::Operand;
pub(super) use operators::{Operator, index, negative, not, operate, positive, set_index};
pub(super) use refused::refusal;
pub(super) use rhai_call::{Outcome, RhaiCall};
pub(super) use shown::shown;

/// A function of the library.
#[derive(Clone, Copy, Debug)]
pub struct LibraryFunction {
    /// Name as called.
    pub name: &'static str,
    /// Arguments and result: `pad_left(text, length, letter) -> text`.
    pub signature: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// A call and, after `→`, what it gives.
    pub example: &'static str,
    /// Fewest and most arguments.
    pub arguments: (usize, usize),
    pub(super) run: fn(&mut RhaiCall<'_, '_>) -> Outcome,
    pub(super) lowered: for<'m, 'a> fn(&mut NativeCall<'m, 'a>) -> Given<NativeCall<'m, 'a>>,
}

/// Functions that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Heading in the reference.
    pub title: &'static str,
    /// The functions, in the order of the reference.
    pub functions: &'static [LibraryFunction],
}

/// The whole library.
pub const LIBRARY: &[Group] = &[
    Group { title: "Text", functions: text::FUNCTIONS },
    Group { title: "Numbers and money", functions: numbers::FUNCTIONS },
    Group { title: "Lists", functions: lists::FUNCTIONS },
    Group { title: "Records and values", functions: records::FUNCTIONS },
    Group { title: "Dates", functions: dates::FUNCTIONS },
];

/// All functions of the library.
pub fn functions() -> impl Iterator<Item = &'static LibraryFunction> {
    LIBRARY.iter().flat_map(|group| group.functions)
}

/// The library as the checker of flow files sees it: one entry for each number of arguments.
#[must_use]
pub fn catalog_functions() -> Vec<Function> {
    let entry = |function: &LibraryFunction, arity| Function {
        name: function.name.to_owned(),
        arity,
        about: function.about.to_owned(),
    };
    functions()
        .flat_map(|function| {
            (function.arguments.0..=function.arguments.1).map(move |arity| entry(function, arity))
        })
        .collect()
}

/// Words that Rhai knows and that stay out of scripts, with what to do instead.
pub(super) fn refused(name: &str) -> Option<&'static str> {
    refused::WORDS.iter().find(|(word, _)| *word == name).map(|(_, instead)| *instead)
}

/// Makes the library callable.
pub(super) fn register(engine: &mut Engine) {
    for function in functions() {
        for arity in function.arguments.0..=function.arguments.1 {
            add(engine, function.name, arity, function.run);
        }
    }
    operators::register(engine);
    refused::register(engine);
    add(engine, rhai::FUNC_TO_STRING, 1, |call| {
        Ok(Operand::of_text(shown(call.value(0), call.most().text)?))
    });
    engine.register_iterator::<rhai::Array>();
    engine.register_iterator::<std::ops::Range<i64>>();
    engine.register_iterator::<std::ops::RangeInclusive<i64>>();
}

/// Registers one function that takes any values and checks them itself.
pub(super) fn add(
    engine: &mut Engine,
    name: &'static str,
    arity: usize,
    run: fn(&mut RhaiCall<'_, '_>) -> Outcome,
) {
    engine.register_raw_fn(name, vec![TypeId::of::<Dynamic>(); arity], move |context, args| {
        run(&mut RhaiCall::new(name, context, args))
    });
}
