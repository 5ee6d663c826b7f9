//! `weft serve`: the daemon.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;

use super::run::{store_trouble, wait_for_store};
use super::{Ended, Show};
use crate::project::Project;
use crate::serve::{Sessions, Setup, Signal, Supervisor, SystemClock, Version};
use crate::store::{Store, this_process};
use crate::trouble::Trouble;

/// Time between two looks at the files and at what other daemons did.
const LOOK: Duration = Duration::from_secs(2);

/// Run every flow that is on, whenever it is due, until told to stop.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// How log lines are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, for programs
    Json,
}

impl Serve {
    pub(crate) async fn run(&self, mut project: Project, show: &Show) -> Result<Ended, Trouble> {
        crate::words::tell_panics();
        super::caveats(&project, show);
        let mut signals = signals().map_err(|error| {
            Trouble::new("R025", format!("cannot start: signals cannot be listened to: {error}"))
        })?;
        let mut opened = None;
        if !project.sealed.is_empty() {
            let Some(store) = store(&project, &mut signals).await? else { return Ok(Ended::Well) };
            project.unseal().await?;
            opened = Some(store);
        }
        let version = Version::of(project, 1, &Sessions::new()).map_err(|problems| {
            for problem in &problems {
                show.report(problem);
            }
            Trouble::new("R027", "nothing was run")
                .help("mend the problems above; `weft check` shows them again")
        })?;
        let store = match opened {
            Some(store) => store,
            None => match store(&version.project, &mut signals).await? {
                Some(store) => store,
                None => return Ok(Ended::Well),
            },
        };
        let setup = Setup {
            clock: Arc::new(SystemClock),
            store,
            holder: this_process(),
            look_every: LOOK,
            seed: fastrand::u64(..),
        };
        let store = Arc::clone(&setup.store);
        let supervisor = Supervisor::new(setup, version);
        let _herald = crate::alert::start(supervisor.seam(), Arc::clone(&store));
        let listener = crate::listen::follow(supervisor.seam(), store).await?;
        let stopped = supervisor.run(signals).await;
        listener.stop().await;
        let stopped = stopped.map_err(|error| store_trouble(&error))?;
        Ok(if stopped.broken_off > 0 { Ended::Partly } else { Ended::Well })
    }
}

/// The project's store, as soon as it can be used: a server may start at the same time, or a disk
/// be full. `None`: told to stop before that.
async fn store(
    project: &Project,
    signals: &mut mpsc::Receiver<Signal>,
) -> Result<Option<Arc<dyn Store>>, Trouble> {
    let opened = wait_for_store(project, crate::serve::waiting_for_store());
    tokio::pin!(opened);
    loop {
        tokio::select! {
            opened = &mut opened => return opened.map(Some),
            signal = signals.recv() => match signal {
                Some(Signal::Reload) => {}
                Some(Signal::Stop) | None => return Ok(None),
            },
        }
    }
}

/// What the process is told by signals: to stop, the second time at once, and to look at the
/// files.
#[cfg(unix)]
fn signals() -> std::io::Result<mpsc::Receiver<Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, signals) = mpsc::channel(8);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let mut stopping = false;
        loop {
            let code = tokio::select! {
                Some(()) = terminate.recv() => 143,
                Some(()) = interrupt.recv() => 130,
                Some(()) = hang_up.recv() => {
                    let _ = sender.send(Signal::Reload).await;
                    continue;
                }
                else => return,
            };
            if stopping {
                tracing::warn!("stopped at once; the next start takes up what was under way");
                std::process::exit(code);
            }
            stopping = true;
            let _ = sender.send(Signal::Stop).await;
        }
    });
    Ok(signals)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where signals can fail")]
fn signals() -> std::io::Result<mpsc::Receiver<Signal>> {
    let (sender, signals) = mpsc::channel(8);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = sender.send(Signal::Stop).await;
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    Ok(signals)
}
