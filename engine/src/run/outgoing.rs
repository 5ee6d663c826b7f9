//! A write at the moment when it leaves for the target: what a plan shows and what a run sends
//! are the same value, taken at the same place.

use connectors::record::{Record, Value};

/// A write that is about to leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    /// Key of the record in the source.
    pub(crate) record: &'a str,
    /// Name of the write in the flow: `create orders`.
    pub(crate) write: &'a str,
    /// Which item, inside `each`.
    pub(crate) item: &'a str,
    /// What is written.
    pub(crate) resource: &'a str,
    /// Key of what is changed; `None`: it is created.
    pub(crate) key: Option<&'a str>,
    /// What is sent.
    pub(crate) fields: &'a Record,
    /// What those fields hold now.
    pub(crate) before: &'a Record,
}

/// Whoever sees every write of a run. It is asked by several records side by side.
pub(crate) trait Gate: Send + Sync {
    /// `Err`: why this write must not leave.
    fn may_leave(&self, write: &Outgoing<'_>) -> Result<(), String>;

    /// False: nobody can say yet what this look-up in the target, for this record, will find.
    fn may_look(&self, _record: &str, _resource: &str, _by: &[String], _key: &[Value]) -> bool {
        true
    }

    /// The target has taken the write, under this key.
    fn arrived(&self, write: &Outgoing<'_>, key: &str);
}
