//! How much a script may use: every limit a named field with a standard value.

use std::time::Duration;

/// What one evaluation may use at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of work: each operation of a script is one, and so is each 64 bytes that a library
    /// function reads or makes.
    pub operations: u64,
    /// Functions that call functions.
    pub call_depth: usize,
    /// Expressions within expressions, outside functions and inside them.
    pub expression_depth: usize,
    /// Bytes of a text, and of all texts in a list or record together.
    pub text_length: usize,
    /// Items of a list, those of lists inside it included.
    pub list_length: usize,
    /// Fields of a record, those of records inside it included.
    pub record_size: usize,
    /// Variables that exist at once in a function.
    pub variables: usize,
    /// Functions in a script file.
    pub functions: usize,
    /// Bytes of memory, as far as the program measures it (see [`super::budget::set_meter`]), and
    /// bytes that library functions make in total.
    pub memory: usize,
    /// Time from first to last operation.
    pub time: Duration,
    /// Lists and records within each other, in what goes in and in what comes out.
    pub value_depth: usize,
    /// Values in a result, counted through all lists and records.
    pub result_size: usize,
    /// Bytes of a script file, or of an expression.
    pub source_length: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 1_000_000,
            call_depth: 32,
            expression_depth: 64,
            text_length: 1024 * 1024,
            list_length: 10_000,
            record_size: 10_000,
            variables: 256,
            functions: 500,
            memory: 64 * 1024 * 1024,
            time: Duration::from_millis(100),
            value_depth: 64,
            result_size: 100_000,
            source_length: 256 * 1024,
        }
    }
}
