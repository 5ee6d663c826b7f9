//! What runs when: policies, pauses and fairness, on plain data.

mod failures;
mod policies;

use std::collections::VecDeque;

use dsl::plan::{Missed, Overlapping, Plan, Trigger};
use jiff::Timestamp;

use super::*;
use crate::serve::schedule::Schedule;
use crate::store::Fingerprint;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/// A flow from `shop` to `till` with these lines.
struct Flow(Spec);

fn flow(name: &str, triggers: &[Trigger]) -> Flow {
    Flow(Spec {
        name: name.to_owned(),
        on: true,
        schedule: schedule(triggers),
        overlapping: Overlapping::default(),
        missed: Missed::default(),
        apart: None,
        source: "shop".to_owned(),
        target: "till".to_owned(),
        print: Fingerprint::from(1),
        lines: format!("{triggers:?}"),
    })
}

fn schedule(triggers: &[Trigger]) -> Schedule {
    let plan = Plan { triggers: triggers.to_vec(), ..empty_plan() };
    Schedule::of(&plan).unwrap()
}

fn empty_plan() -> Plan {
    let role = |name: &str| dsl::plan::Role { name: name.into(), system: name.into(), span: 0..0 };
    Plan {
        name: String::new(),
        source: role("shop"),
        target: role("till"),
        uses: Vec::new(),
        settings: Vec::new(),
        tables: Vec::new(),
        triggers: Vec::new(),
        overlapping: Overlapping::default(),
        missed: Missed::default(),
        apart: None,
        fetch: dsl::plan::Fetch {
            name: String::new(),
            side: dsl::plan::Side::Source,
            resource: String::new(),
            since: None,
            conditions: Vec::new(),
            span: 0..0,
        },
        steps: Vec::new(),
        carries: Vec::new(),
    }
}

fn every(minutes: u64) -> Trigger {
    Trigger::Every(Duration::from_secs(minutes * 60))
}

fn at(cron: &str) -> Trigger {
    Trigger::At { cron: cron.to_owned(), zone: "Europe/Amsterdam".to_owned() }
}

impl Flow {
    fn queue(mut self) -> Self {
        self.0.overlapping = Overlapping::Queue;
        self
    }

    fn leaves_out_missed(mut self) -> Self {
        self.0.missed = Missed::Skip;
        self
    }

    fn apart(mut self, minutes: u64) -> Self {
        self.0.apart = Some(Duration::from_secs(minutes * 60));
        self
    }

    fn between(mut self, source: &str, target: &str) -> Self {
        (self.0.source, self.0.target) = (source.to_owned(), target.to_owned());
        self
    }

    fn print(mut self, print: u128) -> Self {
        self.0.print = Fingerprint::from(print);
        self
    }

    fn off(mut self) -> Self {
        self.0.on = false;
        self
    }
}

/// A board on a clock that stands still until it is moved.
struct Bench {
    board: Board,
    now: Millis,
}

fn millis_of(text: &str) -> Millis {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

impl Bench {
    fn new(at: &str, runs_at_once: usize, flows: Vec<Flow>) -> Self {
        let now = millis_of(at);
        let turns = flows.iter().map(|flow| Lane::fresh(&flow.0.name, now)).collect();
        Self::with(at, runs_at_once, flows, turns)
    }

    /// The same after a start: the store knows something.
    fn with(at: &str, runs_at_once: usize, flows: Vec<Flow>, turns: Vec<Turn>) -> Self {
        let mut bench = Self { board: Board::new(runs_at_once, 7), now: millis_of(at) };
        bench.adopt_with(flows, turns);
        bench.board.missed(bench.now);
        bench
    }

    fn adopt(&mut self, flows: Vec<Flow>) {
        let turns = flows.iter().map(|flow| Lane::fresh(&flow.0.name, self.now)).collect();
        self.adopt_with(flows, turns);
    }

    fn adopt_with(&mut self, flows: Vec<Flow>, turns: Vec<Turn>) {
        let connections: BTreeSet<String> =
            flows.iter().flat_map(|flow| [flow.0.source.clone(), flow.0.target.clone()]).collect();
        let connections: Vec<(String, u128)> = connections.into_iter().map(|name| (name, 1)).collect();
        let at_once = self.board.runs_at_once.max(1);
        let specs = flows.into_iter().map(|flow| flow.0).zip(turns).collect();
        self.board.adopt(specs, &connections, at_once, self.now);
    }

    /// What starts now: `orders (schedule)`.
    fn starts(&mut self) -> Vec<String> {
        let starts = self.board.decide(self.now);
        starts.iter().map(|start| format!("{} ({})", start.flow, start.cause)).collect()
    }

    /// Time passes.
    fn pass(&mut self, time: Millis) -> &mut Self {
        self.now += time;
        self
    }

    fn end(&mut self, flow: &str, end: End) -> &mut Self {
        self.board.ended(flow, end, self.now);
        self
    }

    fn well(&mut self, flow: &str) -> &mut Self {
        self.end(flow, End::Ran(RunState::Succeeded))
    }

    fn fails(&mut self, flow: &str, by: &str) -> &mut Self {
        let reason = "it is down".to_owned();
        self.end(flow, End::Temporary { by: Some(by.to_owned()), after: None, reason })
    }

    /// Moves to the next moment at which something may start; gives how far that is.
    fn wait(&mut self) -> Millis {
        let at = self.board.wake_at(self.now).expect("something to wait for");
        let passed = at - self.now;
        self.now = at;
        passed
    }

    fn state(&self, flow: &str) -> FlowState {
        let lane = self.board.lanes().iter().find(|lane| lane.name() == flow).unwrap();
        self.board.state(lane, self.now)
    }

    fn word(&self, flow: &str) -> &'static str {
        self.state(flow).as_str()
    }

    /// Runs for so long, each run taking that time; gives how often each flow ran.
    fn live(&mut self, time: Millis, takes: Millis) -> BTreeMap<String, usize> {
        let until = self.now + time;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut under_way: VecDeque<(Millis, String)> = VecDeque::new();
        while self.now < until {
            for start in self.board.decide(self.now) {
                *counts.entry(start.flow.clone()).or_default() += 1;
                under_way.push_back((self.now + takes, start.flow));
            }
            let ends = under_way.front().map(|(at, _)| *at);
            let wakes = self.board.wake_at(self.now);
            self.now = ends.into_iter().chain(wakes).chain([until]).min().unwrap();
            while under_way.front().is_some_and(|(at, _)| *at <= self.now) {
                let (_, flow) = under_way.pop_front().unwrap();
                self.well(&flow);
            }
        }
        counts
    }
}
