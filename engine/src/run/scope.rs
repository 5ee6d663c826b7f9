//! What expressions of a flow can read while one record is walked.

use connectors::record::{Record, Value};

use crate::flow::Flow;
use crate::mapping::{self, Failed};
use crate::program::{Line, Script};
use crate::script::{Bindings, RecordBudget, ScriptError};

/// Names and values of one record; cloning it costs a counter for each name.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    flow: &'a Flow,
    bindings: Bindings,
}

impl<'a> Scope<'a> {
    /// The settings, and the record that was fetched, which is not copied from here on.
    /// Everything evaluated in this scope and its clones draws from one budget.
    pub(super) fn new(flow: &'a Flow, record: Option<Record>) -> Self {
        let mut bindings = flow.bindings.clone();
        bindings.draw_from(RecordBudget::new());
        if let Some(record) = record {
            bindings.set(flow.plan.fetch.name.as_str(), record);
        }
        Self { flow, bindings }
    }

    /// The record that was fetched.
    pub(super) fn record_fetched(&self) -> &Record {
        static NONE: Record = Record::new();
        self.bindings.get(&self.flow.plan.fetch.name).and_then(Value::as_map).unwrap_or(&NONE)
    }

    /// Adds a name; an earlier one of that name is hidden.
    pub(super) fn bind(&mut self, name: &str, value: Value) {
        self.bindings.set(name, value);
    }

    /// Tells field lines whether the record is new.
    pub(super) fn creating(&mut self, creating: bool) {
        self.bindings.set("creating", creating);
    }

    pub(super) fn value(&self, script: &Script) -> Result<Value, ScriptError> {
        self.flow.host.evaluate(&script.compiled, &self.bindings)
    }

    /// The record that field lines make.
    pub(super) fn record<'l>(&self, lines: &'l [Line], creating: bool) -> Result<Record, Failed<'l>> {
        mapping::record(&self.flow.host, lines, &self.bindings, creating)
    }

    pub(super) fn truth(&self, script: &Script) -> Result<bool, ScriptError> {
        self.flow.host.truth(&script.compiled, &self.bindings)
    }
}
