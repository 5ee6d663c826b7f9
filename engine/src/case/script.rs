//! Cases of a script: a call, and what it gives or how it fails.

use connectors::record::{Record, Value};

use super::accept::Change;
use super::differ::{Difference, same};
use super::read::Text;
use super::tree::Node;
use crate::project::Project;
use crate::script::{Bindings, RecordBudget, ScriptError, ScriptFile, ScriptHost};

/// Members of a case.
const MEMBERS: [&str; 5] = ["name", "call", "args", "gives", "fails"];

/// A case of a script that was played.
pub(super) struct Played {
    /// The call, as it would be written.
    pub(super) name: String,
    /// The function.
    pub(super) function: String,
    pub(super) differences: Vec<Difference>,
    /// What makes the case say what came.
    pub(super) accept: Option<Change>,
}

/// A script that cases call.
pub(super) struct Script {
    host: ScriptHost,
}

impl Script {
    /// Compiles it.
    pub(super) fn load(project: &Project, file: &str, text: String) -> Result<Self, ScriptError> {
        let script = ScriptFile { alias: "script".to_owned(), path: file.to_owned(), text };
        Ok(Self { host: ScriptHost::load(project.limits.clone(), &[script], &[])? })
    }

    /// Plays a case; `None`: it cannot be read, and that has been told.
    pub(super) fn play(&self, node: &Node, text: &mut Text<'_>) -> Option<Played> {
        let Some(members) = node.members() else {
            text.shape(node, "a case is an object", "write { \"call\": …, \"args\": […], \"gives\": … }");
            return None;
        };
        text.members(members, &MEMBERS, "a case of a script");
        let of = |name: &str| node.member(name).map(|member| member.node.value(text.content));
        let (call, args, gives, fails) = (of("call"), of("args"), of("gives"), of("fails"));
        let args = args.as_ref().and_then(Value::as_list).unwrap_or_default().to_vec();
        let Some(function) = call.as_ref().and_then(Value::as_str).filter(|call| is_name(call)) else {
            text.shape(node, "a case needs a function to call", "add \"call\": \"NAME\"");
            return None;
        };
        if gives.is_some() && fails.is_some() {
            text.shape(node, "a call gives something or fails, not both", "leave one of them out");
            return None;
        }
        let mut name = String::new();
        let list = Value::List(args.clone());
        super::accept::inline(&list, &mut name);
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let name = of("name")
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_else(|| format!("{function}({name})"));
        let (differences, now) = match (self.call(function, &args), &gives, &fails) {
            (Ok(came), Some(expected), None)
                if same(expected, &came) && expected.is_null() == came.is_null() =>
            {
                (Vec::new(), None)
            }
            (Err(error), None, Some(Value::Text(part))) if error.to_string().contains(part.as_str()) => {
                (Vec::new(), None)
            }
            (came, ..) => {
                let expected = one(gives.as_ref(), fails.as_ref());
                let (member, came) = match came {
                    Ok(value) => ("gives", value),
                    // Without its place, which moves with every line that is added above.
                    Err(error) => ("fails", Value::from(error.mistake.to_string())),
                };
                let came = Value::Map([(member, came)].into_iter().collect());
                (differ(function, expected.as_ref(), &came), Some(came))
            }
        };
        let accept = now.map(|now| accept(node, text.content, &now));
        Some(Played { name, function: function.to_owned(), differences, accept })
    }

    fn call(&self, function: &str, args: &[Value]) -> Result<Value, ScriptError> {
        let mut bindings = Bindings::new();
        bindings.draw_from(RecordBudget::new());
        let mut names = Vec::new();
        for (number, value) in args.iter().enumerate() {
            names.push(format!("arg{number}"));
            bindings.set(format!("arg{number}"), value.clone());
        }
        let call = format!("script::{function}({})", names.join(", "));
        self.host.compile_text(&call).and_then(|call| self.host.evaluate(&call, &bindings))
    }
}

/// `gives` or `fails`, as the member that it is.
fn one(gives: Option<&Value>, fails: Option<&Value>) -> Option<Value> {
    let member = |name: &str, value: Option<&Value>| {
        value.map(|value| Value::Map([(name, value.clone())].into_iter().collect()))
    };
    member("gives", gives).or_else(|| member("fails", fails))
}

fn differ(function: &str, expected: Option<&Value>, came: &Value) -> Vec<Difference> {
    let map = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
    let under = |record: Record| -> Record { [(function, Value::Map(record))].into_iter().collect() };
    let (expected, came) = (map(expected), map(Some(came)));
    let all = super::differ::differences(&under(expected.clone()), &under(came.clone()));
    if !all.is_empty() {
        return all;
    }
    // `null` and nothing at all look the same in a record, and are not the same here.
    let whole = |record: Record| (!record.is_empty()).then_some(Value::Map(record));
    vec![Difference { at: vec![function.to_owned()], expected: whole(expected), came: whole(came) }]
}

/// Puts what came in the place of what was expected, or at the end of the case.
fn accept(node: &Node, text: &str, came: &Value) -> Change {
    let mut member = String::new();
    super::accept::inline(came, &mut member);
    let member = member.trim_start_matches('{').trim_end().to_owned();
    let member = member.strip_suffix('}').unwrap_or(&member).to_owned();
    if let Some(old) = node.member("gives").or_else(|| node.member("fails")) {
        return Change { at: old.at.start..old.node.span.end, text: member };
    }
    let inside = text.get(node.span.clone()).unwrap_or_default();
    let end = node.span.start + inside.trim_end_matches('}').trim_end().len();
    Change { at: end..end, text: format!(", {member}") }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
