//! `[alerts]` in `weft.toml`: who is told, and from when on.

use std::time::Duration;

use lettre::message::Mailbox;
use toml::Table;

use super::file::{Entries, Reader};
use crate::alert::{Channel, Mail, Post, Protection, Shape};
use crate::trouble::did_you_mean;

/// Who is told, and from when on.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// From when on.
    pub rules: Rules,
    /// Who, by the names of the channels.
    pub channels: Vec<(String, Channel)>,
}

/// From when on somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What passes within that time by itself is not told.
    pub after: Duration,
    /// Refused records of a flow that nobody wants to hear of.
    pub refused_above: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { after: Duration::from_mins(5), refused_above: 0 }
    }
}

const KINDS: [&str; 4] = ["mail", "webhook", "slack", "teams"];

/// Why a channel cannot be used, and what to write instead.
type Wrong = (String, String);

impl Reader<'_> {
    pub(super) fn alerts(&mut self, entries: &Entries) -> Alerts {
        let mut alerts = Alerts::default();
        for (key, value) in entries {
            let name = key.get_ref().as_str();
            let outcome = match (name, value.get_ref()) {
                ("after", value) => match value.as_str().and_then(minutes) {
                    Some(after) => {
                        alerts.rules.after = after;
                        Ok(())
                    }
                    None => wrong(
                        "`after` is no time",
                        "write for instance \"5 minutes\"; \"0 minutes\" tells at once",
                    ),
                },
                ("refused_above", value) => match value.as_integer().filter(|number| *number >= 0) {
                    Some(number) => {
                        alerts.rules.refused_above = number;
                        Ok(())
                    }
                    None => {
                        wrong("`refused_above` is no number of records", "write 0 or more, without quotes")
                    }
                },
                (name, toml::Value::Table(table)) => self.channel(table).map(|channel| {
                    alerts.channels.push((name.to_owned(), channel));
                }),
                (name, _) => {
                    let help = did_you_mean(name, ["after", "refused_above"]).unwrap_or_else(|| {
                        format!("a channel is a part of its own: `[alerts.{name}]` with `kind = \"mail\"`")
                    });
                    Err((format!("`[alerts]` has no setting `{name}`"), help))
                }
            };
            if let Err((message, help)) = outcome {
                let message =
                    if value.get_ref().is_table() { format!("channel `{name}`: {message}") } else { message };
                self.trouble("R106", message, key.span(), "cannot be used", Some(help));
            }
        }
        alerts
    }

    fn channel(&self, table: &Table) -> Result<Channel, Wrong> {
        let form = |shape| self.post(table, shape).map(Channel::Post);
        match table.get("kind").and_then(toml::Value::as_str) {
            Some("mail") => self.mail(table).map(|mail| Channel::Mail(Box::new(mail))),
            Some("webhook") => form(Shape::Plain),
            Some("slack") => form(Shape::Slack),
            Some("teams") => form(Shape::Teams),
            kind => {
                let near = kind.and_then(|kind| did_you_mean(kind, KINDS));
                let help = near
                    .unwrap_or_else(|| format!("write `kind = \"mail\"`; there are {}", KINDS.join(", ")));
                wrong("it does not say of which kind it is", help)
            }
        }
    }

    fn post(&self, table: &Table, shape: Shape) -> Result<Post, Wrong> {
        only(table, &["kind", "url"])?;
        let text = self.need(table, "url", "url = { env = \"ALERT_URL\" }")?;
        match url::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(Post { url, shape }),
            // It may be a secret, and is not repeated.
            _ => wrong("`url` is no address", "it begins with https://"),
        }
    }

    fn mail(&self, table: &Table) -> Result<Mail, Wrong> {
        only(table, &["kind", "server", "port", "tls", "user", "password", "from", "to", "certificates"])?;
        if table.get("password").is_some_and(toml::Value::is_str) {
            return wrong(
                "`password` is a secret and must not stand in weft.toml",
                "write `password = { env = \"NAME\" }` or `password = { file = \"PATH\" }`",
            );
        }
        let (tls, standard) = match table.get("tls").map(|value| value.as_str().unwrap_or_default()) {
            None | Some("start") => (Protection::StartTls, 587),
            Some("on") => (Protection::Tls, 465),
            Some("off") => (Protection::None, 25),
            Some(_) => {
                return wrong(
                    "`tls` is none of \"start\", \"on\", \"off\"",
                    "\"start\" is the standard, for port 587; \"on\" is for port 465",
                );
            }
        };
        let port = match table.get("port") {
            None => Some(standard),
            Some(value) => {
                value.as_integer().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
            }
        };
        let Some(port) = port else { return wrong("`port` is no port", "mail servers have 587, 465 or 25") };
        let login = match (table.contains_key("user"), table.contains_key("password")) {
            (false, false) => None,
            (true, true) => Some((
                self.need(table, "user", "user = \"weft\"")?,
                self.need(table, "password", "password = { env = \"NAME\" }")?,
            )),
            _ => return wrong("`user` and `password` belong together", "write both, or neither"),
        };
        if login.is_some() && tls == Protection::None {
            return wrong(
                "a password would go over an unprotected line",
                "write `tls = \"start\"`, or leave `user` and `password` out",
            );
        }
        let certificates = match table.get("certificates").and_then(toml::Value::as_str) {
            None => None,
            Some(path) => match std::fs::read(self.root().join(path)) {
                Ok(pem) => Some(pem),
                Err(error) => {
                    return wrong(
                        format!("`{path}` cannot be read: {}", crate::trouble::why(&error)),
                        "paths count from the project's folder",
                    );
                }
            },
        };
        let server = self.need(table, "server", "server = \"smtp.example.com\"")?;
        let from = mailbox(&self.need(table, "from", "from = \"weft@example.com\"")?)?;
        let to = match table.get("to") {
            Some(toml::Value::Array(all)) => {
                all.iter().filter_map(toml::Value::as_str).map(mailbox).collect()
            }
            Some(toml::Value::String(one)) => mailbox(one).map(|one| vec![one]),
            _ => Ok(Vec::new()),
        }?;
        if to.is_empty() {
            return wrong("it does not say to whom", "write `to = [\"somebody@example.com\"]`");
        }
        Ok(Mail { server, port, tls, login, from, to, certificates })
    }

    fn need(&self, table: &Table, name: &str, example: &str) -> Result<String, Wrong> {
        match table.get(name) {
            None => wrong(format!("it has no `{name}`"), format!("write `{example}`")),
            Some(value) => {
                self.answer(value).map_err(|(message, help)| (format!("`{name}`: {message}"), help))
            }
        }
    }
}

fn wrong<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err((message.into(), help.into()))
}

fn only(table: &Table, known: &[&str]) -> Result<(), Wrong> {
    let Some(stranger) = table.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let help = did_you_mean(stranger, known.iter().copied())
        .unwrap_or_else(|| format!("it takes {}", known.join(", ")));
    wrong(format!("it has no setting `{stranger}`"), help)
}

fn mailbox(text: &str) -> Result<Mailbox, Wrong> {
    text.parse().map_err(|_| {
        (
            format!("`{text}` is no mail address"),
            "write `weft@example.com`, or `Weft <weft@example.com>`".to_owned(),
        )
    })
}

/// `5 minutes`, up to a day.
fn minutes(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let minutes = match unit.trim() {
        "minute" | "minutes" => number,
        "hour" | "hours" => number.checked_mul(60)?,
        _ => return None,
    };
    (minutes <= 24 * 60).then(|| Duration::from_mins(minutes))
}
