//! Reads a resource: its fields, and each thing that can be done with it.

use std::time::Duration;

use toml::de::DeValue;

use super::body::Body;
use super::dialect::{Ask, FetchWay, FilterWay, FindWay, SinceWay, Ways};
use super::fields::{self, path};
use super::formats::{moment, zone};
use super::load::{Known, span};
use super::paging::{self, Choice};
use super::path::Path;
use super::problem::{Code, Problem};
use super::reader::{Table, Word};
use super::template::Template;
use super::writing;
use crate::manifest::{Create, Deleted, Fetch, Field, Find, Kind, Named, Resource, Update};

/// What the parts of a resource have to know of each other.
pub(super) struct Around<'a> {
    pub(super) resource: &'a str,
    pub(super) known: &'a Known<'a>,
    pub(super) fields: &'a Named<Field>,
    pub(super) key: &'a str,
}

/// A resource and how it is spoken to.
pub(super) fn read(
    name: &Word<'_>,
    table: Table<'_, '_>,
    known: &Known<'_>,
    standard: Option<&Choice>,
) -> (Resource, Ways) {
    let about = table.need_text("about", "one sentence: `about = \"Orders of the shop.\"`");
    table.need("fields", "the fields of a record: `[resources.orders.fields]`");
    let (fields, shape) =
        table.table("fields").map(|inner| fields::read(&inner, &known.formats)).unwrap_or_default();
    let key_word = table.need_text("key", "the field that identifies a record for ever: `key = \"id\"`");
    let key = key_word.as_ref().map_or("", |word| word.text);
    let around = Around { resource: name.text, known, fields: &fields, key };
    if let Some(word) = &key_word {
        field(&table, word, &around);
    }
    let known_by = table.text("known_by");
    if let Some(word) = &known_by {
        field(&table, word, &around);
    }
    let known_by = known_by.map(|word| word.text.to_owned());
    let fetch = table.table("fetch").map(|inner| fetch(inner, &around, standard));
    let finds: Vec<_> = table
        .tables("find")
        .into_iter()
        .map(|inner| find(inner, &around, fetch.as_ref().map(|(_, way)| way)))
        .collect();
    let create = table.table("create").map(|inner| {
        let idempotent = inner.flag("idempotent");
        let way = writing::read(inner, &around, fetch.as_ref().map(|(_, way)| way), Some(idempotent));
        (Create { idempotent: idempotent || way.idempotency_header.is_some(), journal: false }, way)
    });
    let update = table.table("update").map(|inner| (Update {}, writing::read(inner, &around, None, None)));
    if fetch.is_none() && finds.is_empty() && create.is_none() && update.is_none() {
        table.reader.report(
            Problem::new(
                Code::NoAbility,
                name.at.clone(),
                format!("nothing can be done with `{}`", name.text),
            )
            .label("has no `fetch`, `find`, `create` or `update`")
            .help(format!("add `[resources.{}.fetch]` with `path = \"/{}\"`", name.text, name.text)),
        );
    }
    let detail = fetch.as_ref().is_some_and(|(fetch, _)| !fetch.detail.is_empty());
    if detail && !finds.iter().any(|(find, _)| find.by == [key]) {
        table.reader.report(
            Problem::new(
                Code::DetailWithoutFind,
                table.at.clone(),
                format!("the detail of `{}` cannot be fetched", name.text),
            )
            .label(format!("no `find` by `{key}` that brings the whole record"))
            .help(format!("add `[[resources.{}.find]]` with `by = [\"{key}\"]`", name.text)),
        );
    }
    let (fetch, fetch_way) = fetch.unzip();
    let (find, find_ways) = finds.into_iter().unzip();
    let (create, create_way) = create.unzip();
    let (update, update_way) = update.unzip();
    let ways = Ways {
        key: key.to_owned(),
        shape,
        fetch: fetch_way,
        detail,
        finds: find_ways,
        create: create_way,
        update: update_way,
    };
    let about = about.map_or_else(String::new, |word| word.text.to_owned());
    let deleted = table.table("deleted").and_then(|inner| deleted(inner, &around));
    table.finish();
    (Resource { about, key: key.to_owned(), known_by, fetch, find, create, update, deleted, fields }, ways)
}

/// `deleted = { field = "deleted_at" }`
fn deleted(table: Table<'_, '_>, around: &Around<'_>) -> Option<Deleted> {
    let word = table.need_text("field", "the field that says so: `deleted = { field = \"deleted_at\" }`");
    let found = word.as_ref().and_then(|word| field(&table, word, around));
    if let (Some(word), Some(found)) = (&word, found)
        && !matches!(found.kind, Kind::Boolean | Kind::Date | Kind::Datetime)
    {
        table.reader.report(
            Problem::new(Code::NotWhether, word.at.clone(), format!("`{}` does not say whether", word.text))
                .label("neither true or false nor a moment")
                .help("name a field that is true for deleted records, or says when they were deleted"),
        );
    }
    table.finish();
    word.map(|word| Deleted::Field(word.text.to_owned()))
}

/// A field of the resource, or the problem that it is none.
fn field<'a>(table: &Table<'_, '_>, word: &Word<'_>, around: &Around<'a>) -> Option<&'a Field> {
    let found = around.fields.get(word.text);
    if found.is_none() {
        table.reader.report(
            Problem::new(
                Code::UnknownField,
                word.at.clone(),
                format!("`{}` has no field `{}`", around.resource, word.text),
            )
            .label("not among its `fields`")
            .suggest(word.text, around.fields.names()),
        );
    }
    found
}

fn fetch(table: Table<'_, '_>, around: &Around<'_>, standard: Option<&Choice>) -> (Fetch, FetchWay) {
    let fields = |words: &[Word<'_>]| -> Vec<String> {
        let good = words.iter().filter(|word| field(&table, word, around).is_some());
        good.map(|word| word.text.to_owned()).collect()
    };
    let filters = filters(&table, around);
    let since = since(&table, around);
    let detail = fields(&table.words("detail"));
    let choice = paging::read(&table).or_else(|| standard.cloned());
    let ask = ask(&table, around, &[], Path::Items([].into()), None, choice);
    let manifest = Fetch {
        filters: filters.iter().map(|way| way.field.clone()).collect(),
        since: since.iter().map(|way| way.field.clone()).collect(),
        ascending: table.flag("ascending"),
        detail,
    };
    let way = FetchWay { ask, filters, since, empty_on_404: table.flag("empty_on_404") };
    table.finish();
    (manifest, way)
}

/// `["status"]`, `{ status = "filter[state]" }`, or tables with more to say.
fn filters(table: &Table<'_, '_>, around: &Around<'_>) -> Vec<FilterWay> {
    let named = |name: &Word<'_>, parameter: &str| {
        field(table, name, around)?;
        Some(FilterWay { field: name.text.to_owned(), parameter: parameter.to_owned(), value: None })
    };
    let Some(DeValue::Table(_)) = table.value("filters").map(toml::Spanned::get_ref) else {
        return table.words("filters").iter().filter_map(|word| named(word, word.text)).collect();
    };
    let Some(inner) = table.table("filters") else { return Vec::new() };
    let mut ways = Vec::new();
    for (name, value) in inner.entries() {
        match value.get_ref() {
            DeValue::String(parameter) => ways.extend(named(&name, parameter)),
            DeValue::Table(_) => {
                let Some((_, entry)) = inner.named_one(name.text) else { continue };
                let parameter = entry.text("parameter").map_or(name.text, |word| word.text);
                let expression = expression(&entry, around, "value");
                ways.extend(named(&name, parameter).map(|way| FilterWay { value: expression, ..way }));
                entry.finish();
            }
            _ => {
                let _: Option<()> = inner.wrong_kind(name.text, value, "the name of a parameter, or a table");
            }
        }
    }
    ways
}

/// `value = "Status eq '{value}'"`: what a parameter says around the value.
fn expression(table: &Table<'_, '_>, around: &Around<'_>, hole: &str) -> Option<Template> {
    let word = table.text("value")?;
    let template = Template::read(table.reader, &word, &around.known.settings, &[hole]);
    if template.fields().next().is_none() && !word.text.contains('{') {
        table.reader.report(
            Problem::new(Code::FindSendsNothing, word.at.clone(), "this expression does not send the value")
                .label(format!("`{{{hole}}}` is not in it"))
                .help(format!("as in `value = \"Changed ge {{{hole}}}\"`")),
        );
    }
    Some(template)
}

/// `["modified_at"]`, `{ modified_at = "updated_since" }`, or tables with more to say.
fn since(table: &Table<'_, '_>, around: &Around<'_>) -> Vec<SinceWay> {
    let Some(value) = table.value("since") else { return Vec::new() };
    let named = |name: &Word<'_>, parameter: &str| {
        follows(table, name, around);
        SinceWay {
            field: name.text.to_owned(),
            parameter: parameter.to_owned(),
            value: None,
            overlap: Duration::ZERO,
            form: None,
            exclusive: false,
            parameters: Vec::new(),
        }
    };
    if !matches!(value.get_ref(), DeValue::Table(_)) {
        return table.words("since").iter().map(|word| named(word, word.text)).collect();
    }
    let Some(inner) = table.table("since") else { return Vec::new() };
    let mut ways = Vec::new();
    for (name, value) in inner.entries() {
        match value.get_ref() {
            DeValue::String(parameter) => ways.push(named(&name, parameter)),
            DeValue::Table(_) => {
                let Some((_, entry)) = inner.named_one(name.text) else { continue };
                let parameter = entry.text("parameter").map_or(name.text, |word| word.text);
                let mut way = named(&name, parameter);
                if entry.has("format") || entry.has("zone") {
                    way.form = Some((
                        moment(&entry, &around.known.formats.moment),
                        zone(&entry, &around.known.formats.zone),
                    ));
                }
                way.value = expression(&entry, around, "since");
                way.overlap = span(&entry, "overlap").unwrap_or_default();
                way.exclusive = entry.flag("exclusive");
                way.parameters = parameters(&entry, around, &[]);
                entry.finish();
                ways.push(way);
            }
            _ => {
                let _: Option<()> = inner.wrong_kind(name.text, value, "the name of a parameter, or a table");
            }
        }
    }
    ways
}

/// A cursor follows moments and markers that every record has.
fn follows(table: &Table<'_, '_>, word: &Word<'_>, around: &Around<'_>) {
    let Some(known) = field(table, word, around) else { return };
    if !matches!(known.kind, Kind::Datetime | Kind::Integer) || known.write_only {
        table.reader.report(
            Problem::new(Code::BadSince, word.at.clone(), format!("a cursor cannot follow `{}`", word.text))
                .label("has to be a `datetime` or an `integer` that can be read"),
        );
    }
}

fn parameters(table: &Table<'_, '_>, around: &Around<'_>, holes: &[&str]) -> Vec<(String, Template)> {
    let Some(inner) = table.table("parameters") else { return Vec::new() };
    let read = |value: &Word<'_>| Template::read(table.reader, value, &around.known.settings, holes);
    inner.named_texts().iter().map(|(name, value)| (name.text.to_owned(), read(value))).collect()
}

fn ask(
    table: &Table<'_, '_>,
    around: &Around<'_>,
    holes: &[&str],
    records: Path,
    like: Option<&Ask>,
    choice: Option<Choice>,
) -> Ask {
    if like.is_none() {
        table.need("path", &format!("as in `path = \"/{}\"`", around.resource));
    }
    let posted = table.choice("method", &[("GET", false), ("POST", true)]);
    let body = Body::read(table, "body", &around.known.settings, holes);
    if posted == Some(false) && body.is_some() {
        table.reader.report(
            Problem::new(Code::MisplacedTrait, table.key_span("body"), "a question by GET has no body")
                .label("nothing would be sent of it")
                .help("add `method = \"POST\"`, or say it in `parameters`"),
        );
    }
    let body = match (posted, body, like) {
        (Some(false), ..) => None,
        (_, Some(body), _) => Some(body),
        (Some(true), None, _) => Some(Body::empty()),
        (None, None, Some(like)) if !table.has("path") => like.body.clone(),
        (None, None, _) => None,
    };
    let own =
        table.text("path").map(|word| Template::read(table.reader, &word, &around.known.settings, holes));
    let single = own.as_ref().is_some_and(|path| path.fields().next().is_some());
    let parameters = parameters(table, around, holes);
    let records = match (table.text("records"), like) {
        (Some(word), _) => path(table, &word),
        (None, _) if single => Path::Plain([].into()),
        (None, Some(like)) => like.records.clone(),
        (None, None) => records,
    };
    let paging = match choice {
        Some(Choice::Pages(paging)) => Some(paging),
        Some(Choice::Whole) => None,
        None if single => None,
        None => like.and_then(|like| like.paging.clone()),
    };
    let path = own.or_else(|| like.map(|like| like.path.clone())).unwrap_or_default();
    let text = |key: &'static str, old: Option<&String>| {
        table.text(key).map(|word| word.text.to_owned()).or_else(|| old.cloned())
    };
    let join = text("join", like.and_then(|like| like.join.as_ref()));
    let quote = text("quote", like.and_then(|like| like.quote.as_ref()));
    Ask { path, body, parameters, join, quote, records, paging }
}

fn find(table: Table<'_, '_>, around: &Around<'_>, fetch: Option<&FetchWay>) -> (Find, FindWay) {
    table.need("by", "the fields that are searched by: `by = [\"id\"]`");
    let by = table.words("by");
    for word in &by {
        field(&table, word, around);
    }
    let reads_all = table.flag("reads_all");
    if table.has("by") && by.is_empty() {
        table.reader.report(
            Problem::new(Code::FindSendsNothing, table.key_span("by"), "this find searches by nothing")
                .label("name at least one field"),
        );
    }
    let names: Vec<&str> = by.iter().map(|word| word.text).collect();
    let so_far = table.reader.count();
    let ask =
        ask(&table, around, &names, Path::Items([].into()), fetch.map(|way| &way.ask), paging::read(&table));
    let batch = table.number("batch", 1, 10_000).and_then(|batch| usize::try_from(batch).ok()).unwrap_or(1);
    let sent = |name: &str| {
        let in_path = ask.path.fields().any(|hole| hole == name);
        let in_body = ask.body.as_ref().is_some_and(|body| body.names(name));
        in_path || in_body || ask.parameters.iter().any(|(_, value)| value.fields().any(|hole| hole == name))
    };
    // A misspelt hole has been reported as such.
    if table.reader.count() == so_far
        && !reads_all
        && !by.is_empty()
        && !by.iter().any(|word| sent(word.text))
    {
        let first = names.first().copied().unwrap_or_default();
        table.reader.report(
            Problem::new(
                Code::FindSendsNothing,
                table.key_span("by"),
                "this find does not send what it looks for",
            )
            .label("none of these is in `path` or `parameters`")
            .help(format!(
                "as in `path = \"/{}/{{{first}}}\"` or `parameters = {{ {first} = \"{{{first}}}\" }}`; or `reads_all = true` for a short list",
                around.resource
            )),
        );
    }
    if batch > 1 && !reads_all && (by.len() != 1 || ask.path.fields().next().is_some()) {
        table.reader.report(
            Problem::new(
                Code::BatchDoesNotFit,
                table.key_span("batch"),
                "this find cannot ask for many keys at once",
            )
            .label(if by.len() == 1 {
                "its address names one record"
            } else {
                "it searches by more than one field"
            })
            .help("many keys go into one parameter, as in `parameters = { ids = \"{id}\" }`"),
        );
    }
    if table.flag("unique") && table.flag("first_only") {
        table.reader.report(
            Problem::new(
                Code::MisplacedTrait,
                table.key_span("first_only"),
                "a find cannot be both `unique` and `first_only`",
            )
            .label("one of the two has to go")
            .help("`unique`: there is at most one such record; `first_only`: there may be more, and one is told"),
        );
    }
    let separator = table.text("separator").map_or_else(|| ",".to_owned(), |word| word.text.to_owned());
    let by: Vec<String> = by.iter().map(|word| word.text.to_owned()).collect();
    let (unique, first_only) = (table.flag("unique"), table.flag("first_only"));
    let manifest = Find { by: by.clone(), batch, unique, first_only };
    let any_case = table.flag("any_case");
    table.finish();
    (manifest, FindWay { by, ask, batch, separator, reads_all, any_case })
}
