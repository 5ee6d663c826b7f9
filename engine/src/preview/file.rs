//! A plan as a file: JSON with its fields in one order, a version, and no secrets. It holds what
//! was read and would be sent, so that it can be carried out; only its owner may read it.

use std::io::Write as _;
use std::path::Path;

use connectors::record::{Record, Value, read_json};

use super::{FlowPreview, PlannedRecord, PlannedWrite, Preview};
use crate::store::{Counts, Fingerprint, OutcomeWord};
use crate::trouble::{Trouble, why};

/// The form of the file; another one is not read.
const VERSION: i64 = 1;

/// Writes a plan into a file, in the place of what is there.
pub fn write(path: &Path, preview: &Preview) -> Result<(), Trouble> {
    let mut text = Vec::new();
    to_value(preview).write_json(&mut text);
    text.push(b'\n');
    let written = private(path).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
    written.map_err(|error| {
        Trouble::new("R110", format!("cannot write the plan `{}`: {}", path.display(), why(&error)))
            .help("name a file in a folder that you may write in")
    })
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // One that was there before may have been open to others.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::File::create(path)
}

/// Reads a plan.
pub fn read(path: &Path) -> Result<Preview, Trouble> {
    let unusable = |what: String, help: &str| {
        Trouble::new("R110", format!("the plan `{}` cannot be used: {what}", path.display())).help(help)
    };
    let bytes =
        std::fs::read(path).map_err(|error| unusable(why(&error), "check its name and its rights"))?;
    let again = "make it again with `weft plan --out FILE`";
    let value = read_json(&bytes.into()).map_err(|error| unusable(error.to_string(), again))?;
    let Value::Map(plan) = value else { return Err(unusable("it is no plan".to_owned(), again)) };
    match plan.get("weft_plan").and_then(Value::as_int) {
        Some(VERSION) => {}
        Some(other) => {
            return Err(unusable(format!("it has form {other}, and this program reads {VERSION}"), again));
        }
        None => return Err(unusable("it is no plan".to_owned(), again)),
    }
    from_value(&plan).ok_or_else(|| unusable("something is missing in it".to_owned(), again))
}

fn to_value(preview: &Preview) -> Record {
    let mut plan = Record::new();
    plan.set("weft_plan", VERSION);
    plan.set("project", preview.project.as_str());
    plan.set("made_at", preview.made_at.as_str());
    plan.set("flows", list(&preview.flows, flow_to_value));
    plan
}

fn list<T>(items: &[T], each: impl Fn(&T) -> Record) -> Value {
    Value::List(items.iter().map(|item| Value::Map(each(item))).collect())
}

fn flow_to_value(flow: &FlowPreview) -> Record {
    let mut value = Record::new();
    value.set("flow", flow.flow.as_str());
    value.set("print", hex(flow.print));
    for (name, (connection, print)) in ["source", "target"].iter().zip(&flow.ends) {
        let mut end = Record::new();
        end.set("connection", connection.as_str());
        end.set("print", hex(*print));
        value.set(*name, end);
    }
    value.set("counts", counts_to_value(&flow.counts));
    text(&mut value, "error", flow.error.as_deref());
    text(&mut value, "help", flow.help.as_deref());
    let with_turn = |record: &PlannedRecord| {
        let mut value = record.to_value();
        value.set("turn", i64::try_from(record.turn).unwrap_or(i64::MAX));
        value
    };
    value.set("records", list(&flow.records, with_turn));
    value
}

fn counts_to_value(counts: &Counts) -> Record {
    let all = [
        ("created", counts.created),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("skipped", counts.skipped),
        ("failed", counts.failed),
        ("waiting", counts.waiting),
    ];
    all.into_iter().map(|(name, number)| (name, Value::from(number))).collect()
}

fn text(value: &mut Record, name: &'static str, text: Option<&str>) {
    if let Some(text) = text {
        value.set(name, text);
    }
}

impl PlannedRecord {
    /// As it stands in the file, and in what programs are told.
    #[must_use]
    pub fn to_value(&self) -> Record {
        let mut value = Record::new();
        value.set("key", self.key.as_str());
        text(&mut value, "name", self.name.as_deref());
        value.set("outcome", self.outcome.as_str());
        text(&mut value, "reason", self.reason.as_deref());
        if !self.notices.is_empty() {
            value.set(
                "notices",
                Value::List(self.notices.iter().map(|text| Value::from(text.as_str())).collect()),
            );
        }
        text(&mut value, "open", self.open.as_deref());
        value.set("writes", list(&self.writes, PlannedWrite::to_value));
        value.set("source", self.source.clone());
        value
    }
}

impl PlannedWrite {
    fn to_value(&self) -> Record {
        let mut value = Record::new();
        value.set("write", self.write.as_str());
        if !self.item.is_empty() {
            value.set("item", self.item.as_str());
        }
        value.set("resource", self.resource.as_str());
        value.set("does", if self.creates { "create" } else { "update" });
        value.set("key", self.key.as_str());
        value.set("fields", self.fields.clone());
        if !self.creates {
            value.set("before", self.before.clone());
        }
        value
    }
}

fn from_value(plan: &Record) -> Option<Preview> {
    Some(Preview {
        project: plan.text("project")?.to_owned(),
        made_at: plan.text("made_at")?.to_owned(),
        flows: each(plan, "flows", flow_from_value)?,
    })
}

fn each<T>(value: &Record, name: &str, read: impl Fn(&Record) -> Option<T>) -> Option<Vec<T>> {
    value.get(name)?.as_list()?.iter().map(|item| read(item.as_map()?)).collect()
}

fn flow_from_value(value: &Record) -> Option<FlowPreview> {
    let end = |name: &str| {
        let end = value.get(name)?.as_map()?;
        Some((end.text("connection")?.to_owned(), from_hex(end.text("print")?)?))
    };
    let counts = value.get("counts")?.as_map()?;
    let count = |name: &str| counts.get(name).and_then(Value::as_int).unwrap_or_default();
    Some(FlowPreview {
        flow: value.text("flow")?.to_owned(),
        print: from_hex(value.text("print")?)?,
        ends: [end("source")?, end("target")?],
        counts: Counts {
            created: count("created"),
            updated: count("updated"),
            unchanged: count("unchanged"),
            skipped: count("skipped"),
            failed: count("failed"),
            waiting: count("waiting"),
        },
        error: value.text("error").map(str::to_owned),
        help: value.text("help").map(str::to_owned),
        records: each(value, "records", record_from_value)?,
    })
}

fn record_from_value(value: &Record) -> Option<PlannedRecord> {
    let notices = value.get("notices").and_then(Value::as_list).unwrap_or_default();
    Some(PlannedRecord {
        key: value.text("key")?.to_owned(),
        name: value.text("name").map(str::to_owned),
        outcome: OutcomeWord::from_word(value.text("outcome")?)?,
        reason: value.text("reason").map(str::to_owned),
        notices: notices.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        open: value.text("open").map(str::to_owned),
        source: value.get("source")?.as_map()?.clone(),
        writes: each(value, "writes", write_from_value)?,
        turn: value.get("turn").and_then(Value::as_int).and_then(|turn| usize::try_from(turn).ok())?,
    })
}

fn write_from_value(value: &Record) -> Option<PlannedWrite> {
    let creates = match value.text("does")? {
        "create" => true,
        "update" => false,
        _ => return None,
    };
    Some(PlannedWrite {
        write: value.text("write")?.to_owned(),
        item: value.text("item").unwrap_or_default().to_owned(),
        resource: value.text("resource")?.to_owned(),
        creates,
        key: value.text("key")?.to_owned(),
        fields: value.get("fields")?.as_map()?.clone(),
        before: value.get("before").and_then(Value::as_map).cloned().unwrap_or_default(),
    })
}

fn hex(print: Fingerprint) -> String {
    format!("{print:?}")
}

fn from_hex(text: &str) -> Option<Fingerprint> {
    u128::from_str_radix(text, 16).ok().map(Fingerprint::from)
}
