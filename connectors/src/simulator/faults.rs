//! Switches for everything that can go wrong between two systems.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 429 before anything is done, with `Retry-After: 1`.
    Busy,
    /// 503 before anything is done.
    Down,
    /// 502 with an HTML page, before anything is done.
    Html,
    /// The connection is closed before anything is done.
    Reset,
    /// The request is done, and the connection closed without an answer.
    Lost,
    /// The request is done, and the answer stops halfway.
    Cut,
    /// The answer comes late.
    Slow,
    /// 401, as if the token or key had just run out.
    Expired,
}

impl Fault {
    /// Every fault, by the name that the command line uses.
    pub const ALL: [(&'static str, Self); 8] = [
        ("busy", Self::Busy),
        ("down", Self::Down),
        ("html", Self::Html),
        ("reset", Self::Reset),
        ("lost", Self::Lost),
        ("cut", Self::Cut),
        ("slow", Self::Slow),
        ("expired", Self::Expired),
    ];
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("no fault is called `{name}`; there are {}", names.join(", "))
        })
    }
}

/// Which faults happen, and when.
#[derive(Debug)]
pub struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Faults that strike the next requests, in order, whatever the rates say.
    next: Vec<Fault>,
    /// Chance of each, in thousandths.
    rates: BTreeMap<Fault, u32>,
    random: fastrand::Rng,
    delay: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self::seeded(0)
    }
}

impl Faults {
    /// None switched on; chance is drawn from that seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let inner =
            Inner { next: Vec::new(), rates: BTreeMap::new(), random, delay: Duration::from_millis(300) };
        Self { inner: Mutex::new(inner) }
    }

    /// This fault strikes that many thousandths of all requests from now on.
    pub fn rate(&self, fault: Fault, thousandths: u32) {
        self.lock().rates.insert(fault, thousandths);
    }

    /// These faults strike the next requests, one each.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().next.extend(faults);
    }

    /// How late an answer comes under [`Fault::Slow`].
    pub fn delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// Everything off.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.next.clear();
        inner.rates.clear();
    }

    /// The fault that strikes this request, if any, and the delay of a slow one.
    pub(super) fn draw(&self) -> (Option<Fault>, Duration) {
        let mut inner = self.lock();
        let delay = inner.delay;
        if !inner.next.is_empty() {
            return (Some(inner.next.remove(0)), delay);
        }
        if inner.rates.is_empty() {
            return (None, delay);
        }
        let mut drawn = inner.random.u32(0..1000);
        for (fault, rate) in &inner.rates {
            if drawn < *rate {
                return (Some(*fault), delay);
            }
            drawn -= rate;
        }
        (None, delay)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
