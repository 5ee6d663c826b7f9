//! `weft simulate`: a stand-in for a system, on this machine.

use clap::Args;
use connectors::simulator::{Faults, start};

use super::Ended;
use super::show::Show;
use crate::trouble::{Trouble, did_you_mean};

/// Start a stand-in for a system on this machine.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The system, as flows name it
    system: String,
    /// Port on the loopback address; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Start with empty books instead of a small sample
    #[arg(long)]
    empty: bool,
    /// What goes wrong, to which requests, and how often: busy=20%, lost@POST=5% (busy, down, html,
    /// reset, lost, cut, slow, expired)
    #[arg(long = "fault", value_name = "FAULT=SHARE")]
    faults: Vec<String>,
    /// Seed of chance
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Simulate {
    pub(crate) async fn run(&self, show: &Show) -> Result<Ended, Trouble> {
        let names: Vec<String> = connectors::all()
            .iter()
            .map(|connector| connector.manifest().name.clone())
            .filter(|name| connectors::simulator(name).is_some())
            .collect();
        let Some(simulator) = connectors::simulator(&self.system) else {
            let help = did_you_mean(&self.system, names.iter().map(String::as_str))
                .unwrap_or_else(|| format!("there are {}", names.join(", ")));
            return Err(
                Trouble::new("R032", format!("there is no stand-in for `{}`", self.system)).help(help)
            );
        };
        if !self.empty {
            simulator.fill();
        }
        let faults = Faults::seeded(self.seed);
        for text in &self.faults {
            faults.set(text).map_err(|reason| {
                Trouble::new("R034", reason)
                    .help("write for instance --fault busy=20%, or --fault lost@POST=5%")
            })?;
        }
        let running = start(&*simulator, self.port, faults).await.map_err(|error| {
            Trouble::new("R033", format!("cannot listen on port {}: {error}", self.port))
                .help("choose another port, or 0 for a free one")
        })?;
        let url = running.url();
        let answers = simulator.answers(&url);
        show.json(&serde_json::json!({ "system": self.system, "address": url }));
        show.line(format!("{} answers at {}", show.strong(&self.system), show.good(&url)));
        show.line("for weft.toml:\n");
        show.line(format!("[connections.NAME]\nsystem = \"{}\"", self.system));
        if let Some(connector) =
            connectors::all().into_iter().find(|connector| connector.manifest().name == self.system)
        {
            let manifest = connector.manifest();
            if let Some(caveat) = manifest.caveat() {
                show.line(format!("# {}: {caveat}", manifest.title));
            }
            for (name, setting) in manifest.settings.iter() {
                let Some(answer) = answers.get(manifest, name) else { continue };
                if setting.secret {
                    show.line(format!(
                        "{name} = {{ env = \"WEFT_SECRET\" }}    # export WEFT_SECRET='{answer}'"
                    ));
                } else if setting.default.as_deref() != Some(answer) {
                    show.line(format!("{name} = \"{answer}\""));
                }
            }
        }
        show.line("\npress Ctrl-C to stop");
        // An error here means that there are no signals to wait for: serve until killed.
        if tokio::signal::ctrl_c().await.is_err() {
            running.wait().await;
        }
        Ok(Ended::Well)
    }
}
