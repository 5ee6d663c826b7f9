//! Alerts: somebody is told when something needs somebody, and told once.
//!
//! Every few seconds the daemon looks at what is the case, decides what is to be said about it
//! ([`decide`]), notes that in the store, and only then says it: a restart, or another daemon on
//! the same store, finds the note and is silent. A channel that fails is logged and stops nothing.

mod channel;
mod decide;
mod look;
mod message;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{JoinHandle, JoinSet};

use crate::serve::{Around, Seam, Stage};
use crate::store::{Millis, Store, StoreError, Told};
pub use channel::{Channel, Mail, Post, Protection, Shape, Undelivered};
pub use decide::{Kind, Step, decide};
pub use message::{Cause, Finding, Message};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(10);

/// Pauses between tries to deliver a message.
const TRIES: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(5), Duration::from_mins(30)];

/// A daemon that tells people.
#[derive(Debug)]
pub struct Herald(JoinHandle<()>);

impl Drop for Herald {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Looks and tells until it is dropped.
#[must_use]
pub fn start(seam: Seam, store: Arc<dyn Store>) -> Herald {
    let mut desk = Desk { seam, store, memory: BTreeMap::new(), letters: JoinSet::new() };
    Herald(tokio::spawn(async move {
        loop {
            desk.turn(Timestamp::now()).await;
            tokio::time::sleep(EVERY).await;
        }
    }))
}

struct Desk {
    seam: Seam,
    store: Arc<dyn Store>,
    /// What is told of this daemon alone, and while the store cannot be asked.
    memory: BTreeMap<String, Told>,
    letters: JoinSet<()>,
}

impl Desk {
    /// Looks once, and says what has to be said.
    async fn turn(&mut self, now: Timestamp) {
        while self.letters.try_join_next().is_some() {}
        let health = self.seam.health.borrow().clone();
        let around = self.seam.around.borrow().clone();
        // Where nobody is told, nothing counts as told.
        if health.stage != Stage::Serving || around.alerts.channels.is_empty() {
            return;
        }
        for finding in look::of_daemon(&health) {
            let before = self.memory.get(&finding.cause.key()).cloned();
            let Some(step) = step(&around, &finding, before.as_ref(), now) else { continue };
            match step.note.clone() {
                Some(note) => drop(self.memory.insert(note.cause.clone(), note)),
                None => drop(self.memory.remove(&finding.cause.key())),
            }
            self.say(&around, finding, before.as_ref(), &step, now);
        }
        if let Err(error) = self.with_store(&around, now).await {
            // Whoever uses the store for its work says what is wrong with it.
            tracing::debug!(%error, "alerts wait for the store");
        }
    }

    async fn with_store(&mut self, around: &Around, now: Timestamp) -> Result<(), StoreError> {
        let health = self.seam.health.borrow().clone();
        let found = look::of_flows(&health, &*self.store, &around.alerts.rules, now).await?;
        let mut told: BTreeMap<String, Told> =
            self.store.alerts().await?.into_iter().map(|told| (told.cause.clone(), told)).collect();
        let present: BTreeSet<String> = look::causes(&health).map(|cause| cause.key()).collect();
        for finding in found {
            let before = told.remove(&finding.cause.key());
            let Some(step) = step(around, &finding, before.as_ref(), now) else { continue };
            // Another daemon may have been quicker, and then says it.
            if self.store.tell_alert(before.as_ref(), step.note.as_ref()).await? {
                self.say(around, finding, before.as_ref(), &step, now);
            }
        }
        // Of what is no longer in the project nobody wants to hear.
        for before in told.into_values().filter(|before| !present.contains(&before.cause)) {
            self.store.tell_alert(Some(&before), None).await?;
        }
        Ok(())
    }

    fn say(&mut self, around: &Around, finding: Finding, before: Option<&Told>, step: &Step, now: Timestamp) {
        let Some(kind) = step.say else { return };
        let since: Millis = before.map_or(now.as_millisecond(), |before| before.since);
        let message = Arc::new(Message {
            project: around.project.clone(),
            kind,
            since: Timestamp::from_millisecond(since).unwrap_or(now),
            cause: Some(finding.cause),
            reason: finding.reason,
            records: finding.records,
        });
        for (name, channel) in &around.alerts.channels {
            let letter = deliver(name.clone(), channel.clone(), Arc::clone(&message));
            self.letters.spawn(letter);
        }
    }
}

fn step(around: &Around, finding: &Finding, before: Option<&Told>, now: Timestamp) -> Option<Step> {
    let patience = match finding.cause {
        // These do not pass by themselves.
        Cause::Reconnect { .. } | Cause::Files => Duration::ZERO,
        _ => around.alerts.rules.after,
    };
    let holds = finding.reason.is_some();
    decide(&finding.cause.key(), before, holds, now.as_millisecond(), patience)
}

/// Delivers a message, again where that may help.
async fn deliver(name: String, channel: Channel, message: Arc<Message>) {
    let mut pauses = TRIES.iter();
    loop {
        let Err(Undelivered { reason, help, may_pass }) = channel.send(&message).await else {
            return tracing::info!(channel = name, "told: {}", message.subject());
        };
        let Some(pause) = pauses.next().filter(|_| may_pass) else {
            let what = message.subject();
            return tracing::error!(channel = name, reason, help, "an alert could not be delivered: {what}");
        };
        tracing::warn!(channel = name, reason, "an alert is sent again later");
        tokio::time::sleep(*pause).await;
    }
}
