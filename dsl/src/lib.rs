//! The flow language: text in, checked plan out. No I/O, no async, no clock.
//!
//! [`compile`] reads one flow file against a [`catalog::Catalog`] and gives the
//! [`plan::Plan`] that the engine runs, or a [`Report`] with every mistake in it.

mod answers;
pub mod ast;
pub mod catalog;
mod check;
mod codes;
pub mod cron;
mod fix;
mod fmt;
mod labels;
mod parse;
pub mod plan;
mod problem;
mod scan;
mod source;
pub mod tokens;
mod two_way;

pub use answers::Found;
pub use check::{Gives, MAX_EXPRESSION_DEPTH};
pub use fix::fix;
pub use fmt::format;
pub use problem::{Code, Problem, Report};
pub use source::{MAX_BYTES, Source};
pub use two_way::{Active, TwoWay, two_way};

/// Checks a flow and makes its plan. All problems of the file come together.
pub fn compile(source: &Source, catalog: &catalog::Catalog) -> Result<plan::Plan, Report> {
    check::check(source.text(), parse::parse(source), catalog)
        .map_err(|problems| Report::new(source, problems))
}

/// What the expressions of a flow give, and the names within them, each by its place; also of a
/// flow with mistakes, as far as it can be read. `if` and `switch` stand for what they give.
#[must_use]
pub fn gives(source: &Source, catalog: &catalog::Catalog) -> Vec<(plan::Span, Gives)> {
    check::gives(source.text(), parse::parse(source), catalog)
}

/// Reads a flow without a catalog: its form only. What could not be read is malformed in the
/// file, and a problem beside it.
#[must_use]
pub fn parse(source: &Source) -> (ast::File, Vec<Problem>) {
    let parsed = parse::parse(source);
    (parsed.file, parsed.problems)
}
