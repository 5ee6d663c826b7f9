//! What the log keeps of a record: decisions, requests, answers.

use connectors::http::Exchange;
use connectors::record::{Record, Value};

/// One record's way through one run.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct History {
    /// What was looked up, and how many were found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lookups: Vec<LookedUp>,
    /// What was written, or did not have to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) writes: Vec<Wrote>,
    /// What `notify` said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notices: Vec<String>,
}

/// A look-up.
#[derive(Debug, serde::Serialize)]
pub(super) struct LookedUp {
    resource: String,
    by: String,
    key: Value,
    found: usize,
}

/// A write.
#[derive(Debug, serde::Serialize)]
pub(super) struct Wrote {
    /// Name in the plan.
    pub(super) write: String,
    /// `created`, `updated`, `unchanged`, `adopted`, `refused`.
    pub(super) did: &'static str,
    /// Key in the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// Fields that were sent.
    #[serde(skip_serializing_if = "Record::is_empty")]
    pub(super) sent: Record,
    /// What those fields held before.
    #[serde(skip_serializing_if = "Record::is_empty")]
    pub(super) before: Record,
    /// Requests and answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) exchanges: Vec<Exchange>,
}

impl History {
    pub(super) fn looked_up(&mut self, resource: &str, by: &[String], key: &Value, found: usize) {
        let (resource, by) = (resource.to_owned(), by.join(" and "));
        self.lookups.push(LookedUp { resource, by, key: key.clone(), found });
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> Option<Vec<u8>> {
        if self.lookups.is_empty() && self.writes.is_empty() && self.notices.is_empty() {
            return None;
        }
        serde_json::to_vec(self).ok()
    }
}
