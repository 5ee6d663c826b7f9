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
struct Left {
    /// False outside evaluations: nothing is counted then.
    open: Cell<bool>,
    operations: Cell<u64>,
    /// Set when the clock is first read: a short evaluation never reads it.
    until: Cell<Option<Instant>>,
    made: Cell<usize>,
    memory_at_start: Cell<usize>,
    limits: Cell<Caps>,
}

/// The limits that the budget itself reports.
#[derive(Clone, Copy, Debug)]
struct Caps {
    operations: u64,
    memory: usize,
    time: Duration,
}

thread_local! {
    static LEFT: Left = const {
        Left {
            open: Cell::new(false),
            operations: Cell::new(0),
            until: Cell::new(None),
            made: Cell::new(0),
            memory_at_start: Cell::new(0),
            limits: Cell::new(Caps { operations: 0, memory: 0, time: Duration::ZERO }),
        }
    };
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
    was_open: bool,
    operations: u64,
    until: Option<Instant>,
    made: usize,
    memory_at_start: usize,
    limits: Caps,
}

/// Opens a budget on this thread.
pub(super) fn open(limits: &Limits) -> Open {
    let caps = Caps { operations: limits.operations, memory: limits.memory, time: limits.time };
    LEFT.with(|left| Open {
        was_open: left.open.replace(true),
        operations: left.operations.replace(limits.operations),
        until: left.until.replace(None),
        made: left.made.replace(0),
        memory_at_start: left.memory_at_start.replace(METER.get().map_or(0, |bytes_in_use| bytes_in_use())),
        limits: left.limits.replace(caps),
    })
}

impl Drop for Open {
    fn drop(&mut self) {
        LEFT.with(|left| {
            left.open.set(self.was_open);
            left.operations.set(self.operations);
            left.until.set(self.until);
            left.made.set(self.made);
            left.memory_at_start.set(self.memory_at_start);
            left.limits.set(self.limits);
        });
    }
}

/// Draws one operation. The mistake is the limit that was reached.
#[inline]
pub(super) fn step() -> Result<(), Mistake> {
    spend(1)
}

/// Draws for reading so many bytes, before they are read.
#[inline]
pub(super) fn read(bytes: usize) -> Result<(), Mistake> {
    match bytes / BYTES_AN_OPERATION {
        0 => Ok(()),
        operations => spend(operations as u64),
    }
}

/// Draws for making so many bytes, before they are made.
pub(super) fn make(bytes: usize) -> Result<(), Mistake> {
    LEFT.with(|left| {
        if !left.open.get() {
            return Ok(());
        }
        left.made.set(left.made.get().saturating_add(bytes));
        let most = left.limits.get().memory;
        if left.made.get() > most { Err(Mistake::limit("memory", megabytes(most))) } else { Ok(()) }
    })?;
    read(bytes)
}

#[inline]
fn spend(operations: u64) -> Result<(), Mistake> {
    LEFT.with(|left| {
        let before = left.operations.get();
        let after = before.saturating_sub(operations);
        left.operations.set(after);
        // Nothing to look at between two measurings.
        if operations <= before && !crosses(before, after, METER_EVERY) {
            Ok(())
        } else {
            left.look(before, operations)
        }
    })
}

impl Left {
    /// Looks at everything that has a limit.
    #[cold]
    fn look(&self, before: u64, operations: u64) -> Result<(), Mistake> {
        if !self.open.get() {
            return Ok(());
        }
        let (limits, after) = (self.limits.get(), self.operations.get());
        if before < operations {
            return Err(Mistake::limit("operations", limits.operations.to_string()));
        }
        if crosses(before, after, CLOCK_EVERY) {
            let now = Instant::now();
            match self.until.get() {
                None => self.until.set(now.checked_add(limits.time)),
                Some(end) if now > end => {
                    return Err(Mistake::limit("time", format!("{} ms", limits.time.as_millis())));
                }
                Some(_) => {}
            }
        }
        if let Some(bytes_in_use) = METER.get()
            && bytes_in_use().saturating_sub(self.memory_at_start.get()) > limits.memory
        {
            return Err(Mistake::limit("memory", megabytes(limits.memory)));
        }
        Ok(())
    }
}

/// True when a multiple of `every` lies between the two counts.
const fn crosses(before: u64, after: u64, every: u64) -> bool {
    before / every != after / every
}

fn megabytes(bytes: usize) -> String {
    format!("{} MB", bytes / (1024 * 1024))
}
