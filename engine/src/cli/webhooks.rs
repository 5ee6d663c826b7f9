//! `weft webhooks`: has systems tell what happens, for exactly those events that flows wait for.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use connectors::webhook::Hook;

use super::connect::{named, refused, title};
use super::run::{open_store, store_trouble};
use super::{Ended, Show, count};
use crate::listen::address::{digest, is_right, prefix, secret, secret_of};
use crate::project::{Connection, Project};
use crate::serve::{Roster, Sessions, Version};
use crate::store::Store;
use crate::trouble::Trouble;

/// Have systems tell what happens, for exactly those events that flows wait for.
#[derive(Debug, Args)]
pub(crate) struct Webhooks {
    /// What to do
    #[arg(value_enum)]
    what: What,
    /// A connection of weft.toml; else every one whose events start a flow
    connection: Option<String>,
    /// With `register`: give the systems new addresses; the old ones are worth nothing from then on
    #[arg(long)]
    again: bool,
}

/// What to do with webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Show what is registered, and what flows wait for
    List,
    /// Register what flows wait for, and take back what they do not
    Register,
    /// Take back everything that was registered for this project
    Remove,
}

/// A connection and the events that flows wait for.
struct Wanted<'p> {
    connection: &'p Connection,
    events: BTreeSet<String>,
}

impl Webhooks {
    pub(crate) async fn run(&self, project: Project, show: &Show) -> Result<Ended, Trouble> {
        let version = Version::of(project, 1, &Sessions::new()).map_err(|problems| {
            for problem in &problems {
                show.report(problem);
            }
            Trouble::new("R027", "nothing was registered")
                .help("mend the problems above; `weft check` shows them again")
        })?;
        let project = &version.project;
        let wanted = self.wanted(project, &version.roster())?;
        let public_url = project.listen.as_ref().and_then(|listen| listen.public_url.as_deref());
        let public_url = public_url.ok_or_else(|| {
            Trouble::new("R103", "weft.toml does not say where systems reach the daemon").help(
                "add `[listen]` with `public_url = \"https://…\"`; docs/webhooks.md shows the proxy before it",
            )
        })?;
        let store = open_store(project).await?;
        let mut done = Ok(());
        for wanted in &wanted {
            done = self.one(project, wanted, public_url, &*store, show).await;
            if done.is_err() {
                break;
            }
        }
        store.close().await;
        done.map(|()| Ended::Well)
    }

    /// Connections that tell something that flows wait for, or the one that is named.
    fn wanted<'p>(&self, project: &'p Project, roster: &Roster) -> Result<Vec<Wanted<'p>>, Trouble> {
        let mut events: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for hook in roster.flows.iter().filter(|flow| flow.on).flat_map(|flow| &flow.webhooks) {
            events.entry(&hook.connection).or_default().insert(hook.event.clone());
        }
        if let Some(name) = &self.connection {
            let connection = named(project, name)?;
            if connection.connector.manifest().events.is_empty() {
                let message = format!("{} tells nothing by webhooks", title(connection));
                return Err(
                    Trouble::new("R104", message).help("let its flows run by the clock: `every 5 minutes`")
                );
            }
            let events = events.remove(name.as_str()).unwrap_or_default();
            return Ok(vec![Wanted { connection, events }]);
        }
        let all: Vec<Wanted<'p>> = events
            .into_iter()
            .filter_map(|(name, events)| Some(Wanted { connection: project.connections.get(name)?, events }))
            .collect();
        if all.is_empty() {
            return Err(Trouble::new("R105", "no flow that is on waits for a webhook").help(
                "a flow says so with `on webhook ROLE \"EVENT\"`; name a connection to see what it has",
            ));
        }
        Ok(all)
    }

    async fn one(
        &self,
        project: &Project,
        wanted: &Wanted<'_>,
        public_url: &str,
        store: &dyn Store,
        show: &Show,
    ) -> Result<(), Trouble> {
        let connection = wanted.connection;
        let told = |error| refused(connection, &error);
        let session =
            connection.connector.connect(&connection.answers, &project.host(connection)).map_err(told)?;
        let Some(hooks) = session.webhooks() else { return Ok(()) };
        let prefix = prefix(public_url, &connection.name);
        if hooks.is_by_hand() {
            return self.by_hand(wanted, &prefix, store, show).await;
        }
        let there = hooks.list().await.map_err(told)?;
        let kept = store.hook(&connection.name).await.map_err(|error| store_trouble(&error))?;
        let ours: Vec<Hook> = there.into_iter().filter(|hook| hook.goes_to(&prefix)).collect();
        match self.what {
            What::List => {}
            What::Remove => {
                for hook in &ours {
                    hooks.unregister(hook).await.map_err(told)?;
                }
                store.set_hook(&connection.name, None).await.map_err(|error| store_trouble(&error))?;
            }
            What::Register => {
                let known = ours.iter().filter_map(|hook| secret_of(&hook.address, &prefix));
                let known = known.filter(|_| !self.again);
                let mut known = known.filter(|one| kept.as_ref().is_some_and(|kept| is_right(one, kept)));
                let secret = known.next().map_or_else(secret, str::to_owned);
                // Kept first: what is delivered in between is taken.
                let kept = store.set_hook(&connection.name, Some(&digest(&secret))).await;
                kept.map_err(|error| store_trouble(&error))?;
                let address = format!("{prefix}/{secret}");
                for hook in ours.iter().filter(|hook| !hook.goes_to(&address)) {
                    hooks.unregister(hook).await.map_err(told)?;
                }
                let events: Vec<&str> = wanted.events.iter().map(String::as_str).collect();
                hooks.register(&events, &address).await.map_err(told)?;
            }
        }
        let there = hooks.list().await.map_err(told)?;
        tell(wanted, &there, &prefix, show);
        Ok(())
    }
}

impl Webhooks {
    /// The system cannot be asked: a person enters the addresses, which are shown once.
    async fn by_hand(
        &self,
        wanted: &Wanted<'_>,
        prefix: &str,
        store: &dyn Store,
        show: &Show,
    ) -> Result<(), Trouble> {
        let name = &wanted.connection.name;
        let failed = |error| store_trouble(&error);
        let is_known = store.hook(name).await.map_err(failed)?.is_some();
        show.line(format!("{}  {}, to {prefix}/…", show.strong(name), title(wanted.connection)));
        let mut addresses = Vec::new();
        match self.what {
            What::Remove => {
                store.set_hook(name, None).await.map_err(failed)?;
                show.line("  its addresses are worth nothing any more; take them out of its back office");
            }
            What::Register if !is_known || self.again => {
                let secret = secret();
                store.set_hook(name, Some(&digest(&secret))).await.map_err(failed)?;
                addresses.extend(wanted.events.iter().map(|event| format!("{prefix}/{secret}/{event}")));
                show.line("  enter these addresses in its back office; they are secret, and shown only now:");
                for address in &addresses {
                    show.line(format!("  {address}"));
                }
            }
            What::Register | What::List if is_known => {
                show.line("  its addresses have been shown; `weft webhooks register --again` makes new ones");
            }
            What::Register | What::List => {
                show.line("  it has no address yet: `weft webhooks register` makes one for each event");
            }
        }
        show.json(&serde_json::json!({
            "connection": name, "by_hand": true, "events": wanted.events, "addresses": addresses,
        }));
        Ok(())
    }
}

/// What is registered now. The addresses are secret, and so is what would name them.
fn tell(wanted: &Wanted<'_>, there: &[Hook], prefix: &str, show: &Show) {
    let name = &wanted.connection.name;
    let ours = || there.iter().filter(|hook| hook.goes_to(prefix));
    let active: BTreeSet<&String> =
        ours().filter(|hook| hook.is_active).flat_map(|hook| &hook.events).collect();
    let missing: Vec<&String> = wanted.events.iter().filter(|event| !active.contains(event)).collect();
    let others = i64::try_from(there.len() - ours().count()).unwrap_or(i64::MAX);
    show.json(&serde_json::json!({
        "connection": name, "registered": active, "missing": missing,
        "address": format!("{prefix}/…"), "of_others": others,
    }));
    show.line(format!("{}  {}, to {prefix}/…", show.strong(name), title(wanted.connection)));
    for event in &active {
        let wanted = wanted.events.contains(*event);
        let mark = if wanted { show.good("✓") } else { show.warning("!") };
        let note = if wanted { "" } else { "  no flow waits for it" };
        show.line(format!("  {mark} {event}{note}"));
    }
    for event in &missing {
        show.line(format!("  {} {event}  not registered: `weft webhooks register` does it", show.bad("✗")));
    }
    if active.is_empty() && missing.is_empty() {
        show.line("  nothing is registered");
    }
    if others > 0 {
        show.line(
            show.faint(&format!(
                "  {} of other programs are left alone",
                count(others, "webhook", "webhooks")
            )),
        );
    }
}
