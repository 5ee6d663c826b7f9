//! The commands of `weft`, and how they end.
//!
//! Exit codes: 0 all went well, 1 some records were refused or have to wait, 2 a file or the
//! call is wrong, 3 a remote system refuses us or does not answer, 4 the store cannot be used.

mod alert;
mod backup;
mod called;
mod check;
mod connect;
mod dead;
mod demo;
mod doctor;
mod eval;
mod export;
mod fmt;
mod forget;
mod init;
mod log;
mod lsp;
mod manual;
mod plan;
mod problems;
pub(crate) mod progress;
mod records;
mod replay;
mod run;
mod runs;
mod sarif;
mod secret;
mod serve;
mod show;
mod simulate;
mod status;
mod test;
mod verify;
mod watch;
mod webhooks;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;
use crate::script::{STACK, mark_roomy};
use crate::trouble::Trouble;
pub(crate) use connect::sign_in;
pub(crate) use plan::look;
pub(crate) use problems::{Told, in_lines, told};
pub(crate) use run::{Done, open_store, run_all};
pub(crate) use show::{Show, count};

/// Keeps business systems in step.
#[derive(Debug, Parser)]
#[command(
    name = "weft",
    version,
    about = "Keeps business systems in step",
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Call {
    /// The project's folder; else the nearest one upwards with a weft.toml
    #[arg(long, global = true, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a project: two systems, their accounts, flows between them
    Init(init::Init),
    /// Check flows without touching any system
    Check(check::Check),
    /// Play the cases beside flows and scripts
    Test(test::Test),
    /// Lay out flow files
    Fmt(fmt::Fmt),
    /// Help editors: the server that they start
    Lsp(lsp::Lsp),
    /// Try an expression or a function of a script
    Eval(eval::Eval),
    /// Show what flows would do, without doing it
    Plan(plan::Plan),
    /// Run flows once
    Run(run::Run),
    /// Run every flow whenever it is due, until told to stop
    Serve(serve::Serve),
    /// Have systems tell what happens, for the events that flows wait for
    Webhooks(webhooks::Webhooks),
    /// Prove that alerts arrive
    Alert(alert::Alert),
    /// Show what every flow does now
    Status(status::Status),
    /// List runs
    Runs(runs::Runs),
    /// Find records and show what happened to them
    Records(records::Records),
    /// Run records again, after showing what that would do
    Replay(replay::Replay),
    /// Records that were refused: show, edit, try again, give up
    Dead(dead::Dead),
    /// Forget a person everywhere
    Forget(forget::Forget),
    /// Write out what is kept of a person
    Export(export::Export),
    /// Copy the store into a file, while flows run
    Backup(backup::Backup),
    /// Put a copy in the place of the store
    Restore(backup::Restore),
    /// Read the whole store and say what is damaged
    Verify(verify::Verify),
    /// See it work: two systems on this machine, and every flow between them
    Demo(demo::Demo),
    /// Sign in to an account and prove that it answers; draft a profile with --new
    Connect(connect::Connect),
    /// Keep secrets of connections sealed in the store
    Secret(secret::Secret),
    /// Try a connection item by item
    Doctor(doctor::DoctorCall),
    /// Start a stand-in for a system on this machine, or for both systems of a pair
    Simulate(simulate::Simulate),
    /// Print completions for a shell
    Completions(manual::Completions),
    /// Write manual pages
    Man(manual::Man),
}

/// How a command ended, when nothing went wrong on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All went well.
    Well,
    /// Some records were refused or have to wait.
    Partly,
    /// A file is wrong; the problems have been shown.
    Wrong,
    /// A remote system refuses us or does not answer; it has been said.
    Remote,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let call = Call::parse();
    let _traces = log::start(&call.command);
    let show = Show::new(call.json);
    crate::memory::watch_scripts();
    // Scripts run on these threads, and need their room; see `script::STACK`.
    let main = std::thread::Builder::new().name("main".to_owned()).stack_size(STACK);
    let running = main.spawn(move || {
        mark_roomy();
        work(call, &show)
    });
    match running.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // The panic has been told.
        Ok(Err(_)) => ExitCode::from(101),
        Err(error) => {
            Show::new(false).trouble(&Trouble::new("R025", format!("cannot start: {error}")));
            ExitCode::from(2)
        }
    }
}

/// A run waits for systems most of its time. On one thread it hands work on without waking
/// another one, which otherwise costs as much as the work itself; only what waits for the disk has
/// another thread.
fn runtime(command: &Command) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Run(_) | Command::Plan(_) | Command::Test(_) => {
            tokio::runtime::Builder::new_current_thread()
        }
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.thread_stack_size(STACK).on_thread_start(mark_roomy).enable_all().build()
}

fn work(call: Call, show: &Show) -> ExitCode {
    let runtime = match runtime(&call.command) {
        Ok(runtime) => runtime,
        Err(error) => {
            show.trouble(&Trouble::new("R025", format!("cannot start: {error}")));
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(call.run(show)) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Partly) => ExitCode::from(1),
        Ok(Ended::Wrong) => ExitCode::from(2),
        Ok(Ended::Remote) => ExitCode::from(3),
        Err(trouble) => {
            let code = trouble.exit_code();
            show.trouble(&trouble);
            ExitCode::from(code)
        }
    }
}

impl Call {
    async fn run(self, show: &Show) -> Result<Ended, Trouble> {
        match self.command {
            Command::Init(init) => init.run(show).await,
            Command::Test(test) => test.run(self.project.as_deref(), show).await,
            Command::Check(check) => check.run(self.project.as_deref(), show).await,
            Command::Fmt(fmt) => fmt.run(self.project.as_deref(), show),
            Command::Lsp(lsp) => lsp.run(),
            Command::Eval(eval) => eval.run(self.project.as_deref(), show),
            Command::Plan(plan) => plan.run(&unsealed(self.project.as_deref()).await?, show).await,
            Command::Run(run) => run.run(&unsealed(self.project.as_deref()).await?, show).await,
            Command::Serve(serve) => serve.run(open(self.project.as_deref())?, show).await,
            Command::Webhooks(webhooks) => webhooks.run(unsealed(self.project.as_deref()).await?, show).await,
            Command::Alert(alert) => alert.run(&open(self.project.as_deref())?, show).await,
            Command::Status(status) => status.run(&open(self.project.as_deref())?, show).await,
            Command::Runs(runs) => runs.run(&open(self.project.as_deref())?, show).await,
            Command::Records(records) => records.run(&open(self.project.as_deref())?, show).await,
            Command::Replay(replay) => replay.run(&unsealed(self.project.as_deref()).await?, show).await,
            Command::Dead(dead) => {
                // Only a replay talks to systems.
                let folder = self.project.as_deref();
                let project = if dead.is_replay() { unsealed(folder).await? } else { open(folder)? };
                dead.run(&project, show).await
            }
            Command::Forget(forget) => forget.run(&open(self.project.as_deref())?, show).await,
            Command::Export(export) => export.run(&open(self.project.as_deref())?, show).await,
            Command::Backup(backup) => backup.run(&open(self.project.as_deref())?, show).await,
            Command::Restore(restore) => restore.run(&open(self.project.as_deref())?, show).await,
            Command::Verify(verify) => verify.run(&open(self.project.as_deref())?, show).await,
            Command::Demo(demo) => demo.run(show).await,
            Command::Connect(connect) => {
                let mut project = unsealed(self.project.as_deref()).await?;
                if connect.is_new(&project, show)? {
                    return connect.add(&project, show).await;
                }
                connect.ask(&mut project, show).await?;
                connect.run(&project, show).await
            }
            Command::Doctor(doctor) => doctor.run(&unsealed(self.project.as_deref()).await?, show).await,
            Command::Secret(secret) => secret.run(&open(self.project.as_deref())?, show).await,
            Command::Simulate(simulate) => simulate.run(show).await,
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(show),
        }
    }
}

/// Who calls, for what is kept of a person's doings.
pub(crate) fn who() -> String {
    let named = |name| std::env::var(name).ok().filter(|name| !name.is_empty());
    named("USER")
        .or_else(|| named("LOGNAME"))
        .or_else(|| named("USERNAME"))
        .unwrap_or_else(|| "somebody".to_owned())
}

/// Says of each connection whose contract is not the vendor's own how far it is known.
pub(crate) fn caveats(project: &Project, show: &Show) {
    for (name, connection) in &project.connections {
        let manifest = connection.connector.manifest();
        let Some(caveat) = manifest.caveat() else { continue };
        show.json(&serde_json::json!({ "connection": name, "system": manifest.name, "caveat": caveat }));
        show.line(format!("{} {name} ({}): {caveat}", show.warning("!"), manifest.title));
    }
}

/// The project that a command is about.
fn open(folder: Option<&std::path::Path>) -> Result<Project, Trouble> {
    match folder {
        Some(folder) if folder.join(crate::project::MAIN_FILE).is_file() => Project::open(folder),
        Some(folder) => Project::find(folder),
        None => Project::find(std::path::Path::new(".")),
    }
}

/// The same for a command that talks to systems: with the secrets that the vault has.
async fn unsealed(folder: Option<&std::path::Path>) -> Result<Project, Trouble> {
    let mut project = open(folder)?;
    // Where there is no store yet, nothing is sealed in it: the connection says so when it is used.
    let is_there = project.store.file().is_none_or(std::path::Path::exists);
    if !project.sealed.is_empty() && is_there {
        let store = run::open_store(&project).await?;
        project.unseal().await?;
        store.close().await;
    }
    Ok(project)
}
