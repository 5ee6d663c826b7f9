//! Creating and updating.

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Conversation, Heard};
use crate::contract::{Advice, Create, Find as _, RemoteError, Update, Written};
use crate::http::{Call, Reply};
use crate::profile::dialect::{Nothing, Returns, Ways, WriteWay, segment};
use crate::profile::form::plain;
use crate::profile::path::put;
use crate::profile::speaker::Missing;
use crate::record::{Map, Record, Text, Value, read_json};

impl Conversation {
    fn body(&self, ways: &Ways, way: &WriteWay, record: &Record) -> Result<Bytes, RemoteError> {
        let refused = |reason| self.error(Advice::SkipRecord, reason);
        let mut out = Vec::with_capacity(1024);
        if way.wrap.is_empty() && way.fixed.is_empty() && self.nothing == Nothing::Null {
            // The body is the record, and nothing else.
            ways.shape.write_json(record, &mut out).map_err(refused)?;
            return Ok(out.into());
        }
        let wire = self.emptied(ways.shape.write(record).map_err(refused)?);
        let mut body = Map::new();
        if way.wrap.is_empty() {
            body = wire;
        } else {
            put(&mut body, &way.wrap, Value::Map(wire));
        }
        for (place, value) in &way.fixed {
            put(&mut body, place, value.clone());
        }
        body.write_json(&mut out);
        Ok(out.into())
    }

    /// Fields without a value, as this system wants to hear of them.
    fn emptied(&self, wire: Map) -> Map {
        if self.nothing == Nothing::Null {
            return wire;
        }
        let mut kept = Map::with_capacity(wire.len());
        for (name, value) in wire {
            match value {
                Value::Null if self.nothing == Nothing::LeftOut => {}
                Value::Null => kept.push(name, Value::from("")),
                Value::Map(inner) => kept.push(name, Value::Map(self.emptied(inner))),
                other => kept.push(name, other),
            }
        }
        kept
    }

    /// What an answer tells of the record that was written.
    fn told(
        &self,
        ways: &Ways,
        way: &WriteWay,
        reply: &Reply,
    ) -> Result<(Option<String>, Option<Record>), RemoteError> {
        let at = match &way.returns {
            Returns::Nothing => return Ok((None, None)),
            _ if reply.body.is_empty() => return Ok((None, None)),
            Returns::Record(at) | Returns::Id(at) => at,
        };
        let body = read_json(&reply.body).map_err(|fault| {
            self.error(Advice::Unknown, format!("the answer to a write is not JSON: {fault}"))
        })?;
        let Some(found) = at.pick(&body) else { return Ok((None, None)) };
        if matches!(way.returns, Returns::Id(_)) {
            return Ok((Some(plain(found)).filter(|id| !id.is_empty()), None));
        }
        // What was written is written, even if the answer shows it in a form nobody expected.
        let found = match at.members() {
            Some([]) => body,
            _ => found.clone(),
        };
        let (record, _) = ways.shape.read_what_can_be(found);
        let key = record.get(&ways.key).map(plain);
        Ok((key, (!record.is_empty()).then_some(record)))
    }
}

#[async_trait]
impl Create for Conversation {
    async fn create(
        &self,
        resource: &str,
        record: &Record,
        idempotency_key: &str,
    ) -> Result<Written, RemoteError> {
        let ways = self.ways(resource).ok_or_else(|| self.unknown(resource))?;
        let way = ways.create.as_ref().ok_or_else(|| self.unknown(resource))?;
        // What says nothing is not sent.
        let silent = record.iter().any(|(_, value)| value.says_nothing());
        let record: Cow<'_, Record> = if silent {
            let said = record.iter().filter(|(_, value)| !value.says_nothing());
            Cow::Owned(said.map(|(name, value)| (name, value.clone())).collect())
        } else {
            Cow::Borrowed(record)
        };
        let url = self.url(&way.path.fill(&|_| String::new()), std::iter::empty())?;
        let mut call =
            Call::write(way.method.clone(), url, "application/json", self.body(ways, way, &record)?);
        if let Some(header) = &way.idempotency_header {
            call = call.header(header.clone(), idempotency_key).repeatable();
        }
        let Heard { reply, .. } = self.send(call, Missing::Address).await?;
        let (key, told) = self.told(ways, way, &reply)?;
        let location =
            || reply.header("location")?.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
        let sent = || record.get(&ways.key).map(plain);
        let Some(key) = key.or_else(sent).or_else(location) else {
            return Err(self.error(
                Advice::Unknown,
                format!("the answer to the create does not tell the `{}`", ways.key),
            ));
        };
        Ok(written(ways, key, told.unwrap_or_else(|| record.into_owned())))
    }
}

#[async_trait]
impl Update for Conversation {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        let ways = self.ways(resource).ok_or_else(|| self.unknown(resource))?;
        let way = ways.update.as_ref().ok_or_else(|| self.unknown(resource))?;
        if matches!(key, "" | "." | "..") {
            return Err(self.error(Advice::SkipRecord, format!("`{key}` is no key of `{resource}`")));
        }
        let sent = if way.whole {
            self.whole(ways, resource, key, changes, current).await?
        } else {
            changes.clone()
        };
        let wire_key =
            ways.shape.member(&ways.key).and_then(|member| member.form.write(&Value::from(key)).ok());
        let wire_key = wire_key.as_ref().map_or_else(|| key.to_owned(), plain);
        let url = self.url(&way.path.fill(&|_| segment(&wire_key)), std::iter::empty())?;
        let call = Call::write(way.method.clone(), url, "application/json", self.body(ways, way, &sent)?);
        // Fields are set to values, not changed by amounts: doing it twice is doing it once.
        let Heard { reply, .. } = self.send(call.repeatable(), Missing::Record).await?;
        let (_, told) = self.told(ways, way, &reply)?;
        Ok(written(ways, key.to_owned(), told.unwrap_or(sent)))
    }
}

impl Conversation {
    /// The record as it is, with the changes in it, for systems that replace the whole.
    async fn whole(
        &self,
        ways: &Ways,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Record, RemoteError> {
        let found = if current.is_none() {
            let keys = [vec![Value::from(key)]];
            let answers = self.find(resource, std::slice::from_ref(&ways.key), &keys).await?;
            answers.into_iter().flatten().next()
        } else {
            None
        };
        let Some(current) = current.or(found.as_ref()) else {
            let reason = format!("`{resource}` {key} is not there, so it cannot be changed");
            return Err(self.error(Advice::SkipRecord, reason));
        };
        let mut whole = ways.shape.writable(current);
        for (name, value) in changes.iter() {
            whole.set(name, value.clone());
        }
        Ok(whole)
    }
}

fn written(ways: &Ways, key: String, mut record: Record) -> Written {
    if record.get(&ways.key).is_none() {
        record.set(Text::from(ways.key.as_str()), Value::from(key.as_str()));
    }
    Written { key, record }
}
