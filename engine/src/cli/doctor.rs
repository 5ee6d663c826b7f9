//! `weft doctor`: try a connection item by item, and keep what was found.

use std::path::PathBuf;

use clap::Args;
use connectors::manifest::Contract;
use connectors::record::{Record, read_json};

use super::Ended;
use super::connect::{named, refused, title, with_name};
use super::run::open_store;
use super::show::Show;
use crate::doctor::{Doctor, Item, Verdict};
use crate::project::{Connection, Project, read_text};
use crate::trouble::{Trouble, did_you_mean, why};

/// Try a connection item by item against the live system. Reads only, unless told to create.
#[derive(Debug, Args)]
pub(crate) struct DoctorCall {
    /// A connection of weft.toml
    name: String,
    /// Only these resources
    #[arg(long = "resource", value_name = "RESOURCE")]
    resources: Vec<String>,
    /// Create this record in the live system, read it back, write it once more
    #[arg(long, value_name = "RESOURCE=FILE.json")]
    create: Vec<String>,
}

impl DoctorCall {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let connection = named(project, &self.name)?;
        let manifest = connection.connector.manifest();
        let samples =
            self.create.iter().map(|text| sample(connection, text)).collect::<Result<Vec<_>, _>>()?;
        for name in &self.resources {
            known(connection, name)?;
        }
        project.usable(connection)?;
        let store = open_store(project).await?;
        let session = connection.connector.connect(&connection.answers, &project.host(connection));
        let session = session.map_err(|error| refused(connection, &error))?;
        let mut doctor = Doctor::new(session.as_ref(), manifest);
        show.line(show.strong(&title(connection)));
        if doctor.connection().await {
            let all = manifest.resources.names();
            for name in
                all.filter(|name| self.resources.is_empty() || self.resources.iter().any(|one| one == name))
            {
                doctor.resource(name).await;
            }
            for (name, record) in &samples {
                doctor.create(name, record).await;
            }
        }
        let mut items = doctor.items();
        store.close().await;
        for item in &mut items {
            item.note = with_name(&item.note, connection);
        }
        tell(&items, show);
        let place = keep(project, connection, &items)?;
        let failed = items.iter().filter(|item| item.result == Verdict::Fail).count();
        let reached = items.first().is_some_and(|item| item.result == Verdict::Pass);
        summary(connection, &items, failed, &place, show);
        Ok(match (reached, failed) {
            (false, _) => Ended::Remote,
            (true, 0) => Ended::Well,
            (true, _) => Ended::Partly,
        })
    }
}

fn tell(items: &[Item], show: &Show) {
    let name = |item: &Item| {
        let of = if item.resource.is_empty() { "connection" } else { &item.resource };
        format!("{of}: {}", item.item)
    };
    let width = items.iter().map(|item| name(item).chars().count()).max().unwrap_or(0);
    for item in items {
        show.json(&serde_json::json!({
            "resource": item.resource, "item": item.item, "result": item.result, "note": item.note,
        }));
        let mark = match item.result {
            Verdict::Pass => show.good("✓"),
            Verdict::Fail => show.bad("✗"),
            Verdict::Unknown => show.faint("–"),
        };
        show.line(format!("{mark} {:<width$}  {}", name(item), item.note));
    }
}

fn summary(connection: &Connection, items: &[Item], failed: usize, place: &str, show: &Show) {
    let passed = items.iter().filter(|item| item.result == Verdict::Pass).count();
    let open = items.len() - passed - failed;
    show.line(format!("\n{passed} hold, {failed} do not, {open} could not be seen; kept in {place}"));
    if failed > 0 {
        show.line("that file holds what was asked and answered for each that does not");
    }
    if connection.connector.manifest().contract == Contract::Assumed {
        show.line("The contract of this system is assumed: what holds here holds for this account.");
    }
}

/// What was found, beside the store: a later look can be compared with it.
fn keep(project: &Project, connection: &Connection, items: &[Item]) -> Result<String, Trouble> {
    let place = format!(".weft/doctor/{}.json", connection.name);
    let path = project.root.join(&place);
    let found = serde_json::json!({
        "connection": connection.name,
        "system": connection.system,
        "at": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "items": items,
    });
    let text = serde_json::to_string_pretty(&found).unwrap_or_default();
    let written = std::fs::create_dir_all(path.parent().unwrap_or(&project.root))
        .and_then(|()| std::fs::write(&path, text));
    written.map_err(|error| {
        Trouble::new("R047", format!("cannot write `{place}`: {}", why(&error)))
            .help("give this user the right to write in the project's folder")
    })?;
    Ok(place)
}

fn known(connection: &Connection, resource: &str) -> Result<(), Trouble> {
    let manifest = connection.connector.manifest();
    if manifest.resources.get(resource).is_some() {
        return Ok(());
    }
    let help = did_you_mean(resource, manifest.resources.names())
        .unwrap_or_else(|| format!("it has {}", manifest.resources.names().collect::<Vec<_>>().join(", ")));
    Err(Trouble::new("R067", format!("{} has no `{resource}`", manifest.title)).help(help))
}

/// `products=p.json`: the resource and the record.
fn sample(connection: &Connection, text: &str) -> Result<(String, Record), Trouble> {
    let Some((resource, path)) = text.split_once('=') else {
        return Err(Trouble::new("R067", format!("`{text}` names no file"))
            .help("write for instance `--create products=product.json`"));
    };
    known(connection, resource)?;
    let path = PathBuf::from(path);
    let json = read_text(&path)?;
    let record = read_json(&json.into()).ok().and_then(|value| value.as_map().cloned());
    record.map(|record| (resource.to_owned(), record)).ok_or_else(|| {
        Trouble::new("R067", format!("`{}` holds no record", path.display()))
            .help("put one JSON object there, with the fields that flows use")
    })
}
