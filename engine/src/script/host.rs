//! The scripts and expressions of one flow: compiled once, evaluated for each record.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use connectors::record::Value;
use dsl::plan::{Expr, Table};
use rhai::{AST, Dynamic, Engine, FnAccess, Module, Scope};

use super::bindings::Bindings;
use super::budget;
use super::error::{Inside, Mistake, Place, ScriptError};
use super::inputs;
use super::library;
use super::limits::Limits;
use super::lower::{Callee, Function, Names, NotLowered, Program, Stop, into_value, truth};
use super::room::with_room;
use super::sandbox::sandbox;
use super::syntax::{Facts, Known, examine};
use super::table::{ReadRows, TableValue};
use super::translate::{Around, not_a_condition};
use super::values::from_dynamic;

/// A script that a flow uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFile {
    /// The name before `::`.
    pub alias: String,
    /// Its path, for messages.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Everything the expressions of a flow can call and look up.
#[derive(Debug)]
pub struct ScriptHost {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
    pub(super) tables: BTreeMap<String, TableValue>,
    pub(super) known: Vec<(Known, FnAccess)>,
    pub(super) callable: Vec<Known>,
    /// By path of the script: what stands before a place in it.
    pub(super) paths: BTreeMap<String, BTreeMap<Place, String>>,
    /// Functions of scripts that lowered code can call, by number.
    pub(super) callees: Vec<Callee>,
    pub(super) functions: Vec<Option<Function>>,
    pub(super) not_lowered: Vec<NotLowered>,
    pub(super) lowering: bool,
    /// Names that expressions read.
    pub(super) names: Names,
}

/// An expression that is ready to be evaluated, by the host that compiled it.
#[derive(Clone, Debug)]
pub struct Compiled {
    ast: Arc<AST>,
    facts: Arc<Facts>,
    lowered: Result<Arc<Program>, Arc<[NotLowered]>>,
}

impl Compiled {
    /// Names that the expression reads: bindings and tables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.facts.names.iter().map(String::as_str)
    }

    pub(super) fn program(&self) -> Option<&Program> {
        self.lowered.as_deref().ok()
    }

    /// Whether it runs natively.
    ///
    /// # Errors
    /// What leaves it to Rhai.
    pub fn lowered(&self) -> Result<(), &[NotLowered]> {
        match &self.lowered {
            Ok(_) => Ok(()),
            Err(reasons) => Err(reasons),
        }
    }
}

impl ScriptHost {
    /// Compiles the scripts that a flow uses; `tables` carry the rows that answers put there.
    ///
    /// # Errors
    /// The first mistake in a script, with its place.
    pub fn load(limits: Limits, scripts: &[ScriptFile], tables: &[Table]) -> Result<Self, ScriptError> {
        let lowering = std::env::var_os("WEFT_NO_LOWERING").is_none_or(|set| set != "1");
        Self::read(limits, scripts, tables, lowering)
    }

    /// The same; without lowering it is done sooner, for whoever runs nothing.
    pub(super) fn read(
        limits: Limits,
        scripts: &[ScriptFile],
        tables: &[Table],
        lowering: bool,
    ) -> Result<Self, ScriptError> {
        let tables = tables.iter().map(|table| (table.name.clone(), TableValue::new(table.clone())));
        let mut host = Self {
            engine: sandbox(&limits),
            limits,
            tables: tables.collect(),
            known: Vec::new(),
            callable: Vec::new(),
            paths: BTreeMap::new(),
            callees: Vec::new(),
            functions: Vec::new(),
            not_lowered: Vec::new(),
            lowering,
            names: Names::default(),
        };
        for script in scripts {
            host.add(script).map_err(|error| inside(error, &script.path))?;
        }
        Ok(host)
    }

    /// Notes from here on which rows of its tables are read. Before anything is compiled.
    pub(crate) fn mark_rows(&mut self) {
        for table in self.tables.values_mut() {
            *table = table.marked();
        }
    }

    /// Which rows of its tables were read, where that was noted.
    pub(crate) fn read_rows(&self) -> Vec<ReadRows> {
        self.tables.values().map(TableValue::read_rows).collect()
    }

    /// Leaves expressions that are compiled from here on to Rhai, or not, whatever
    /// `WEFT_NO_LOWERING` says: for comparing the two.
    pub const fn set_lowering(&mut self, lowering: bool) {
        self.lowering = lowering;
    }

    /// Functions of the scripts that are left to Rhai, and why.
    #[must_use]
    pub fn not_lowered(&self) -> &[NotLowered] {
        &self.not_lowered
    }

    /// Compiles an expression of the flow.
    ///
    /// # Errors
    /// What is wrong with it, with its place in [`Expr::rhai`].
    pub fn compile(&self, expr: &Expr) -> Result<Compiled, ScriptError> {
        self.compile_text(&expr.rhai)
    }

    /// Compiles an expression that stands in no flow: one that is being typed, or a test case.
    ///
    /// # Errors
    /// As [`ScriptHost::compile`].
    pub fn compile_text(&self, text: &str) -> Result<Compiled, ScriptError> {
        self.check_length(text)?;
        let ast = self.parse(&self.engine, text)?;
        if ast.iter_functions().any(|function| !function.name.starts_with("anon$")) {
            let help = "put functions in a script, and name it with `use`";
            return Err(Mistake::Refused { what: "fn".into(), help: help.into() }.into());
        }
        let facts = examine(&ast, &self.callable, true).map_err(located)?;
        let lowered = self.lower(&ast, text).map(Arc::new).map_err(Arc::from);
        Ok(Compiled { ast: Arc::new(ast), facts: Arc::new(facts), lowered })
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// Whatever went wrong; the record fails, the flow goes on.
    pub fn evaluate(&self, compiled: &Compiled, bindings: &Bindings) -> Result<Value, ScriptError> {
        // One budget for both: what lowered code used before it stopped is gone.
        let _budget = budget::open(&self.limits, bindings.budget());
        let natively = self.run_natively(compiled, bindings, |value| into_value(value, &self.limits));
        if let Some(outcome) = natively {
            return outcome;
        }
        self.evaluate_in_rhai(compiled, bindings)
    }

    fn evaluate_in_rhai(&self, compiled: &Compiled, bindings: &Bindings) -> Result<Value, ScriptError> {
        if compiled.facts.needs_room {
            with_room(|| self.run(compiled, bindings)).unwrap_or_else(|error| {
                Err(Mistake::Fault { message: format!("no thread to run it on: {error}") }.into())
            })
        } else {
            self.run(compiled, bindings)
        }
    }

    /// Whether a condition holds: `true` or `false` itself; a record that was found is true, no
    /// value is false.
    ///
    /// # Errors
    /// As [`ScriptHost::evaluate`], and for a value of any other kind.
    pub fn truth(&self, compiled: &Compiled, bindings: &Bindings) -> Result<bool, ScriptError> {
        let _budget = budget::open(&self.limits, bindings.budget());
        if let Some(outcome) =
            self.run_natively(compiled, bindings, |value| truth(value, &self.limits).ok_or(Stop::Odd))
        {
            return outcome;
        }
        match self.evaluate_in_rhai(compiled, bindings)? {
            Value::Bool(truth) => Ok(truth),
            Value::Null => Ok(false),
            Value::Map(_) => Ok(true),
            other => {
                let at = Some(Place { line: 1, column: 1 });
                Err(ScriptError { mistake: not_a_condition(other.kind()), at, inside: None })
            }
        }
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn script_functions(&self) -> impl Iterator<Item = (&str, usize, FnAccess)> {
        self.known.iter().map(|(known, access)| (known.name.as_str(), known.arity, *access))
    }

    fn add(&mut self, script: &ScriptFile) -> Result<(), ScriptError> {
        self.check_length(&script.text)?;
        // Functions of a script see its arguments and constants only, so names can be checked now.
        self.engine.set_strict_variables(true);
        let parsed = self.parse(&self.engine, &script.text);
        self.engine.set_strict_variables(false);
        let mut ast = parsed?;
        ast.set_source(script.path.as_str());
        let own: Vec<Known> = ast
            .iter_functions()
            .filter(|function| !function.name.starts_with("anon$"))
            .map(|function| Known { alias: None, name: function.name.into(), arity: function.params.len() })
            .collect();
        if let Some(taken) = own.iter().find(|own| library::functions().any(|known| known.name == own.name)) {
            let help = Some("choose another name for it".to_owned());
            let message = format!("`{}` is a function of the library", taken.name);
            return Err(Mistake::Syntax { message, help }.into());
        }
        let facts = examine(&ast, &own, false).map_err(located)?;
        let module = self.module(&ast)?;
        for function in ast.iter_functions().filter(|function| !function.name.starts_with("anon$")) {
            let alias = Some(script.alias.clone());
            let known = Known { alias, name: function.name.into(), arity: function.params.len() };
            if function.access == FnAccess::Public {
                self.callable.push(known.clone());
            }
            self.known.push((known, function.access));
        }
        self.paths.insert(script.path.clone(), facts.paths);
        if self.lowering {
            let constants = self.constants(&ast);
            self.lower_script(script, &ast, &constants);
        }
        self.engine.register_static_module(script.alias.as_str(), module.into());
        Ok(())
    }

    /// Runs what stands outside the functions, constants as a rule, and keeps the rest.
    fn module(&self, ast: &AST) -> Result<Module, ScriptError> {
        let made = with_room(|| {
            let _budget = budget::open(&self.limits, None);
            catch_unwind(AssertUnwindSafe(|| Module::eval_ast_as_new(Scope::new(), ast, &self.engine)))
        });
        match made {
            Ok(Ok(Ok(module))) => Ok(module),
            Ok(Ok(Err(error))) => Err(self.around(&Bindings::new(), None).run_error(*error)),
            Ok(Err(panic)) => Err(fault(panic.as_ref()).into()),
            Err(error) => Err(Mistake::Fault { message: error.to_string() }.into()),
        }
    }

    fn run(&self, compiled: &Compiled, bindings: &Bindings) -> Result<Value, ScriptError> {
        // Open already, unless this is a thread of its own.
        let _budget = (!budget::is_open()).then(|| budget::open(&self.limits, bindings.budget()));
        let outcome = catch_unwind(AssertUnwindSafe(|| -> Result<Value, Box<rhai::EvalAltResult>> {
            let _inputs = inputs::give(self.inputs(compiled, bindings)?);
            let value: Dynamic = self.engine.eval_ast(&compiled.ast)?;
            Ok(from_dynamic(&value, &self.limits)?)
        }));
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let error = self.around(bindings, Some(&compiled.facts)).run_error(*error);
                // Rhai does not tell in which text a limit was reached.
                let unknown = compiled.facts.calls_scripts && matches!(error.mistake, Mistake::Limit { .. });
                Err(if unknown { error.mistake.into() } else { error })
            }
            Err(panic) => Err(fault(panic.as_ref()).into()),
        }
    }

    /// Only the names that the expression reads.
    fn inputs(&self, compiled: &Compiled, bindings: &Bindings) -> Result<Vec<(String, Dynamic)>, Mistake> {
        let mut inputs = Vec::with_capacity(compiled.facts.names.len());
        for name in &compiled.facts.names {
            if let Some(value) = bindings.dynamic(name, &self.limits) {
                inputs.push((name.clone(), value?));
            } else if let Some(table) = self.tables.get(name) {
                inputs.push((name.clone(), Dynamic::from(table.clone())));
            }
        }
        Ok(inputs)
    }

    fn parse(&self, engine: &Engine, text: &str) -> Result<AST, ScriptError> {
        let parsed = catch_unwind(AssertUnwindSafe(|| engine.compile(text)));
        match parsed {
            Ok(Ok(ast)) => Ok(ast),
            Ok(Err(error)) => Err(self.around(&Bindings::new(), None).syntax_error(&error)),
            Err(panic) => Err(fault(panic.as_ref()).into()),
        }
    }

    fn check_length(&self, text: &str) -> Result<(), ScriptError> {
        if text.len() > self.limits.source_length {
            return Err(
                Mistake::limit("script length", format!("{} bytes", self.limits.source_length)).into()
            );
        }
        Ok(())
    }

    fn around<'a>(&'a self, bindings: &Bindings, facts: Option<&'a Facts>) -> Around<'a> {
        let names = bindings.names().map(str::to_owned).chain(self.tables.keys().cloned()).collect();
        let path = Box::new(move |script: Option<&str>, at: Place| {
            let paths = match script {
                Some(script) => self.paths.get(script)?,
                None => &facts?.paths,
            };
            paths.get(&at).cloned()
        });
        Around { limits: &self.limits, functions: &self.callable, names, path }
    }
}

fn located((mistake, at): (Mistake, Option<Place>)) -> ScriptError {
    ScriptError { mistake: mistake.brief(), at, inside: None }
}

/// An error that was found in a script, before any expression called it.
fn inside(error: ScriptError, path: &str) -> ScriptError {
    let (function, at) = match error.inside {
        Some(inside) => (inside.function, inside.at),
        None => (None, error.at),
    };
    ScriptError {
        mistake: error.mistake,
        at: None,
        inside: Some(Box::new(Inside { script: path.to_owned(), function, at })),
    }
}

fn fault(panic: &(dyn std::any::Any + Send)) -> Mistake {
    let message = panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic".to_owned());
    Mistake::Fault { message }
}
