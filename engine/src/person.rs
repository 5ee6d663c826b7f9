//! What a project keeps of one person, or of one record: found, exported, forgotten.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::project::Project;
use crate::store::{Forget, Millis, Receipt, Store};
use crate::trouble::{Kind, Trouble, why};

/// Records that one search gives; nobody has more.
const MOST: u32 = 1_000_000;

/// Lines of the log of one record.
const LINES: u32 = 100_000;

/// A record: its flow, and its key in the source.
pub type RecordName = (String, String);

/// Every record that is known by a text; for an address also those that name it anywhere.
pub async fn records_of(store: &dyn Store, text: &str) -> Result<Vec<RecordName>, Trouble> {
    let found = store.find_records(text, MOST).await?;
    let mut all: BTreeSet<RecordName> =
        found.into_iter().map(|found| (found.flow, found.source_key)).collect();
    all.extend(store.mentions(text).await?);
    Ok(all.into_iter().collect())
}

/// What is left where forgetting does not reach.
#[derive(Debug, Default)]
pub struct Left {
    /// Copies of the store, which keep what they have.
    pub copies: Vec<PathBuf>,
    /// Flows that are being run: what they have in hand may come after.
    pub running: Vec<String>,
}

/// Forgets a person, and cleans the places that nothing points to any more.
pub async fn forget(
    project: &Project,
    store: &dyn Store,
    text: &str,
    records: &[RecordName],
    by: &str,
) -> Result<(Receipt, Left), Trouble> {
    let receipt = store.forget(&Forget { text, records, by }).await?;
    let folder = project.root.join(".weft");
    forget_findings(&folder.join("doctor"), text)?;
    store.scrub().await?;
    let running = store.leases().await?.into_iter().map(|lease| lease.flow).collect();
    Ok((receipt, Left { copies: copies(&folder), running }))
}

/// Findings of `weft doctor` that name the person; they can be made again.
fn forget_findings(folder: &Path, text: &str) -> Result<(), Trouble> {
    let Ok(files) = std::fs::read_dir(folder) else { return Ok(()) };
    let text = text.trim().to_lowercase();
    for path in files.flatten().map(|file| file.path()) {
        let names = std::fs::read(&path)
            .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).to_lowercase().contains(&text));
        if names && let Err(error) = std::fs::remove_file(&path) {
            let message = format!("cannot remove `{}`: {}", path.display(), why(&error));
            return Err(Trouble::new("R047", message).help("remove it by hand: it names the person"));
        }
    }
    Ok(())
}

/// Databases beside the store.
fn copies(folder: &Path) -> Vec<PathBuf> {
    let is_store = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ["store.db", "store.db-wal", "store.db-shm"].contains(&name.as_str())
    };
    let is_database = |path: &Path| {
        let mut head = [0; 6];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
            && head == *b"SQLite"
    };
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = files.flatten().map(|file| file.path());
    let mut copies: Vec<PathBuf> = paths.filter(|path| !is_store(path) && is_database(path)).collect();
    copies.sort();
    copies
}

/// Everything that is kept of these records, as JSON.
pub async fn export(
    project: &Project,
    store: &dyn Store,
    text: &str,
    records: &[RecordName],
) -> Result<serde_json::Value, Trouble> {
    let mut all = Vec::new();
    for (flow, key) in records {
        all.push(record(project, store, flow, key).await?);
    }
    Ok(json!({ "about": text.trim(), "made_at": utc(store.now().await?), "records": all }))
}

async fn record(
    project: &Project,
    store: &dyn Store,
    flow: &str,
    key: &str,
) -> Result<serde_json::Value, Trouble> {
    let known = store.known(flow, &[key]).await?.into_iter().next().unwrap_or_default();
    let history = store.record_history(flow, key, LINES).await?;
    let dead = match store.dead_letter(flow, key).await? {
        None => serde_json::Value::Null,
        Some(letter) => {
            let source = project.vault.opened(flow, key, letter.payload).await?;
            let edited = match letter.edited {
                Some(edit) => Some(project.vault.opened(flow, key, edit.payload).await?),
                None => None,
            };
            json!({
                "reason": letter.reason,
                "first_at": utc(letter.first_at),
                "last_at": utc(letter.last_at),
                "source": parsed(Some(&source)),
                "edited": parsed(edited.as_deref()),
            })
        }
    };
    Ok(json!({
        "flow": flow,
        "key": key,
        "outcome": known.ledger.as_ref().map(|ledger| ledger.outcome.as_str()),
        "reason": known.ledger.as_ref().and_then(|ledger| ledger.reason.clone()),
        "last_handled_at": known.ledger.as_ref().map(|ledger| utc(ledger.updated_at)),
        "known_by": store.search_keys(flow, key).await?,
        "written": known.written.iter().map(|written| json!({
            "write": written.write_id, "item": written.item, "key": written.target_key,
        })).collect::<Vec<_>>(),
        "history": history.iter().map(|row| json!({
            "at": utc(row.at),
            "outcome": row.outcome.as_str(),
            "reason": row.reason,
            "source": parsed(row.payload.as_deref()),
            "detail": parsed(row.detail.as_deref()),
        })).collect::<Vec<_>>(),
        "refused": dead,
    }))
}

fn parsed(bytes: Option<&[u8]>) -> Option<serde_json::Value> {
    serde_json::from_slice(bytes?).ok()
}

fn utc(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// Nothing is kept of anybody who goes by this.
#[must_use]
pub fn unknown(text: &str) -> Trouble {
    Trouble::new("R031", format!("no record is known by `{}`", text.trim()))
        .help("give the whole e-mail address, or a record's key or number, as it stands in either system")
        .kind(Kind::Project)
}
