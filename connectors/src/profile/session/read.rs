//! Reading page by page.
//!
//! A position is everything that the next call needs, so that reading goes on where it stopped
//! in another process: which page, how long pages are, and what the last one looked like, to
//! notice a system that gives the same page again and again.

use std::fmt::Write as _;

use async_trait::async_trait;
use xxhash_rust::xxh3::xxh3_64;

use super::Conversation;
use crate::contract::{Advice, Fetch, FetchRequest, Page, RemoteError, UNREADABLE};
use crate::http::Call;
use crate::profile::dialect::{Ask, End, FetchWay, Paging, PagingKind, Ways};
use crate::profile::form::{Form, plain};
use crate::profile::speaker::{Missing, is_yes};
use crate::record::{Record, Text, Value};

/// Where reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// What the paging parameter says.
    at: u64,
    size: u64,
    /// Pages read so far.
    read: u64,
    /// Fingerprint of the last page that held records.
    seen: u64,
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
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        let _ = write!(text, "{} {} {} {:x}", self.at, self.size, self.read, self.seen);
        text
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let mut number = || parts.next()?.parse().ok();
        let (at, size, read) = (number()?, number()?, number()?);
        Some(Self { at, size, read, seen: u64::from_str_radix(parts.next()?, 16).ok()? })
    }
}

/// A page as it came, and where the next one is.
pub(super) struct Raw {
    pub(super) records: Vec<Value>,
    next: Option<Turn>,
}

impl Conversation {
    /// Asks for one page.
    pub(super) async fn ask(
        &self,
        ask: &Ask,
        path: &str,
        mut parameters: Vec<(&str, String)>,
        turn: Option<&Turn>,
        missing: Missing,
    ) -> Result<Raw, RemoteError> {
        if let (Some(paging), Some(turn)) = (&ask.paging, turn) {
            parameters.push((&paging.parameter, turn.at.to_string()));
            if let Some(name) = &paging.size_parameter {
                parameters.push((name, turn.size.to_string()));
            }
        }
        let url = self.url(path, parameters.into_iter())?;
        let heard = self.send(Call::get(url), missing).await?;
        let reply = &heard.reply;
        if reply.body.is_empty() || (missing == Missing::Nothing && self.speaker.says_nothing(reply)) {
            return Ok(Raw { records: Vec::new(), next: None });
        }
        let mut page = self.json(heard)?;
        let (Some(paging), Some(turn)) = (&ask.paging, turn) else {
            return Ok(Raw { records: ask.records.take_all(page), next: None });
        };
        let told = match &paging.end {
            End::More(at) | End::Total(at) | End::Pages(at) => at.pick(&page).cloned(),
            End::Short | End::Empty => None,
        };
        let records = ask.records.take_all(std::mem::take(&mut page));
        let next = self.next(paging, turn, &records, told.as_ref())?;
        Ok(Raw { records, next })
    }

    fn next(
        &self,
        paging: &Paging,
        turn: &Turn,
        records: &[Value],
        told: Option<&Value>,
    ) -> Result<Option<Turn>, RemoteError> {
        let found = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let so_far = match paging.kind {
            PagingKind::Page => turn.read.saturating_mul(turn.size).saturating_add(found),
            PagingKind::Offset => (turn.at - paging.first.min(turn.at)).saturating_add(found),
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
        let more = match &paging.end {
            End::Short => found >= turn.size,
            End::Empty => found > 0,
            End::More(_) => told.is_some_and(is_yes),
            End::Total(_) => found > 0 && so_far < count(told)?,
            End::Pages(_) => found > 0 && turn.read + 1 < count(told)?,
        };
        let seen = if records.is_empty() { 0 } else { fingerprint(records) };
        if seen != 0 && seen == turn.seen {
            let error = self.error(
                Advice::StopFlow,
                format!("gave the same page twice, at {} {}", paging.parameter, turn.at),
            );
            return Err(error.with_help(format!(
                "it does not heed the parameter `{}`: correct `paging` in the profile",
                paging.parameter
            )));
        }
        if !more {
            return Ok(None);
        }
        let read = turn.read + 1;
        if read >= paging.most_pages {
            let error = self.error(Advice::StopFlow, format!("still has more after {read} pages"));
            return Err(error.with_help("raise `most_pages` in the profile if there is really so much"));
        }
        let at = match paging.kind {
            PagingKind::Page => turn.at + 1,
            PagingKind::Offset => turn.at.saturating_add(found),
        };
        Ok(Some(Turn { at, size: turn.size, read, seen }))
    }

    /// The pages of a find, one after the other, until the last one.
    pub(super) async fn ask_all(
        &self,
        ask: &Ask,
        path: &str,
        parameters: Vec<(&str, String)>,
    ) -> Result<Vec<Value>, RemoteError> {
        let mut turn = ask.paging.as_ref().map(|paging| Turn::first(paging, 0));
        // A list that is not there is a wrong address; taking it for "none found" would double records.
        let single = ask.path.fields().next().is_some();
        let missing = if single { Missing::Nothing } else { Missing::Address };
        let mut records = Vec::new();
        loop {
            let raw = self.ask(ask, path, parameters.clone(), turn.as_ref(), missing).await?;
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
    ) -> Result<Vec<(&'w str, String)>, RemoteError> {
        let nothing = |_: &str| String::new();
        let mut parameters: Vec<(&str, String)> =
            way.ask.parameters.iter().map(|(name, value)| (name.as_str(), value.fill(&nothing))).collect();
        for (field, value) in &request.conditions {
            let filter = way.filters.iter().find(|(name, _)| name == field);
            let (Some((_, parameter)), Some(member)) = (filter, ways.shape.member(field)) else {
                return Err(self.error(Advice::StopFlow, format!("cannot filter by `{field}`")));
            };
            let value = member.form.write(value).map_err(|reason| {
                self.error(Advice::StopFlow, format!("cannot filter by `{field}`: it {reason}"))
            })?;
            parameters.push((parameter, plain(&value)));
        }
        if let Some((field, value)) = &request.since {
            let since = way.since.iter().find(|since| since.field == *field);
            let (Some(since), Some(member)) = (since, ways.shape.member(field)) else {
                return Err(self.error(Advice::StopFlow, format!("cannot be read from a `{field}` on")));
            };
            let text = match (&since.form, &member.form, value) {
                (Some((form, zone)), _, _) | (None, Form::Datetime(form, zone), _) => {
                    form.parameter(value, zone, since.exclusive)
                }
                (_, _, Value::Int(marker)) => Some(marker.saturating_sub(since.exclusive.into()).to_string()),
                _ => None,
            };
            let Some(text) = text else {
                return Err(self.error(
                    Advice::StopFlow,
                    format!("`{}` is no value that `{field}` can start from", plain(value)),
                ));
            };
            parameters.push((&since.parameter, text));
            parameters
                .extend(since.parameters.iter().map(|(name, value)| (name.as_str(), value.fill(&nothing))));
        }
        Ok(parameters)
    }
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
        let raw = self.ask(&way.ask, &path, parameters, turn.as_ref(), missing).await?;
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
