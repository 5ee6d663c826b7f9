//! The demo's project on disk: the ready flows and scripts that come with Weft, answered.

use std::fmt::Write as _;
use std::path::Path;

use connectors::manifest::Manifest;
use connectors::simulator::Running;

use super::stage::{Play, Side};
use crate::cli::open_store;
use crate::project::{MAIN_FILE, Project};
use crate::ready;
use crate::trouble::Trouble;

/// Says that a folder was made by the demo, and may be made anew.
const MARK: &str = ".weft/demo";

/// Writes the project of a pair and opens it. A folder that is not the demo's own is left alone.
pub(super) async fn write(
    folder: &Path,
    pair: &str,
    play: &dyn Play,
    servers: &[Running; 2],
) -> Result<Project, Trouble> {
    clear(folder)?;
    put(folder, MARK, b"made by `weft demo`; the next demo makes this folder anew\n")?;
    let mut main = format!("name = \"Demo: {pair}\"\n");
    for (side, server) in play.sides().iter().zip(servers) {
        connect(folder, side, &server.url(), &mut main)?;
    }
    let on: Vec<&str> = play.acts().iter().flat_map(|act| act.flows).copied().collect();
    let mut flows = ready::flows(pair);
    // The demo's own acts say what runs after what.
    flows.sort_by(|one, other| one.name.cmp(&other.name));
    for ready::ReadyFile { name, text } in flows {
        put(folder, &format!("flows/{name}"), &text)?;
        let flow = name.trim_end_matches(".flow");
        let off = if on.contains(&flow) { "" } else { "on = false\n" };
        // Writing to a `String` cannot fail.
        let _ = write!(main, "\n[flows.{flow}]\nfile = \"flows/{name}\"\n{off}");
    }
    for script in ready::scripts() {
        put(folder, &format!("scripts/{}", script.name), &script.text)?;
    }
    put(folder, MAIN_FILE, main.as_bytes())?;
    for (flow, answers) in play.answers() {
        put(folder, &format!("settings/{flow}.toml"), answers.as_bytes())?;
    }
    let project = Project::open(folder)?;
    sign_in(&project, play).await?;
    Ok(project)
}

fn clear(folder: &Path) -> Result<(), Trouble> {
    if !folder.exists() {
        return Ok(());
    }
    let empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if !empty && !folder.join(MARK).exists() {
        let problem = format!("`{}` is there already and is not the demo's", folder.display());
        return Err(Trouble::new("R036", problem).help("name another folder with --folder"));
    }
    std::fs::remove_dir_all(folder).map_err(|error| cannot(folder, &error))
}

/// A connection to a stand-in: its lines and its secrets.
fn connect(folder: &Path, side: &Side<'_>, address: &str, main: &mut String) -> Result<(), Trouble> {
    let answers = side.simulator.answers(address);
    let manifest = manifest(side.system).ok_or_else(|| {
        // The list of connectors is part of the program, and so is the list of demos.
        Trouble::new("R009", format!("no system is called `{}`", side.system))
    })?;
    let name = side.name;
    let _ = write!(main, "\n[connections.{name}]\nsystem = \"{}\"\n", side.system);
    for (setting, about) in manifest.settings.iter() {
        let Some(answer) = answers.get(&manifest, setting) else { continue };
        if about.secret {
            let file = format!(".weft/{name}.{setting}.secret");
            put(folder, &file, answer.as_bytes())?;
            let _ = writeln!(main, "{setting} = {{ file = \"{file}\" }}");
        } else if about.default.as_deref() != Some(answer) {
            let _ = writeln!(main, "{setting} = {}", toml::Value::from(answer));
        }
    }
    Ok(())
}

/// Keeps the tokens that a consent would have left.
async fn sign_in(project: &Project, play: &dyn Play) -> Result<(), Trouble> {
    let store = open_store(project).await?;
    for side in play.sides() {
        let Some(token) = side.simulator.token() else { continue };
        let failed = |reason| Trouble::new("R037", reason).help("choose another folder, with --folder");
        project.vault.tokens(side.name).save(&token).await.map_err(failed)?;
    }
    store.close().await;
    Ok(())
}

fn manifest(system: &str) -> Option<Manifest> {
    let all = connectors::all();
    all.iter().map(|connector| connector.manifest()).find(|manifest| manifest.name == system).cloned()
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(|error| cannot(parent, &error))?;
    std::fs::write(&path, bytes).map_err(|error| cannot(&path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new("R037", format!("cannot write `{}`: {error}", path.display()))
        .help("choose a folder that you may write in, with --folder")
}
