//! What is left to an evaluation: operations, processor time and memory, kept on the thread that
//! runs it.
//!
//! Rhai counts operations by itself, but starts again inside the callbacks of library functions,
//! and asks nobody how much memory is in use. So the count is kept here, and drawn from by every
//! operation (through Rhai's progress call) and by every library function before it makes
//! something large. A [`RecordBudget`] carries what was used from one expression of a record to
//! the next.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::clock::Clock;
use super::error::Mistake;
use super::limits::Limits;

/// How often the clock is looked at: once in so many operations.
const CLOCK_EVERY: u64 = 32;

/// And before so many bytes are read or made, and after they were: one operation can copy a large
/// value.
const LARGE: u64 = 64 * 1024;

/// Bytes that count as one operation when a library function reads or makes them.
const BYTES_AN_OPERATION: usize = 64;

/// The share of time that is kept back, so that the end of a script and the operation under way
/// stay within the limit too.
const KEPT_BACK: u32 = 8;

/// Of so many bytes of the limit a script may hold one. The others are for what is copied before
/// anybody can look: Rhai clones a value whole when it is read, and writing a record as text was
/// seen to clone it four times; and the allocator keeps pages that are free.
const COPIES: usize = 6;

/// Bytes that a thread has taken from the allocator, and returned to it, since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Taken.
    pub bytes: u64,
    /// Returned, those that another thread had taken included.
    pub returned: u64,
}

impl Taken {
    /// Bytes in use that were not in use then.
    fn since(self, start: Self) -> usize {
        let taken = self.bytes.wrapping_sub(start.bytes);
        let returned = self.returned.wrapping_sub(start.returned);
        usize::try_from(taken.saturating_sub(returned)).unwrap_or(usize::MAX)
    }
}

/// What the expressions of one record have used together: give it to the [`super::Bindings`] of
/// each of them, and the limits hold for the record rather than for each expression.
#[derive(Clone, Debug, Default)]
pub struct RecordBudget(Arc<Spent>);

#[derive(Debug, Default)]
struct Spent {
    operations: AtomicU64,
    nanos: AtomicU64,
    memory: AtomicUsize,
    peak: AtomicUsize,
}

impl RecordBudget {
    /// Nothing used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Operations used.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.0.operations.load(Ordering::Relaxed)
    }

    /// Processor time used; the time that passed where it was too short to measure.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed))
    }

    /// Bytes that the values made so far hold, as far as a meter tells.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.0.memory.load(Ordering::Relaxed)
    }

    /// The most memory that any evaluation had in use, and what had been kept before it.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.0.peak.load(Ordering::Relaxed)
    }
}

/// What is left of one evaluation.
#[derive(Clone, Copy, Debug)]
struct Left {
    operations: u64,
    at_start: u64,
    clock: Clock,
    /// Time until the end.
    time: Duration,
    /// Of that, kept back for the end and the operation under way.
    kept_back: Duration,
    /// The most that was used between two looks at the clock.
    slowest: Duration,
    start: Taken,
    /// Bytes taken when the clock was last looked at.
    looked_at: u64,
    /// Bytes made by library functions; counts where there is no meter.
    made: usize,
    /// Bytes that may be in use.
    memory: usize,
    /// Most bytes that were.
    peak: usize,
}

thread_local! {
    static LEFT: RefCell<Option<Left>> = const { RefCell::new(None) };
    static SAID: Cell<Option<Caps>> = const { Cell::new(None) };
}

/// The limits as messages name them.
#[derive(Clone, Copy, Debug)]
struct Caps {
    operations: u64,
    memory: usize,
    time: Duration,
}

static METER: OnceLock<fn() -> Taken> = OnceLock::new();

/// Names the function that tells how many bytes the current thread has taken; without one the
/// memory limit holds for what library functions make only. The first call counts.
pub fn set_meter(taken: fn() -> Taken) {
    let _ = METER.set(taken);
}

/// A budget in force; the one before it comes back when this is dropped.
#[derive(Debug)]
pub(super) struct Open<'r> {
    outer: Option<Left>,
    said: Option<Caps>,
    record: Option<&'r RecordBudget>,
}

/// Opens a budget on this thread: what the limits allow, less what the record has used.
pub(super) fn open<'r>(limits: &Limits, record: Option<&'r RecordBudget>) -> Open<'r> {
    let (operations, time, memory) = match record {
        Some(record) => (record.operations(), record.time(), record.memory()),
        None => (0, Duration::ZERO, 0),
    };
    let operations = limits.operations.saturating_sub(operations);
    let start = METER.get().map_or_else(Taken::default, |taken| taken());
    let left = Left {
        operations,
        at_start: operations,
        clock: Clock::started(),
        time: limits.time.saturating_sub(time),
        kept_back: limits.time / KEPT_BACK,
        slowest: Duration::ZERO,
        start,
        looked_at: start.bytes,
        made: 0,
        memory: (limits.memory / COPIES).saturating_sub(memory),
        peak: 0,
    };
    let said = Caps { operations: limits.operations, memory: limits.memory, time: limits.time };
    Open { outer: LEFT.replace(Some(left)), said: SAID.replace(Some(said)), record }
}

/// True within an evaluation on this thread.
pub(super) fn is_open() -> bool {
    LEFT.with_borrow(Option::is_some)
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let (Some(left), Some(record)) = (LEFT.replace(self.outer.take()), self.record) {
            let operations = left.at_start - left.operations;
            let nanos = u64::try_from(left.clock.total().as_nanos()).unwrap_or(u64::MAX);
            let kept = METER.get().map_or(0, |taken| taken().since(left.start));
            record.0.operations.fetch_add(operations, Ordering::Relaxed);
            record.0.nanos.fetch_add(nanos, Ordering::Relaxed);
            let before = record.0.memory.fetch_add(kept, Ordering::Relaxed);
            record.0.peak.fetch_max(before + left.peak, Ordering::Relaxed);
        }
        SAID.set(self.said);
    }
}

/// Draws one operation. The mistake is the limit that was reached.
pub(super) fn step() -> Result<(), Mistake> {
    spend(1, 0)
}

/// Draws one operation that takes no memory: clock and memory are looked at now and then.
#[inline]
pub(super) fn pass() -> Result<(), Mistake> {
    LEFT.with_borrow_mut(|left| match left {
        Some(left) if left.operations.is_multiple_of(CLOCK_EVERY) => left.spend(1, 0),
        Some(left) => {
            left.operations -= 1;
            Ok(())
        }
        None => Ok(()),
    })
}

/// Draws for reading so many bytes, before they are read.
pub(super) fn read(bytes: usize) -> Result<(), Mistake> {
    spend((bytes / BYTES_AN_OPERATION) as u64, 0)
}

/// Draws for making so many bytes, before they are made.
pub(super) fn make(bytes: usize) -> Result<(), Mistake> {
    spend((bytes / BYTES_AN_OPERATION) as u64, bytes)
}

fn spend(operations: u64, bytes: usize) -> Result<(), Mistake> {
    LEFT.with_borrow_mut(|left| match left {
        Some(left) => left.spend(operations, bytes),
        None => Ok(()),
    })
}

impl Left {
    fn spend(&mut self, operations: u64, bytes: usize) -> Result<(), Mistake> {
        let before = self.operations;
        self.operations = before.saturating_sub(operations);
        if before < operations {
            return Err(reached(|said| Mistake::limit("operations", said.operations.to_string())));
        }
        let (in_use, looked_at) = match METER.get() {
            Some(taken) => {
                let taken = taken();
                (taken.since(self.start), taken.bytes)
            }
            None => (self.made, 0),
        };
        self.made = self.made.saturating_add(bytes);
        self.peak = self.peak.max(in_use);
        if in_use.saturating_add(bytes) > self.memory {
            return Err(reached(|said| Mistake::limit("memory", mebibytes(said.memory))));
        }
        let work = looked_at.wrapping_sub(self.looked_at) + bytes as u64;
        let large = work > LARGE || operations > LARGE / BYTES_AN_OPERATION as u64;
        if large || before / CLOCK_EVERY != self.operations / CLOCK_EVERY {
            self.looked_at = looked_at;
            let used = self.clock.used();
            self.clock.look(large);
            self.slowest = self.slowest.max(self.clock.used().saturating_sub(used));
            // Whoever has done something slow may be about to do it again, and nobody can look
            // while it is done.
            let kept_back = self.kept_back.max(self.slowest);
            if self.clock.used() + to_clear(in_use) + kept_back > self.time {
                return Err(reached(|said| Mistake::limit("time", format!("{} ms", said.time.as_millis()))));
            }
        }
        Ok(())
    }
}

/// What it takes to give so many bytes back, which the script has to pay for too.
fn to_clear(bytes: usize) -> Duration {
    Duration::from_nanos(bytes as u64 / 4)
}

fn reached(mistake: impl FnOnce(Caps) -> Mistake) -> Mistake {
    match SAID.get() {
        Some(said) => mistake(said),
        None => Mistake::limit("work", "none"),
    }
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}
