//! Signs the calls of a profile and judges the replies.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::dialect::{Dialect, Meaning, Reason, Rule, SignIn, Test};
use super::form::plain;
use super::path::Path;
use super::template::Template;
use crate::contract::{Advice, RemoteError};
use crate::http::{Call, Protocol, Reply, Verdict, judge_status};
use crate::record::{Value, read_json};

/// What is the same for every call of a connection.
#[derive(Debug)]
pub(super) struct Speaker {
    system: String,
    headers: HeaderMap,
    /// Parameter that carries the API key.
    pub(super) parameter: Option<(String, String)>,
    reason: Vec<Path>,
    ok_when: Option<(Path, Test)>,
    rules: Vec<Rule>,
}

/// A speaker that hears one reply.
pub(super) struct Ear<'s> {
    pub(super) speaker: &'s Speaker,
    pub(super) missing: Missing,
    /// The body, when a rule had to read it.
    pub(super) body: Mutex<Option<Value>>,
}

/// What 404 says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The address is wrong.
    Address,
    /// There is no such record, and that is an answer.
    Nothing,
    /// There is no such record, so it cannot be changed.
    Record,
}

impl Speaker {
    pub(super) fn new(
        system: &str,
        dialect: &Dialect,
        setting: &dyn Fn(&str) -> String,
    ) -> Result<Self, RemoteError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut add =
            |name: &HeaderName, template: &Template, text: String, secret: bool| -> Result<(), RemoteError> {
                let mut value =
                    HeaderValue::from_str(&text).map_err(|_| unsendable(system, name, template))?;
                value.set_sensitive(secret);
                headers.insert(name, value);
                Ok(())
            };
        let fill = |template: &Template| template.settle(setting).fill(&|_| String::new());
        for (name, template) in &dialect.headers {
            add(name, template, fill(template), false)?;
        }
        let mut parameter = None;
        match &dialect.sign_in {
            SignIn::None | SignIn::OAuth(_) | SignIn::Login(_) => {}
            SignIn::Header(name, template) => add(name, template, fill(template), true)?,
            SignIn::Parameter(name, template) => parameter = Some((name.clone(), fill(template))),
            SignIn::Basic { user, password } => {
                let pair = BASE64.encode(format!("{}:{}", fill(user), fill(password)));
                add(&AUTHORIZATION, user, format!("Basic {pair}"), true)?;
            }
        }
        let (reason, rules) = (dialect.reason.clone(), dialect.rules.clone());
        let ok_when = dialect.ok_when.clone();
        Ok(Self { system: system.to_owned(), headers, parameter, reason, ok_when, rules })
    }

    /// Credentials as they travel, to blot out.
    pub(super) fn secrets(&self) -> Vec<String> {
        let sensitive = self.headers.values().filter(|value| value.is_sensitive());
        let words = sensitive.filter_map(|value| value.to_str().ok()?.rsplit(' ').next());
        words.map(str::to_owned).collect()
    }

    /// True when the reply says that there is no such record.
    pub(super) fn says_nothing(&self, reply: &Reply) -> bool {
        if reply.status.as_u16() == 404 {
            return true;
        }
        let can = self.rules.iter().any(|rule| rule.advice == Meaning::Nothing);
        can && self.rule(reply, &mut None).is_some_and(|rule| rule.advice == Meaning::Nothing)
    }

    /// The first rule that applies. The body is read when a rule asks for it.
    fn rule(&self, reply: &Reply, body: &mut Option<Value>) -> Option<&Rule> {
        let status = reply.status.as_u16();
        self.rules.iter().find(|rule| {
            let fits = |(least, most): &(u16, u16)| (*least..=*most).contains(&status);
            let status_fits = rule.statuses.is_empty() || rule.statuses.iter().any(fits);
            let text_fits = || {
                let text = String::from_utf8_lossy(&reply.body).to_lowercase();
                rule.text.iter().any(|word| text.contains(word.as_str()))
            };
            status_fits
                && (rule.text.is_empty() || text_fits())
                && rule.body.as_ref().is_none_or(|(at, test)| {
                    let body = body.get_or_insert_with(|| read_json(&reply.body).unwrap_or_default());
                    at.pick(body).is_some_and(|value| test.holds(value))
                })
        })
    }

    fn by_rule(&self, rule: &Rule, body: Option<Value>, reply: &Reply) -> Verdict {
        let status = reply.status.as_u16();
        // A rule for a status alone has not read the body.
        let body = body.unwrap_or_else(|| read_json(&reply.body).unwrap_or_default());
        let said = match &rule.reason {
            Some(Reason::Text(text)) => Some(text.clone()),
            Some(Reason::Path(at)) => at.pick(&body).map(plain),
            None => Some(self.reason(&body)),
        };
        let reason = said.filter(|said| !said.is_empty()).unwrap_or_else(|| match reply.excerpt() {
            text if text.is_empty() => format!("answered with status {status}"),
            text => format!("answered with status {status}: {text}"),
        });
        let advice = match rule.advice {
            Meaning::Nothing => return Verdict::Accept,
            Meaning::Retry => {
                // A refusal did nothing; a failure of the server may have done half of it.
                let untouched = status == 503 || (400..500).contains(&status);
                return Verdict::Again { reason, after: reply.retry_after(), untouched };
            }
            Meaning::Skip => Advice::SkipRecord,
            Meaning::Stop => Advice::StopFlow,
            Meaning::Reconnect => Advice::Reconnect,
        };
        let error = RemoteError::new(advice, self.system.clone(), reason);
        Verdict::Refuse(match &rule.help {
            Some(help) => error.with_help(help),
            None => error,
        })
    }

    /// What stands at the places of the reason, one behind the other.
    fn reason(&self, body: &Value) -> String {
        let parts = self.reason.iter().filter_map(|at| at.pick(body)).map(plain);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
    }

    /// The reason that the body of a refusal gives, where the profile says it stands.
    fn told(&self, reply: &Reply) -> Option<String> {
        let body = read_json(&reply.body).ok()?;
        let text = self.reason(&body);
        (!text.is_empty()).then(|| format!("{text} (status {})", reply.status.as_u16()))
    }
}

impl Protocol for Ear<'_> {
    fn prepare(&self, request: &mut reqwest::Request) -> Result<(), RemoteError> {
        let headers = request.headers_mut();
        for (name, value) in &self.speaker.headers {
            headers.insert(name, value.clone());
        }
        Ok(())
    }

    fn judge(&self, _call: &Call, reply: &Reply) -> Verdict {
        let mut body = None;
        if let Some(rule) = self.speaker.rule(reply, &mut body) {
            return self.speaker.by_rule(rule, body, reply);
        }
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = body;
        let page = reply.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
        // A web page says that the address is wrong, not that there is no such record.
        if self.missing == Missing::Nothing && reply.status.as_u16() == 404 && !page {
            return Verdict::Accept;
        }
        if reply.status.is_success() {
            if page {
                let reason = format!("answered with a web page instead of JSON: {}", reply.excerpt());
                return Verdict::Again { reason, after: None, untouched: false };
            }
            return self.judge_good(reply);
        }
        match judge_status(&self.speaker.system, reply) {
            Verdict::Refuse(mut error) => {
                if let Some(told) = self.speaker.told(reply) {
                    error.reason = told;
                }
                if self.missing == Missing::Record && reply.status.as_u16() == 404 {
                    error.advice = Advice::SkipRecord;
                }
                if error.advice == Advice::Reconnect && error.help.is_none() {
                    error = error.with_help("fill in the credentials of this connection again");
                }
                Verdict::Refuse(error)
            }
            other => other,
        }
    }
}

impl Ear<'_> {
    /// An answer with a good status may be a refusal still.
    fn judge_good(&self, reply: &Reply) -> Verdict {
        let Some((at, test)) = &self.speaker.ok_when else { return Verdict::Accept };
        if reply.body.is_empty() {
            return Verdict::Accept;
        }
        let mut kept = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let body = kept.get_or_insert_with(|| read_json(&reply.body).unwrap_or_default());
        // A body that is no JSON is judged by whoever reads it.
        if body.is_null() || at.pick(body).is_some_and(|value| test.holds(value)) {
            return Verdict::Accept;
        }
        let told = self.speaker.told(reply);
        let reason = told.unwrap_or_else(|| format!("refused, though with status {}", reply.status.as_u16()));
        Verdict::Refuse(RemoteError::new(Advice::SkipRecord, self.speaker.system.clone(), reason))
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        let text = plain(value);
        match self {
            Self::There => is_yes(value),
            Self::Is(words) => words.contains(&text),
            Self::Contains(words) => {
                let text = text.to_lowercase();
                words.iter().any(|word| text.contains(word.as_str()))
            }
        }
    }
}

/// A value that says yes: not missing, empty, false or zero.
pub(super) fn is_yes(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Int(number) => *number != 0,
        Value::Decimal(number) => !number.is_zero(),
        Value::Text(text) => !matches!(text.as_str(), "" | "false" | "0"),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
    }
}

fn unsendable(system: &str, header: &HeaderName, template: &Template) -> RemoteError {
    let names: Vec<_> = template.settings().map(|name| format!("`{name}`")).collect();
    let reason = format!("the setting {} cannot be sent in the header `{header}`", names.join(", "));
    RemoteError::new(Advice::Reconnect, system, reason)
        .with_help("it holds a line break or another character that no header can carry: fill it in again")
}
