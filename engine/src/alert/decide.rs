//! When somebody is told: once when something is wrong, again at growing intervals while it is,
//! and once when it is over. Pure: what was said, what holds, and the time go in.

use std::time::Duration;

use crate::store::{Millis, Told};

/// Pauses between messages about one cause; the last one goes on.
const AGAIN: [Duration; 3] = [Duration::from_hours(1), Duration::from_hours(4), Duration::from_hours(24)];

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something is wrong.
    First,
    /// It still is.
    Still,
    /// It is over.
    Over,
    /// Somebody tries whether messages arrive.
    Test,
}

/// What to note, and what to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is to be noted in the place of what was; `None`: nothing more.
    pub note: Option<Told>,
    /// What is said once it has been noted.
    pub say: Option<Kind>,
}

/// What to do about a cause. `holds`: it is wrong, or is certainly not. `patience`: what passes
/// within that time by itself is never told.
#[must_use]
pub fn decide(
    cause: &str,
    before: Option<&Told>,
    holds: bool,
    now: Millis,
    patience: Duration,
) -> Option<Step> {
    let patience = millis(patience);
    match (before, holds) {
        (None, false) => None,
        (None, true) => {
            let told = i64::from(patience == 0);
            let note = Told { cause: cause.to_owned(), since: now, told, told_at: now };
            Some(Step { note: Some(note), say: (told > 0).then_some(Kind::First) })
        }
        (Some(before), false) => Some(Step { note: None, say: (before.told > 0).then_some(Kind::Over) }),
        (Some(before), true) => {
            let (pause, kind) = match usize::try_from(before.told) {
                Ok(0) | Err(_) => (patience, Kind::First),
                Ok(told) => {
                    let last = AGAIN.last().copied().unwrap_or_default();
                    (millis(AGAIN.get(told - 1).copied().unwrap_or(last)), Kind::Still)
                }
            };
            // A clock that was set back does not keep anybody silent for longer than that.
            let passed = now.saturating_sub(before.told_at);
            (passed >= pause || passed < -pause).then(|| {
                let note = Told { told: before.told.max(0) + 1, told_at: now, ..before.clone() };
                Step { note: Some(note), say: Some(kind) }
            })
        }
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Millis = 60_000;
    const HOUR: Millis = 60 * MINUTE;

    /// What is said when a cause is looked at at these moments.
    fn played(looks: &[(Millis, bool)], patience: Duration) -> Vec<(Millis, Kind)> {
        let mut kept = None;
        let mut said = Vec::new();
        for (now, holds) in looks {
            if let Some(step) = decide("cause", kept.as_ref(), *holds, *now, patience) {
                kept = step.note;
                said.extend(step.say.map(|kind| (*now, kind)));
            }
        }
        said
    }

    #[test]
    fn somebody_is_told_less_and_less_often() {
        let looks: Vec<_> = (0..=80 * 60).map(|minute| (minute * MINUTE, minute < 79 * 60)).collect();
        let said: Vec<_> =
            played(&looks, Duration::ZERO).into_iter().map(|(at, kind)| (at / HOUR, kind)).collect();
        let still = [1, 5, 29, 53, 77].map(|hour| (hour, Kind::Still));
        assert_eq!(said[0], (0, Kind::First));
        assert_eq!(said[1..6], still);
        assert_eq!(said[6..], [(79, Kind::Over)]);
    }

    #[test]
    fn what_passes_by_itself_is_never_told() {
        let five = Duration::from_mins(5);
        let passes: Vec<_> = (0..=10).map(|minute| (minute * MINUTE, minute < 4)).collect();
        assert_eq!(played(&passes, five), []);
        let stays: Vec<_> = (0..=10).map(|minute| (minute * MINUTE, true)).collect();
        assert_eq!(played(&stays, five), [(5 * MINUTE, Kind::First)]);
    }

    proptest! {
        /// Whatever happens and however often somebody looks: nothing is over that was not told,
        /// nothing is told twice, and messages keep their distance.
        #[test]
        fn messages_make_sense(
            looks in prop::collection::vec((0..3 * HOUR, any::<bool>()), 0..200),
            patience in 0_u64..20,
        ) {
            let mut now = 0;
            let looks: Vec<_> = looks.into_iter().map(|(pause, holds)| { now += pause; (now, holds) }).collect();
            let said = played(&looks, Duration::from_mins(patience));
            let mut open: Option<Millis> = None;
            for (at, kind) in said {
                match (kind, open) {
                    (Kind::First, None) => open = Some(at),
                    (Kind::Still, Some(last)) => {
                        prop_assert!(at - last >= HOUR);
                        open = Some(at);
                    }
                    (Kind::Over, Some(_)) => open = None,
                    other => prop_assert!(false, "{other:?} at {at}"),
                }
            }
        }
    }
}
