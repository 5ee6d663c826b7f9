//! Reading page by page.
//!
//! A position is everything that the next call needs, so that reading goes on where it stopped
//! in another process: which page, how long pages are, and what the last one looked like, to
//! notice a system that gives the same page again and again.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use xxhash_rust::xxh3::xxh3_64;

use super::Conversation;
use crate::contract::{Advice, Fetch, FetchRequest, Page, RemoteError, UNREADABLE};
use crate::http::{Call, Method, Url};
use crate::profile::dialect::{Ask, End, FetchWay, Paging, PagingKind, SinceWay, Ways};
use crate::profile::form::{Form, plain, shown};
use crate::profile::path::put;
use crate::profile::speaker::{Missing, is_yes};
use crate::profile::template::Template;
use crate::record::{Map, Record, Text, Value};

/// Where reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// What the paging parameter says, where pages or records are counted.
    at: u64,
    size: u64,
    /// Pages read so far.
    read: u64,
    /// Fingerprint of the last page that held records.
    seen: u64,
    /// What names the next page, where it has a name: token, last key or address.
    token: String,
}

impl Turn {
    pub(super) fn first(paging: &Paging, size: usize) -> Self {
        // A system that cannot be told how long pages are has its own idea of it.
        let wished =
            paging.size_parameter.as_ref().and_then(|_| u64::try_from(size).ok()).filter(|size| *size > 0);
        Self {
            at: paging.first,
            size: wished.map_or(paging.size, |size| size.min(paging.size)),
            read: 0,
            seen: 0,
            token: String::new(),
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        let _ = write!(text, "{} {} {} {:x} {}", self.at, self.size, self.read, self.seen, self.token);
        text
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, ' ');
        let mut number = || parts.next()?.parse().ok();
        let (at, size, read) = (number()?, number()?, number()?);
        let seen = u64::from_str_radix(parts.next()?, 16).ok()?;
        Some(Self { at, size, read, seen, token: parts.next().unwrap_or_default().to_owned() })
    }

    /// What the paging parameter carries; nothing on a first page that has no name yet.
    fn said(&self, kind: &PagingKind) -> Option<Value> {
        match kind {
            PagingKind::Page | PagingKind::Offset => Some(i64::try_from(self.at).unwrap_or(i64::MAX).into()),
            PagingKind::Cursor(_) | PagingKind::Keyset(_) if !self.token.is_empty() => {
                Some(Value::from(self.token.as_str()))
            }
            _ => None,
        }
    }

    /// The address of this page, where addresses lead from page to page.
    fn address(&self, kind: &PagingKind) -> Option<&str> {
        let leads = matches!(kind, PagingKind::NextUrl(_) | PagingKind::LinkHeader);
        (leads && !self.token.is_empty()).then_some(&*self.token)
    }
}

/// Names and values that a question sends.
pub(super) type Sent<'a> = Vec<(&'a str, Value)>;

/// A page as it came, and where the next one is.
pub(super) struct Raw {
    pub(super) records: Vec<Value>,
    next: Option<Turn>,
}

/// What an answer says of pages.
struct Told {
    /// What tells the end.
    end: Option<Value>,
    /// The name of the next page.
    next: Option<String>,
}

impl Conversation {
    /// Asks for one page.
    pub(super) async fn ask(
        &self,
        ask: &Ask,
        question: Question<'_>,
        turn: Option<&Turn>,
        missing: Missing,
    ) -> Result<Raw, RemoteError> {
        let call = self.call(ask, question, turn)?;
        let asked = call.url.clone();
        let heard = self.send(call, missing).await?;
        let reply = &heard.reply;
        if reply.body.is_empty() || (missing == Missing::Nothing && self.speaker.says_nothing(reply)) {
            return Ok(Raw { records: Vec::new(), next: None });
        }
        let link = reply.header("link").and_then(next_link).map(str::to_owned);
        let mut page = self.json(heard)?;
        let (Some(paging), Some(turn)) = (&ask.paging, turn) else {
            return Ok(Raw { records: ask.records.take_all(page), next: None });
        };
        let end = match &paging.end {
            End::More(at) | End::Total(at) | End::Pages(at) => at.pick(&page).cloned(),
            End::Short | End::Empty | End::NoNext => None,
        };
        let named = match &paging.kind {
            PagingKind::Cursor(at) => at.pick(&page).filter(|next| is_yes(next)).map(plain),
            PagingKind::NextUrl(at) => at.pick(&page).map(plain),
            PagingKind::LinkHeader => link,
            PagingKind::Page | PagingKind::Offset | PagingKind::Keyset(_) => None,
        };
        let records = ask.records.take_all(std::mem::take(&mut page));
        let named = match &paging.kind {
            PagingKind::Keyset(at) => records.last().and_then(|last| at.pick(last)).map(plain),
            PagingKind::NextUrl(_) | PagingKind::LinkHeader => match named.filter(|next| !next.is_empty()) {
                Some(next) => Some(self.following(&asked, &next)?),
                None => None,
            },
            _ => named,
        };
        let told = Told { end, next: named.filter(|next| !next.is_empty()) };
        let next = self.next(paging, turn, &records, told)?;
        Ok(Raw { records, next })
    }

    /// The call for a page.
    fn call(&self, ask: &Ask, question: Question<'_>, turn: Option<&Turn>) -> Result<Call, RemoteError> {
        let mut parameters = question.parameters;
        if let (Some(paging), Some(turn)) = (&ask.paging, turn) {
            if let Some(address) = turn.address(&paging.kind) {
                let url = Url::parse(address)
                    .map_err(|_| self.error(Advice::StopFlow, format!("`{address}` is no address of a page")))?;
                return Ok(Call::get(self.with_key(url)));
            }
            let said = turn.said(&paging.kind);
            if paging.alone && said.is_some() {
                parameters.clear();
            }
            parameters.extend(said.map(|said| (paging.parameter.as_str(), said)));
            if let Some(name) = &paging.size_parameter {
                parameters.push((name, i64::try_from(turn.size).unwrap_or(i64::MAX).into()));
            }
        }
        if let Some(join) = &ask.join {
            parameters = joined(parameters, join);
        }
        let Some(body) = question.body else {
            let parameters = parameters.iter().map(|(name, value)| (*name, plain(value)));
            return Ok(Call::get(self.url(question.path, parameters)?));
        };
        let mut map = match body {
            Value::Map(map) => map,
            _ => Map::new(),
        };
        for (name, value) in parameters {
            let place: Vec<Text> = name.split('.').map(Text::from).collect();
            put(&mut map, &place, value);
        }
        let mut out = Vec::with_capacity(256);
        map.write_json(&mut out);
        let url = self.url(question.path, std::iter::empty())?;
        // A question changes nothing, whatever its verb.
        Ok(Call::write(Method::POST, url, "application/json", out).repeatable())
    }

    /// The address of the next page as a position keeps it: on the same server, or credentials
    /// would go elsewhere, and without the key.
    fn following(&self, asked: &Url, next: &str) -> Result<String, RemoteError> {
        let foreign = |to: &str| {
            let error = self.error(Advice::StopFlow, format!("says that its next page is at {to}"));
            error.with_help("that is another server than the connection's; its address is not followed")
        };
        let mut url = asked.join(next).map_err(|_| foreign("an address that is none"))?;
        if url.origin() != asked.origin() {
            return Err(foreign(url.host_str().unwrap_or("another address")));
        }
        if let Some((key, _)) = &self.speaker.parameter {
            let kept: Vec<(String, String)> =
                url.query_pairs().filter(|(name, _)| name != key).map(|(n, v)| (n.into(), v.into())).collect();
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
        Ok(url.into())
    }

    fn next(
        &self,
        paging: &Paging,
        turn: &Turn,
        records: &[Value],
        told: Told,
    ) -> Result<Option<Turn>, RemoteError> {
        let found = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let so_far = match paging.kind {
            PagingKind::Offset => (turn.at - paging.first.min(turn.at)).saturating_add(found),
            _ => turn.read.saturating_mul(turn.size).saturating_add(found),
        };
        let count = |told: Option<&Value>| {
            let number = told.and_then(|told| plain(told).parse::<u64>().ok());
            number.ok_or_else(|| {
                self.error(
                    Advice::StopFlow,
                    "the answer does not say how much there is where the profile looks for it",
                )
            })
        };
        let end = told.end.as_ref();
        let more = match &paging.end {
            End::NoNext => told.next.is_some(),
            End::Short => found >= turn.size,
            End::Empty => found > 0,
            End::More(_) => end.is_some_and(is_yes),
            End::Total(_) => found > 0 && so_far < count(end)?,
            End::Pages(_) => found > 0 && turn.read + 1 < count(end)?,
        };
        let seen = if records.is_empty() { 0 } else { fingerprint(records) };
        let named = !turn.token.is_empty() && told.next.as_ref() == Some(&turn.token);
        if seen != 0 && seen == turn.seen || named && more {
            return Err(self.twice(paging, turn));
        }
        if !more {
            return Ok(None);
        }
        let read = turn.read + 1;
        if read >= paging.most_pages {
            let error = self.error(Advice::StopFlow, format!("still has more after {read} pages"));
            return Err(error.with_help("raise `most_pages` in the profile if there is really so much"));
        }
        let (at, token) = match (&paging.kind, told.next) {
            (PagingKind::Page, _) => (turn.at + 1, String::new()),
            (PagingKind::Offset, _) => (turn.at.saturating_add(found), String::new()),
            (_, Some(next)) => (0, next),
            (_, None) => {
                let reason = "says that there is more, but not where";
                let error = self.error(Advice::StopFlow, reason);
                return Err(error.with_help("correct `next` or `last` of `paging` in the profile"));
            }
        };
        let seen = if seen == 0 { turn.seen } else { seen };
        Ok(Some(Turn { at, size: turn.size, read, seen, token }))
    }

    fn twice(&self, paging: &Paging, turn: &Turn) -> RemoteError {
        let (place, heed) = match &paging.kind {
            PagingKind::Page | PagingKind::Offset => {
                (format!(", at {} {}", paging.parameter, turn.at), format!("the parameter `{}`", paging.parameter))
            }
            PagingKind::Cursor(_) | PagingKind::Keyset(_) => {
                (format!(", at {} {}", paging.parameter, turn.token), format!("the parameter `{}`", paging.parameter))
            }
            PagingKind::NextUrl(_) | PagingKind::LinkHeader => (String::new(), "its own addresses".to_owned()),
        };
        let error = self.error(Advice::StopFlow, format!("gave the same page twice{place}"));
        error.with_help(format!("it does not heed {heed}: correct `paging` in the profile"))
    }

    /// The pages of a find, one after the other, until the last one.
    pub(super) async fn ask_all(
        &self,
        ask: &Ask,
        question: Question<'_>,
    ) -> Result<Vec<Value>, RemoteError> {
        let mut turn = ask.paging.as_ref().map(|paging| Turn::first(paging, 0));
        // A list that is not there is a wrong address; taking it for "none found" would double records.
        let single = ask.path.fields().next().is_some();
        let missing = if single { Missing::Nothing } else { Missing::Address };
        let mut records = Vec::new();
        loop {
            let raw = self.ask(ask, question.clone(), turn.as_ref(), missing).await?;
            records.extend(raw.records);
            let Some(next) = raw.next else { return Ok(records) };
            turn = Some(next);
        }
    }

    fn parameters<'w>(
        &self,
        ways: &'w Ways,
        way: &'w FetchWay,
        request: &FetchRequest,
    ) -> Result<Sent<'w>, RemoteError> {
        let fixed = |(name, value): &'w (String, Template)| (name.as_str(), value.fill(&|_| String::new()).into());
        let quote = way.ask.quote.as_deref();
        let mut parameters: Sent<'w> = way.ask.parameters.iter().map(fixed).collect();
        for (field, value) in &request.conditions {
            let filter = way.filters.iter().find(|filter| filter.field == *field);
            let (Some(filter), Some(member)) = (filter, ways.shape.member(field)) else {
                return Err(self.error(Advice::StopFlow, format!("cannot filter by `{field}`")));
            };
            let value = member.form.write(value).map_err(|reason| {
                self.error(Advice::StopFlow, format!("cannot filter by `{field}`: it {reason}"))
            })?;
            parameters.push((&filter.parameter, around(filter.value.as_ref(), value, quote)));
        }
        if let Some((field, value)) = &request.since {
            let since = way.since.iter().find(|since| since.field == *field);
            let (Some(since), Some(member)) = (since, ways.shape.member(field)) else {
                return Err(self.error(Advice::StopFlow, format!("cannot be read from a `{field}` on")));
            };
            let Some(from) = from(since, &member.form, value) else {
                return Err(self.error(
                    Advice::StopFlow,
                    format!("`{}` is no value that `{field}` can start from", plain(value)),
                ));
            };
            parameters.push((&since.parameter, around(since.value.as_ref(), from, quote)));
            parameters.extend(since.parameters.iter().map(fixed));
        }
        Ok(parameters)
    }
}

/// Where reading starts, in the wire's form.
fn from(since: &SinceWay, form: &Form, value: &Value) -> Option<Value> {
    let earlier = since.overlap.max(Duration::from_secs(since.exclusive.into()));
    match (&since.form, form, value) {
        (Some((form, zone)), _, _) | (None, Form::Datetime(form, zone), _) => form.parameter(value, zone, earlier),
        (_, _, Value::Int(marker)) => Some(Value::Int(marker.saturating_sub(since.exclusive.into()))),
        _ => None,
    }
}

/// The value in its expression.
fn around(expression: Option<&Template>, value: Value, quote: Option<&str>) -> Value {
    match expression {
        Some(expression) => Value::from(expression.fill(&|_| quoted(&value, quote))),
        None => value,
    }
}

/// The text of a value, with the quote in it doubled.
pub(super) fn quoted(value: &Value, quote: Option<&str>) -> String {
    let text = plain(value);
    match quote.filter(|quote| !quote.is_empty()) {
        Some(quote) => text.replace(quote, &quote.repeat(2)),
        None => text,
    }
}

/// Values of one parameter put into one.
fn joined<'a>(parameters: Sent<'a>, join: &str) -> Sent<'a> {
    let mut all: Sent<'a> = Vec::with_capacity(parameters.len());
    for (name, value) in parameters {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = Value::from([plain(known), plain(&value)].join(join)),
            None => all.push((name, value)),
        }
    }
    all
}

/// The address with `rel="next"` in a header `Link`.
fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = rest.split(';').any(|part| {
            let word = part.trim().strip_prefix("rel=").map(|word| word.trim_matches('"'));
            word.is_some_and(|word| word.split_whitespace().any(|word| word.eq_ignore_ascii_case("next")))
        });
        is_next.then_some(address)
    })
}

/// What is asked, apart from pages.
#[derive(Clone)]
pub(super) struct Question<'a> {
    pub(super) path: &'a str,
    pub(super) parameters: Sent<'a>,
    /// A question by POST: what its body holds beside the parameters.
    pub(super) body: Option<Value>,
}

#[async_trait]
impl Fetch for Conversation {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let ways = self.ways(&request.resource).ok_or_else(|| self.unknown(&request.resource))?;
        let way = ways.fetch.as_ref().ok_or_else(|| self.unknown(&request.resource))?;
        let turn = match (position, &way.ask.paging) {
            (Some(text), _) => Some(Turn::from_text(text).ok_or_else(|| {
                self.error(Advice::StopFlow, format!("`{text}` is not a position of `{}`", request.resource))
            })?),
            (None, Some(paging)) => Some(Turn::first(paging, request.size)),
            (None, None) => None,
        };
        let parameters = self.parameters(ways, way, request)?;
        let path = way.ask.path.fill(&|_| String::new());
        let missing = if way.empty_on_404 { Missing::Nothing } else { Missing::Address };
        let body = way.ask.body.as_ref().map(|body| body.fill(&|_| Value::Null));
        let question = Question { path: &path, parameters, body };
        let raw = self.ask(&way.ask, question, turn.as_ref(), missing).await?;
        if let (Some(first), true) = (raw.records.first(), raw.records.iter().all(|one| one.as_map().is_none())) {
            let reason = format!("its page holds {} where records should stand", shown(first));
            let error = self.error(Advice::StopFlow, reason);
            return Err(error.with_help("correct `records` in the profile"));
        }
        let records = raw.records.into_iter().map(|value| read(ways, value)).collect();
        Ok(Page { records, next: raw.next.map(|turn| turn.to_text()) })
    }
}

/// A record of a page; one that cannot be read whole says so itself.
fn read(ways: &Ways, value: Value) -> Record {
    let (mut record, fault) = ways.shape.read_what_can_be(value);
    if let Some(reason) = fault {
        record.push(Text::from_static(UNREADABLE), Value::from(reason));
    }
    record
}

/// Pages are alike when they hold as many records, and the first and last ones are alike.
fn fingerprint(records: &[Value]) -> u64 {
    let mut out = records.len().to_le_bytes().to_vec();
    for record in records.first().into_iter().chain(records.last()) {
        record.write_json(&mut out);
    }
    xxh3_64(&out) | 1
}
