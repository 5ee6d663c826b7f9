//! The two systems of a run, and what their manifests promise.

use std::sync::Arc;

use connectors::contract::{Advice, RemoteError, Session};
use connectors::manifest::{Deleted, Field, Find, Manifest, Named, Resource};
use dsl::plan::Side;

/// One system of a run.
pub struct Party {
    /// What the project calls it.
    pub connection: String,
    /// A conversation with it.
    pub session: Arc<dyn Session>,
    /// What it offers.
    pub manifest: Manifest,
    no_fields: Named<Field>,
}

/// Both systems of a run.
pub struct Sides {
    /// Where records come from.
    pub source: Party,
    /// Where they go.
    pub target: Party,
}

impl Sides {
    /// One of the two.
    #[must_use]
    pub const fn party(&self, side: Side) -> &Party {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

impl Party {
    /// A connection of the project with a conversation.
    #[must_use]
    pub fn new(connection: impl Into<String>, session: Arc<dyn Session>, manifest: Manifest) -> Self {
        Self { connection: connection.into(), session, manifest, no_fields: Named::default() }
    }

    /// Its name for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.manifest.title
    }

    pub(super) fn resource(&self, name: &str) -> Option<&Resource> {
        self.manifest.resources.get(name)
    }

    /// The field that identifies a record of the resource.
    pub(crate) fn key_field(&self, resource: &str) -> String {
        self.resource(resource).map_or_else(|| "id".to_owned(), |resource| resource.key.clone())
    }

    pub(super) fn fields(&self, resource: &str) -> &Named<Field> {
        self.resource(resource).map_or(&self.no_fields, |resource| &resource.fields)
    }

    fn set(&self, resource: &str, by: &[String]) -> Option<&Find> {
        self.resource(resource)?.find.iter().find(|find| find.by == by)
    }

    /// Keys that one call can ask for.
    pub(super) fn batch(&self, resource: &str, by: &[String]) -> usize {
        self.set(resource, by).map_or(1, |find| find.batch.max(1))
    }

    /// The resource can be found by exactly these fields.
    pub(super) fn finds(&self, resource: &str, by: &[String]) -> bool {
        self.set(resource, by).is_some()
    }

    /// Sets of fields that at most one record has.
    pub(super) fn unique_sets(&self, resource: &str) -> Vec<Arc<[String]>> {
        self.resource(resource)
            .into_iter()
            .flat_map(|resource| &resource.find)
            .filter(|find| find.unique)
            .map(|find| find.by.as_slice().into())
            .collect()
    }

    /// Fields by which records of the resource can be found.
    pub(super) fn find_fields(&self, resource: &str) -> impl Iterator<Item = &str> {
        self.resource(resource)
            .into_iter()
            .flat_map(|resource| &resource.find)
            .flat_map(|find| &find.by)
            .map(String::as_str)
    }

    /// The field that people know a record by, where that is not its key.
    pub(super) fn known_by(&self, resource: &str) -> Option<&str> {
        self.resource(resource)?.known_by.as_deref()
    }

    /// How the system tells that a record of the resource was deleted.
    pub(super) fn deletions(&self, resource: &str) -> Option<&Deleted> {
        self.resource(resource)?.deleted.as_ref()
    }

    /// Fields that pages leave out.
    pub(super) fn detail_fields(&self, resource: &str) -> &[String] {
        self.resource(resource)
            .and_then(|resource| resource.fetch.as_ref())
            .map_or(&[], |fetch| &fetch.detail)
    }

    /// The system keeps idempotency keys of creates.
    pub(super) fn is_idempotent(&self, resource: &str) -> bool {
        self.resource(resource)
            .and_then(|resource| resource.create.as_ref())
            .is_some_and(|create| create.idempotent)
    }

    /// The connector does not do what its manifest says; the conformance suite should have
    /// seen that.
    pub(super) fn cannot(&self, verb: &str, resource: &str) -> RemoteError {
        RemoteError::new(Advice::StopFlow, self.title(), format!("`{resource}` cannot be used to {verb}"))
    }
}
