//! The flow language: text in, checked plan out. No I/O, no async, no clock.

pub mod ast;
pub mod catalog;
mod codes;
mod labels;
mod parse;
pub mod plan;
mod problem;
mod scan;
mod source;

pub use problem::{Code, Problem, Report};
pub use source::{MAX_BYTES, Source};
