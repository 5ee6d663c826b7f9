//! Any text: a plan or messages, never a crash, and never for long.

#![allow(
    clippy::string_slice,
    clippy::format_push_string,
    clippy::format_collect,
    unreachable_pub,
    reason = "a test may stop at what it did not expect"
)]

#[path = "../../tests/src/demo_catalog.rs"]
mod demo_catalog;

use std::time::Instant;

use demo_catalog::demo_catalog;
use dsl::{Code, Source, compile};
use proptest::prelude::*;

const DESIGN: &str = include_str!("../../tests/corpus/flow/good/design.flow");

/// Compiles and shows every problem; what is tested is that it ends and does not panic.
fn survives(text: &str) -> Vec<Code> {
    match compile(&Source::new("any.flow", text), &demo_catalog()) {
        Ok(_) => Vec::new(),
        Err(report) => {
            for problem in report.problems() {
                let span = problem.span();
                assert!(
                    text.is_empty() || text.get(span.clone()).is_some(),
                    "{problem:?} is not on the text"
                );
                assert!(!problem.message().is_empty());
            }
            report.problems().iter().map(dsl::Problem::code).collect()
        }
    }
}

fn with_expression(expression: &str) -> String {
    DESIGN.replace("order.status in settings.send_statuses", expression)
}

#[test]
fn deep_nesting_is_a_message() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("#{a:", "}"),
        ("`${", "}`"),
        ("f(", ")"),
        ("if a {", "} else { b }"),
    ] {
        for depth in [10, 60, 100, 1_000, 20_000] {
            let started = Instant::now();
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let codes = survives(&with_expression(&nested));
            assert!(depth < 100 || codes.contains(&Code::TooDeep), "{open} {depth}: {codes:?}");
            survives(&with_expression(&open.repeat(depth)));
            survives(&with_expression(&close.repeat(depth)));
            println!("{open} {depth}: {:?}", started.elapsed());
        }
    }
}

#[test]
fn long_chains_are_a_message() {
    for link in [" + a", ".a", ".a()", "[1]", " ?? a", " && a", " else if a { 1 }", "!", "-", " == 1", ", 1"]
    {
        for length in [10, 100, 1_000, 10_000] {
            survives(&with_expression(&format!("order{}", link.repeat(length))));
            survives(&with_expression(&format!("{}order", link.repeat(length))));
        }
    }
}

#[test]
fn deep_blocks_are_a_message() {
    for depth in [10, 63, 64, 65, 1_000, 50_000] {
        let text = format!("{DESIGN}{}skip \"x\"{}", "when true {\n".repeat(depth), "}\n".repeat(depth));
        let codes = survives(&text);
        assert_eq!(codes.contains(&Code::TooDeep), depth > 64, "{depth}: {codes:?}");
        survives(&format!("{DESIGN}{}", "create a in till.orders {\n".repeat(depth)));
        survives(&format!("{DESIGN}{}", "lines {\n".repeat(depth)));
        survives(&format!("{DESIGN}{}", "}\n".repeat(depth)));
    }
}

#[test]
fn huge_files_end_soon() {
    for line in [
        "skip \"x\" if (",
        "a = `",
        "x = \"",
        "skip \"a\" if b\n",
        "when true {",
        "}",
        "table a: b -> c\n",
        "\u{0}",
        "“",
    ] {
        let started = Instant::now();
        survives(&format!("{DESIGN}{}", format!("{line}\n").repeat(4_000)));
        println!("{line:?}: {:?}", started.elapsed());
        assert!(started.elapsed().as_secs() < 20, "{line}: {:?}", started.elapsed());
    }
    let numbered: [fn(usize) -> String; 5] = [
        |number| format!("setting s{number}: integer = 1\n"),
        |number| format!("table t{number}: text -> text\n"),
        |number| format!("notify t{number}[s{number}, 1]\n"),
        |number| format!("lookup l{number} in till.orders by ext_order_id = l{}.reference\n", number / 2),
        |number| format!("  field{number} = {number}\n"),
    ];
    for line in numbered {
        let started = Instant::now();
        survives(&format!("{DESIGN}{}", (0..3_000).map(line).collect::<String>()));
        println!("{}: {:?}", line(1), started.elapsed());
        assert!(started.elapsed().as_secs() < 20, "{}: {:?}", line(1), started.elapsed());
    }
    let started = Instant::now();
    let rows: String =
        (0..5_000).map(|number| format!("    ({number}, {number}) -> 1\n    ({number}, _) -> 2\n")).collect();
    survives(&DESIGN.replace("    otherwise fail\n", &rows));
    println!("rows: {:?}", started.elapsed());
    assert!(started.elapsed().as_secs() < 20, "rows: {:?}", started.elapsed());
    assert_eq!(survives(&"x".repeat(2 << 20)), [Code::TooLarge]);
}

#[test]
fn line_ends_tabs_and_marks_of_other_editors_are_fine() {
    assert!(survives(&DESIGN.replace('\n', "\r\n")).is_empty());
    assert!(survives(&DESIGN.replace("    ", "\t")).is_empty());
    assert!(survives(&format!("\u{feff}{DESIGN}")).is_empty());
    assert_eq!(survives(""), [Code::EmptyFile]);
}

#[test]
fn bytes_that_are_no_text_are_a_problem() {
    let report = Source::from_bytes("old.flow", b"flow \"Caf\xe9\"\n").unwrap_err();
    assert_eq!(report.problems()[0].code(), Code::NotUtf8);
    assert_eq!(report.problems()[0].span().start, 9);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in ".{0,400}") {
        survives(&text);
    }

    #[test]
    fn any_words(words in prop::collection::vec(word(), 0..60)) {
        survives(&words.join(" "));
    }

    #[test]
    fn any_expression(words in prop::collection::vec(piece(), 0..30)) {
        survives(&with_expression(&words.concat()));
    }

    #[test]
    fn a_good_flow_with_a_part_changed(at in 0..DESIGN.len(), length in 0_usize..30, put in prop::collection::vec(word(), 0..3)) {
        let floor = |mut at: usize| { while !DESIGN.is_char_boundary(at) { at -= 1; } at };
        let (start, end) = (floor(at), floor((at + length).min(DESIGN.len())));
        survives(&format!("{}{}{}", &DESIGN[..start], put.join(" "), &DESIGN[end..]));
    }

    #[test]
    fn a_good_flow_with_lines_moved(from in 0_usize..70, to in 0_usize..70) {
        let mut lines: Vec<&str> = DESIGN.lines().collect();
        let line = lines.remove(from.min(lines.len() - 1));
        lines.insert(to.min(lines.len()), line);
        survives(&lines.join("\n"));
    }
}

fn word() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = "flow source target use setting table ask otherwise every at on webhook overlapping missed runs \
        fetch from since overlap where and filter lookup all in by skip fail if unless map with upsert create update each when \
        else notify settings order till.orders shop.orders text integer list of = == -> : , . { } ( ) [ ] \" ` ${ ' // /* */ | ? \
        #{ _ 5 minutes 1.5 -3 true () order.lines line é “ \u{0}"
        .split(' ')
        .collect();
    prop_oneof![prop::sample::select(words).prop_map(str::to_owned), Just("\n".to_owned()), "[a-z]{1,6}"]
}

fn piece() -> impl Strategy<Value = String> {
    let pieces: Vec<&'static str> = "order . ( ) [ ] { } #{ } |x| => ` ${ \" , ; = == ! && || ?? + - * / % in if else switch let \
        for while fn vat_code[ payment_method[ address:: street( settings .status .lines 1 2.5 true () this x 'a' // /* \\ é\u{301}"
        .split(' ')
        .collect();
    (prop::sample::select(pieces), prop::bool::ANY)
        .prop_map(|(piece, blank)| if blank { format!("{piece} ") } else { piece.to_owned() })
}

/// A flow of 5,000 lines of all kinds, without a mistake.
fn long_flow() -> String {
    let mut text = DESIGN.to_owned();
    for number in 0..125 {
        text.push_str(&format!(
            "lookup known_{number} in till.orders by ext_order_id = order.number + \"-{number}\"\n"
        ));
        text.push_str(&format!("skip `already there: ${{known_{number}.reference}}` if known_{number}\n"));
        text.push_str(
            "upsert relation_NUMBER in till.relations by email {\n"
                .replace("NUMBER", &number.to_string())
                .as_str(),
        );
        for line in 0..30 {
            let value =
                "order.customer.company ?? order.customer.full_name + payment_method[order.payment.method]";
            text.push_str(&format!(
                "    contact = {value} when order.total_incl > {line} && order.status == \"paid\" // {line}\n"
            ));
        }
        text.push_str("    email = order.customer.email\n    kind = \"person\"\n    name = order.customer.full_name\n}\n");
        text.push_str("each line in order.lines {\n    notify `line ${line.sku}: ${vat_code[order.billing.country, line.vat_rate]}`\n}\n");
    }
    text
}

#[test]
fn a_long_flow_is_checked_soon() {
    let text = long_flow();
    assert!(text.lines().count() >= 5_000, "{}", text.lines().count());
    let started = Instant::now();
    assert_eq!(survives(&text), []);
    let took = started.elapsed();
    let started = Instant::now();
    let _ = dsl::parse(&Source::new("long.flow", text.clone()));
    println!(
        "{} lines, {} bytes: {took:?}, of which form {:?}",
        text.lines().count(),
        text.len(),
        started.elapsed()
    );
    // Unoptimised; optimised it takes a fraction of that.
    assert!(took.as_secs() < 5, "{took:?}");
}
