//! How much processor time an evaluation has used.
//!
//! Not how much time has passed: on a busy machine a script waits for its turn, and a record must
//! not fail for that. Asking the system for the time of a thread costs more than an operation of
//! a script, so the cheap clock decides when it is worth asking.

use std::time::{Duration, Instant};

/// The system is asked at most once in so much time.
const EVERY: Duration = Duration::from_millis(1);

/// At most so much is taken for used before the system was first asked. Until then there were
/// only small operations: large ones ask at once.
const UNSEEN: Duration = Duration::from_millis(5);

/// Counts the processor time of one evaluation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The evaluation began here.
    Since(Instant),
    /// The system was asked.
    Asked {
        /// When it was last asked.
        last: Instant,
        /// What it said first.
        first: Duration,
        /// What had been used until then.
        unseen: Duration,
        /// What has been used in all.
        used: Duration,
    },
}

impl Clock {
    /// For an evaluation that begins now.
    pub(super) fn started() -> Self {
        Self::Since(Instant::now())
    }

    /// Looks whether it is time to ask, and asks; at once when something large is to come.
    pub(super) fn look(&mut self, large: bool) {
        let now = Instant::now();
        match self {
            Self::Since(start) => {
                let passed = now.duration_since(*start);
                if large || passed >= EVERY {
                    let unseen = passed.min(UNSEEN);
                    *self = Self::Asked { last: now, first: thread_time(), unseen, used: unseen };
                }
            }
            Self::Asked { last, first, unseen, used } => {
                if now.duration_since(*last) >= EVERY {
                    *last = now;
                    *used = *unseen + thread_time().saturating_sub(*first);
                }
            }
        }
    }

    /// What has been used, as far as it was looked at.
    pub(super) const fn used(&self) -> Duration {
        match self {
            Self::Since(_) => Duration::ZERO,
            Self::Asked { used, .. } => *used,
        }
    }

    /// What was used in the end. An evaluation too short to ask is booked with the time that
    /// passed, which is more when the thread had to wait; so at most what it takes to be asked.
    pub(super) fn total(&self) -> Duration {
        match self {
            Self::Since(start) => start.elapsed().min(EVERY),
            Self::Asked { first, unseen, .. } => *unseen + thread_time().saturating_sub(*first),
        }
    }
}

/// Processor time of the current thread.
#[cfg(unix)]
pub(super) fn thread_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// Time that has passed: threads are not timed here.
#[cfg(not(unix))]
pub(super) fn thread_time() -> Duration {
    use std::sync::LazyLock;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
