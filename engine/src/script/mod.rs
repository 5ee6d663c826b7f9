//! Runs what consultants write to the right of `=`, and the scripts that power users write.
//!
//! A [`ScriptHost`] belongs to one flow. Scripts and expressions are compiled once, when the flow
//! is loaded; then each expression is evaluated over [`Bindings`], values in and a value out. A
//! script sees its arguments and the [`LIBRARY`], nothing else: no clock, no network, no disk, no
//! other record. Whatever it does ends within its [`Limits`], in a value or in a [`ScriptError`].
//!
//! Nothing outside this module knows Rhai's values: the inside can be replaced.

mod bindings;
mod budget;
mod catalog;
mod clock;
mod error;
mod host;
mod inputs;
mod library;
mod limits;
mod lower;
mod lowering;
mod room;
mod sandbox;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
mod translate;
mod values;

pub use bindings::{Bindings, Mark};
pub use budget::{RecordBudget, Taken, set_meter};
pub use catalog::describe_script;
pub use error::{Inside, Mistake, Place, ScriptError};
pub use host::{Compiled, ScriptFile, ScriptHost};
pub use library::{Group, LIBRARY, LibraryFunction, catalog_functions, functions};
pub use limits::Limits;
pub use lower::{Natively, NotLowered};
pub(crate) use room::with_each;
pub use room::{STACK, mark_roomy, with_room};
pub use table::{ReadRows, constant_value};
