//! `weft demo`: two systems on this machine, and every flow between them.
//!
//! The only place of the engine that knows systems by name. Both stand-ins keep real books
//! behind real HTTP; the flows, the store and the commands are those of any project. At the
//! end the books of both sides are compared, by code that has nothing to do with the flows.

mod accountview_mplus;
#[cfg(test)]
mod agree;
mod ccv_mplus;
mod counter;
mod eaccounting_ccv;
mod ledger;
mod mplus_softmaat;
mod people;
mod project;
mod stage;
mod stand_ins;
mod teamleader_mplus;
mod till;
mod web_shop;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use connectors::simulator::{Faults, Running, start};
use serde_json::Value;

pub(crate) use stage::Size;
use stage::{Audit, Play};
pub(crate) use stand_ins::{Account, StandIns};

use crate::cli::{Done, Show, progress, run_all};
use crate::project::Project;
use crate::trouble::{Kind, Trouble, did_you_mean};

/// A pair that can be played.
pub(crate) struct Pair {
    /// The folder of its flows.
    pub(crate) name: &'static str,
    /// In one line.
    pub(crate) about: &'static str,
    open: fn(&Size) -> Arc<dyn Play>,
}

/// Every pair that can be played; the first one is played when none is named.
pub(crate) const PAIRS: &[Pair] = &[
    Pair {
        name: "ccv_salespos-mpluskassa",
        about: "a web shop (CCV SalesPOS) and a till (MplusKASSA)",
        open: ccv_mplus::open,
    },
    Pair {
        name: "mpluskassa-softmaat",
        about: "a till (MplusKASSA) and Softmaat (assumed contract, not verified)",
        open: mplus_softmaat::open,
    },
    Pair {
        name: "teamleader-mpluskassa",
        about: "an office (Teamleader) and a till (MplusKASSA)",
        open: teamleader_mplus::open,
    },
    Pair {
        name: "accountview-mpluskassa",
        about: "the books (AccountView) and a till (MplusKASSA)",
        open: accountview_mplus::open,
    },
    Pair {
        name: "eaccounting-ccv_salespos",
        about: "the books (eAccounting) and a web shop (CCV SalesPOS)",
        open: eaccounting_ccv::open,
    },
];

/// A demo under way.
struct Demo<'a> {
    play: Arc<dyn Play>,
    servers: [Running; 2],
    project: Project,
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    show: &'a Show,
}

/// The pair of that name.
pub(crate) fn find(name: &str) -> Result<&'static Pair, Trouble> {
    PAIRS.iter().find(|pair| name == pair.name).ok_or_else(|| {
        let help = did_you_mean(name, PAIRS.iter().map(|pair| pair.name))
            .unwrap_or_else(|| "`weft demo --list` says which ones there are".to_owned());
        Trouble::new("R039", format!("there is no demo of `{name}`")).help(help)
    })
}

/// Plays the demo of a pair in a folder. With `stay`, both stand-ins go on until Ctrl-C.
pub(crate) async fn play(
    pair: &Pair,
    folder: &Path,
    size: &Size,
    stay: bool,
    stop: Arc<AtomicBool>,
    show: &Show,
) -> Result<bool, Trouble> {
    let begin = Instant::now();
    let play = (pair.open)(size);
    let [first, second] = play.sides().map(|side| start(side.simulator, 0, Faults::seeded(size.seed)));
    let failed = |error: std::io::Error| {
        Trouble::new("R033", format!("a stand-in cannot listen on this machine: {error}")).kind(Kind::Remote)
    };
    let servers = [first.await.map_err(failed)?, second.await.map_err(failed)?];
    let project = project::write(folder, pair.name, &*play, &servers).await?;
    let demo = Demo { play, servers, project, folder: folder.to_owned(), stop, show };
    let good = demo.acts().await?;
    show.line(format!(
        "\nThe whole took {:.1} s. The project stays in {}:",
        begin.elapsed().as_secs_f64(),
        demo.here()
    ));
    demo.say_what_next();
    if stay {
        show.line(
            "\nBoth stand-ins go on until you press Ctrl-C; `weft run` works in that folder meanwhile.",
        );
        let [first, second] = demo.play.sides().map(|side| side.name);
        let [one, other] = &demo.servers;
        show.line(format!("  {first} {}   {second} {}", one.url(), other.url()));
        // Without signals to wait for there is nothing to stay for.
        let _ = tokio::signal::ctrl_c().await;
    }
    Ok(good)
}

/// How to call this program: by its name where the shell finds it, else by its path.
fn program() -> String {
    let Ok(path) = std::env::current_exe() else { return "weft".to_owned() };
    let searched = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&searched).any(|folder| folder.join("weft") == path);
    if found { "weft".to_owned() } else { path.display().to_string() }
}

impl Demo<'_> {
    async fn acts(&self) -> Result<bool, Trouble> {
        let [systems, knowledge] = self.play.introduction();
        self.show.line(self.show.strong(&systems));
        self.show.line(knowledge);
        let acts = self.play.acts();
        let mut refused = BTreeMap::new();
        let mut flows: Vec<&str> = Vec::new();
        for (at, act) in acts.iter().enumerate() {
            self.headline(at, act.headline);
            if let Some(told) = self.play.before(at) {
                self.show.line(told);
            }
            for done in self.run(act.flows).await? {
                refused.insert(done.flow, done.report.counts.failed);
            }
            flows.extend(act.flows.iter().filter(|flow| !flows.contains(*flow)).collect::<Vec<_>>());
        }

        self.headline(acts.len(), "Do the books agree?");
        let agreed = self.tell(self.play.audit(&refused));

        self.headline(acts.len() + 1, "The same once more: nothing has changed, so nothing is sent");
        let before = self.books();
        self.run(&flows).await?;
        let quiet = before == self.books();
        self.verdict(quiet, "both books are exactly as they were", "the books have changed");

        let exact = self.one_edit(acts.len() + 2).await?;
        Ok(agreed && quiet && exact)
    }

    fn tell(&self, audit: Audit) -> bool {
        for line in &audit.lines {
            self.show.line(format!("  {line}"));
        }
        for line in &audit.wrong {
            self.show.line(format!("  {}", self.show.bad(line)));
        }
        let good = audit.wrong.is_empty() && audit.is_whole;
        self.verdict(good, "the books agree to the cent", "the books do not agree");
        let mut json = audit.json;
        if let Some(json) = json.as_object_mut() {
            json.insert("agree".to_owned(), Value::from(good));
            json.insert("wrong".to_owned(), Value::from(audit.wrong));
        }
        self.show.json(&serde_json::json!({ "audit": json }));
        good
    }

    /// Changes one thing and sees to it that exactly that follows.
    async fn one_edit(&self, at: usize) -> Result<bool, Trouble> {
        // Systems tell moments by the second: what changes within the second in which it was read
        // looks as it did.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let before = self.books();
        let edit = self.play.edit();
        self.headline(at, edit.headline);
        self.run(&[edit.flow]).await?;
        let after = self.books();
        let (Some(before), Some(after)) = (before.get(edit.to), after.get(edit.to)) else { return Ok(false) };
        let followed = self.play.has_followed(&edit, before, after);
        let text = followed.as_ref().unwrap_or_else(|told| told);
        self.verdict(followed.is_ok(), text, text);
        Ok(followed.is_ok())
    }

    /// The books of both sides, to see whether anything has changed.
    fn books(&self) -> [Value; 2] {
        self.play.sides().map(|side| side.books())
    }

    async fn run(&self, flows: &[&str]) -> Result<Vec<Done>, Trouble> {
        let entries: Result<Vec<_>, _> = flows.iter().map(|name| self.project.flow(name).cloned()).collect();
        run_all(&self.project, &entries?, false, &self.stop, self.show).await
    }

    fn headline(&self, at: usize, text: &str) {
        self.show.line(format!("\n{}", self.show.strong(&format!("{}. {text}", at + 1))));
    }

    fn verdict(&self, good: bool, yes: &str, no: &str) {
        progress::verdict(self.show, good, yes, no);
    }

    fn say_what_next(&self) {
        let (show, weft) = (self.show, program());
        show.line(format!("  cd {}", self.here()));
        show.line(format!("  {weft} runs                       what ran, and how it ended"));
        show.line(format!("  {weft} records --failed           every record that was refused, and why"));
        show.line(format!(
            "  {weft} records {:<18} one record: what was read, looked up, sent and answered",
            self.play.example()
        ));
    }

    /// The folder as one would type it.
    fn here(&self) -> String {
        self.folder.display().to_string()
    }
}
