//! A flow that is ready to run: checked, compiled, its questions answered.

use std::sync::Arc;

use connectors::record::{Record, Value};
use dsl::plan::{Expr, Plan};

use crate::case::{Trace, Way};
use crate::edition::Edition;
use crate::program::{Program, Script, Step};
use crate::project::Privacy;
use crate::script::{Bindings, ScriptError, ScriptHost};
use crate::store::Fingerprint;
use crate::vault::Vault;

/// A loaded flow.
#[derive(Debug)]
pub struct Flow {
    /// Its name in the project, in the store and in commands.
    pub name: String,
    /// Its file, as messages call it.
    pub file: String,
    /// The text of that file.
    pub text: Arc<str>,
    /// What was meant.
    pub plan: Plan,
    /// What runs.
    pub program: Program,
    /// What scripts run in.
    pub host: ScriptHost,
    /// Answers to its questions.
    pub settings: Record,
    /// What every expression can read: the settings.
    pub bindings: Bindings,
    /// Changes when anything changes that decides what the flow does.
    pub print: Fingerprint,
    /// All the texts that it was made of.
    pub edition: Edition,
    /// What the log may keep of its records.
    pub privacy: Privacy,
    /// Where records are sealed that have to be kept whole.
    pub vault: Vault,
    /// Notes which ways records take, when somebody wants to know.
    pub(crate) trace: Option<Arc<Trace>>,
}

impl Flow {
    /// Notes which way a record took at a step, when somebody wants to know.
    pub(crate) fn mark(&self, step: &Step, way: Way) {
        if let Some(trace) = &self.trace {
            trace.mark(step.span.start, way);
        }
    }

    /// The answer to a question.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.settings.get(name)
    }

    /// Where an expression stands: `orders.flow:12:9`.
    #[must_use]
    pub fn place(&self, expr: &Expr) -> String {
        self.place_of(expr.span.start)
    }

    /// Where a byte of the file stands: `orders.flow:12:9`.
    #[must_use]
    pub fn place_of(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.split('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1;
        format!("{}:{line}:{column}", self.file)
    }

    /// A script's fault in words, with its place in the flow.
    #[must_use]
    pub fn script_reason(&self, script: &Script, error: &ScriptError) -> String {
        let offset = error.at.map_or(script.expr.span.start, |at| script.expr.place(at.line, at.column));
        let place = self.place_of(offset);
        match error.help() {
            Some(help) => format!("{error} ({place}); {help}"),
            None => format!("{error} ({place})"),
        }
    }
}
