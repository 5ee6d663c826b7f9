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
use std::sync::{Arc, LazyLock};

use dsl::catalog::Function;
use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext, RhaiFunc};

use super::error::Mistake;
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
        signature: function.signature.to_owned(),
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

/// The library as Rhai calls it: made once, and shared by all engines.
pub(super) static MODULE: LazyLock<Arc<Module>> = LazyLock::new(|| {
    let mut module = Module::new();
    for function in functions() {
        for arity in function.arguments.0..=function.arguments.1 {
            add(&mut module, function.name, arity, function.run);
        }
    }
    operators::register(&mut module);
    refused::register(&mut module);
    add(&mut module, rhai::FUNC_TO_STRING, 1, |call| {
        Ok(Operand::of_text(shown(call.value(0), call.most().text)?))
    });
    module.into()
});

/// Registers one function that takes any values and checks them itself.
fn add(module: &mut Module, name: &'static str, arity: usize, run: fn(&mut RhaiCall<'_, '_>) -> Outcome) {
    let call = move |context: Option<NativeCallContext<'_>>, args: &mut [&mut Dynamic]| match context {
        Some(context) => run(&mut RhaiCall::new(name, context, args)),
        None => Err(Mistake::Fault { message: format!("`{name}` was called without its context") }.into()),
    };
    let method =
        RhaiFunc::Method { func: Arc::new(call), has_context: true, is_pure: true, is_volatile: true };
    FuncRegistration::new(name).in_global_namespace().set_into_module_raw(
        module,
        vec![TypeId::of::<Dynamic>(); arity],
        method,
    );
}
