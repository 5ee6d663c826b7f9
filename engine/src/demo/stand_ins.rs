//! Both stand-ins of a pair for a project that somebody makes by hand: the demo's world, without
//! its project. The world goes on when it is told to.

use connectors::simulator::{Faults, Running, start};
use serde_json::Value;

use super::Pair;
use super::stage::{Play, Size};
use crate::trouble::{Kind, Trouble};

/// Two systems that answer on this machine.
pub(crate) struct StandIns {
    play: std::sync::Arc<dyn Play>,
    servers: [Running; 2],
    /// What they held when they were started.
    began: [Value; 2],
    /// Steps that the world has gone.
    steps: usize,
}

/// What an account of a stand-in is asked for.
pub(crate) struct Account {
    /// What the system is called.
    pub(crate) title: String,
    /// The role that it has in the flows.
    pub(crate) name: &'static str,
    /// The system, as flows name it.
    pub(crate) system: &'static str,
    /// Where it answers.
    pub(crate) address: String,
    /// Settings and answers, in the order in which they are asked.
    pub(crate) asked: Vec<(String, String)>,
    /// The same of settings that have another answer unless one is given.
    pub(crate) others: Vec<(String, String)>,
}

impl StandIns {
    /// Starts both at these ports; 0 is a free one.
    pub(crate) async fn start(
        pair: &Pair,
        size: &Size,
        ports: [u16; 2],
        faults: [Faults; 2],
    ) -> Result<Self, Trouble> {
        let play = (pair.open)(size);
        play.before(0);
        let [first, second] = play.sides();
        let [fault, other_fault] = faults;
        let first = listen(start(first.simulator, ports[0], fault).await, ports[0])?;
        let second = listen(start(second.simulator, ports[1], other_fault).await, ports[1])?;
        let began = play.sides().map(|side| side.books());
        Ok(Self { play, servers: [first, second], began, steps: 0 })
    }

    /// Both systems and what they know; a line each.
    pub(crate) fn introduction(&self) -> [String; 2] {
        self.play.introduction()
    }

    /// Both accounts.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        let all = connectors::all();
        let mut accounts = Vec::new();
        for (side, server) in self.play.sides().iter().zip(&self.servers) {
            let Some(connector) = all.iter().find(|one| one.manifest().name == side.system) else { continue };
            let (manifest, address) = (connector.manifest(), server.url());
            let answers = side.simulator.answers(&address);
            let mut account = Account {
                title: manifest.full_title(),
                name: side.name,
                system: side.system,
                address,
                asked: Vec::new(),
                others: Vec::new(),
            };
            for (name, setting) in manifest.settings.iter() {
                let Some(answer) = answers.get(manifest, name) else { continue };
                let answer = (name.to_owned(), answer.to_owned());
                match setting.default.as_deref() {
                    None => account.asked.push(answer),
                    // The usual pace is fast enough for books of this size.
                    Some(standard) if standard != answer.1 && !name.ends_with("_per_minute") => {
                        account.others.push(answer);
                    }
                    Some(_) => {}
                }
            }
            accounts.push(account);
        }
        accounts
    }

    /// The flows that run before the world goes on.
    pub(crate) fn first(&self) -> String {
        self.play.acts().first().map_or_else(String::new, |act| act.flows.join(", "))
    }

    /// Lets the world go on by a step; says what happens and which flows carry it. [`Err`]: why not.
    pub(crate) fn go_on(&mut self) -> Result<String, String> {
        let acts = self.play.acts();
        if self.steps == 0 && self.began == self.play.sides().map(|side| side.books()) {
            return Err(format!("nothing has come over yet: first run {}", self.first()));
        }
        self.steps += 1;
        if let Some(act) = acts.get(self.steps) {
            let told = self.play.before(self.steps).unwrap_or_default();
            return Ok(format!("{told} Flows for them: {}", act.flows.join(", ")));
        }
        if self.steps > acts.len() {
            return Err("nothing more happens here".to_owned());
        }
        let edit = self.play.edit();
        Ok(format!("{}, that of {}. Flow for it: {}", edit.headline, edit.key, edit.flow))
    }

    /// Goes on until the program is ended.
    pub(crate) async fn wait(self) {
        let [first, second] = self.servers;
        first.wait().await;
        second.wait().await;
    }
}

fn listen(started: std::io::Result<Running>, port: u16) -> Result<Running, Trouble> {
    started.map_err(|error| {
        Trouble::new("R033", format!("cannot listen on port {port}: {error}"))
            .kind(Kind::Remote)
            .help("choose another port, or 0 for a free one")
    })
}
