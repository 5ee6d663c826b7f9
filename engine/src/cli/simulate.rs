//! `weft simulate`: a stand-in for a system, or for both systems of a pair, on this machine.

mod pair;

use clap::Args;
use connectors::simulator::{Faults, start};

use super::Ended;
use super::show::Show;
use crate::demo::PAIRS;
use crate::trouble::{Trouble, did_you_mean};

/// Start a stand-in for a system on this machine, or for both systems of a pair.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The system, as flows name it; or a pair of `weft demo --list`: both, with books that fit
    system: String,
    /// Port on the loopback address; 0 takes a free one. The second system of a pair has the next
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
    /// Of a pair: products of the system that owns them; 12 unless said
    #[arg(long, value_parser = clap::value_parser!(u32).range(12..=100_000))]
    products: Option<u32>,
    /// Of a pair: orders of the system that sells; 24 unless said
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    orders: Option<u32>,
    /// Of a pair: when it takes place; now unless said
    #[arg(long, hide = true)]
    today: Option<jiff::Timestamp>,
}

impl Simulate {
    pub(crate) async fn run(&self, show: &Show) -> Result<Ended, Trouble> {
        if PAIRS.iter().any(|pair| pair.name == self.system) {
            return self.pair(show).await;
        }
        let names: Vec<String> = connectors::all()
            .iter()
            .map(|connector| connector.manifest().name.clone())
            .filter(|name| connectors::simulator(name).is_some())
            .collect();
        let Some(simulator) = connectors::simulator(&self.system) else {
            let pairs = PAIRS.iter().map(|pair| pair.name);
            let help = did_you_mean(&self.system, names.iter().map(String::as_str).chain(pairs))
                .unwrap_or_else(|| format!("there are {}", names.join(", ")));
            return Err(
                Trouble::new("R032", format!("there is no stand-in for `{}`", self.system)).help(help)
            );
        };
        if self.products.is_some() || self.orders.is_some() {
            let message = format!("`{}` is one system, and its sample has the size that it has", self.system);
            return Err(Trouble::new("R032", message)
                .help("--products and --orders are for a pair; `weft demo --list` names them"));
        }
        if !self.empty {
            simulator.fill();
        }
        let running = start(&*simulator, self.port, self.faults()?).await.map_err(|error| {
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

    /// What goes wrong, as the call has it.
    fn faults(&self) -> Result<Faults, Trouble> {
        let faults = Faults::seeded(self.seed);
        for text in &self.faults {
            faults.set(text).map_err(|reason| {
                Trouble::new("R034", reason)
                    .help("write for instance --fault busy=20%, or --fault lost@POST=5%")
            })?;
        }
        Ok(faults)
    }
}
