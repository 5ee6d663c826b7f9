//! `[privacy]` in `weft.toml`, and `keep` of a flow: what the log keeps of records, and how long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_spanned::Spanned;

use super::file::{Entries, Reader};
use crate::trouble::did_you_mean;

/// How long the log is kept unless the project says otherwise.
const STANDARD: Duration = Duration::from_hours(14 * 24);

/// Longest time that can be said, in hours: ten years.
const LONGEST: u64 = 10 * 366 * 24;

const NAMES: [&str; 3] = ["keep", "mask", "payloads"];

/// What the log keeps of records, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// Fields of source records whose values are kept nowhere.
    pub mask: Arc<[String]>,
    /// Records, and what was sent and answered, are kept at all.
    pub payloads: bool,
    /// How long the log is kept.
    pub keep: Duration,
    /// The same for flows that say so.
    pub flows: BTreeMap<String, Duration>,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { mask: Arc::default(), payloads: true, keep: STANDARD, flows: BTreeMap::new() }
    }
}

impl Privacy {
    /// How long the log of a flow is kept.
    #[must_use]
    pub fn keep(&self, flow: &str) -> Duration {
        self.flows.get(flow).copied().unwrap_or(self.keep)
    }

    /// Everything is kept as it comes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.payloads && self.mask.is_empty()
    }
}

impl Reader<'_> {
    pub(super) fn privacy(&mut self, entries: &Entries) -> Privacy {
        let mut privacy = Privacy::default();
        for (key, value) in entries {
            match key.get_ref().as_str() {
                "payloads" => match value.get_ref().as_bool() {
                    Some(payloads) => privacy.payloads = payloads,
                    None => self.odd(value, "`payloads` is true or false".to_owned()),
                },
                "keep" => privacy.keep = self.keep(value).unwrap_or(STANDARD),
                "mask" => privacy.mask = self.mask(value),
                name => {
                    let help = did_you_mean(name, NAMES)
                        .unwrap_or_else(|| format!("there are {}", NAMES.join(", ")));
                    let message = format!("[privacy] has no `{name}`");
                    self.trouble("R088", message, key.span(), "not known", Some(help));
                }
            }
        }
        privacy
    }

    /// `"14 days"`
    pub(super) fn keep(&mut self, value: &Spanned<toml::Value>) -> Option<Duration> {
        let hours = value.get_ref().as_str().and_then(hours).filter(|hours| (1..=LONGEST).contains(hours));
        if hours.is_none() {
            let message =
                "`keep` is a number of hours, days or weeks, from an hour to ten years: \"14 days\""
                    .to_owned();
            self.odd(value, message);
        }
        hours.map(Duration::from_hours)
    }

    fn mask(&mut self, value: &Spanned<toml::Value>) -> Arc<[String]> {
        let field = |value: &toml::Value| {
            let path = value.as_str()?.trim();
            let is_path = !path.is_empty() && path.split('.').all(|name| !name.is_empty());
            is_path.then(|| path.to_owned())
        };
        let fields = value.get_ref().as_array().and_then(|all| all.iter().map(field).collect::<Option<_>>());
        fields.unwrap_or_else(|| {
            self.odd(
                value,
                "`mask` is a list of fields: [\"customer.email\", \"billing.street\"]".to_owned(),
            );
            Arc::default()
        })
    }

    fn odd(&mut self, value: &Spanned<toml::Value>, message: String) {
        self.trouble("R088", message, value.span(), "not that", None);
    }
}

/// A length of time as people write it.
fn hours(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let hours = match unit.trim() {
        "hour" | "hours" => 1,
        "day" | "days" => 24,
        "week" | "weeks" => 7 * 24,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        assert_eq!(
            ["1 hour", "36 hours", "14 days", " 2  weeks "].map(hours),
            [Some(1), Some(36), Some(336), Some(336)]
        );
        for text in ["", "14", "days", "-1 days", "1.5 days", "14 moons", "99999999999999999999 days"] {
            assert_eq!(hours(text), None, "{text}");
        }
    }
}
