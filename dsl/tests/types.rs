//! What the checker knows of values, where the corpus of flows is too coarse to show it.

#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    unreachable_pub,
    reason = "a test may stop at what it did not expect"
)]

#[path = "../../tests/src/demo_catalog.rs"]
mod demo_catalog;

use demo_catalog::demo_catalog;
use dsl::catalog::{Catalog, Function, Script, Type};
use dsl::{Gives, Source, compile, gives};

/// The demo's catalog with another script of addresses: functions by name and number of values.
fn with_script(text: &str, functions: &[(&str, usize)]) -> Catalog {
    let mut catalog = demo_catalog();
    let functions = functions.iter().map(|(name, arity)| Function {
        name: (*name).to_owned(),
        arity: *arity,
        ..Function::default()
    });
    let script = Script { functions: functions.collect(), text: text.to_owned(), broken: None };
    catalog.scripts.insert("scripts/address.rhai".to_owned(), script);
    catalog
}

/// Codes and messages of a flow with these steps.
fn told(steps: &str, catalog: &Catalog) -> Vec<String> {
    let head = "flow \"T\"\nsource shop: ccv_salespos\ntarget till: mpluskassa\n\
                use \"scripts/address.rhai\" as address\nfetch order from shop.orders\n";
    match compile(&Source::new("test.flow", format!("{head}{steps}\nnotify \"end\"\n")), catalog) {
        Ok(_) => Vec::new(),
        Err(report) => {
            let line = |problem: &dsl::Problem| format!("{} {}", problem.code(), problem.message());
            report.problems().iter().map(line).collect()
        }
    }
}

#[test]
fn functions_that_call_themselves_come_to_an_end() {
    let script = "fn down(list, n) { if n == 0 { list.nothing } else { down([list], n - 1) } }\n\
                  fn ping(x) { pong(#{ x: x }) }\nfn pong(x) { ping(#{ y: x }) }\n";
    let catalog = with_script(script, &[("down", 2), ("ping", 1), ("pong", 1)]);
    assert_eq!(told("notify `${address::down(order.lines, 3)} ${address::ping(order)}`", &catalog), [""; 0]);
}

#[test]
fn what_a_script_asks_about_may_be_missing() {
    let script = "fn name(person) { if person.nick != () { person.nick } else { person.fullname } }\n";
    let catalog = with_script(script, &[("name", 1)]);
    let place = "(scripts/address.rhai, line 1, column 70, in `name`)";
    assert_eq!(
        told("notify address::name(order.customer)", &catalog),
        [format!("F025 `shop.orders.customer` has no field `fullname` {place}")]
    );
}

#[test]
fn what_a_function_gives_is_known_as_far_as_it_is_plain() {
    let script = "fn lines(order) { order.lines.filter(|line| line.quantity > 0) }\n\
                  fn totals(order) { let all = []; for line in order.lines { all.push(line.price_incl); } all }\n";
    let catalog = with_script(script, &[("lines", 1), ("totals", 1)]);
    assert_eq!(
        told("each line in address::lines(order) { notify line.skuu }", &catalog),
        ["F025 `shop.orders.lines` has no field `skuu`"]
    );
    assert_eq!(told("each one in address::totals(order) { notify `${one.anything}` }", &catalog), [""; 0]);
}

#[test]
fn a_question_settles_what_may_be_missing() {
    let update =
        "update it in till.relations by number = 1 {\n    phone = known.phone\n    contact = known?.name\n}";
    let lookup = "lookup known in till.relations by email = order.customer.email\n";
    let catalog = demo_catalog();
    assert_eq!(
        told(&format!("{lookup}{update}"), &catalog),
        ["F113 `known` may be `()`, which has no fields"]
    );
    for question in
        ["skip \"new\" unless known", "filter known != ()", "when known == () {\n    skip \"new\"\n}"]
    {
        assert_eq!(told(&format!("{lookup}{question}\n{update}"), &catalog), [""; 0], "{question}");
    }
}

#[test]
fn long_lists_and_many_shapes_end() {
    let texts: String = (0..2_000).map(|number| format!("\"{number}\", ")).collect();
    let shapes: String = (0..600).map(|number| format!("#{{ f{number}: 1 }}, ")).collect();
    let steps =
        format!("filter order.number in [{texts}]\nmap all with [{shapes}]\nnotify `${{all[0].anything}}`");
    assert_eq!(told(&steps, &demo_catalog()), [""; 0]);
}

/// What is known of an expression, which is given to a name; with steps before it.
fn known(steps: &str, expression: &str) -> Gives {
    let text = format!(
        "flow \"T\"\nsource shop: ccv_salespos\ntarget till: mpluskassa\nfetch order from shop.orders\n\
         {steps}\nmap x with {expression}\nnotify \"end\"\n"
    );
    let start = text.find("map x with ").unwrap() + "map x with ".len();
    let place = start..start + expression.len();
    let all = gives(&Source::new("test.flow", text), &demo_catalog());
    all.into_iter().find(|(span, _)| *span == place).map(|(_, gives)| gives).unwrap()
}

#[test]
fn a_choice_gives_what_its_branches_give() {
    let one_of = |options: &[&str]| Type::Enum(options.iter().map(|&option| option.to_owned()).collect());
    let cases: Vec<(&str, Vec<Type>, bool)> = vec![
        ("if order.paid { 1 } else { 2 }", vec![Type::Integer], false),
        ("if order.paid { 1 } else { 2.50 }", vec![Type::Decimal], false),
        ("if order.paid { 1 }", vec![Type::Integer], true),
        ("if order.paid { () } else { 2 }", vec![Type::Integer], true),
        ("if order.paid { 1 } else if order.number == \"1\" { 2 }", vec![Type::Integer], true),
        ("if order.paid { \"a\" } else { \"b\" }", vec![one_of(&["a", "b"])], false),
        ("if order.paid { \"a\" } else { order.number }", vec![Type::Text], false),
        ("if order.paid { \"a\" } else { 2 }", vec![one_of(&["a"]), Type::Integer], false),
        ("(if order.paid { 1 }) ?? 2", vec![Type::Integer], false),
        ("if order.paid { throw \"no\" } else { 2 }", vec![Type::Integer], false),
        ("switch order.status { \"new\" => 1, _ => 2 }", vec![Type::Integer], false),
        ("switch order.status { \"new\" => 1 }", vec![Type::Integer], true),
        (
            "switch order.status { \"new\" => 1, _ => [order.number] }",
            vec![Type::Integer, Type::List(Box::new(Type::Text))],
            false,
        ),
        ("if order.paid { order.nothing } else { 2 }", vec![], false),
    ];
    for (expression, types, perhaps_nothing) in cases {
        assert_eq!(known("", expression), Gives { types, perhaps_nothing }, "{expression}");
    }
}

#[test]
fn what_was_asked_for_is_there() {
    let lookup = "lookup sent in till.orders by ext_order_id = order.number";
    let record = |gives: &Gives| matches!(gives.types.as_slice(), [Type::Record(_)]);
    let before = known(lookup, "sent");
    assert!(record(&before) && before.perhaps_nothing, "{before:?}");
    let after = known(&format!("{lookup}\nfail \"no\" unless sent"), "sent");
    assert!(record(&after) && !after.perhaps_nothing, "{after:?}");
}
