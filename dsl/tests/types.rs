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
use dsl::catalog::{Catalog, Function, Script};
use dsl::{Source, compile};

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
