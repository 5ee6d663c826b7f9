//! Time as the daemon sees it: the machine's, or one that a test moves.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Ends at that moment or a little before it; whoever waits looks at the clock again.
    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()>;
}

/// The machine's clock, which people and time servers may set.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// Longest sleep: a clock that was set forward, or a machine that slept, is seen after it.
const LONGEST: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let left = Duration::try_from(moment.duration_since(self.now())).unwrap_or_default();
        tokio::time::sleep(left.min(LONGEST)).boxed()
    }
}

/// A clock that stands still until it is moved.
#[cfg(test)]
pub(crate) mod simulated {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;
    use tokio::sync::oneshot;

    type Sleeper = (Timestamp, oneshot::Sender<()>);

    /// Shared with a store, so that both are on one clock.
    #[derive(Clone, Debug)]
    pub(crate) struct Simulated {
        pub(crate) millis: Arc<AtomicI64>,
        sleepers: Arc<Mutex<Vec<Sleeper>>>,
    }

    impl Simulated {
        pub(crate) fn at(moment: &str) -> Self {
            let moment: Timestamp = moment.parse().unwrap();
            let millis = Arc::new(AtomicI64::new(moment.as_millisecond()));
            Self { millis, sleepers: Arc::default() }
        }

        /// How many sleep.
        pub(crate) fn sleepers(&self) -> usize {
            let mut sleepers = self.sleepers.lock().unwrap();
            sleepers.retain(|(_, sender)| !sender.is_closed());
            sleepers.len()
        }

        /// When the first who sleeps wants to be woken; `None`: nobody sleeps.
        pub(crate) fn next(&self) -> Option<Timestamp> {
            let mut sleepers = self.sleepers.lock().unwrap();
            sleepers.retain(|(_, sender)| !sender.is_closed());
            sleepers.iter().map(|(moment, _)| *moment).min()
        }

        /// Moves the clock and wakes those whose moment has come.
        pub(crate) fn set(&self, now: Timestamp) {
            self.millis.store(now.as_millisecond(), Ordering::SeqCst);
            let mut sleepers = self.sleepers.lock().unwrap();
            let (due, rest) = sleepers.drain(..).partition(|(moment, _)| *moment <= now);
            *sleepers = rest;
            let due: Vec<Sleeper> = due;
            for (_, sender) in due {
                let _ = sender.send(());
            }
        }
    }

    impl Clock for Simulated {
        fn now(&self) -> Timestamp {
            Timestamp::from_millisecond(self.millis.load(Ordering::SeqCst)).unwrap()
        }

        fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
            let (sender, woken) = oneshot::channel();
            self.sleepers.lock().unwrap().push((moment, sender));
            async move {
                let _ = woken.await;
            }
            .boxed()
        }
    }
}
