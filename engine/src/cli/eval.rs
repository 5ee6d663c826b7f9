//! `weft eval`: an expression, or a function of a script, tried on a record, under the limits that
//! hold in a run.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use connectors::record::{Record, Value, read_json};

use super::Ended;
use super::show::Show;
use crate::load::Loader;
use crate::project::{MAIN_FILE, Project, read_text};
use crate::script::{Bindings, Place, RecordBudget, ScriptError, ScriptFile, ScriptHost};
use crate::trouble::Trouble;

/// Try an expression or a function of a script on a record.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// A function of a script; it gets the record, then each `--arg`
    #[arg(
        value_name = "SCRIPT.rhai::FUNCTION",
        required_unless_present = "expression",
        conflicts_with = "expression"
    )]
    function: Option<String>,
    /// An expression
    #[arg(short, long)]
    expression: Option<String>,
    /// A file with a record as JSON, or `-`; read as `record`, and under the name of the file:
    /// `order.json` as `order`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Read the record under this name rather than that of its file
    #[arg(long, requires = "record")]
    name: Option<String>,
    /// A further argument of the function, as JSON
    #[arg(long = "arg", value_name = "JSON", requires = "function")]
    args: Vec<String>,
    /// With the settings, tables and scripts of this flow of the project
    #[arg(long, conflicts_with = "function")]
    flow: Option<String>,
    /// Say what it cost
    #[arg(long)]
    time: bool,
}

/// What is evaluated, and where its texts can be shown.
struct Subject {
    host: ScriptHost,
    bindings: Bindings,
    text: String,
    script: Option<ScriptFile>,
}

impl Eval {
    pub(crate) fn run(&self, folder: Option<&Path>, show: &Show) -> Result<Ended, Trouble> {
        let project = project(folder, self.flow.is_some())?;
        let mut subject = match (&self.flow, &self.function) {
            (Some(flow), _) => self.in_flow(&project, flow, show)?,
            (None, Some(function)) => of_script(&project, function)?,
            (None, None) => Subject {
                host: ScriptHost::load(project.limits.clone(), &[], &[])
                    .map_err(|error| Trouble::new(error.code(), error.to_string()))?,
                bindings: Bindings::new(),
                text: self.expression.clone().unwrap_or_default(),
                script: None,
            },
        };
        let args = self.bind(&mut subject.bindings)?;
        if self.function.is_some() {
            let _ = write!(subject.text, "({})", args.join(", "));
        }
        let budget = RecordBudget::new();
        subject.bindings.draw_from(budget.clone());
        let value = subject
            .host
            .compile_text(&subject.text)
            .and_then(|compiled| subject.host.evaluate(&compiled, &subject.bindings))
            .map_err(|error| subject.trouble(&error));
        if self.time && !show.is_json() {
            eprintln!("{}", cost(&budget));
        }
        tell(show, &value?, self.time.then_some(&budget));
        Ok(Ended::Well)
    }

    /// Binds record and arguments; gives the names of the function's arguments.
    fn bind(&self, bindings: &mut Bindings) -> Result<Vec<String>, Trouble> {
        let mut args = Vec::new();
        if let Some(path) = &self.record {
            let record = json(&path.display().to_string(), read(path)?)?;
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            if let Some(name) = self.name.clone().or(stem).filter(|name| is_name(name)) {
                bindings.set(name, record.clone());
            }
            bindings.set("record", record);
            args.push("record".to_owned());
        }
        for (number, text) in self.args.iter().enumerate() {
            let name = format!("arg{}", number + 1);
            bindings.set(name.as_str(), json("--arg", text.clone())?);
            args.push(name);
        }
        Ok(args)
    }

    fn in_flow(&self, project: &Project, name: &str, show: &Show) -> Result<Subject, Trouble> {
        let entry = project.flow(name)?;
        let flow = Loader::new(project)?.flow(entry).map_err(|problems| {
            for problem in &problems {
                show.report(problem);
            }
            Trouble::new("R072", format!("flow `{name}` cannot be loaded"))
                .help("mend the problems above; `weft check` shows them again")
        })?;
        let mut bindings = flow.bindings;
        if let Some(path) = &self.record {
            bindings.set(flow.plan.fetch.name.as_str(), json(&path.display().to_string(), read(path)?)?);
        }
        let text = self.expression.clone().unwrap_or_default();
        Ok(Subject { host: flow.host, bindings, text, script: None })
    }
}

impl Subject {
    /// The error, shown where it was made.
    fn trouble(&self, error: &ScriptError) -> Trouble {
        let place = match (&self.script, &error.inside) {
            (Some(script), Some(inside)) => {
                inside.at.map(|at| (script.path.as_str(), script.text.as_str(), at))
            }
            _ => error.at.map(|at| ("expression", self.text.as_str(), at)),
        };
        let trouble = Trouble::new(error.code(), error.mistake.to_string()).maybe_help(error.help());
        match place {
            Some((name, text, at)) => {
                let start = offset(text, at);
                trouble.at(name, text, start..start + 1, "here")
            }
            None => trouble,
        }
    }
}

/// The project whose limits hold; without one the standard limits.
fn project(folder: Option<&Path>, needed: bool) -> Result<Project, Trouble> {
    let here = std::path::absolute(".").unwrap_or_else(|_| PathBuf::from("."));
    let found = here.ancestors().any(|folder| folder.join(MAIN_FILE).is_file());
    if needed || folder.is_some() || found { super::open(folder) } else { Ok(Project::bare(&here)) }
}

/// `scripts/address.rhai::street`
fn of_script(project: &Project, call: &str) -> Result<Subject, Trouble> {
    let Some((path, function)) = call.split_once("::").filter(|(_, function)| is_name(function)) else {
        return Err(Trouble::new("R073", format!("`{call}` does not name a function of a script"))
            .help("write scripts/address.rhai::street, or -e for an expression"));
    };
    let text = read_text(Path::new(path))?;
    let script = ScriptFile { alias: "script".to_owned(), path: path.to_owned(), text };
    let host = ScriptHost::load(project.limits.clone(), std::slice::from_ref(&script), &[]);
    match host {
        Ok(host) => Ok(Subject {
            host,
            bindings: Bindings::new(),
            text: format!("script::{function}"),
            script: Some(script),
        }),
        Err(error) => {
            let at =
                error.inside.as_ref().and_then(|inside| inside.at).unwrap_or(Place { line: 1, column: 1 });
            let start = offset(&script.text, at);
            Err(Trouble::new(error.code(), error.mistake.to_string())
                .at(&script.path, &script.text, start..start + 1, "here")
                .maybe_help(error.help()))
        }
    }
}

fn read(path: &Path) -> Result<String, Trouble> {
    if path.as_os_str() != "-" {
        return read_text(path);
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Trouble::new("R005", format!("cannot read standard input: {error}")))?;
    Ok(text)
}

fn json(name: &str, text: String) -> Result<Value, Trouble> {
    let bytes = Bytes::from(text);
    read_json(&bytes).map_err(|error| {
        Trouble::new("R074", format!("`{name}` is not JSON: {error}"))
            .help("a record stands between braces, with every name and text in double quotes")
    })
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Where a line and a column begin.
fn offset(text: &str, at: Place) -> usize {
    let before: usize = text.split_inclusive('\n').take(at.line.saturating_sub(1)).map(str::len).sum();
    let line = text.get(before..).unwrap_or_default();
    before + line.chars().take(at.column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

fn cost(budget: &RecordBudget) -> String {
    let kib = budget.peak().div_ceil(1024);
    let micros = budget.time().as_micros();
    format!("{} operations, {kib} KiB at most, {micros} µs of processor time", budget.operations())
}

fn tell(show: &Show, value: &Value, cost: Option<&RecordBudget>) {
    if show.is_json() {
        let mut told = Record::new();
        told.set("value", value.clone());
        if let Some(budget) = cost {
            let number = |number: u128| i64::try_from(number).unwrap_or(i64::MAX);
            told.set("operations", number(budget.operations().into()));
            told.set("memory", number(budget.peak() as u128));
            told.set("micros", number(budget.time().as_micros()));
        }
        println!("{}", Value::Map(told));
    } else if std::io::stdout().is_terminal() {
        let mut text = String::new();
        pretty(value, 0, &mut text);
        show.line(text);
    } else {
        show.line(value.to_string());
    }
}

/// JSON for people: an item a line, short lists on one.
fn pretty(value: &Value, depth: usize, text: &mut String) {
    let whole = value.to_string();
    let nested = match value {
        Value::List(items) => !items.is_empty(),
        Value::Map(fields) => !fields.is_empty(),
        _ => false,
    };
    if !nested || whole.len() + 2 * depth <= 80 {
        text.push_str(&whole);
        return;
    }
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let (open, close) = if matches!(value, Value::List(_)) { ('[', ']') } else { ('{', '}') };
    text.push(open);
    let mut separator = "";
    let mut item = |name: Option<&str>, value: &Value, text: &mut String| {
        text.push_str(separator);
        separator = ",";
        line(text, depth + 1);
        if let Some(name) = name {
            let _ = write!(text, "{}: ", Value::from(name));
        }
        pretty(value, depth + 1, text);
    };
    match value {
        Value::List(items) => items.iter().for_each(|value| item(None, value, text)),
        Value::Map(fields) => fields.iter().for_each(|(name, value)| item(Some(name), value, text)),
        _ => {}
    }
    line(text, depth);
    text.push(close);
}
