//! How much a script may use: every limit a named field with a standard value.

use std::time::Duration;

/// What one record may use at most in all its expressions, or one evaluation that stands alone.
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
    /// Bytes of memory in use at once. Where the program does not measure it (see
    /// [`super::set_meter`]), bytes that library functions make in total.
    pub memory: usize,
    /// Processor time.
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

impl Limits {
    /// Operations that go with a millisecond of time.
    const OPERATIONS_A_MS: u64 = 10_000;

    /// The same with more time, and with the operations that go with it, or with less.
    #[must_use]
    pub fn with_time(mut self, time: Duration) -> Self {
        let operations = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.operations = operations.saturating_mul(Self::OPERATIONS_A_MS).max(self.operations);
        self.time = time;
        self
    }

    /// The same with that much memory.
    #[must_use]
    pub const fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }
}
