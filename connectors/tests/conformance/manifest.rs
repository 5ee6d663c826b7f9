//! Whether a manifest makes sense by itself.

use connectors::manifest::{Deleted, Field, Kind, Named, Resource};

use crate::subject::{Check, Outcome, Subject, check, ensure};

pub(crate) const CHECKS: &[Check] = &[check!(Manifest, manifest_is_sane)];

async fn manifest_is_sane(subject: Subject) -> Outcome {
    let simulator = subject.simulator();
    let connector = subject.connector_for(simulator.as_deref());
    let manifest = connector.manifest();
    let mut problems = Vec::new();
    let mut say = |problem: String| problems.push(problem);
    for (what, text) in [("name", &manifest.name), ("title", &manifest.title), ("about", &manifest.about)] {
        if text.trim().is_empty() {
            say(format!("{what} is empty"));
        }
    }
    if manifest.concurrency == 0 {
        say("concurrency is 0".to_owned());
    }
    for (name, setting) in manifest.settings.iter() {
        if setting.about.trim().is_empty() {
            say(format!("setting {name} is not described"));
        }
        if setting.secret && setting.default.is_some() {
            say(format!("secret {name} has a default"));
        }
    }
    if manifest.resources.is_empty() {
        say("there are no resources".to_owned());
    }
    for (name, resource) in manifest.resources.iter() {
        resource_is_sane(resource, &manifest.events, &mut |problem| say(format!("{name}: {problem}")));
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

fn resource_is_sane(resource: &Resource, events: &[String], say: &mut dyn FnMut(String)) {
    if resource.about.trim().is_empty() {
        say("is not described".to_owned());
    }
    fields_are_sane(&resource.fields, "", say);
    let mut exists = |what: &str, name: &str| match field(&resource.fields, name) {
        None => say(format!("{what} `{name}` is no field")),
        Some(field) if field.write_only => say(format!("{what} `{name}` cannot be read")),
        Some(_) => {}
    };
    exists("key", &resource.key);
    if let Some(fetch) = &resource.fetch {
        fetch.filters.iter().for_each(|name| exists("filter", name));
        fetch.since.iter().for_each(|name| exists("since", name));
        fetch.detail.iter().for_each(|name| exists("detail", name));
        for name in &fetch.since {
            let kind = field(&resource.fields, name).map(|field| field.kind);
            if !matches!(kind, Some(Kind::Datetime | Kind::Integer)) {
                say(format!("since `{name}` is neither datetime nor integer"));
            }
        }
        if fetch.ascending && fetch.since.is_empty() {
            say("is ascending by nothing".to_owned());
        }
        if fetch.detail.contains(&resource.key) || fetch.since.iter().any(|name| fetch.detail.contains(name))
        {
            say("key and since fields must be in every page, not in the detail".to_owned());
        }
    }
    match &resource.deleted {
        None => {}
        Some(_) if resource.fetch.is_none() => say("is not fetched, and tells what is deleted".to_owned()),
        Some(Deleted::Field(name)) => {
            let kind = field(&resource.fields, name).map(|field| field.kind);
            if !matches!(kind, Some(Kind::Boolean | Kind::Date | Kind::Datetime)) {
                say(format!("`{name}` does not say whether a record is deleted"));
            }
        }
        Some(Deleted::Event(event)) => {
            if !events.contains(event) {
                say(format!("deletions are told by `{event}`, which is no event"));
            }
            // Nobody believes it without asking.
            if !resource.find.iter().any(|find| *find.by == *std::slice::from_ref(&resource.key)) {
                say("deletions are told, and nobody can ask by the key".to_owned());
            }
        }
    }
    for find in &resource.find {
        for name in &find.by {
            if field(&resource.fields, name).is_none() {
                say(format!("find by `{name}`, which is no field"));
            }
        }
        if find.unique && find.first_only {
            say("a find is unique and tells the first only: one of the two".to_owned());
        }
        if find.by.is_empty() || find.batch == 0 {
            say("a find has no fields or no batch".to_owned());
        }
    }
    if field(&resource.fields, &resource.key).is_some_and(|field| field.kind != Kind::Text) {
        say(format!("key `{}` is not text", resource.key));
    }
    let writes = resource.create.is_some() || resource.update.is_some();
    if !writes && resource.fetch.is_none() && resource.find.is_empty() {
        say("offers nothing".to_owned());
    }
    let mut writable = false;
    for (name, field) in resource.fields.iter() {
        writable |= !field.read_only;
        if field.required && field.read_only {
            say(format!("`{name}` is required and cannot be written"));
        }
    }
    if writes && !writable {
        say("is written and has no field to write".to_owned());
    }
}

fn fields_are_sane(fields: &Named<Field>, prefix: &str, say: &mut dyn FnMut(String)) {
    for (name, field) in fields.iter() {
        let path = format!("{prefix}{name}");
        if field.about.trim().is_empty() {
            say(format!("`{path}` is not described"));
        }
        if !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            say(format!("`{path}` is not in snake_case"));
        }
        for other in field.follows.iter().filter(|other| fields.get(other).is_none()) {
            say(format!("`{path}` follows `{other}`, which is no field beside it"));
        }
        if field.read_only && field.write_only {
            say(format!("`{path}` can be neither read nor written"));
        }
        let textual = field.max_length.is_some() || field.digits_only || !field.values.is_empty();
        let text = field.kind == Kind::Text || field.items == Some(Kind::Text);
        if textual && !text {
            say(format!("`{path}` has rules for text and is not text"));
        }
        if !field.fields.is_empty() && !matches!(field.kind, Kind::Record | Kind::List) {
            say(format!("`{path}` has fields and is no record or list"));
        }
        if field.items.is_some() && (field.kind != Kind::List || !field.fields.is_empty()) {
            say(format!("`{path}` has items and is no plain list"));
        }
        fields_are_sane(&field.fields, &format!("{path}."), say);
    }
}

/// The field at a dotted path.
fn field<'a>(fields: &'a Named<Field>, path: &str) -> Option<&'a Field> {
    match path.split_once('.') {
        None => fields.get(path),
        Some((first, rest)) => field(&fields.get(first)?.fields, rest),
    }
}
