//! What one evaluation has left: operations, time and memory, kept on the thread that runs it.
//!
//! Rhai counts operations by itself, but starts again inside the callbacks of library functions,
//! and asks nobody how much memory is in use. So the count is kept here: one budget an
//! evaluation, drawn from by every operation (through Rhai's progress call) and by every library
//! function before it makes something large.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::error::Mistake;
use super::limits::Limits;

/// How often the clock is read: once in so many operations.
const CLOCK_EVERY: u64 = 128;

/// How often memory is measured: once in so many operations. One operation makes at most a copy
/// of the largest value, so this must be small.
const METER_EVERY: u64 = 8;

/// Bytes that count as one operation when a library function reads or makes them.
const BYTES_AN_OPERATION: usize = 64;

/// What is left of one evaluation.
#[derive(Clone, Copy, Debug)]
struct Left {
    operations: u64,
    until: Option<Instant>,
    made: usize,
    memory_at_start: usize,
    limits: Caps,
}

/// The limits that the budget itself reports.
#[derive(Clone, Copy, Debug)]
struct Caps {
    operations: u64,
    memory: usize,
    time: Duration,
}

thread_local! {
    static LEFT: Cell<Option<Left>> = const { Cell::new(None) };
}

static METER: OnceLock<fn() -> usize> = OnceLock::new();

/// Names the function that tells how many bytes the current thread has in use; without one the
/// memory limit holds for what library functions make only. The first call counts.
pub fn set_meter(bytes_in_use: fn() -> usize) {
    let _ = METER.set(bytes_in_use);
}

/// A budget in force; the one before it comes back when this is dropped.
#[derive(Debug)]
pub(super) struct Open {
    outer: Option<Left>,
}

/// Opens a budget on this thread.
pub(super) fn open(limits: &Limits) -> Open {
    let left = Left {
        operations: limits.operations,
        until: Instant::now().checked_add(limits.time),
        made: 0,
        memory_at_start: METER.get().map_or(0, |bytes_in_use| bytes_in_use()),
        limits: Caps { operations: limits.operations, memory: limits.memory, time: limits.time },
    };
    Open { outer: LEFT.replace(Some(left)) }
}

impl Drop for Open {
    fn drop(&mut self) {
        LEFT.set(self.outer);
    }
}

/// Draws one operation. The mistake is the limit that was reached.
pub(super) fn step() -> Result<(), Mistake> {
    spend(1)
}

/// Draws for reading so many bytes, before they are read.
pub(super) fn read(bytes: usize) -> Result<(), Mistake> {
    spend((bytes / BYTES_AN_OPERATION) as u64)
}

/// Draws for making so many bytes, before they are made.
pub(super) fn make(bytes: usize) -> Result<(), Mistake> {
    if let Some(mut left) = LEFT.get() {
        left.made = left.made.saturating_add(bytes);
        LEFT.set(Some(left));
        if left.made > left.limits.memory {
            return Err(Mistake::limit("memory", megabytes(left.limits.memory)));
        }
    }
    read(bytes)
}

fn spend(operations: u64) -> Result<(), Mistake> {
    let Some(mut left) = LEFT.get() else { return Ok(()) };
    let before = left.operations;
    left.operations = before.saturating_sub(operations);
    LEFT.set(Some(left));
    if before < operations {
        return Err(Mistake::limit("operations", left.limits.operations.to_string()));
    }
    if crosses(before, left.operations, CLOCK_EVERY) && left.until.is_some_and(|end| Instant::now() > end) {
        return Err(Mistake::limit("time", format!("{} ms", left.limits.time.as_millis())));
    }
    if let Some(bytes_in_use) = METER.get()
        && crosses(before, left.operations, METER_EVERY)
        && bytes_in_use().saturating_sub(left.memory_at_start) > left.limits.memory
    {
        return Err(Mistake::limit("memory", megabytes(left.limits.memory)));
    }
    Ok(())
}

/// True when a multiple of `every` lies between the two counts.
const fn crosses(before: u64, after: u64, every: u64) -> bool {
    before / every != after / every
}

fn megabytes(bytes: usize) -> String {
    format!("{} MB", bytes / (1024 * 1024))
}
