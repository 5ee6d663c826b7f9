//! What the host lowers when it loads, and how it runs that.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use connectors::record::Value;
use rhai::{AST, Scope};

use super::bindings::Bindings;
use super::budget;
use super::error::ScriptError;
use super::host::{Compiled, ScriptFile, ScriptHost};
use super::lower::{Callee, Lowerer, Machine, Natively, NotLowered, Program, Source, Stop, Val, into_value};
use super::room::with_room;
use super::values::from_dynamic;

impl ScriptHost {
    pub(super) fn lower(&self, ast: &AST, text: &str) -> Result<Program, Vec<NotLowered>> {
        if !self.lowering {
            return Err(Vec::new());
        }
        let source = Source::read(ast, text, &self.engine);
        let none = BTreeMap::new();
        let (program, calls) = Lowerer::new(&source, &self.callees, None, &none, &self.names)
            .expression(ast)
            .map_err(|reason| vec![reason])?;
        let missing: Vec<NotLowered> = calls.iter().filter_map(|number| self.missing(*number)).collect();
        if missing.is_empty() { Ok(program) } else { Err(missing) }
    }

    /// Why a function is left to Rhai, when it is.
    fn missing(&self, number: usize) -> Option<NotLowered> {
        if self.functions.get(number).is_some_and(Option::is_some) {
            return None;
        }
        let callee = self.callees.get(number)?;
        let reason = format!("`{}::{}` is left to Rhai", callee.alias, callee.name);
        Some(NotLowered { reason, at: None, inside: None })
    }

    /// What lowered code makes of an expression by itself; `None` when it is Rhai's turn. For
    /// comparing the two.
    #[must_use]
    pub fn evaluate_natively(
        &self,
        compiled: &Compiled,
        bindings: &Bindings,
    ) -> Option<Result<Value, ScriptError>> {
        let _budget = budget::open(&self.limits, bindings.budget());
        self.run_natively(compiled, bindings, |value| into_value(value, &self.limits))
    }

    /// Evaluates many expressions over the same names; `None` when one of them has to be asked of
    /// [`ScriptHost::evaluate`].
    pub fn natively<'a, T>(
        &'a self,
        bindings: &'a Bindings,
        work: impl FnOnce(&Natively<'a>) -> Option<T>,
    ) -> Option<T> {
        let machine = Machine::new(&self.functions, &self.limits, bindings, &self.tables);
        let natively = Natively { machine, limits: &self.limits, names: &self.names };
        let _budget = budget::open(&self.limits, bindings.budget());
        catch_unwind(AssertUnwindSafe(|| work(&natively))).ok().flatten()
    }

    /// Runs lowered code; `None` when Rhai has to say what is wrong, or to run it all.
    pub(super) fn run_natively<T>(
        &self,
        compiled: &Compiled,
        bindings: &Bindings,
        give: impl FnOnce(Val<'_>) -> Result<T, Stop>,
    ) -> Option<Result<T, ScriptError>> {
        let program = compiled.program()?;
        let machine = Machine::new(&self.functions, &self.limits, bindings, &self.tables);
        match catch_unwind(AssertUnwindSafe(|| machine.run(program).and_then(give))) {
            Ok(Ok(value)) => Some(Ok(value)),
            Ok(Err(Stop::Limit(mistake))) => Some(Err((*mistake).into())),
            _ => None,
        }
    }

    /// The constants of a script that can be values; those that cannot are left to Rhai.
    pub(super) fn constants(&self, ast: &AST) -> BTreeMap<String, Value> {
        let ran = with_room(|| {
            let _budget = budget::open(&self.limits, None);
            let mut scope = Scope::new();
            let ran = catch_unwind(AssertUnwindSafe(|| self.engine.run_ast_with_scope(&mut scope, ast)));
            let constants = scope.iter().filter(|(_, constant, _)| *constant);
            let values = constants.filter_map(|(name, _, value)| {
                Some((name.to_owned(), from_dynamic(&value, &self.limits).ok()?))
            });
            matches!(ran, Ok(Ok(()))).then(|| values.collect())
        });
        ran.ok().flatten().unwrap_or_default()
    }

    /// Lowers the functions of a script; those that call one that is left to Rhai are left to it.
    pub(super) fn lower_script(
        &mut self,
        script: &ScriptFile,
        ast: &AST,
        constants: &BTreeMap<String, Value>,
    ) {
        let source = Source::read(ast, &script.text, &self.engine);
        let first = self.callees.len();
        self.callees.extend(source.named().map(|body| Callee {
            alias: script.alias.clone(),
            name: body.name.clone(),
            arity: body.arity(),
        }));
        for body in source.named() {
            let lowerer = Lowerer::new(&source, &self.callees, Some(&script.alias), constants, &self.names);
            self.functions.push(match lowerer.function(body) {
                Ok(function) => Some(function),
                Err(reason) => {
                    let inside = Some((script.path.clone(), body.name.clone()));
                    self.not_lowered.push(NotLowered { inside, ..reason });
                    None
                }
            });
        }
        while let Some((number, reason)) = (first..self.functions.len()).find_map(|number| {
            let function = self.functions.get(number)?.as_ref()?;
            let reason = function.calls.iter().find_map(|called| self.missing(*called))?;
            Some((
                number,
                NotLowered { inside: Some((script.path.clone(), function.name.clone())), ..reason },
            ))
        }) {
            self.not_lowered.push(reason);
            if let Some(function) = self.functions.get_mut(number) {
                *function = None;
            }
        }
    }
}
