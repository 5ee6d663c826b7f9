//! What is tried in the place of what was read: changed in an editor, field by field, or as a
//! whole from a file. The original stays beside it.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use connectors::record::{Record, Value, read_json};

use super::super::Ended;
use super::super::show::Show;
use super::letters::{none, of_record};
use crate::load::Loader;
use crate::project::Project;
use crate::store::{DeadLetter, Store};
use crate::trouble::{Trouble, why};

/// Change what is tried, in an editor or field by field.
#[derive(Debug, Args)]
pub(super) struct Edit {
    /// A record: its key, or anything it is known by
    record: String,
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// A field and its value: `customer.email=sanne@example.com`, `lines.0.quantity=2`; nothing
    /// behind `=` empties it
    #[arg(long = "set", value_name = "FIELD=VALUE", conflicts_with = "file")]
    fields: Vec<String>,
    /// The whole record as JSON; `-` is standard input
    #[arg(long)]
    file: Option<PathBuf>,
    /// Forget what was edited
    #[arg(long, conflicts_with_all = ["fields", "file"])]
    undo: bool,
}

impl Edit {
    pub(super) async fn run(
        &self,
        project: &Project,
        store: &dyn Store,
        show: &Show,
    ) -> Result<Ended, Trouble> {
        let letter = self.letter(store).await?;
        let (flow, key) = (letter.flow.as_str(), letter.source_key.as_str());
        let by = crate::cli::who();
        if self.undo {
            if !store.edit_dead(flow, key, None, &by).await? {
                return Err(unusable("nothing was edited"));
            }
            show.json(&serde_json::json!({ "flow": flow, "key": key, "edited": false }));
            show.line(format!("{} {flow} {key} is tried as it was read again", show.good("✓")));
            return Ok(Ended::Well);
        }
        let before = letter.edited.as_ref().map_or(&letter.payload, |edit| &edit.payload).clone();
        let before = project.vault.opened(flow, key, before).await?;
        let record = self.changed(project, &before)?;
        keeps_its_key(project, &letter, &record)?;
        let mut payload = Vec::new();
        record.write_json(&mut payload);
        if payload == before {
            show.line("nothing was changed");
            return Ok(Ended::Well);
        }
        // What must not be kept as it is, is sealed as what was read is.
        if !project.privacy.is_open() {
            payload = project.vault.sealer().await?.seal(flow, key, &payload)?;
        }
        if !store.edit_dead(flow, key, Some(&payload), &by).await? {
            return Err(none(&self.record));
        }
        show.json(&serde_json::json!({ "flow": flow, "key": key, "edited": true, "by": by }));
        show.line(format!("{} what is tried of {flow} {key} is changed", show.good("✓")));
        show.line(format!("`weft dead replay {key} --flow {flow}` tries it"));
        Ok(Ended::Well)
    }

    /// The one open letter that is meant.
    async fn letter(&self, store: &dyn Store) -> Result<DeadLetter, Trouble> {
        let mut letters = of_record(store, &self.record).await?;
        letters.retain(|letter| {
            letter.resolved_at.is_none() && self.flow.as_ref().is_none_or(|flow| *flow == letter.flow)
        });
        let flows: Vec<&str> = letters.iter().map(|letter| letter.flow.as_str()).collect();
        if letters.len() > 1 {
            let help = format!("say `--flow`, one of {}, or give the record's key", flows.join(", "));
            let message = format!("`{}` is known of {} refused records", self.record, letters.len());
            return Err(Trouble::new("R087", message).help(help));
        }
        letters.pop().ok_or_else(|| none(&self.record))
    }

    fn changed(&self, project: &Project, before: &[u8]) -> Result<Record, Trouble> {
        if let Some(file) = &self.file {
            return read(&from_file(file)?);
        }
        let mut record = read(before)?;
        if self.fields.is_empty() {
            return read(&in_editor(project, &record)?);
        }
        for field in &self.fields {
            let (path, value) = field.split_once('=').ok_or_else(|| {
                unusable(format!("`{field}` is no field and value")).help("write `FIELD=VALUE`")
            })?;
            set(&mut record, path.trim(), value)?;
        }
        Ok(record)
    }
}

fn unusable(message: impl Into<String>) -> Trouble {
    Trouble::new("R089", message)
}

fn read(bytes: &[u8]) -> Result<Record, Trouble> {
    match read_json(&bytes.to_vec().into()) {
        Ok(Value::Map(record)) => Ok(record),
        Ok(other) => {
            Err(unusable(format!("a record is a JSON object, and this is of the type {}", other.kind()))
                .help("nothing was changed; put the fields between braces"))
        }
        Err(error) => Err(unusable(format!("this is no JSON: {error}")).help("nothing was changed")),
    }
}

/// Puts a value at a path of fields and places in lists.
fn set(record: &mut Record, path: &str, text: &str) -> Result<(), Trouble> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    if first.is_empty() {
        return Err(unusable("a field has no name").help("write `FIELD=VALUE`"));
    }
    match (record.get_mut(first), rest) {
        (Some(value), rest) => set_in(value, path, rest, text),
        (None, None) => {
            record.set(first, typed(None, text));
            Ok(())
        }
        (None, Some(_)) => Err(unusable(format!("the record has no `{first}`"))
            .help("`weft dead show` shows its fields; one that is not there can be added at the top")),
    }
}

fn set_in(value: &mut Value, path: &str, rest: Option<&str>, text: &str) -> Result<(), Trouble> {
    let Some(rest) = rest else {
        *value = typed(Some(value), text);
        return Ok(());
    };
    match value {
        Value::Map(inner) => set(inner, rest, text),
        Value::List(items) => {
            let (place, rest) = rest.split_once('.').map_or((rest, None), |(at, rest)| (at, Some(rest)));
            let length = items.len();
            let item = place.parse().ok().and_then(|place: usize| items.get_mut(place));
            let item = item.ok_or_else(|| {
                unusable(format!("`{path}` has no `{place}`"))
                    .help(format!("it is a list of {length}; the first has the number 0"))
            })?;
            set_in(item, path, rest, text)
        }
        _ => Err(unusable(format!("`{path}` leads nowhere: `{}` is on the way", value.kind()))),
    }
}

/// The value that a person means: what was text stays text, so that `0012` keeps its zeros.
fn typed(before: Option<&Value>, text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    if matches!(before, Some(Value::Text(_))) {
        return Value::from(text);
    }
    read_json(&text.to_owned().into()).unwrap_or_else(|_| Value::from(text))
}

/// A record under another key would be another record, and be created beside the one that is
/// meant.
fn keeps_its_key(project: &Project, letter: &DeadLetter, record: &Record) -> Result<(), Trouble> {
    let entry = project.flow(&letter.flow)?;
    let Ok((_, plan)) = Loader::new(project)?.check(entry) else {
        return Err(unusable(format!("flow `{}` cannot be loaded", letter.flow))
            .help("mend it first: `weft check` says what is wrong"));
    };
    let connection = project.connection(entry, &plan.source.name, &plan.source.system)?;
    let resource = connection.connector.manifest().resources.get(&plan.fetch.resource);
    let Some(field) = resource.map(|resource| resource.key.as_str()) else { return Ok(()) };
    let key = match record.get(field) {
        Some(Value::Text(key)) => key.to_string(),
        Some(key @ (Value::Int(_) | Value::Decimal(_))) => key.to_string(),
        _ => String::new(),
    };
    if key == letter.source_key {
        return Ok(());
    }
    Err(unusable(format!("`{field}` is the record's key and must stay `{}`", letter.source_key))
        .help("nothing was changed"))
}

fn from_file(path: &Path) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let done = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    done.map_err(|error| Trouble::new("R005", format!("cannot read `{}`: {}", path.display(), why(&error))))?;
    Ok(bytes)
}

/// Has a person change the record in an editor. The file is for the owner's eyes only, and gone
/// afterwards.
fn in_editor(project: &Project, record: &Record) -> Result<Vec<u8>, Trouble> {
    let named = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let Some(editor) = named("VISUAL").or_else(|| named("EDITOR")) else {
        return Err(unusable("there is no editor").help(
            "set `EDITOR`, or change fields with `--set FIELD=VALUE`, or give the record with `--file`",
        ));
    };
    let path = project.root.join(".weft").join(format!("edit-{}.json", uuid::Uuid::new_v4().simple()));
    let failed = |error: &std::io::Error| {
        Trouble::new("R037", format!("cannot write `{}`: {}", path.display(), why(error)))
    };
    let done = write(&path, &pretty(record)).map_err(|error| failed(&error)).and_then(|()| {
        let mut words = editor.split_whitespace();
        let mut command = std::process::Command::new(words.next().unwrap_or("vi"));
        for name in crate::vault::VARIABLES {
            command.env_remove(name);
        }
        let ended = command.args(words).arg(&path).status();
        match ended {
            Ok(status) if status.success() => std::fs::read(&path).map_err(|error| failed(&error)),
            Ok(_) => Err(unusable("the editor gave up").help("nothing was changed")),
            Err(error) => Err(unusable(format!("the editor `{editor}` cannot be started: {}", why(&error)))
                .help("correct `EDITOR`; nothing was changed")),
        }
    });
    let _ = std::fs::remove_file(&path);
    done
}

fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text)
}

/// A line a field at the top; numbers keep every digit.
fn pretty(record: &Record) -> Vec<u8> {
    let mut out = b"{\n".to_vec();
    for (place, (name, value)) in record.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"  " } else { b",\n  " });
        connectors::record::write_text(name, &mut out);
        out.extend_from_slice(b": ");
        value.write_json(&mut out);
    }
    out.extend_from_slice(b"\n}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(path: &str, text: &str) -> String {
        let mut record = read(
            br#"{"number":"0012","total":12.50,"paid":true,"customer":{"email":"a@b.c","vat":null},"lines":[{"sku":"A","quantity":1}]}"#,
        )
        .unwrap();
        match set(&mut record, path, text) {
            Ok(()) => record.to_string(),
            Err(trouble) => trouble.to_string(),
        }
    }

    #[test]
    fn a_field_is_changed_and_keeps_its_type() {
        assert!(after("number", "0013").contains(r#""number":"0013""#));
        assert!(after("total", "19.90").contains(r#""total":19.90"#));
        assert!(after("customer.email", "x@y.z").contains(r#""email":"x@y.z""#));
        assert!(after("customer.vat", "NL001").contains(r#""vat":"NL001""#));
        assert!(after("customer.email", "").contains(r#""email":null"#));
        assert!(after("lines.0.quantity", "2").contains(r#""quantity":2"#));
        assert!(after("note", "hello").contains(r#""note":"hello""#));
        assert!(after("paid", "false").contains(r#""paid":false"#));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told() {
        assert_eq!(after("lines.1.sku", "B"), "`lines.1.sku` has no `1`");
        assert_eq!(after("total.cents", "1"), "`total.cents` leads nowhere: `decimal` is on the way");
        assert_eq!(after("shipping.city", "Ede"), "the record has no `shipping`");
    }

    #[test]
    fn what_an_editor_shows_is_the_same_record() {
        let record = read(br#"{"total":12.50,"name":"a\"b","lines":[{"sku":"A"}]}"#).unwrap();
        assert_eq!(read(&pretty(&record)).unwrap().to_string(), record.to_string());
    }
}
