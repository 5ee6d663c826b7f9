//! Layout: what it looks like, and that nothing but blanks changes, whatever is laid out.

use proptest::prelude::*;

use super::{events, format, letters, line};
use crate::ast::{File, Node};
use crate::source::Source;
use crate::tokens::{Kind, tokens};

fn laid(text: &str) -> String {
    format(&Source::new("a.flow", text)).unwrap_or_else(|report| panic!("{text}\n{:?}", report.problems()))
}

/// What it becomes, and that it stays so.
fn becomes(text: &str, expected: &str) {
    let once = laid(text);
    assert_eq!(once, expected, "\n{once}");
    assert_eq!(laid(&once), once);
}

#[test]
fn lines_get_their_blanks() {
    becomes(
        "\n\n  flow   \"A\"\nsource shop :x\nsetting a:list  of text=[\"a\",  \"b\"] ask   \"why?\"\n\n\n\nsetting b: \"x\"|\"y\" ?\n ask \"b\"\nevery 5minutes\n  fetch o from shop . orders   since  x overlap 10   minutes\nnotify(o.x  + 1)   if  o",
        "flow \"A\"\nsource shop: x\nsetting a: list of text = [\"a\",  \"b\"] ask \"why?\"\n\nsetting b: \"x\" | \"y\"?\n    ask \"b\"\nevery 5 minutes\nfetch o from shop.orders since x overlap 10 minutes\nnotify (o.x  + 1) if o\n",
    );
}

#[test]
fn rows_of_a_table_stand_under_each_other() {
    becomes(
        "table t:(a ,b:text)->integer\n ( \"NL\" ,21 ) ->1\n( _, -9)->  2 // why\n// the rest\n    ()   -> -3\notherwise   fail\ntable u: text -> text\n\"a\" -> \"b\"",
        "table t: (a, b: text) -> integer\n    (\"NL\", 21) -> 1\n    (_, -9)    -> 2  // why\n    // the rest\n    ()         -> -3\n    otherwise fail\ntable u: text -> text\n    \"a\" -> \"b\"\n",
    );
}

#[test]
fn fields_stand_under_each_other_between_blank_lines() {
    becomes(
        "map a {\n\n  b=1 on create\n  long_name = f( x ) when creating   // one\n  // said\n  c { d=2 }\n  e = \"a value that is far longer than the others are, so that it stands for itself\" on update // two\n\n  ff = 1\n  g = 2\n\n}\n",
        "map a {\n    b         = 1      on create\n    long_name = f( x ) when creating  // one\n    // said\n    c {\n        d = 2\n    }\n    e         = \"a value that is far longer than the others are, so that it stands for itself\" on update  // two\n\n    ff = 1\n    g  = 2\n}\n",
    );
}

#[test]
fn lines_that_go_on_are_indented_by_their_brackets() {
    becomes(
        "map a with if b {\nc\n   } else {\nd(\n e,\n  + 1,\n  )\n}\nfilter x\n&& [\n 1,\n\n\n2].len()\n   .y == 1 // why\nskip \"x\"\n   if a\nfetch o from s.o\n  since x\nmap t with `a\n  ${b\n +   c}\n d` + e\n",
        "map a with if b {\n    c\n} else {\n    d(\n        e,\n            + 1,\n    )\n}\nfilter x\n    && [\n        1,\n\n        2].len()\n    .y == 1  // why\nskip \"x\"\n    if a\nfetch o from s.o\n    since x\nmap t with `a\n  ${b\n +   c}\n d` + e\n",
    );
}

/// `} else` belongs to `when` alone: behind another block it would leave a list that is open.
#[test]
fn else_is_joined_where_it_belongs() {
    let text =
        "lines each l in o.lines {\n    upsert d in till.relations by email {\n    }\n    else {\n    }\n}\n";
    if shape(text).is_some() {
        keeps_its_meaning(text);
    }
    keeps_its_meaning("when a {\n}\nelse {\n}\n");
}

#[test]
fn braces_stand_at_the_end_of_their_line() {
    becomes(
        "when a { skip \"x\" }\nelse when b\n{ // why\n  skip \"y\" } /* end */\neach a in b // c\n{\n  notify \"z\"\n  // last\n} // end\n// first\nwhen c /* d */ { notify \"e\" }\n// other\nelse { notify \"f\" }\n",
        "when a {\n    skip \"x\"\n} else when b {  // why\n    skip \"y\"\n}  /* end */\neach a in b  // c\n{\n    notify \"z\"\n    // last\n}  // end\n// first\nwhen c /* d */ {\n    notify \"e\"\n}\n// other\nelse {\n    notify \"f\"\n}\n",
    );
}

#[test]
fn line_ends_of_windows_stay_and_a_mark_of_bytes_goes() {
    becomes("\u{feff}flow \"A\"\r\nnotify `a\r\n  b`\r\n", "flow \"A\"\r\nnotify `a\r\n  b`\r\n");
}

#[test]
fn what_cannot_be_read_is_not_laid_out() {
    let report = format(&Source::new("a.flow", "flow \"A\"\nskip (\n")).unwrap_err();
    assert_eq!(report.problems()[0].code().as_str(), "F009");
}

/// What a file says, line by line, without where it says so.
fn shape(text: &str) -> Option<Vec<String>> {
    fn walk(text: &str, nodes: &[Node], depth: usize, all: &mut Vec<String>) {
        for node in nodes {
            let cut = |span: &crate::plan::Span| {
                let written = text.get(span.clone()).unwrap();
                let own =
                    tokens(written).into_iter().filter(|token| token.kind != Kind::Break || token.within);
                own.map(|token| written.get(token.span).unwrap().to_owned()).collect::<Vec<_>>()
            };
            let kept: Vec<_> = line::kept(&node.kind).iter().map(cut).collect();
            let kind = std::mem::discriminant(&node.kind);
            all.push(format!("{depth} {kind:?} {:?} {kept:?} {}", cut(&node.span), node.block.is_some()));
            if let Some(block) = &node.block {
                walk(text, &block.nodes, depth + 1, all);
            }
        }
    }
    let (File { nodes, comments }, problems) = crate::parse(&Source::new("a.flow", text));
    if !problems.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    walk(text, &nodes, 0, &mut all);
    all.extend(comments.iter().map(|span| text.get(span.clone()).unwrap().trim_end().to_owned()));
    Some(all)
}

fn keeps_its_meaning(text: &str) {
    let Some(shape_before) = shape(text) else { return };
    let once = laid(text);
    assert!(letters(&once).eq(letters(text)), "{text}\n---\n{once}");
    assert_eq!(shape(&once), Some(shape_before), "{text}\n---\n{once}");
    assert_eq!(laid(&once), once, "{text}\n---\n{once}");
    assert!(!once.starts_with('\n') && once.ends_with('\n') && !once.ends_with("\n\n"), "{once}");
}

/// Tokens of a line; `~` is where blanks and comments may stand.
const LINES: &[&str] = &[
    "flow~\"A title\"",
    "source~shop~:~ccv",
    "use~\"scripts/a.rhai\"~as~a",
    "setting~a~:~list~of~text~=~[\"a\", \"b\"]",
    "setting~b~:~\"x\"~|~\"y\"~?~=~\"x\"~ask~\"why?\"",
    "ask~\"what?\"",
    "table~t~:~(~a~,~b~)~->~text~?",
    "(~\"NL\"~,~_~)~->~\"é\"",
    "\"aaaa\"~->~-1.5",
    "otherwise~keep",
    "every~5~minutes",
    "at~\"0 6 * * 1-5\"~in~\"Europe/Amsterdam\"",
    "on~webhook~shop~\"orders\"",
    "at~least~1~minute~apart",
    "fetch~o~from~shop~.~orders~since~m~overlap~10~minutes~where~a~=~1~and~b~=~settings.b",
    "filter~o.a~&&~(o.b ||~o.c)~// why\n",
    "lookup~all~x~in~shop.orders~by~n~=~o.n~and~m~=~`a ${b +\n  c} d`",
    "skip~\"if when\"~if~[1,\n\n2\n].len() > 0",
    "fail~`x\n  y`~unless~a",
    "map~m~with~if~a {\nb\n}~else {\nc(\n// said\n#{d: 1})\n}",
    "each~l~in~o.lines~{",
    "when~o.a == \"x\"~{",
    "else~{",
    "else~when~b~{",
    "upsert~d~in~till.relations~by~email~else~a~and~b~{",
    "lines~each~l~in~o.lines.filter(|l| l.a)~when~b~{",
    "nested~{",
    "email~=~o.email\n  ?? \"\"~on~create",
    "a_long_name~=~'x'~when~creating /* c */ && b",
    "b~=~a ?? b",
    "}",
    "",
    "// a comment",
    "/* one\n   two */",
];

fn blanks() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just(" "),
        2 => Just("  "),
        1 => Just("\t"),
        1 => Just(" /* x */ "),
    ]
}

fn flow() -> impl Strategy<Value = String> {
    let ends = prop_oneof![5 => Just("\n"), 1 => Just("\n\n\n"), 1 => Just(" // end \n"), 1 => Just("\r\n"), 1 => Just(" ")];
    let line = (prop::sample::select(LINES), prop::collection::vec(blanks(), 24), blanks(), ends);
    prop::collection::vec(line, 1..14).prop_map(|lines| {
        let mut text = String::new();
        let mut open = 0;
        for (line, blanks, lead, end) in lines {
            if line == "}" {
                if open == 0 {
                    continue;
                }
                open -= 1;
            }
            open += usize::from(line.ends_with('{'));
            text.push_str(lead);
            for (number, part) in line.split('~').enumerate() {
                if number > 0 {
                    text.push_str(blanks[number % blanks.len()]);
                }
                text.push_str(part);
            }
            text.push_str(end);
        }
        text.push_str(&" }\n".repeat(open));
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn layout_keeps_what_a_flow_says(text in flow()) {
        keeps_its_meaning(&text);
    }
}

#[test]
fn events_are_in_the_order_of_the_text() {
    let (file, _) = crate::parse(&Source::new("a.flow", "// a\nwhen a { /* b */ skip \"x\" } // c\n"));
    let starts: Vec<usize> = events(&file).iter().map(super::Event::start).collect();
    assert!(starts.is_sorted());
    assert_eq!(starts.len(), 7);
}
