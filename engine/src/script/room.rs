//! Threads with enough stack for the deepest value and the deepest call that the limits allow.
//!
//! Lists within lists are compared, copied and dropped by functions that call themselves. The
//! deepest nesting that a script can reach within its limits needs more than the 2 MB of an
//! ordinary thread; the stack asked for here is reserved, and taken only as far as it is used.

use std::cell::Cell;
use std::io;
use std::panic::resume_unwind;
use std::thread;

/// Bytes of stack that a thread needs on which scripts may do anything.
pub const STACK: usize = 256 * 1024 * 1024;

thread_local! {
    static ROOMY: Cell<bool> = const { Cell::new(false) };
}

/// Says that the current thread was started with [`STACK`] bytes of stack, so that
/// evaluations stay on it.
pub fn mark_roomy() {
    ROOMY.set(true);
}

/// Does some work on a thread with room for scripts: at once when this is one, else on a new one,
/// which costs about as much as evaluating a dozen expressions. Wrap the work on a page of
/// records rather than each record.
///
/// # Errors
/// The operating system has no thread to give.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    if ROOMY.get() {
        return Ok(work());
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("script".into()).stack_size(STACK);
        let running = thread.spawn_scoped(scope, || {
            mark_roomy();
            work()
        })?;
        Ok(running.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}
