//! Switches for everything that can go wrong between two systems.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::request::Parts;

use super::Only;

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 429 before anything is done, with `Retry-After: 1` unless told otherwise.
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

    /// True for those that are an answer of the system, in whatever words it has.
    pub(super) const fn is_answer(self) -> bool {
        matches!(self, Self::Busy | Self::Down | Self::Html | Self::Expired)
    }
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

/// Which faults happen, when, and to which requests.
#[derive(Debug)]
pub struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Faults that strike single requests, in order, whatever the rates say.
    next: Vec<Strike>,
    rates: Vec<Rate>,
    random: fastrand::Rng,
    delay: Duration,
    retry_after: Option<u64>,
}

#[derive(Debug)]
struct Strike {
    only: Only,
    /// Requests that are let by first.
    skip: usize,
    fault: Fault,
}

#[derive(Debug)]
struct Rate {
    only: Only,
    fault: Fault,
    thousandths: u32,
}

/// What happens to one request.
pub(super) struct Drawn {
    pub(super) fault: Option<Fault>,
    /// How late the answer is under [`Fault::Slow`].
    pub(super) delay: Duration,
    /// What [`Fault::Busy`] asks for, in seconds.
    pub(super) retry_after: Option<u64>,
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
        let inner = Inner {
            next: Vec::new(),
            rates: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
            delay: Duration::from_millis(300),
            retry_after: Some(1),
        };
        Self { inner: Mutex::new(inner) }
    }

    /// This fault strikes that many thousandths of all requests from now on.
    pub fn rate(&self, fault: Fault, thousandths: u32) {
        self.rate_for(Only::any(), fault, thousandths);
    }

    /// This fault strikes that many thousandths of these requests from now on.
    pub fn rate_for(&self, only: Only, fault: Fault, thousandths: u32) {
        let mut inner = self.lock();
        inner.rates.retain(|rate| rate.fault != fault || !rate.only.is_same(&only));
        if thousandths > 0 {
            inner.rates.push(Rate { only, fault, thousandths });
        }
    }

    /// These faults strike the next requests, one each.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.next_for(&Only::any(), faults);
    }

    /// These faults strike the next of these requests, one each.
    pub fn next_for(&self, only: &Only, faults: impl IntoIterator<Item = Fault>) {
        let strike = |fault| Strike { only: only.clone(), skip: 0, fault };
        self.lock().next.extend(faults.into_iter().map(strike));
    }

    /// This fault strikes one request, after so many others.
    pub fn after(&self, others: usize, fault: Fault) {
        self.lock().next.push(Strike { only: Only::any(), skip: others, fault });
    }

    /// How late an answer comes under [`Fault::Slow`].
    pub fn delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// For how many seconds [`Fault::Busy`] asks to wait; `None`: it does not say.
    pub fn retry_after(&self, seconds: Option<u64>) {
        self.lock().retry_after = seconds;
    }

    /// Everything off.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.next.clear();
        inner.rates.clear();
    }

    /// Switches on what a text says: `busy=20%,lost@POST=0.5%,slow@GET/orders=10%`. After the
    /// `@` stand a method, the beginning of a path, or both. Nothing changes when the text is
    /// wrong.
    pub fn set(&self, text: &str) -> Result<(), String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let rates = parts.map(read_rate).collect::<Result<Vec<_>, _>>()?;
        if rates.iter().map(|rate| rate.thousandths).sum::<u32>() > 1000 {
            return Err(format!("the faults of `{text}` add up to more than 100%"));
        }
        for Rate { only, fault, thousandths } in rates {
            self.rate_for(only, fault, thousandths);
        }
        Ok(())
    }

    /// What happens to this request.
    pub(super) fn draw(&self, request: &Parts) -> Drawn {
        let mut inner = self.lock();
        let (delay, retry_after) = (inner.delay, inner.retry_after);
        let fault = inner.struck(request).or_else(|| inner.chance(request));
        Drawn { fault, delay, retry_after }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn struck(&mut self, request: &Parts) -> Option<Fault> {
        let mut hit = None;
        for (at, strike) in self.next.iter_mut().enumerate().filter(|(_, strike)| strike.only.has(request)) {
            if strike.skip == 0 {
                hit = Some(at);
                break;
            }
            strike.skip -= 1;
        }
        hit.map(|at| self.next.remove(at).fault)
    }

    fn chance(&mut self, request: &Parts) -> Option<Fault> {
        if self.rates.is_empty() {
            return None;
        }
        let mut drawn = self.random.u32(0..1000);
        for rate in self.rates.iter().filter(|rate| rate.only.has(request)) {
            if drawn < rate.thousandths {
                return Some(rate.fault);
            }
            drawn -= rate.thousandths;
        }
        None
    }
}

/// As for [`Faults::set`].
impl FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let faults = Self::default();
        faults.set(text)?;
        Ok(faults)
    }
}

fn read_rate(text: &str) -> Result<Rate, String> {
    let wrong = || format!("`{text}` is not like `busy=20%` or `lost@POST/orders=5%`");
    let (name, share) = text.split_once('=').ok_or_else(wrong)?;
    let (name, only) = name.split_once('@').unwrap_or((name, ""));
    let fault = name.trim().parse()?;
    let share = share.trim().strip_suffix('%').ok_or_else(wrong)?.trim();
    let (whole, tenths) = share.split_once('.').unwrap_or((share, "0"));
    let (Ok(whole), Ok(tenths), 1) = (whole.parse::<u32>(), tenths.parse::<u32>(), tenths.len()) else {
        return Err(wrong());
    };
    if whole > 100 {
        return Err(format!("`{text}` is more than 100%"));
    }
    Ok(Rate { only: Only::read(only.trim()), fault, thousandths: whole * 10 + tenths })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Parts {
        axum::http::Request::builder().method(method).uri(path).body(()).unwrap().into_parts().0
    }

    fn drawn(faults: &Faults, method: &str, path: &str) -> Option<Fault> {
        faults.draw(&request(method, path)).fault
    }

    #[test]
    fn faults_strike_whom_they_are_meant_for() {
        let faults = Faults::default();
        let posts = Only::any().method("POST");
        faults.next_for(&posts, [Fault::Lost, Fault::Busy]);
        faults.rate_for(Only::any().path("/orders"), Fault::Down, 1000);
        assert_eq!(drawn(&faults, "GET", "/products"), None);
        assert_eq!(drawn(&faults, "GET", "/orders?page=2"), Some(Fault::Down));
        assert_eq!(drawn(&faults, "POST", "/orders"), Some(Fault::Lost));
        assert_eq!(drawn(&faults, "POST", "/products"), Some(Fault::Busy));
        assert_eq!(drawn(&faults, "POST", "/products"), None);
        faults.rate_for(Only::any().path("/orders"), Fault::Down, 0);
        assert_eq!(drawn(&faults, "GET", "/orders"), None);
    }

    #[test]
    fn one_request_can_be_picked() {
        let faults = Faults::default();
        faults.after(2, Fault::Cut);
        let seen: Vec<_> = (0..4).map(|_| drawn(&faults, "GET", "/")).collect();
        assert_eq!(seen, [None, None, Some(Fault::Cut), None]);
    }

    #[test]
    fn rates_come_about() {
        let faults: Faults = "busy=20%, lost@POST/orders=0.5%".parse().unwrap();
        let struck = (0..10_000).filter(|_| drawn(&faults, "GET", "/").is_some()).count();
        assert!((1_800..2_200).contains(&struck), "{struck}");
        let lost = (0..10_000).filter(|_| drawn(&faults, "POST", "/orders") == Some(Fault::Lost)).count();
        assert!((25..80).contains(&lost), "{lost}");
    }

    #[test]
    fn wrong_texts_are_explained() {
        for (text, words) in [
            ("bsy=20%", "no fault is called `bsy`"),
            ("busy", "is not like"),
            ("busy=20", "is not like"),
            ("busy=1.25%", "is not like"),
            ("busy=200%", "more than 100%"),
            ("busy=60%,lost=60%", "add up to more than 100%"),
        ] {
            let error = text.parse::<Faults>().unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert!("".parse::<Faults>().is_ok());
    }
}
