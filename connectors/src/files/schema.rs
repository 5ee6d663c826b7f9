//! What a folder offers: one resource for each file, or for each `….schema.toml` beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::folder::{Folder, matches};
use super::names::{format_of, snake};
use super::scan::{Format, Scan, Setup};
use super::text::Coding;
use crate::contract::RemoteError;
use crate::manifest::{Create, Fetch, Field, Find, Kind, Named, Resource, Update};
use crate::profile::form::{Form, Moment, Money, Truth};
use crate::profile::path::Path as Place;
use crate::profile::shape::{Member, Shape};
use crate::record::{Text, Value};

/// Field that a cursor follows.
pub(super) const MARK: &str = "file_mark";
/// Field with the time at which the file was last changed.
pub(super) const MODIFIED: &str = "file_modified";
/// Field that numbers the lines of a file without a key.
pub(super) const LINE: &str = "line";

/// Records that are looked at to learn the fields of a JSON file.
const LOOKED_AT: usize = 100;

/// A resource and its files.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) resource: Resource,
    pub(super) files: Which,
    pub(super) setup: Setup,
    /// `None`: records are taken as they are.
    pub(super) shape: Option<Shape>,
    /// Columns of a CSV file that does not exist yet.
    pub(super) columns: Vec<Text>,
}

/// The files of a resource.
#[derive(Clone, Debug)]
pub(super) enum Which {
    One(PathBuf),
    Pattern(String),
}

/// `orders.schema.toml`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    about: Option<String>,
    file: Option<String>,
    files: Option<String>,
    encoding: Option<String>,
    separator: Option<String>,
    header: Option<bool>,
    decimal: Option<String>,
    /// Members that lead to the list of a JSON file: `data.orders`.
    list: Option<String>,
    key: Option<String>,
    #[serde(default)]
    since: Vec<String>,
    /// Names of columns or members that differ from the fields.
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    fields: Named<Field>,
}

/// What a folder offers, in the order of names, and why some files are left out.
pub(super) fn tables(
    folder: &Folder,
    standard: &Setup,
) -> Result<(Vec<Table>, Vec<RemoteError>), RemoteError> {
    let names = folder.list()?;
    let (mut tables, mut left_out): (Vec<Table>, Vec<RemoteError>) = (Vec::new(), Vec::new());
    let mut taken: Vec<String> = Vec::new();
    for name in names.iter().filter_map(|name| name.strip_suffix(".schema.toml")) {
        let table = described(folder, name, &names, standard)?;
        taken.extend(names.iter().filter(|file| table.files.has(file)).cloned());
        tables.push(table);
    }
    for file in &names {
        let Some(format) = format_of(file).filter(|_| !taken.contains(file)) else { continue };
        let stem = snake(file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem));
        let doubled = tables.iter().any(|table| table.name == stem);
        let name = if doubled { snake(file) } else { stem };
        let setup = Setup { format, ..standard.clone() };
        let path = folder.path(file)?;
        // Nobody said that this file is for us: what is wrong with it must not stop the others.
        match build(folder, name, Which::One(path.clone()), Some(&path), setup, &Sidecar::default()) {
            Ok(table) => tables.push(table),
            Err(error) => left_out.push(error),
        }
    }
    tables.sort_by(|left, right| left.name.cmp(&right.name));
    Ok((tables, left_out))
}

/// What is wrong with a schema, on one line.
fn explained(error: &toml::de::Error, text: &str) -> String {
    let line =
        error.span().and_then(|at| text.get(..at.start)).map_or(1, |before| before.matches('\n').count() + 1);
    let message: Vec<&str> = error.message().lines().collect();
    format!("line {line}: {}", message.join(", "))
}

fn described(folder: &Folder, name: &str, names: &[String], standard: &Setup) -> Result<Table, RemoteError> {
    let sidecar_name = format!("{name}.schema.toml");
    let refuse = |reason: String| folder.error(format!("{sidecar_name}: {reason}"));
    let text = folder.read(&sidecar_name)?;
    let sidecar: Sidecar = toml::from_str(&text).map_err(|error| refuse(explained(&error, &text)))?;
    let own = names.iter().find(|file| {
        format_of(file).is_some() && file.rsplit_once('.').is_some_and(|(stem, _)| stem == name)
    });
    let which = match (&sidecar.file, &sidecar.files) {
        (Some(file), None) => Which::One(folder.path(file)?),
        (None, Some(pattern)) => {
            folder.path(pattern)?;
            Which::Pattern(pattern.clone())
        }
        (None, None) => match own {
            Some(file) => Which::One(folder.path(file)?),
            None => return Err(refuse("says no `file`, and there is none of that name".into())),
        },
        (Some(_), Some(_)) => return Err(refuse("says both `file` and `files`".into())),
    };
    let first = match &which {
        Which::One(path) => path.is_file().then(|| path.clone()),
        Which::Pattern(pattern) => {
            names.iter().find(|file| matches(pattern, file)).map(|file| folder.path(file)).transpose()?
        }
    };
    let spelt = match &which {
        Which::One(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
        Which::Pattern(pattern) => pattern,
    };
    let format = format_of(spelt)
        .ok_or_else(|| refuse(format!("`{spelt}` is no .csv, .tsv, .json, .ndjson or .jsonl")))?;
    let mut setup = Setup { format, ..standard.clone() };
    if let Some(name) = &sidecar.encoding {
        setup.coding = Coding::named(name).ok_or_else(|| refuse(format!("no encoding `{name}` is known")))?;
    }
    if let Some(word) = &sidecar.separator {
        setup.separator = super::separator(word).map_err(refuse)?;
    }
    if let Some(word) = &sidecar.decimal {
        setup.comma = super::decimal_comma(word).map_err(refuse)?;
    }
    setup.header = sidecar.header.unwrap_or(setup.header);
    setup.list = sidecar.list.as_ref().map(|list| list.split('.').map(str::to_owned).collect());
    build(folder, snake(name), which, first.as_deref(), setup, &sidecar)
}

impl Which {
    fn has(&self, file: &str) -> bool {
        match self {
            Self::One(path) => path.file_name().is_some_and(|name| name == file),
            Self::Pattern(pattern) => matches(pattern, file),
        }
    }
}

fn build(
    folder: &Folder,
    name: String,
    files: Which,
    first: Option<&Path>,
    setup: Setup,
    sidecar: &Sidecar,
) -> Result<Table, RemoteError> {
    let mut setup = setup;
    let there = match first {
        Some(path) => look(folder, path, &mut setup)?,
        None => Vec::new(),
    };
    // Field name and the name that the file has for it.
    let (fields, places): (Vec<(String, Field)>, Vec<Text>) = if sidecar.fields.is_empty() {
        let kind = if setup.format == Format::Csv { Kind::Text } else { Kind::Any };
        inferred(&there, kind)
    } else {
        let place = |name: &str| {
            let said = sidecar.columns.get(name).map(|column| Text::from(column.as_str()));
            said.or_else(|| {
                there.iter().find(|known| known.as_str() == name || snake(known) == name).cloned()
            })
            .unwrap_or_else(|| Text::from(name))
        };
        sidecar.fields.iter().map(|(name, field)| ((name.to_owned(), field.clone()), place(name))).unzip()
    };
    let members: Vec<Member> = fields
        .iter()
        .zip(&places)
        .map(|((name, field), place)| Member {
            name: Text::from(name.as_str()),
            from: Place::Plain([place.clone()].into()),
            form: form(field, &setup),
            readable: !field.write_only,
            writable: !field.read_only,
        })
        .collect();
    let columns = if sidecar.fields.is_empty() { there } else { places };
    let as_they_are = setup.format != Format::Csv && sidecar.fields.is_empty();
    let resource = resource(folder, &name, &files, &setup, fields, sidecar)?;
    Ok(Table { name, resource, files, setup, shape: (!as_they_are).then(|| Shape::new(members)), columns })
}

/// Columns or members of a file, and what else its start tells.
fn look(folder: &Folder, path: &Path, setup: &mut Setup) -> Result<Vec<Text>, RemoteError> {
    let mut scan = Scan::open(path, setup).map_err(|fault| folder.fault(path, &fault))?;
    setup.coding = scan.coding();
    if setup.format == Format::Csv {
        setup.separator = Some(scan.separator);
        return Ok(scan.columns.clone());
    }
    let mut names: Vec<Text> = Vec::new();
    for _ in 0..LOOKED_AT {
        // What is wrong with the file is said when it is read.
        let Ok(Some(item)) = scan.next() else { break };
        let Ok(Value::Map(map)) = &item.wire else { continue };
        for (name, _) in map.iter() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    Ok(names)
}

fn inferred(there: &[Text], kind: Kind) -> (Vec<(String, Field)>, Vec<Text>) {
    let mut fields: Vec<(String, Field)> = Vec::new();
    for place in there {
        // Records of JSON keep the names that they have.
        let plain = if kind == Kind::Any { place.to_string() } else { snake(place) };
        let mut name = plain.clone();
        let mut number = 2;
        while fields.iter().any(|(known, _)| *known == name) {
            name = format!("{plain}_{number}");
            number += 1;
        }
        fields.push((name, field(kind, &format!("`{place}` in the file."), false)));
    }
    (fields, there.to_vec())
}

fn resource(
    folder: &Folder,
    name: &str,
    files: &Which,
    setup: &Setup,
    mut fields: Vec<(String, Field)>,
    sidecar: &Sidecar,
) -> Result<Resource, RemoteError> {
    let refuse = |reason: String| folder.error(format!("{name}.schema.toml: {reason}"));
    let has = |name: &str| fields.iter().any(|(known, _)| known == name);
    let known = ["id", "number", "code"];
    let key = sidecar.key.clone().or_else(|| known.iter().find(|name| has(name)).map(ToString::to_string));
    if let Some(unknown) = key.iter().chain(&sidecar.since).find(|name| !has(name)) {
        return Err(refuse(format!("there is no field `{unknown}`")));
    }
    let own_key = key.is_some();
    let (one, list) = (matches!(files, Which::One(_)), setup.format == Format::Array);
    let utf16 = matches!(setup.coding, Coding::Utf16 { .. });
    // A list inside other members is read; writing would have to keep what is around it.
    let writable = own_key && one && !utf16 && !(list && setup.list.is_some());
    let simple = |field: &Field| {
        matches!(
            field.kind,
            Kind::Text
                | Kind::Integer
                | Kind::Decimal
                | Kind::Boolean
                | Kind::Date
                | Kind::Datetime
                | Kind::Any
        )
    };
    let mut find: Vec<Find> = Vec::new();
    if let Some(key) = &key {
        find.push(Find { by: vec![key.clone()], batch: 1000, unique: true, first_only: false });
    }
    let others = fields.iter().filter(|(name, field)| simple(field) && Some(name) != key.as_ref());
    find.extend(others.map(|(name, _)| Find {
        by: vec![name.clone()],
        batch: 1000,
        unique: false,
        first_only: false,
    }));
    let mut since = sidecar.since.clone();
    if !own_key {
        fields.push((
            LINE.into(),
            field(Kind::Text, "Number of the line, or of the record in a JSON list.", true),
        ));
    }
    if one && !list {
        since.push(MARK.into());
        fields.push((
            MARK.into(),
            field(Kind::Integer, "Where the record stands in its file; a cursor follows it.", true),
        ));
    } else {
        since.push(MODIFIED.into());
        fields.push((
            MODIFIED.into(),
            field(Kind::Datetime, "When the file was last changed; a cursor follows it.", true),
        ));
    }
    Ok(Resource {
        known_by: None,
        deleted: None,
        about: sidecar.about.clone().unwrap_or_else(|| match files {
            Which::One(path) => {
                format!("Records of {}.", path.file_name().unwrap_or_default().to_string_lossy())
            }
            Which::Pattern(pattern) => format!("Records of {pattern}."),
        }),
        key: key.unwrap_or_else(|| LINE.to_owned()),
        fetch: Some(Fetch { filters: Vec::new(), ascending: since == [MARK], since, detail: Vec::new() }),
        find,
        create: writable.then(|| Create { journal: is_journal(setup), ..Create::default() }),
        update: writable.then(Update::default),
        fields: fields.into_iter().collect(),
    })
}

/// Whole lines of plain text can be added and taken back.
pub(super) fn is_journal(setup: &Setup) -> bool {
    setup.format == Format::Lines && setup.coding == Coding::Utf8
}

fn field(kind: Kind, about: &str, read_only: bool) -> Field {
    Field {
        kind,
        about: about.to_owned(),
        required: false,
        read_only,
        given: false,
        write_only: false,
        max_length: None,
        digits_only: false,
        follows: Vec::new(),
        values: Vec::new(),
        fields: Named::default(),
        items: None,
    }
}

/// How a field stands in the file.
fn form(field: &Field, setup: &Setup) -> Form {
    let csv = setup.format == Format::Csv;
    match field.kind {
        Kind::Text => Form::Text { as_number: false },
        Kind::Integer => Form::Integer { as_text: csv },
        Kind::Decimal if setup.comma => Form::Decimal(Money::Comma),
        Kind::Decimal if csv => Form::Decimal(Money::Text),
        Kind::Decimal => Form::Decimal(Money::Number),
        Kind::Boolean => Form::Boolean(Truth::Boolean),
        Kind::Date => Form::Date(Moment::Standard),
        Kind::Datetime => Form::Datetime(Moment::Standard, TimeZone::UTC),
        Kind::Record if !field.fields.is_empty() => Form::Record(Box::new(shape(&field.fields, setup))),
        Kind::List if !field.fields.is_empty() => {
            Form::List(Box::new(Form::Record(Box::new(shape(&field.fields, setup)))))
        }
        Kind::Record | Kind::List | Kind::Any => Form::Any,
    }
}

fn shape(fields: &Named<Field>, setup: &Setup) -> Shape {
    let members = fields.iter().map(|(name, field)| Member {
        name: Text::from(name),
        from: Place::Plain([Text::from(name)].into()),
        form: form(field, setup),
        readable: !field.write_only,
        writable: !field.read_only,
    });
    Shape::new(members.collect())
}
