//! What the checker of flow files asks about a script: its functions and what they are for.

use dsl::catalog::{Function, Script};
use rhai::FnAccess;

use super::error::ScriptError;
use super::host::{ScriptFile, ScriptHost};
use super::limits::Limits;

/// A script as the checker sees it.
#[must_use]
pub fn describe_script(path: &str, text: &str) -> Script {
    let file = ScriptFile { alias: "script".into(), path: path.into(), text: text.into() };
    match ScriptHost::read(Limits::default(), &[file], &[], false) {
        Ok(host) => Script { functions: functions(&host, text), text: text.to_owned(), broken: None },
        Err(error) => Script { functions: Vec::new(), text: String::new(), broken: Some(broken(&error)) },
    }
}

fn functions(host: &ScriptHost, text: &str) -> Vec<Function> {
    let mut functions: Vec<Function> = host
        .script_functions()
        .filter(|(_, _, access)| *access == FnAccess::Public)
        .map(|(name, arity, _)| Function {
            name: name.to_owned(),
            arity,
            about: about(text, name),
            signature: String::new(),
        })
        .collect();
    functions.sort_by(|left, right| (&left.name, left.arity).cmp(&(&right.name, right.arity)));
    functions
}

/// The first sentence of the `///` lines above a function.
fn about(text: &str, name: &str) -> String {
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(said) = line.strip_prefix("///") {
            comment.push(said.trim());
        } else if line
            .strip_prefix("fn ")
            .is_some_and(|rest| rest.split('(').next().map(str::trim) == Some(name))
        {
            break;
        } else {
            comment.clear();
        }
    }
    let said = comment.iter().take_while(|line| !line.is_empty()).copied().collect::<Vec<_>>().join(" ");
    said.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
}

fn broken(error: &ScriptError) -> (String, usize, usize) {
    let at = error.inside.as_ref().and_then(|inside| inside.at);
    let (line, column) = at.map_or((1, 1), |at| (at.line, at.column));
    let message = match error.help() {
        Some(help) => format!("{}; {help}", error.mistake),
        None => error.mistake.to_string(),
    };
    (message, line, column)
}
