//! Threads with enough stack for the deepest value and the deepest call that the limits allow.
//!
//! Lists within lists are compared, copied and dropped by functions that call themselves. The
//! deepest nesting that a script can reach within its limits needs more than the 2 MB of an
//! ordinary thread; the stack asked for here is reserved, and taken only as far as it is used.

use std::cell::Cell;
use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Does the same with each of these things, on as many threads with room for scripts as the machine
/// runs at once, this one among them. The answers come in the order of the things.
pub(crate) fn with_each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(things.len());
    if threads < 2 {
        return things.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(at) else { return done };
            done.push((at, work(thing)));
        }
    };
    let mut all = thread::scope(|scope| {
        let start = |_| {
            let thread = thread::Builder::new().name("script".into()).stack_size(STACK);
            // A system that has no thread to give leaves the work to those that there are.
            let running = thread.spawn_scoped(scope, || {
                mark_roomy();
                take()
            });
            running.ok()
        };
        let others: Vec<_> = (1..threads).filter_map(start).collect();
        let mut all = take();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_done_once_and_in_order() {
        let things: Vec<usize> = (0..100).collect();
        assert_eq!(with_each(&things, |thing| thing * 2), (0..200).step_by(2).collect::<Vec<_>>());
        assert_eq!(with_each(&[0; 0], |thing: &usize| *thing), [0; 0]);
        // Whoever works beside this thread has room.
        let asking = thread::current().id();
        let roomy = with_each(&things, |_| thread::current().id() == asking || ROOMY.get());
        assert!(roomy.into_iter().all(|roomy| roomy));
    }
}
