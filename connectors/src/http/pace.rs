//! Keeping within a system's limits before it has to say so, and keeping quiet once it has.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The span over which systems count calls.
const WINDOW: Duration = Duration::from_mins(1);

/// Longest time that one answer can silence a lane or a session: a mistaken `Retry-After`
/// must not outlive the mistake by much.
const LONGEST_HOLD: Duration = Duration::from_hours(1);

/// Counts calls by lane over a sliding minute, and holds a lane, or everything, while the
/// server asks for a pause.
#[derive(Debug, Default)]
pub struct Pace {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lanes: HashMap<String, Lane>,
    held_until: Option<Instant>,
    /// When the next call may start, where calls are spaced.
    next: Option<Instant>,
}

#[derive(Debug, Default)]
struct Lane {
    /// When the calls of the last minute started, or will start.
    starts: VecDeque<Instant>,
    held_until: Option<Instant>,
}

impl Pace {
    /// Waits until one more call fits into the lane's budget and books it.
    pub async fn wait(&self, lane: &str, per_minute: u32) {
        let start = self.book(lane, per_minute);
        tokio::time::sleep_until(start).await;
    }

    /// Waits until that much time has passed since the start of the call before.
    pub async fn space(&self, spacing: Duration) {
        let start = {
            let mut inner = self.lock();
            let now = Instant::now();
            let start = inner.next.map_or(now, |next| next.max(now));
            inner.next = Some(start + spacing);
            start
        };
        tokio::time::sleep_until(start).await;
    }

    /// Holds the lane: the server asked for a pause.
    pub fn hold(&self, lane: &str, pause: Duration) {
        let until = Some(Instant::now() + pause.min(LONGEST_HOLD));
        let mut inner = self.lock();
        let lane = inner.lanes.entry(lane.to_owned()).or_default();
        lane.held_until = lane.held_until.max(until);
    }

    /// Holds every lane, and the calls that have none.
    pub fn hold_all(&self, pause: Duration) {
        let until = Some(Instant::now() + pause.min(LONGEST_HOLD));
        let mut inner = self.lock();
        inner.held_until = inner.held_until.max(until);
    }

    /// How much longer calls in that lane, or in none, are held.
    #[must_use]
    pub fn held(&self, lane: Option<&str>) -> Option<Duration> {
        let inner = self.lock();
        let lane = lane.and_then(|lane| inner.lanes.get(lane)).and_then(|lane| lane.held_until);
        let left = lane.max(inner.held_until)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn book(&self, lane: &str, per_minute: u32) -> Instant {
        let now = Instant::now();
        let mut inner = self.lock();
        let lane = inner.lanes.entry(lane.to_owned()).or_default();
        while lane.starts.front().is_some_and(|start| *start + WINDOW <= now) {
            lane.starts.pop_front();
        }
        let mut start = lane.held_until.map_or(now, |until| until.max(now));
        let budget = usize::try_from(per_minute.max(1)).unwrap_or(usize::MAX);
        if let Some(earliest) = lane.starts.len().checked_sub(budget).and_then(|at| lane.starts.get(at)) {
            start = start.max(*earliest + WINDOW);
        }
        lane.starts.push_back(start);
        start
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lane_takes_its_budget_at_once_and_then_waits() {
        let pace = Pace::default();
        let begin = Instant::now();
        for _ in 0..3 {
            pace.wait("GET orders", 3).await;
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        pace.wait("GET orders", 3).await;
        assert!(begin.elapsed() >= WINDOW, "the fourth call waits out the minute");
        let other = Instant::now();
        pace.wait("PATCH orders", 3).await;
        assert_eq!(other.elapsed(), Duration::ZERO, "lanes do not share a budget");
    }

    #[tokio::test(start_paused = true)]
    async fn spaced_calls_keep_their_distance() {
        let pace = Pace::default();
        let begin = Instant::now();
        for _ in 0..3 {
            pace.space(Duration::from_millis(500)).await;
        }
        assert_eq!(begin.elapsed().as_millis(), 1000, "the first at once, two more after half a second each");
    }

    #[tokio::test(start_paused = true)]
    async fn a_held_lane_waits_for_its_server() {
        let pace = Pace::default();
        pace.hold("GET orders", Duration::from_secs(7));
        let begin = Instant::now();
        pace.wait("GET orders", 100).await;
        assert_eq!(begin.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_held_session_holds_every_lane_but_not_for_ever() {
        let pace = Pace::default();
        pace.hold("GET orders", Duration::from_secs(7));
        assert_eq!(pace.held(None), None);
        pace.hold_all(Duration::MAX);
        assert_eq!(pace.held(None), Some(LONGEST_HOLD));
        assert_eq!(pace.held(Some("GET orders")), Some(LONGEST_HOLD));
        tokio::time::advance(LONGEST_HOLD).await;
        assert_eq!(pace.held(Some("GET orders")), None);
    }
}
