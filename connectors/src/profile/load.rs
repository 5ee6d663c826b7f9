//! Reads a whole profile: the manifest, the connection, the resources.
//!
//! Everything is read even when something is wrong, so that one pass shows every problem.

use std::str::FromStr as _;
use std::time::Duration;

use reqwest::header::HeaderName;
use toml::de::{DeTable, DeValue};

use super::dialect::{Bounds, Dialect, Meaning, Nothing, Probe, Reason, Rule, SignIn, Test};
use super::fields::{Formats, formats, path, snake_case};
use super::path::Path;
use super::problem::{Code, Problem, ProfileReport};
use super::reader::{Reader, Table, Word, whole};
use super::template::{Part, Template};
use super::{paging, resource, sign_in};
use crate::manifest::{Contract, Manifest, Named, Setting};

/// What the parts of a profile have to know of each other.
pub(super) struct Known<'r> {
    pub(super) settings: Vec<&'r str>,
    pub(super) secret: Vec<&'r str>,
    pub(super) formats: Formats,
}

/// Reads a profile.
pub(super) fn load(file_name: &str, text: &str) -> Result<(Manifest, Dialect), ProfileReport> {
    let (root, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        let problems = faults.iter().map(|fault| {
            Problem::new(Code::NotToml, fault.span().unwrap_or(0..1), "this is not TOML")
                .label(fault.message().lines().collect::<Vec<_>>().join(", "))
        });
        return Err(ProfileReport::new(file_name, text, problems.collect()));
    }
    let reader = Reader::new(text);
    let root = reader.root(root.get_ref());
    let read = profile(&root);
    root.finish();
    if reader.is_clean() {
        Ok(read)
    } else {
        Err(ProfileReport::new(file_name, text, reader.into_problems()))
    }
}

fn profile(root: &Table<'_, '_>) -> (Manifest, Dialect) {
    let name = root.need_text("name", "the name that flows use: `name = \"my_shop\"`");
    if let Some(name) = &name {
        snake_case(root, name, "a system");
    }
    let title = root.need_text("title", "the name for people: `title = \"My Shop\"`");
    let about = root.need_text("about", "one sentence: `about = \"Orders of my shop.\"`");
    let contract = contract(root);
    let (verified_on, verified_by) = verified(root, contract);
    let events = root.words("events").iter().map(|event| event.text.to_owned()).collect();
    let concurrency = root.number("concurrency", 1, 64).and_then(|most| usize::try_from(most).ok());
    let settings_table = root.table("settings");
    let (settings, mut known) = settings_table
        .as_ref()
        .map_or_else(|| (Named::default(), nothing_known()), settings);

    root.need("connection", "the address of the system: `[connection]` with `address = \"…\"`");
    let connection = root.table("connection");
    known.formats = connection.as_ref().map(formats).unwrap_or_default();
    let standard_paging = connection.as_ref().and_then(|table| paging::read(table));
    let mut dialect = connection.map_or_else(empty, |table| connect(table, &known));

    root.need("resources", "what the system offers: `[resources.orders]`");
    let mut resources = Vec::new();
    for (word, table) in root.table("resources").map(|table| table.named()).unwrap_or_default() {
        snake_case(root, &word, "a resource");
        let (resource, ways) = resource::read(&word, table, &known, standard_paging.as_ref());
        resources.push((word.text.to_owned(), resource));
        dialect.resources.push((word.text.to_owned(), ways));
    }
    let text = |word: Option<Word<'_>>| word.map_or_else(String::new, |word| word.text.to_owned());
    let manifest = Manifest {
        name: text(name),
        title: text(title),
        about: text(about),
        contract,
        verified_on: text(verified_on),
        verified_by: text(verified_by),
        settings,
        events,
        concurrency: concurrency.unwrap_or(1),
        resources: resources.into_iter().collect(),
    };
    (manifest, dialect)
}

fn contract(root: &Table<'_, '_>) -> Contract {
    let known = [
        ("published", Contract::Published),
        ("assumed", Contract::Assumed),
        ("verified", Contract::Verified),
    ];
    root.choice("contract", &known).unwrap_or_default()
}

/// Who held the profile against the system, and when: only then it may call itself verified.
fn verified<'r>(root: &Table<'r, '_>, contract: Contract) -> (Option<Word<'r>>, Option<Word<'r>>) {
    if contract == Contract::Verified {
        root.need("verified_on", "the day of the check: `verified_on = \"2026-11-21\"`");
        root.need("verified_by", "who checked it: `verified_by = \"J. Jansen\"`");
    }
    let on = root.text("verified_on");
    if let Some(word) = &on
        && word.text.parse::<jiff::civil::Date>().is_err()
    {
        root.reader.report(
            Problem::new(Code::BadFormat, word.at.clone(), format!("`{}` is not a day", word.text))
                .label("year, month, day")
                .help("as in `2026-11-21`"),
        );
    }
    (on, root.text("verified_by"))
}

const fn empty() -> Dialect {
    Dialect {
        address: Template::empty(),
        headers: Vec::new(),
        sign_in: SignIn::None,
        bounds: Bounds { per_minute: None, per_second: None, timeout: None },
        probe: None,
        reason: Vec::new(),
        ok_when: None,
        rules: Vec::new(),
        nothing: Nothing::Null,
        resources: Vec::new(),
    }
}

fn nothing_known<'r>() -> Known<'r> {
    Known { settings: Vec::new(), secret: Vec::new(), formats: Formats::default() }
}

fn settings<'r>(table: &Table<'r, '_>) -> (Named<Setting>, Known<'r>) {
    let mut known = nothing_known();
    let mut settings = Vec::new();
    for (name, entry) in table.named() {
        snake_case(table, &name, "a setting");
        let about = entry.need_text("about", "say what to fill in and where to find it");
        let setting = Setting {
            path: false,
            about: about.map_or_else(String::new, |about| about.text.to_owned()),
            secret: entry.flag("secret"),
            default: entry.text("default").map(|word| word.text.to_owned()),
        };
        if setting.secret && setting.default.is_some() {
            entry.reader.report(
                Problem::new(
                    Code::BareSecret,
                    entry.key_span("default"),
                    format!("the secret `{}` has a default", name.text),
                )
                .label("whoever reads this file reads the secret")
                .help("leave `default` out; the answer is asked when the system is connected"),
            );
        }
        known.settings.push(name.text);
        if setting.secret {
            known.secret.push(name.text);
        }
        settings.push((name.text.to_owned(), setting));
        entry.finish();
    }
    (settings.into_iter().collect(), known)
}

fn connect(table: Table<'_, '_>, known: &Known<'_>) -> Dialect {
    let address = table.need_text("address", "as in `address = \"{settings.address}/api/v1\"`");
    let address = address.map(|word| address_of(&table, &word, known)).unwrap_or_default();
    let headers = table.table("headers").map(|inner| {
        let headers = inner.named_texts().into_iter();
        headers
            .filter_map(|(name, value)| {
                let value = Template::read(table.reader, &value, &known.settings, &[]);
                Some((header(&table, &name)?, value))
            })
            .collect()
    });
    let bounds = Bounds {
        per_minute: table.number("per_minute", 1, 1_000_000).and_then(|most| u32::try_from(most).ok()),
        per_second: per_second(&table, known),
        timeout: span(&table, "timeout"),
    };
    let probe = table.table("probe").map(|inner| {
        let at = inner.need_text("path", "a read that is cheap: `path = \"/me\"`");
        let probe = Probe {
            path: at
                .map(|word| Template::read(inner.reader, &word, &known.settings, &[]))
                .unwrap_or_default(),
            says: inner.text("says").map(|word| path(&inner, &word)),
        };
        inner.finish();
        probe
    });
    let reason = match table.value("reason").map(|value| value.get_ref().is_array()) {
        Some(true) => table.words("reason").iter().map(|word| path(&table, word)).collect(),
        _ => table.text("reason").iter().map(|word| path(&table, word)).collect(),
    };
    let ok_when = ok_when(&table);
    let rules = table.tables("errors").into_iter().map(rule).collect();
    let sign_in = table.table("sign_in").map_or(SignIn::None, |inner| sign_in::read(inner, known));
    // Read by the caller: it holds for every resource.
    let _ = table.value("paging");
    table.finish();
    Dialect {
        address,
        headers: headers.unwrap_or_default(),
        sign_in,
        bounds,
        probe,
        reason,
        ok_when,
        rules,
        nothing: known.formats.nothing,
        resources: Vec::new(),
    }
}

/// `2`, or the setting that holds it.
fn per_second(table: &Table<'_, '_>, known: &Known<'_>) -> Option<Template> {
    let value = table.value("per_second")?;
    if value.get_ref().is_str() {
        let word = table.text("per_second")?;
        return Some(Template::read(table.reader, &word, &known.settings, &[]));
    }
    table.number("per_second", 1, 10_000).map(|most| Template::before(&most.to_string(), Template::empty()))
}

/// `30s`, `10m`, `2h` or `1d`.
pub(super) fn span(table: &Table<'_, '_>, key: &'static str) -> Option<Duration> {
    let word = table.text(key)?;
    let parts = word.text.trim().split_at_checked(word.text.trim().len().saturating_sub(1));
    let length = parts.and_then(|(number, unit)| {
        let unit: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let length = number.trim_end().parse::<u64>().ok()?.checked_mul(unit)?;
        (length <= 366 * 86_400).then(|| Duration::from_secs(length))
    });
    if length.is_none() {
        table.reader.report(
            Problem::new(
                Code::BadSpan,
                word.at.clone(),
                format!("`{}` is no span of time", word.text),
            )
            .label("a whole number and its unit")
            .help("as in `30s`, `10m`, `2h` or `1d`"),
        );
    }
    length
}

/// `"$.success"`, or `{ body = "$.status", is = "ok" }`.
fn ok_when(table: &Table<'_, '_>) -> Option<(Path, Test)> {
    if table.value("ok_when")?.get_ref().is_str() {
        return Some((path(table, &table.text("ok_when")?), Test::There));
    }
    let inner = table.table("ok_when")?;
    let at = inner.need_text("body", "where the value stands: `body = \"$.status\"`");
    let at = at.map(|word| path(&inner, &word));
    let test = test(&inner);
    inner.finish();
    Some((at?, test))
}

/// What `is` and `contains` say.
fn test(table: &Table<'_, '_>) -> Test {
    let texts = |key: &'static str| -> Option<Vec<String>> {
        let value = table.value(key)?;
        match value.get_ref() {
            DeValue::Array(_) => Some(table.words(key).iter().map(|word| word.text.to_owned()).collect()),
            DeValue::Integer(_) => whole(value).map(|number| vec![number.to_string()]),
            DeValue::Boolean(truth) => Some(vec![truth.to_string()]),
            _ => table.text(key).map(|word| vec![word.text.to_owned()]),
        }
    };
    match (texts("is"), texts("contains")) {
        (Some(words), _) => Test::Is(words),
        (None, Some(words)) => Test::Contains(words.iter().map(|word| word.to_lowercase()).collect()),
        (None, None) => Test::There,
    }
}

fn address_of(table: &Table<'_, '_>, word: &Word<'_>, known: &Known<'_>) -> Template {
    let template = Template::read(table.reader, word, &known.settings, &[]);
    // A hole that names nothing has been reported as such.
    let starts_well = word.text.starts_with('{')
        || matches!(template.parts().first(), Some(Part::Text(text)) if text.starts_with("https://") || text.starts_with("http://"));
    if !starts_well {
        table.reader.report(
            Problem::new(Code::BadAddress, word.at.clone(), format!("`{}` is not an address", word.text))
                .label("has to start with `https://`, or with a setting that does")
                .help("as in `https://api.example.com/v1` or `{settings.address}/v1`"),
        );
    }
    template
}

/// The name of a header.
pub(super) fn header(table: &Table<'_, '_>, word: &Word<'_>) -> Option<HeaderName> {
    let name = HeaderName::from_str(word.text).ok();
    if name.is_none() {
        table.reader.report(
            Problem::new(
                Code::BadHeader,
                word.at.clone(),
                format!("no header can be called `{}`", word.text),
            )
            .label("letters, digits and `-`"),
        );
    }
    name
}

fn rule(table: Table<'_, '_>) -> Rule {
    let statuses = statuses(&table);
    let at = table.text("body").map(|word| path(&table, &word));
    let test = test(&table);
    // Without a place, `contains` looks at the whole answer, whatever it is written in.
    let (text, test) = match (&at, test) {
        (None, Test::Contains(words)) => (words, Test::There),
        (_, test) => (Vec::new(), test),
    };
    if at.is_none() && !matches!(test, Test::There) {
        table.need("body", "where the value stands that is compared: `body = \"$.error.code\"`");
    } else if at.is_none() && text.is_empty() && !table.has("status") {
        table.reader.report(
            Problem::new(Code::EmptyRule, table.at.clone(), "this rule would apply to every answer")
                .label("says neither `status` nor `body`")
                .help("as in `status = 409`, or `body = \"$.error.code\"` with `is = \"duplicate\"`"),
        );
    }
    table.need("advice", "one of `retry`, `skip`, `stop`, `reconnect`, `nothing`");
    let advice = table.choice(
        "advice",
        &[
            ("retry", Meaning::Retry),
            ("skip", Meaning::Skip),
            ("stop", Meaning::Stop),
            ("reconnect", Meaning::Reconnect),
            ("nothing", Meaning::Nothing),
        ],
    );
    let reason = table.text("reason").map(|word| {
        if word.text.starts_with('$') {
            Reason::Path(path(&table, &word))
        } else {
            Reason::Text(word.text.to_owned())
        }
    });
    let rule = Rule {
        statuses,
        body: at.map(|at: Path| (at, test)),
        text,
        advice: advice.unwrap_or(Meaning::Stop),
        reason,
        help: table.text("help").map(|word| word.text.to_owned()),
    };
    table.finish();
    rule
}

/// `404`, `"5xx"`, or a list of such.
fn statuses(table: &Table<'_, '_>) -> Vec<(u16, u16)> {
    let Some(value) = table.value("status") else { return Vec::new() };
    let items = value.get_ref().as_array().map_or_else(|| vec![value], |items| items.iter().collect());
    items
        .into_iter()
        .filter_map(|item| {
            let found = match item.get_ref() {
                DeValue::String(text) => match text.as_bytes() {
                    [class @ b'1'..=b'5', b'x', b'x'] => {
                        let least = u16::from(class - b'0') * 100;
                        Some((least, least + 99))
                    }
                    _ => None,
                },
                _ => whole(item).and_then(|status| u16::try_from(status).ok()).map(|status| (status, status)),
            };
            match found {
                Some(range) if (100..600).contains(&range.0) => Some(range),
                _ => table.wrong_kind("status", item, "a status such as `404` or `\"5xx\"`"),
            }
        })
        .collect()
}
