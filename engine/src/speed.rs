//! What of a flow is not lowered to native code but left to Rhai, and why.

use crate::flow::Flow;
use crate::program::{Act, Condition, Do, From, Line, Script, Step, With};
use crate::script::NotLowered;

/// One place that runs slower than it could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// `orders.flow:12:9`, or a place in a script.
    pub at: String,
    /// In plain words.
    pub reason: String,
}

/// Every expression and script function of a flow that is left to Rhai, in the order of the text.
#[must_use]
pub fn left_to_rhai(flow: &Flow) -> Vec<Left> {
    let mut scripts: Vec<&Script> = flow.program.conditions.iter().map(|(_, script)| script).collect();
    in_steps(&flow.program.steps, &mut scripts);
    scripts.sort_by_key(|script| script.expr.span.start);
    let lines = scripts.into_iter().flat_map(|script| {
        let reasons = script.compiled.lowered().err().unwrap_or_default();
        let nothing_told = script.compiled.lowered().is_err() && reasons.is_empty();
        let switched_off = nothing_told.then(|| Left {
            at: flow.place(&script.expr),
            reason: "lowering is switched off by WEFT_NO_LOWERING".to_owned(),
        });
        reasons
            .iter()
            .map(|reason| {
                let offset =
                    reason.at.map_or(script.expr.span.start, |at| script.expr.place(at.line, at.column));
                Left { at: flow.place_of(offset), reason: reason.reason.clone() }
            })
            .chain(switched_off)
            .collect::<Vec<_>>()
    });
    lines.chain(flow.host.not_lowered().iter().map(in_script)).collect()
}

fn in_script(not: &NotLowered) -> Left {
    let (script, function) = not.inside.clone().unwrap_or_default();
    let at = not.at.map_or_else(|| script.clone(), |at| format!("{script}:{}:{}", at.line, at.column));
    Left { at, reason: format!("in `{function}`: {}", not.reason) }
}

fn in_steps<'p>(steps: &'p [Step], found: &mut Vec<&'p Script>) {
    for step in steps {
        match &step.action {
            Act::Filter(script) | Act::Map(_, With::Script(script)) => found.push(script),
            Act::Lookup(lookup) => found.extend(&lookup.values),
            Act::Skip(reason, Condition { script, .. }) | Act::Fail(reason, Condition { script, .. }) => {
                found.extend([reason, script]);
            }
            Act::Map(_, With::Block(lines)) => in_lines(lines, found),
            Act::Write(write) => {
                if let Do::Update(_, values) = &write.verb {
                    found.extend(values);
                }
                in_lines(&write.lines, found);
            }
            Act::Each(_, list, steps) => {
                found.push(list);
                in_steps(steps, found);
            }
            Act::When(condition, then, otherwise) => {
                found.push(condition);
                in_steps(then, found);
                in_steps(otherwise, found);
            }
            Act::Notify(message, when) => {
                found.push(message);
                found.extend(when.iter().map(|when| &when.script));
            }
        }
    }
}

fn in_lines<'p>(lines: &'p [Line], found: &mut Vec<&'p Script>) {
    for line in lines {
        found.extend(&line.when);
        match &line.value {
            From::Script(script) => found.push(script),
            From::Record(lines) => in_lines(lines, found),
            From::Each(_, list, lines) => {
                found.push(list);
                in_lines(lines, found);
            }
        }
    }
}
