//! What a plan says of a flow, in detail.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test may stop at what it did not expect"
)]

#[path = "../../tests/src/demo_catalog.rs"]
mod demo_catalog;

use std::time::Duration;

use demo_catalog::demo_catalog;
use dsl::plan::{
    Action, Constant, Expr, FieldLine, FieldValue, MapWith, Overlapping, Plan, Side, Step, Trigger,
    UpsertKey, Verb,
};
use dsl::{Active, Found, Source, compile, two_way};

fn plan(text: &str) -> Plan {
    match compile(&Source::new("test.flow", text), &demo_catalog()) {
        Ok(plan) => plan,
        Err(report) => panic!("{:#?}", report.problems()),
    }
}

fn good(name: &str) -> (String, Plan) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/flow/good").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let plan = plan(&text);
    (text, plan)
}

fn steps(text: &str) -> Vec<Step> {
    let head =
        "flow \"T\"\nsource shop: ccv_salespos\ntarget till: mpluskassa\nfetch order from shop.orders\n";
    plan(&format!("{head}notify \"start\"\n{text}")).steps
}

/// Every expression of a plan.
fn expressions(plan: &Plan) -> Vec<Expr> {
    let mut found: Vec<Expr> = plan.fetch.conditions.iter().map(|one| one.value.clone()).collect();
    of_steps(&plan.steps, &mut found);
    found
}

fn of_steps(steps: &[Step], found: &mut Vec<Expr>) {
    for step in steps {
        match &step.action {
            Action::Filter(expr) | Action::Map { with: MapWith::Expr(expr), .. } => found.push(expr.clone()),
            Action::Lookup(lookup) => found.extend(lookup.by.iter().map(|one| one.value.clone())),
            Action::Skip { reason, when } | Action::Fail { reason, when } => {
                found.push(reason.clone());
                if when.expr.rhai != "true" {
                    found.push(when.expr.clone());
                }
            }
            Action::Map { with: MapWith::Block(lines), .. } => of_fields(lines, found),
            Action::Write(write) => {
                if let Verb::Update { by } = &write.verb {
                    found.extend(by.iter().map(|one| one.value.clone()));
                }
                of_fields(&write.fields, found);
            }
            Action::Each { list, steps, .. } => {
                found.push(list.clone());
                of_steps(steps, found);
            }
            Action::When { condition, then, otherwise } => {
                found.push(condition.clone());
                of_steps(then, found);
                of_steps(otherwise, found);
            }
            Action::Notify { message, when } => {
                found.push(message.clone());
                found.extend(when.iter().map(|when| when.expr.clone()));
            }
        }
    }
}

fn of_fields(lines: &[FieldLine], found: &mut Vec<Expr>) {
    for line in lines {
        found.extend(line.when.clone());
        match &line.value {
            FieldValue::Expr(expr) => found.push(expr.clone()),
            FieldValue::Record(lines) => of_fields(lines, found),
            FieldValue::Each { list, fields, .. } => {
                found.push(list.clone());
                of_fields(fields, found);
            }
        }
    }
}

#[test]
fn expressions_are_what_was_written() {
    for name in [
        "design.flow",
        "tables.flow",
        "fields.flow",
        "expressions.flow",
        "blocks.flow",
        "lookups.flow",
        "maps.flow",
    ] {
        let (text, plan) = good(name);
        let all = expressions(&plan);
        assert!(!all.is_empty());
        for expr in all {
            let mut written = expr.rhai.clone().into_bytes();
            for (at, length) in expr.inserted.iter().rev() {
                written.drain(*at..at + length);
            }
            assert_eq!(text.get(expr.span.clone()).unwrap(), String::from_utf8(written).unwrap(), "{name}");
            assert_eq!(expr.rhai.trim(), expr.rhai, "{name}");
        }
    }
}

#[test]
fn look_ups_by_several_keys_become_lists_and_positions_map_back() {
    let (text, plan) = good("tables.flow");
    let all = expressions(&plan);
    let first = all.iter().find(|expr| expr.rhai.starts_with("`${vat_code")).unwrap();
    assert_eq!(
        first.rhai,
        "`${vat_code[[order.billing.country, order.lines[0].vat_rate]]} ${payment_method[order.payment.method]}`"
    );
    let column = first.rhai.find("payment_method").unwrap() + 1;
    assert!(text.get(first.place(1, column)..).unwrap().starts_with("payment_method[order"));
    // Within a text nothing is a look-up.
    assert!(all.iter().any(|expr| expr.rhai.ends_with("\"vat_code[1, 2, 3]\"")));
}

#[test]
fn clauses_end_expressions_and_nothing_else_does() {
    let (_, plan) = good("fields.flow");
    let Some(Action::Write(write)) = plan.steps.first().map(|step| &step.action) else { panic!("no write") };
    assert!(matches!(&write.verb, Verb::Upsert { by } if *by == [
        UpsertKey::Fields(vec!["email".to_owned()]),
        UpsertKey::Fields(vec!["ext_relation_id".to_owned()]),
    ]));
    let street = write.fields.iter().find(|line| line.field == "street").unwrap();
    let FieldValue::Expr(value) = &street.value else { panic!("no expression") };
    assert_eq!(value.rhai, "address::street(order.billing)");
    assert_eq!(street.on, dsl::plan::On::Create);
    assert_eq!(street.when.as_ref().unwrap().rhai, "settings.update_texts");
    let when = write.fields.iter().find(|line| line.field == "when").unwrap();
    assert_eq!(when.when.as_ref().unwrap().rhai, "creating || settings.update_texts");
}

#[test]
fn else_when_is_one_step_within_otherwise() {
    let steps = steps("when true { notify \"a\" } else when false { notify \"b\" } else { notify \"c\" }");
    assert_eq!(steps.len(), 2);
    let Action::When { otherwise, .. } = &steps[1].action else { panic!("no when") };
    let [Step { action: Action::When { condition, then, otherwise }, .. }] = otherwise.as_slice() else {
        panic!("no chain")
    };
    assert_eq!((condition.rhai.as_str(), then.len(), otherwise.len()), ("false", 1, 1));
}

#[test]
fn steps_are_counted_in_the_order_of_the_text() {
    let steps = steps("each a in [1] {\nnotify \"b\"\nwhen true {\nnotify \"c\"\n}\n}\nnotify \"d\"");
    assert_eq!(steps.iter().map(|step| step.index).collect::<Vec<_>>(), [0, 1, 5]);
}

#[test]
fn writes_have_names_that_stay() {
    let block = "{ email = \"a\"\nkind = \"person\"\nname = \"b\"\n}\n";
    let steps = steps(&format!(
        "upsert a in till.relations by email {block}upsert b in till.relations by email {block}create c in till.relations {block}"
    ));
    let ids: Vec<_> = steps
        .iter()
        .filter_map(
            |step| if let Action::Write(write) = &step.action { Some(write.id.as_str()) } else { None },
        )
        .collect();
    assert_eq!(ids, ["upsert relations", "upsert relations 2", "create relations"]);
}

#[test]
fn the_head_says_when_and_what() {
    let (_, plan) = good("triggers.flow");
    assert_eq!(plan.triggers.len(), 6);
    assert_eq!(plan.triggers[0], Trigger::Every(Duration::from_secs(90)));
    assert_eq!(plan.triggers[4], Trigger::Webhook { side: Side::Source, event: "orders.created".to_owned() });
    assert_eq!((plan.overlapping, plan.apart), (Overlapping::Queue, Some(Duration::from_mins(1))));
    let (_, plan) = good("head.flow");
    let default = |name: &str| {
        plan.settings.iter().find(|setting| setting.name == name).and_then(|setting| setting.default.clone())
    };
    assert_eq!(default("markup"), Some(Constant::Decimal("-2.50".parse().unwrap())));
    assert_eq!(default("branch"), Some(Constant::Integer(-1)));
    assert_eq!(default("quotes"), Some(Constant::Text("a \"quoted\" // text when if".to_owned())));
    assert_eq!(default("big"), Some(Constant::Decimal("79228162514264337593543950335".parse().unwrap())));
    assert!(
        plan.settings
            .iter()
            .all(|setting| setting.default.as_ref().is_none_or(|default| setting.accepts(default)))
    );
    assert_eq!(plan.settings[0].ask.as_deref(), Some("What do order numbers start with?"));
}

#[test]
fn tables_give_the_first_row_that_fits() {
    let (_, plan) = good("tables.flow");
    let table = |name: &str| plan.tables.iter().find(|table| table.name == name).unwrap();
    let text = |text: &str| Constant::Text(text.to_owned());
    let vat = |country: &str, rate: i64| table("vat_code").look_up(&[text(country), Constant::Integer(rate)]);
    assert_eq!(vat("BE", 0), Found::Value(&Constant::Integer(3)));
    assert_eq!(vat("FR", 0), Found::Value(&Constant::Integer(4)));
    assert_eq!(vat("FR", 1), Found::Nothing);
    assert_eq!(table("payment_method").look_up(&[text("card")]), Found::Key);
    assert_eq!(table("always").look_up(&[text("x")]), Found::Value(&Constant::Integer(7)));
}

#[test]
fn opposite_directions_between_the_same_connections_are_refused() {
    let there = plan(
        "flow \"A\"\nsource shop: ccv_salespos\ntarget till: mpluskassa\nfetch c from shop.customers\nupsert r in till.relations by email {\nemail = c.email\nkind = \"person\"\nname = \"x\"\n}\n",
    );
    let (_, back) = good("other_direction.flow");
    let active = |file, plan, source, target| Active { file, plan, source, target };
    let one = active("a.flow", &there, "shop 1", "till 1");
    let other = active("b.flow", &back, "till 1", "shop 1");
    let found = two_way(&[one, other, one]);
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].to_string(),
        "`a.flow` carries `customers` to `relations`, and `b.flow` carries them back: switch one of the two off"
    );
    // Other connections, or the same direction twice, are fine.
    assert_eq!(two_way(&[one, active("b.flow", &back, "till 1", "shop 2")]), []);
    assert_eq!(two_way(&[one, one]), []);
}
