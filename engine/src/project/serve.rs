//! `[serve]` in `weft.toml`: how the daemon works.

use std::time::Duration;

use super::file::{Entries, Reader};
use crate::trouble::did_you_mean;

/// How the daemon works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serve {
    /// Flows that run at the same time.
    pub runs_at_once: usize,
    /// How long what is under way may take to settle when the daemon is told to stop.
    pub stop_within: Duration,
}

impl Default for Serve {
    fn default() -> Self {
        Self { runs_at_once: 4, stop_within: Duration::from_secs(30) }
    }
}

/// Runs that may be allowed at the same time.
const RUNS: std::ops::RangeInclusive<i64> = 1..=64;

const NAMES: [&str; 2] = ["runs_at_once", "stop_within"];

impl Reader<'_> {
    pub(super) fn serve(&mut self, entries: &Entries) -> Serve {
        let mut serve = Serve::default();
        for (key, value) in entries {
            let wrong = match key.get_ref().as_str() {
                "runs_at_once" => {
                    let number = value.get_ref().as_integer().filter(|number| RUNS.contains(number));
                    let number = number.and_then(|number| usize::try_from(number).ok());
                    serve.runs_at_once = number.unwrap_or(serve.runs_at_once);
                    number.is_none().then_some("is a whole number from 1 to 64")
                }
                "stop_within" => {
                    let given = value.get_ref().as_str().and_then(duration);
                    serve.stop_within = given.unwrap_or(serve.stop_within);
                    given.is_none().then_some("is a time such as \"30 seconds\", an hour at most")
                }
                name => {
                    let help = did_you_mean(name, NAMES)
                        .unwrap_or_else(|| format!("there are {}", NAMES.join(" and ")));
                    let message = format!("the daemon has no setting `{name}`");
                    self.trouble("R091", message, key.span(), "not a setting of [serve]", Some(help));
                    continue;
                }
            };
            if let Some(wrong) = wrong {
                let message = format!("`{}` {wrong}", key.get_ref());
                self.trouble("R092", message, value.span(), "not that", None);
            }
        }
        serve
    }
}

/// `30 seconds`, `2 minutes`: from a second to an hour.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit.trim() {
        "second" | "seconds" => number,
        "minute" | "minutes" => number.checked_mul(60)?,
        "hour" | "hours" => number.checked_mul(3_600)?,
        _ => return None,
    };
    (1..=3_600).contains(&seconds).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_words() {
        assert_eq!(duration("30 seconds"), Some(Duration::from_secs(30)));
        assert_eq!(duration("1 minute"), Some(Duration::from_mins(1)));
        for wrong in ["", "30", "0 seconds", "2 hours", "-1 minutes", "1 day", "30 sec"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
