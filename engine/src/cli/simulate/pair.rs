//! Both systems of a pair, with books that fit each other: somewhere to point `weft init` at.

use std::collections::BTreeMap;

use super::Simulate;
use crate::cli::{Ended, Show};
use crate::demo::{Account, Size, StandIns, find};
use crate::trouble::Trouble;
use crate::typed;

/// Products and orders of a world that can be looked over.
const SMALL: (u32, u32) = (12, 24);

impl Simulate {
    pub(super) async fn pair(&self, show: &Show) -> Result<Ended, Trouble> {
        let pair = find(&self.system)?;
        if self.empty {
            let systems = self.system.replacen('-', " --empty` and `weft simulate ", 1);
            return Err(Trouble::new("R032", "the systems of a pair are not started empty")
                .help(format!("start each by itself: `weft simulate {systems} --empty`")));
        }
        let many = |number: Option<u32>, standard| usize::try_from(number.unwrap_or(standard));
        let size = Size {
            products: many(self.products, SMALL.0).unwrap_or(usize::MAX),
            orders: many(self.orders, SMALL.1).unwrap_or(usize::MAX),
            seed: self.seed,
            today: self.today.unwrap_or_else(jiff::Timestamp::now),
        };
        let ports = [self.port, if self.port == 0 { 0 } else { self.port.saturating_add(1) }];
        let faults = [self.faults()?, self.faults()?];
        let mut stand_ins = StandIns::start(pair, &size, ports, faults).await?;
        let [systems, knowledge] = stand_ins.introduction();
        show.line(show.strong(&systems));
        show.line(knowledge);
        show.line("\n`weft init` asks for them:");
        for account in stand_ins.accounts() {
            tell(&account, show);
        }
        show.line(format!("\nEnter lets the world go on, when these have run: {}", stand_ins.first()));
        show.line("Ctrl-C stops both");
        let (send, mut typed) = tokio::sync::mpsc::channel(1);
        std::thread::spawn(move || {
            while typed::line(|| !send.is_closed()).is_some() {
                if send.blocking_send(()).is_err() {
                    return;
                }
            }
        });
        loop {
            tokio::select! {
                stopped = tokio::signal::ctrl_c() => {
                    if stopped.is_err() {
                        // There are no signals to wait for: serve until killed.
                        stand_ins.wait().await;
                    }
                    return Ok(Ended::Well);
                }
                Some(()) = typed.recv() => {
                    let told = stand_ins.go_on();
                    let (Ok(text) | Err(text)) = &told;
                    show.json(&serde_json::json!({ "went_on": told.is_ok(), "told": text }));
                    match told {
                        Ok(told) => show.line(told),
                        Err(told) => show.line(format!("{} {told}", show.warning("!"))),
                    }
                }
            }
        }
    }
}

fn tell(account: &Account, show: &Show) {
    show.json(&serde_json::json!({
        "connection": account.name,
        "system": account.system,
        "address": account.address,
        "answers": account.asked.iter().chain(&account.others).cloned().collect::<BTreeMap<_, _>>(),
    }));
    show.line(format!("  {}, called `{}`", show.strong(&account.title), account.name));
    lines(&account.asked, show);
    if !account.others.is_empty() {
        show.line("    and where it offers to change others:");
        lines(&account.others, show);
    }
}

fn lines(answers: &[(String, String)], show: &Show) {
    let width = answers.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, answer) in answers {
        show.line(format!("    {name:<width$}  {answer}"));
    }
}
