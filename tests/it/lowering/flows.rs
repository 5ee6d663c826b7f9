//! Every expression of the flows that come with Weft, over records that fit it more or less.

use std::fs;
use std::path::Path;

use connectors::record::{Map, Value};
use dsl::plan::{Action, Expr, FieldLine, FieldValue, MapWith, Plan, Step, Verb};
use engine::script::{Bindings, ScriptFile};
use fastrand::Rng;
use rust_decimal::Decimal;

use super::Pair;
use crate::flows::shipped;

fn expressions(plan: &Plan) -> Vec<&Expr> {
    let mut found = plan.fetch.conditions.iter().map(|condition| &condition.value).collect();
    in_steps(&plan.steps, &mut found);
    found
}

fn in_steps<'p>(steps: &'p [Step], found: &mut Vec<&'p Expr>) {
    for step in steps {
        match &step.action {
            Action::Filter(expr) | Action::Map { with: MapWith::Expr(expr), .. } => found.push(expr),
            Action::Lookup(lookup) => found.extend(lookup.by.iter().map(|one| &one.value)),
            Action::Skip { reason, when } | Action::Fail { reason, when } => {
                found.extend([reason, &when.expr]);
            }
            Action::Map { with: MapWith::Block(lines), .. } => in_lines(lines, found),
            Action::Write(write) => {
                if let Verb::Update { by } = &write.verb {
                    found.extend(by.iter().map(|one| &one.value));
                }
                in_lines(&write.fields, found);
            }
            Action::Each { list, steps, .. } => {
                found.push(list);
                in_steps(steps, found);
            }
            Action::When { condition, then, otherwise } => {
                found.push(condition);
                in_steps(then, found);
                in_steps(otherwise, found);
            }
            Action::Notify { message, when } => {
                found.push(message);
                found.extend(when.iter().map(|when| &when.expr));
            }
        }
    }
}

fn in_lines<'p>(lines: &'p [FieldLine], found: &mut Vec<&'p Expr>) {
    for line in lines {
        found.extend(&line.when);
        match &line.value {
            FieldValue::Expr(expr) => found.push(expr),
            FieldValue::Record(lines) => in_lines(lines, found),
            FieldValue::Each { list, fields, .. } => {
                found.push(list);
                in_lines(fields, found);
            }
        }
    }
}

/// Chains of names in a text: `order.billing?.street` is one.
fn chains(text: &str) -> Vec<Vec<&str>> {
    text.split(|letter: char| !letter.is_alphanumeric() && !"_.?".contains(letter))
        .map(|chain| chain.split(['.', '?']).filter(|word| !word.is_empty()).collect())
        .collect()
}

fn leaf(rng: &mut Rng) -> Value {
    let texts = [
        "",
        "a",
        "NL",
        "12,50",
        "2026-11-21",
        "2026-11-21T09:30:00+01:00",
        "Jan de Boer",
        "ß日",
        "1234ab",
        "Lindelaan 14a",
    ];
    match rng.u8(0..10) {
        0 => Value::Null,
        1 => Value::Bool(rng.bool()),
        2 | 3 => Value::Int(rng.i64(-3..100)),
        4 | 5 => Value::Decimal(Decimal::new(rng.i64(-1000..10_000), rng.u32(0..4))),
        _ => Value::from(texts[rng.usize(0..texts.len())]),
    }
}

fn value(rng: &mut Rng, words: &[&str], depth: u32) -> Value {
    match (depth, rng.u8(0..4)) {
        (1.., 0) => Value::Map(fields(rng, words, depth - 1)),
        (1.., 1) => {
            (0..rng.usize(0..4)).map(|_| Value::Map(fields(rng, words, depth - 1))).collect::<Vec<_>>().into()
        }
        _ => leaf(rng),
    }
}

fn fields(rng: &mut Rng, words: &[&str], depth: u32) -> Map {
    let mut map = Map::new();
    for word in words.iter().filter(|_| !words.is_empty()) {
        if rng.u8(0..4) > 0 {
            map.set(*word, value(rng, words, depth));
        }
    }
    map
}

/// Puts a value at the end of a chain, in records along it.
fn put(target: &mut Value, chain: &[&str], leaf: Value) {
    let Some((first, rest)) = chain.split_first() else {
        if !matches!(target, Value::Map(_)) {
            *target = leaf;
        }
        return;
    };
    if !matches!(target, Value::Map(_)) {
        *target = Value::Map(Map::new());
    }
    if let Value::Map(map) = target {
        if map.get(first).is_none() {
            map.set(*first, Value::Null);
        }
        put(map.get_mut(first).unwrap(), rest, leaf);
    }
}

#[test]
fn shipped_flows_agree_and_are_lowered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut rng = Rng::with_seed(7);
    let (mut checked, mut gave, mut natively, mut left) = (0, 0, 0, Vec::new());
    for (path, plan) in shipped() {
        let scripts: Vec<ScriptFile> = plan
            .uses
            .iter()
            .map(|script| ScriptFile {
                alias: script.alias.clone(),
                path: script.path.clone(),
                text: fs::read_to_string(root.join(&script.path)).unwrap(),
            })
            .collect();
        let pair = Pair::with(&scripts, &plan.tables);
        left.extend(pair.native.not_lowered().iter().map(|not| format!("{path}: {not:?}")));
        for expr in expressions(&plan) {
            let compiled = pair.native.compile(expr).unwrap();
            left.extend(
                compiled
                    .lowered()
                    .err()
                    .into_iter()
                    .flatten()
                    .map(|not| format!("{path}: {} {not:?}", expr.rhai)),
            );
            let chains = chains(&expr.rhai);
            let words: Vec<&str> =
                chains.iter().flat_map(|chain| chain.iter().skip(1)).copied().take(8).collect();
            for _ in 0..20 {
                let mut bindings = Bindings::new();
                for name in
                    compiled.names().filter(|name| plan.tables.iter().all(|table| table.name != *name))
                {
                    let mut record = value(&mut rng, &words, 2);
                    for chain in chains.iter().filter(|chain| chain.first() == Some(&name)) {
                        if rng.u8(0..5) > 0 {
                            let leaf = value(&mut rng, &words, 1);
                            put(&mut record, &chain[1..], leaf);
                        }
                    }
                    bindings.set(name, record);
                }
                let seen = pair.check(&expr.rhai, &bindings);
                checked += 1;
                gave += u32::from(seen.gave);
                natively += u32::from(seen.natively);
            }
        }
    }
    println!("{checked} evaluations, {gave} gave a value, {natively} natively");
    assert!(left.is_empty(), "{} are left to Rhai:\n{}", left.len(), left.join("\n"));
    assert!(gave * 4 > checked && natively * 100 >= gave * 99);
}
