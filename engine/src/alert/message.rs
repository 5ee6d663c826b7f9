//! What an alert says: which flow, since when, why, and what to do; as text, and in the shapes
//! that chats take.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::decide::Kind;

/// Records that a message names; there may be more.
pub(super) const NAMED: u32 = 5;

/// Longest reason that is told; the log has all of it.
const LONGEST: usize = 600;

/// What is wrong, with what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The latest run of a flow could not go on.
    Failing {
        /// The flow.
        flow: String,
    },
    /// A flow was due and has not run.
    Silent {
        /// The flow.
        flow: String,
    },
    /// More records of a flow were refused than anybody wants.
    Refused {
        /// The flow.
        flow: String,
    },
    /// Somebody has to sign in again.
    Reconnect {
        /// The connection.
        connection: String,
    },
    /// The store cannot be used.
    Store,
    /// Changed files are wrong, and the version before them goes on.
    Files,
}

impl Cause {
    /// The word for it in the store and in JSON.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Failing { .. } => "failing",
            Self::Silent { .. } => "not run",
            Self::Refused { .. } => "refused",
            Self::Reconnect { .. } => "reconnect",
            Self::Store => "store",
            Self::Files => "files",
        }
    }

    /// What it is about.
    const fn subject(&self) -> &str {
        match self {
            Self::Failing { flow } | Self::Silent { flow } | Self::Refused { flow } => flow.as_str(),
            Self::Reconnect { connection } => connection.as_str(),
            Self::Store | Self::Files => "",
        }
    }

    /// Its name in the store: unique.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.word(), self.subject()).trim_end().to_owned()
    }

    pub(super) const fn flow(&self) -> Option<&String> {
        match self {
            Self::Failing { flow } | Self::Silent { flow } | Self::Refused { flow } => Some(flow),
            _ => None,
        }
    }

    const fn connection(&self) -> Option<&String> {
        match self {
            Self::Reconnect { connection } => Some(connection),
            _ => None,
        }
    }

    /// What is the case while it holds, and once it no longer does.
    fn headline(&self, kind: Kind) -> String {
        let about = self.subject();
        if kind == Kind::Over {
            return match self {
                Self::Failing { .. } => format!("flow {about} runs again"),
                Self::Silent { .. } => format!("flow {about} has run"),
                Self::Refused { .. } => format!("flow {about}: what was refused is done"),
                Self::Reconnect { .. } => format!("connection {about} is signed in again"),
                Self::Store => "the store can be used again".to_owned(),
                Self::Files => "the changed files are taken over".to_owned(),
            };
        }
        let still = if kind == Kind::Still { "still " } else { "" };
        match self {
            Self::Failing { .. } => format!("flow {about} {still}fails"),
            Self::Silent { .. } => format!("flow {about} {still}has not run"),
            Self::Refused { .. } => format!("flow {about} {still}has refused records"),
            Self::Reconnect { .. } => format!("connection {about} {still}has to be signed in again"),
            Self::Store => format!("the store {still}cannot be used"),
            Self::Files => format!("changed files are {still}wrong"),
        }
    }

    /// What a person can do about it.
    fn help(&self) -> String {
        match self {
            Self::Failing { flow } => format!(
                "nothing is lost: the next run goes on from there; `weft runs --flow {flow}` shows what happened"
            ),
            Self::Silent { .. } => {
                "see with `weft status` what the daemon does; let more run at once with `runs_at_once` under [serve]"
                    .to_owned()
            }
            Self::Refused { .. } => {
                "`weft records --failed` lists all of them with their reasons".to_owned()
            }
            Self::Reconnect { connection } => {
                format!("run `weft connect {connection}`; its flows go on by themselves afterwards")
            }
            Self::Store => "no work is taken up; it goes on by itself once the store can be used".to_owned(),
            Self::Files => "`weft check` shows the problems; until they are mended, flows run as before".to_owned(),
        }
    }
}

/// What is found about a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// Why it holds; `None`: it certainly does not.
    pub reason: Option<String>,
    /// Records that it is about: what people call them, and what is wrong with each.
    pub records: Vec<(String, String)>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub(super) project: String,
    pub(super) kind: Kind,
    pub(super) cause: Option<Cause>,
    pub(super) since: Timestamp,
    pub(super) reason: Option<String>,
    pub(super) records: Vec<(String, String)>,
}

impl Message {
    /// The message by which a channel is tried.
    #[must_use]
    pub fn test(project: &str, now: Timestamp) -> Self {
        let project = project.to_owned();
        Self { project, kind: Kind::Test, cause: None, since: now, reason: None, records: Vec::new() }
    }

    /// One line.
    #[must_use]
    pub fn subject(&self) -> String {
        let headline = self.cause.as_ref().map_or_else(
            || "this is a test, and nothing is wrong".to_owned(),
            |cause| cause.headline(self.kind),
        );
        format!("{}: {headline}", self.project)
    }

    /// Names and values, in the order in which they are read.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if let Some(flow) = self.cause.as_ref().and_then(Cause::flow) {
            facts.push(("flow", flow.clone()));
        }
        if let Some(connection) = self.cause.as_ref().and_then(Cause::connection) {
            facts.push(("connection", connection.clone()));
        }
        facts.push((if self.kind == Kind::Test { "sent" } else { "since" }, moment(self.since)));
        if let Some(reason) = &self.reason {
            facts.push(("reason", short(reason)));
        }
        for (key, reason) in &self.records {
            facts.push(("record", format!("{key}: {}", short(reason))));
        }
        if let Some(help) = self.help() {
            facts.push(("to do", help));
        }
        facts
    }

    fn help(&self) -> Option<String> {
        let is_wrong = matches!(self.kind, Kind::First | Kind::Still);
        self.cause.as_ref().filter(|_| is_wrong).map(Cause::help)
    }

    /// Everything, as text.
    #[must_use]
    pub fn text(&self) -> String {
        let lines: Vec<String> =
            self.facts().into_iter().map(|(name, value)| format!("{name:<11} {value}")).collect();
        format!("{}\n\n{}\n", self.subject(), lines.join("\n"))
    }

    /// Everything, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let kind = match self.kind {
            Kind::First => "first",
            Kind::Still => "still",
            Kind::Over => "over",
            Kind::Test => "test",
        };
        let records: Vec<Value> =
            self.records.iter().map(|(key, reason)| json!({"key": key, "reason": reason})).collect();
        json!({
            "project": self.project,
            "kind": kind,
            "cause": self.cause.as_ref().map(Cause::word),
            "flow": self.cause.as_ref().and_then(Cause::flow),
            "connection": self.cause.as_ref().and_then(Cause::connection),
            "since": self.since.to_string(),
            "reason": self.reason,
            "records": records,
            "help": self.help(),
            "subject": self.subject(),
            "text": self.text(),
        })
    }

    /// As Slack and its like take it.
    #[must_use]
    pub fn slack(&self) -> Value {
        // What would be taken for markup.
        let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let lines: Vec<String> =
            self.facts().iter().map(|(name, value)| format!("*{name}* {}", plain(value))).collect();
        json!({"text": format!("*{}*\n{}", plain(&self.subject()), lines.join("\n"))})
    }

    /// As Microsoft Teams takes it: a card.
    #[must_use]
    pub fn teams(&self) -> Value {
        let facts: Vec<Value> =
            self.facts().into_iter().map(|(title, value)| json!({"title": title, "value": value})).collect();
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        {"type": "TextBlock", "text": self.subject(), "weight": "Bolder", "wrap": true},
                        {"type": "FactSet", "facts": facts},
                    ],
                },
            }],
        })
    }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// On one line, and not too long.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    format!("{} …", line.chars().take(LONGEST).collect::<String>())
}
