//! Many expressions over the same names, one after the other.

use connectors::contract::Takes;
use connectors::record::Value;

use super::machine::Machine;
use super::names::Names;
use super::out::{into_value, truth, write_json};
use super::value::Val;
use crate::script::host::Compiled;
use crate::script::library::Operand;
use crate::script::limits::Limits;

/// Evaluates expressions that are lowered. Whatever it does not give has to be asked of
/// [`crate::script::ScriptHost::evaluate`], which also says what is wrong.
pub struct Natively<'a> {
    pub(in crate::script) machine: Machine<'a>,
    pub(in crate::script) limits: &'a Limits,
    pub(in crate::script) names: &'a Names,
}

impl<'a> Natively<'a> {
    fn run(&self, compiled: &'a Compiled) -> Option<Val<'a>> {
        self.machine.run(compiled.program()?).ok()
    }

    /// The value of an expression.
    #[must_use]
    pub fn value(&self, compiled: &'a Compiled) -> Option<Value> {
        into_value(self.run(compiled)?, self.limits).ok()
    }

    /// Adds the value of an expression to `out` as JSON, when it is of a kind that is taken; whether
    /// there is one.
    #[must_use]
    pub fn write(&self, compiled: &'a Compiled, takes: Takes, out: &mut Vec<u8>) -> Option<bool> {
        write_json(self.run(compiled)?, takes, self.limits, out).ok()
    }

    /// Whether a condition holds.
    #[must_use]
    pub fn truth(&self, compiled: &'a Compiled) -> Option<bool> {
        truth(self.run(compiled)?, self.limits)
    }

    /// Does something for each item of a list, which has a name then; nothing counts as an empty
    /// list.
    pub fn each(
        &self,
        list: &'a Compiled,
        name: &str,
        mut work: impl FnMut(&Self) -> Option<()>,
    ) -> Option<()> {
        let list = self.run(list)?;
        if matches!(list, Val::Nothing) {
            return Some(());
        }
        let number = self.names.known(name);
        let outer = number.and_then(|number| self.machine.know(number, None));
        let mut done = Some(());
        for item in list.items()? {
            if let Some(number) = number {
                self.machine.know(number, Some(item));
            }
            done = work(self);
            if done.is_none() {
                break;
            }
        }
        if let Some(number) = number {
            self.machine.know(number, outer);
        }
        done
    }
}
