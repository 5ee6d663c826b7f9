//! Finding single records, and filling in what pages leave out.

use async_trait::async_trait;

use super::Conversation;
use super::read::{Question, quoted};
use crate::contract::{Advice, Detail, Find, Key, RemoteError};
use crate::profile::dialect::{FindWay, Ways, segment};
use crate::profile::form::plain;
use crate::record::{Record, Value};

impl Conversation {
    fn find_way<'w>(
        &self,
        ways: &'w Ways,
        resource: &str,
        by: &[String],
    ) -> Result<&'w FindWay, RemoteError> {
        let way = ways.finds.iter().find(|way| way.by == by);
        way.ok_or_else(|| {
            self.error(Advice::StopFlow, format!("cannot find `{resource}` by {}", by.join(", ")))
        })
    }

    /// Asks for some keys in one call.
    async fn look(&self, ways: &Ways, way: &FindWay, keys: &[&Key]) -> Result<Vec<Record>, RemoteError> {
        let wire = |name: &str| -> Vec<Value> {
            let at = way.by.iter().position(|field| field == name);
            let values = keys.iter().filter_map(|key| key.get(at?)).map(|value| {
                let member = ways.shape.member(name);
                let wire = member.and_then(|member| member.form.write(value).ok());
                wire.unwrap_or_else(|| value.clone())
            });
            values.collect()
        };
        let quote = way.ask.quote.as_deref();
        let value_of = |name: &str| -> String {
            wire(name).iter().map(|value| quoted(value, quote)).collect::<Vec<_>>().join(&way.separator)
        };
        // In a body many keys are a list, also when there is one.
        let in_body = |name: &str| -> Value {
            let mut values = wire(name);
            if way.batch > 1 { Value::List(values) } else { values.pop().unwrap_or_default() }
        };
        let path = way.ask.path.fill(&|name| {
            wire(name)
                .iter()
                .map(|value| segment(&quoted(value, quote)))
                .collect::<Vec<_>>()
                .join(&way.separator)
        });
        let parameters =
            way.ask.parameters.iter().map(|(name, value)| (name.as_str(), value.fill(&value_of).into()));
        let body = way.ask.body.as_ref().map(|body| body.fill(&in_body));
        let found =
            self.ask_all(&way.ask, Question { path: &path, parameters: parameters.collect(), body }).await?;
        let read = found.into_iter().map(|value| ways.shape.read(value));
        read.collect::<Result<_, _>>()
            .map_err(|reason| self.error(Advice::SkipRecord, format!("a record that was found: {reason}")))
    }
}

#[async_trait]
impl Find for Conversation {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let ways = self.ways(resource).ok_or_else(|| self.unknown(resource))?;
        let way = self.find_way(ways, resource, by)?;
        let askable: Vec<&Key> = keys.iter().filter(|key| can_be_asked(way, key)).collect();
        // A key with the separator in it would be taken for two: it goes alone.
        let (together, alone): (Vec<&Key>, Vec<&Key>) = askable
            .into_iter()
            .partition(|key| way.batch > 1 && !key.iter().any(|value| plain(value).contains(&way.separator)));
        let mut found = Vec::new();
        let groups = together.chunks(way.batch.max(1)).chain(alone.chunks(1));
        // One reading of the whole list serves every key.
        let once = if way.reads_all { 1 } else { usize::MAX };
        for group in groups.take(once) {
            found.extend(self.look(ways, way, group).await?);
        }
        let matching = |key: &Key| -> Vec<Record> {
            let mut records: Vec<Record> = Vec::new();
            for record in found.iter().filter(|record| has_key(record, by, key, way.any_case)) {
                // Two calls may have brought the same record.
                let id = record.get(&ways.key);
                if id.is_none() || !records.iter().any(|other| other.get(&ways.key) == id) {
                    records.push(record.clone());
                }
            }
            records
        };
        Ok(keys.iter().map(|key| if can_be_asked(way, key) { matching(key) } else { Vec::new() }).collect())
    }
}

#[async_trait]
impl Detail for Conversation {
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError> {
        let ways = self.ways(resource).ok_or_else(|| self.unknown(resource))?;
        let way = self.find_way(ways, resource, std::slice::from_ref(&ways.key))?;
        let key = vec![record.get(&ways.key).cloned().unwrap_or_default()];
        let id = key.first().map(plain).unwrap_or_default();
        let found = if can_be_asked(way, &key) { self.look(ways, way, &[&key]).await? } else { Vec::new() };
        let Some(whole) = found.into_iter().find(|found| has_key(found, &way.by, &key, way.any_case)) else {
            return Err(self.error(Advice::SkipRecord, format!("`{resource}` {id} is no longer there")));
        };
        let mut record = record;
        for (name, value) in whole.iter() {
            record.set(name, value.clone());
        }
        Ok(record)
    }
}

/// Nothing is found by no value, and the address of `..` is that of something else.
fn can_be_asked(way: &FindWay, key: &Key) -> bool {
    let in_path = |name: &str| way.ask.path.fields().any(|hole| hole == name);
    key.len() == way.by.len()
        && key.iter().zip(&way.by).all(|(value, name)| {
            !(value.says_nothing() || in_path(name) && matches!(plain(value).as_str(), "." | ".."))
        })
}

/// Systems search more loosely than flows: what came is held against what was asked.
fn has_key(record: &Record, by: &[String], key: &Key, any_case: bool) -> bool {
    by.iter().zip(key).all(|(name, wanted)| {
        let found = record.get(name).unwrap_or(&Value::Null);
        if any_case && plain(found).to_lowercase() == plain(wanted).to_lowercase() {
            return true;
        }
        found.says_the_same_as(wanted) || plain(found) == plain(wanted)
    })
}
