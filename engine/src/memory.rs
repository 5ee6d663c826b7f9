//! The program's allocator, and what each thread has taken from it.
//!
//! Rhai limits values one by one and asks nobody how much memory is in use. jemalloc counts the
//! bytes of every thread anyway, for its own housekeeping, so that reading the count costs two
//! loads, and counting costs nothing. A program that wants scripts to be held to their memory
//! limit makes [`Allocator`] its global allocator and calls [`watch_scripts`] once.

#[cfg(target_env = "msvc")]
pub use std::alloc::System as Allocator;
#[cfg(not(target_env = "msvc"))]
pub use tikv_jemallocator::Jemalloc as Allocator;

use crate::script::{Taken, set_meter};

/// Holds scripts to their memory limit from here on; the first call counts.
pub fn watch_scripts() {
    // Without the allocator in place the counts stand still, and limits would be for show.
    let before = taken();
    // Used by somebody, as far as the compiler knows: else it need not be there at all.
    let probe = std::hint::black_box(Vec::<u8>::with_capacity(4096));
    if taken().bytes > before.bytes {
        set_meter(taken);
    }
    drop(probe);
}

#[cfg(not(target_env = "msvc"))]
thread_local! {
    static COUNTS: Option<Counts> = Counts::read();
}

#[cfg(not(target_env = "msvc"))]
struct Counts {
    taken: tikv_jemalloc_ctl::thread::ThreadLocal<u64>,
    returned: tikv_jemalloc_ctl::thread::ThreadLocal<u64>,
}

#[cfg(not(target_env = "msvc"))]
impl Counts {
    fn read() -> Option<Self> {
        use tikv_jemalloc_ctl::thread::{allocatedp, deallocatedp};
        Some(Self { taken: allocatedp::read().ok()?, returned: deallocatedp::read().ok()? })
    }
}

/// What the current thread has taken and returned since it began.
#[cfg(not(target_env = "msvc"))]
#[must_use]
pub fn taken() -> Taken {
    let read = |counts: &Option<Counts>| {
        counts.as_ref().map(|counts| Taken { bytes: counts.taken.get(), returned: counts.returned.get() })
    };
    COUNTS.try_with(read).ok().flatten().unwrap_or_default()
}

/// What the current thread has taken and returned since it began: nobody counts here.
#[cfg(target_env = "msvc")]
#[must_use]
pub fn taken() -> Taken {
    Taken::default()
}
