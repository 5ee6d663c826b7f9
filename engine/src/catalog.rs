//! Manifests of connectors to the checker's catalog: the only place where the two meet.

use std::collections::BTreeMap;

use connectors::manifest::{Deleted, Field, Kind, Manifest, Named, Resource};
use dsl::catalog;

/// What the checker may know of one system.
#[must_use]
pub fn system(manifest: &Manifest) -> catalog::System {
    let resources: BTreeMap<_, _> = manifest
        .resources
        .iter()
        .map(|(name, resource)| (name.to_owned(), self::resource(name, resource)))
        .collect();
    catalog::System {
        name: manifest.name.clone(),
        title: manifest.title.clone(),
        resources,
        events: manifest.events.clone(),
    }
}

fn resource(name: &str, resource: &Resource) -> catalog::Resource {
    catalog::Resource {
        name: name.to_owned(),
        about: resource.about.clone(),
        key: resource.key.clone(),
        fields: fields(&resource.fields),
        fetch: resource
            .fetch
            .as_ref()
            .map(|fetch| catalog::Fetch { filters: fetch.filters.clone(), since: fetch.since.clone() }),
        find: resource.find.iter().map(|find| find.by.clone()).collect(),
        create: resource.create.is_some(),
        update: resource.update.is_some(),
        deleted: resource.deleted.as_ref().map(|deleted| match deleted {
            Deleted::Field(field) => catalog::Deleted::Field(field.clone()),
            Deleted::Event(event) => catalog::Deleted::Event(event.clone()),
        }),
    }
}

fn fields(named: &Named<Field>) -> Vec<catalog::Field> {
    named
        .iter()
        .map(|(name, field)| catalog::Field {
            name: name.to_owned(),
            kind: kind(field),
            about: field.about.clone(),
            required: field.required,
            read_only: field.read_only,
            write_only: field.write_only,
            max_length: field.max_length,
            digits_only: field.digits_only,
        })
        .collect()
}

fn kind(field: &Field) -> catalog::Type {
    match field.kind {
        Kind::Text if !field.values.is_empty() => catalog::Type::Enum(field.values.clone()),
        Kind::Record => catalog::Type::Record(fields(&field.fields)),
        Kind::List if !field.fields.is_empty() => {
            catalog::Type::List(Box::new(catalog::Type::Record(fields(&field.fields))))
        }
        Kind::List => catalog::Type::List(Box::new(plain(field.items.unwrap_or(Kind::Any)))),
        other => plain(other),
    }
}

const fn plain(kind: Kind) -> catalog::Type {
    match kind {
        Kind::Text => catalog::Type::Text,
        Kind::Integer => catalog::Type::Integer,
        Kind::Decimal => catalog::Type::Decimal,
        Kind::Boolean => catalog::Type::Boolean,
        Kind::Date => catalog::Type::Date,
        Kind::Datetime => catalog::Type::DateTime,
        Kind::Record => catalog::Type::Record(Vec::new()),
        Kind::List | Kind::Any => catalog::Type::Any,
    }
}
