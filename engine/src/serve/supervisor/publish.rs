//! How the daemon fares, for whoever asks.

use super::Supervisor;
use crate::serve::board::{Lane, moment};
use crate::serve::health::{ConnectionHealth, FlowHealth, FlowState, Health};
use crate::store::Millis;

impl Supervisor {
    pub(super) fn publish(&self, now: Millis) {
        let project = &self.version.project;
        let connections = self.board.links().map(|link| ConnectionHealth {
            name: link.name.clone(),
            system: project.connections.get(&link.name).map(|found| found.system.clone()).unwrap_or_default(),
            failures: u32::try_from(link.failures).unwrap_or(u32::MAX),
            open_until: link.open_until.filter(|until| *until > now).and_then(moment),
            reconnect: link.reconnect,
            reason: link.reason.clone(),
        });
        self.health.send_replace(Health {
            stage: self.stage,
            started_at: self.started_at,
            looked_at: moment(now).unwrap_or_default(),
            store: self.trouble.as_ref().filter(|_| self.is_away()).map(|trouble| trouble.reason.clone()),
            files: self.wrong_files.clone(),
            flows: self.board.lanes().iter().map(|lane| self.flow(lane, now)).collect(),
            connections: connections.collect(),
        });
    }

    fn flow(&self, lane: &Lane, now: Millis) -> FlowHealth {
        let (last, totals) = self.lasts.get(lane.name()).cloned().unwrap_or_default();
        FlowHealth {
            name: lane.name().to_owned(),
            state: self.board.state(lane, now),
            last,
            next_due: lane.next().and_then(moment),
            totals,
        }
    }

    /// One line for `systemctl status`.
    pub(super) fn status(&self, now: Millis) -> String {
        let states: Vec<FlowState> =
            self.board.lanes().iter().map(|lane| self.board.state(lane, now)).collect();
        let count = |word: &str| states.iter().filter(|state| state.as_str() == word).count();
        let on = states.len() - count("off");
        let mut line = format!("{on} flows on, {} running", count("running"));
        for (word, told) in [("waiting", "waiting"), ("reconnect needed", "to be signed in again")] {
            if count(word) > 0 {
                line = format!("{line}, {} {told}", count(word));
            }
        }
        line
    }
}
