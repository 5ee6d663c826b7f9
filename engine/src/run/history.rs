//! What the log keeps of a record: decisions, requests, answers.

use std::sync::Arc;

use connectors::contract::Key;
use connectors::http::Exchange;
use connectors::record::{Record, Value, read_json, write_text};

use crate::shade::{BLOT, Shade};

/// One record's way through one run.
#[derive(Debug, Default)]
pub(super) struct History {
    /// What was looked up, and how many were found.
    pub(super) lookups: Vec<LookedUp>,
    /// What was written, or did not have to be.
    pub(super) writes: Vec<Wrote>,
    /// What `notify` said.
    pub(super) notices: Vec<String>,
}

/// A look-up.
#[derive(Debug)]
pub(super) struct LookedUp {
    resource: Arc<str>,
    by: Arc<[String]>,
    key: Key,
    found: usize,
}

/// A write.
#[derive(Debug)]
pub(super) struct Wrote {
    /// Name in the plan.
    pub(super) write: String,
    /// `created`, `updated`, `unchanged`, `adopted`, `refused`.
    pub(super) did: &'static str,
    /// Key in the target.
    pub(super) key: Option<String>,
    /// Fields that were sent, as JSON; empty when nothing was.
    pub(super) sent: Vec<u8>,
    /// What those fields held before.
    pub(super) before: Record,
    /// Requests and answers.
    pub(super) exchanges: Vec<Exchange>,
}

impl History {
    pub(super) fn looked_up(&mut self, resource: &Arc<str>, by: &Arc<[String]>, key: Key, found: usize) {
        self.lookups.push(LookedUp { resource: Arc::clone(resource), by: Arc::clone(by), key, found });
    }

    /// The same without what must not be kept.
    pub(super) fn shaded(self, shade: &Shade<'_>) -> Self {
        let shaded = |mut lookup: LookedUp| {
            let keeps = shade.keeps_payloads();
            lookup.key = lookup.key.iter().filter(|_| keeps).map(|value| shade.value(value)).collect();
            lookup
        };
        Self {
            lookups: self.lookups.into_iter().map(shaded).collect(),
            writes: self.writes.into_iter().map(|write| write.shaded(shade)).collect(),
            notices: self.notices.iter().map(|notice| shade.text(notice)).collect(),
        }
    }

    /// As JSON; lists that are empty are left out.
    pub(super) fn to_json(&self) -> Option<Vec<u8>> {
        if self.lookups.is_empty() && self.writes.is_empty() && self.notices.is_empty() {
            return None;
        }
        let likely: usize = self.writes.iter().map(Wrote::length).sum();
        let mut json = Object::begin(Vec::with_capacity(512 + likely));
        json.list("lookups", &self.lookups, LookedUp::write);
        json.list("writes", &self.writes, Wrote::write);
        json.list("notices", &self.notices, |notice, out| write_text(notice, out));
        Some(json.end())
    }
}

impl LookedUp {
    fn write(&self, out: &mut Vec<u8>) {
        let mut json = Object::begin(std::mem::take(out));
        json.text("resource", &self.resource);
        match &*self.by {
            [only] => json.text("by", only),
            several => json.text("by", &several.join(" and ")),
        }
        json.list("key", &self.key, Value::write_json);
        json.number("found", self.found as u64);
        *out = json.end();
    }
}

impl Wrote {
    fn shaded(self, shade: &Shade<'_>) -> Self {
        if !shade.keeps_payloads() {
            let exchanges = self.exchanges.into_iter().map(bare).collect();
            return Self { sent: Vec::new(), before: Record::new(), exchanges, ..self };
        }
        let sent = match read_json(&self.sent.into()) {
            Ok(Value::Map(sent)) => sent,
            _ => Record::new(),
        };
        let shaded = shade.record(&sent);
        // What a masked field held before is as much to be masked.
        let mut before = shade.record(&self.before);
        for (name, value) in sent.iter() {
            if shaded.get(name) != Some(value)
                && let Some(old) = before.get_mut(name)
                && !old.is_null()
            {
                *old = Value::from(BLOT);
            }
        }
        let text = |text: &str| shade.text(text);
        let exchanges = self.exchanges.into_iter().map(|exchange| Exchange {
            url: text(&exchange.url),
            sent: text(&exchange.sent),
            answer: text(&exchange.answer),
            ..exchange
        });
        let mut json = Vec::new();
        if !shaded.is_empty() {
            shaded.write_json(&mut json);
        }
        Self { sent: json, before, exchanges: exchanges.collect(), ..self }
    }

    /// About how long it is as JSON: a body of JSON has a quotation mark every few letters.
    fn length(&self) -> usize {
        let exchanged = |one: &Exchange| one.url.len() + (one.sent.len() + one.answer.len()) * 5 / 4 + 100;
        self.sent.len() + self.exchanges.iter().map(exchanged).sum::<usize>() + 200
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut json = Object::begin(std::mem::take(out));
        json.text("write", &self.write);
        json.text("did", self.did);
        if let Some(key) = &self.key {
            json.text("key", key);
        }
        if !self.sent.is_empty() {
            json.field("sent", |out| out.extend_from_slice(&self.sent));
        }
        if !self.before.is_empty() {
            json.field("before", |out| self.before.write_json(out));
        }
        json.list("exchanges", &self.exchanges, write_exchange);
        *out = json.end();
    }
}

/// That something was asked, and how it ended; addresses may name people.
fn bare(exchange: Exchange) -> Exchange {
    Exchange { url: String::new(), sent: String::new(), answer: String::new(), ..exchange }
}

fn write_exchange(exchange: &Exchange, out: &mut Vec<u8>) {
    let mut json = Object::begin(std::mem::take(out));
    json.text("method", &exchange.method);
    json.text("url", &exchange.url);
    json.text("sent", &exchange.sent);
    match exchange.status {
        Some(status) => json.number("status", status.into()),
        None => json.field("status", |out| out.extend_from_slice(b"null")),
    }
    json.text("answer", &exchange.answer);
    json.number("millis", exchange.millis);
    *out = json.end();
}

/// A JSON object that is written field by field, straight into the text that the store keeps.
struct Object {
    out: Vec<u8>,
    is_empty: bool,
}

impl Object {
    fn begin(mut out: Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    fn field(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        write_text(name, &mut self.out);
        self.out.push(b':');
        value(&mut self.out);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.field(name, |out| write_text(text, out));
    }

    fn number(&mut self, name: &str, number: u64) {
        self.field(name, |out| out.extend_from_slice(number.to_string().as_bytes()));
    }

    /// Nothing when there are no items.
    fn list<T>(&mut self, name: &str, items: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
        if items.is_empty() {
            return;
        }
        self.field(name, |out| {
            for (at, item) in items.iter().enumerate() {
                out.push(if at == 0 { b'[' } else { b',' });
                write(item, out);
            }
            out.push(b']');
        });
    }

    fn end(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_json() {
        assert_eq!(History::default().to_json(), None);
        let mut history = History::default();
        history.looked_up(
            &"orders".into(),
            &vec!["a".to_owned(), "b".to_owned()].into(),
            vec![1.into(), "x".into()],
            0,
        );
        history.notices.push("a \"word\"".to_owned());
        let exchange = Exchange {
            method: "POST".into(),
            url: "http://till/orders".into(),
            sent: "{\"a\":1}".into(),
            status: None,
            answer: "cut off".into(),
            millis: 12,
        };
        let sent = br#"{"total":12.50}"#.to_vec();
        let (key, before) = (Some("o1".to_owned()), Record::new());
        let write = "create orders".to_owned();
        history.writes.push(Wrote { write, did: "created", key, sent, before, exchanges: vec![exchange] });
        let text = String::from_utf8(history.to_json().unwrap()).unwrap();
        assert_eq!(
            text,
            r#"{"lookups":[{"resource":"orders","by":"a and b","key":[1,"x"],"found":0}],"writes":[{"write":"create orders","did":"created","key":"o1","sent":{"total":12.50},"exchanges":[{"method":"POST","url":"http://till/orders","sent":"{\"a\":1}","status":null,"answer":"cut off","millis":12}]}],"notices":["a \"word\""]}"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}
