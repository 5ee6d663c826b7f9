//! The language against its corpus and its documentation.

use std::path::Path;

use ::dsl::plan::Plan;
use ::dsl::{Code, Report, Source, compile};
use miette::{GraphicalReportHandler, GraphicalTheme};
use tests::demo_catalog::demo_catalog;

/// Compiles a file of the corpus, whatever its bytes are.
fn compile_file(path: &Path) -> Result<Plan, Report> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let source = Source::from_bytes(name, &std::fs::read(path).unwrap())?;
    compile(&source, &demo_catalog())
}

/// The report as a terminal without colours shows it.
fn render(report: &Report) -> String {
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    handler.render_report(&mut out, report).unwrap();
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_bad_flow_is_explained() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "../corpus/flow/bad" }, {
        insta::glob!("../corpus/flow/bad", "*.flow", |path| {
            let report = compile_file(path).expect_err("files in bad/ must not compile");
            insta::assert_snapshot!(render(&report));
        });
    });
}

#[test]
fn every_good_flow_compiles() {
    insta::glob!("../corpus/flow/good", "*.flow", |path| {
        if let Err(report) = compile_file(path) {
            panic!("{}", render(&report));
        }
    });
}

/// Each code is shown by a flow of the corpus, or by one of the tests of the language crate.
#[test]
fn every_code_has_a_bad_flow() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/flow/bad");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let flows = files.filter(|path| path.extension().is_some_and(|extension| extension == "flow"));
    let mut shown: Vec<Code> = flows
        .flat_map(|path| {
            compile_file(&path)
                .expect_err("bad flow")
                .problems()
                .iter()
                .map(::dsl::Problem::code)
                .collect::<Vec<_>>()
        })
        .collect();
    // Shown elsewhere: too large for a file of the corpus; two files at once.
    shown.extend([Code::TooLarge, Code::TwoWay]);
    let missing: Vec<_> = Code::ALL.iter().filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no flow in corpus/flow/bad shows {missing:?}");
}

/// An advice that says it whole mends what it speaks of.
#[test]
fn every_fix_mends_its_problem() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/flow/bad");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut mended = 0;
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "flow")) {
        let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let compiled = |text: &str| compile(&Source::new("a.flow", text), &demo_catalog());
        let report = compiled(&text).expect_err("bad flow");
        for problem in report.problems() {
            let Some(instead) = problem
                .advice()
                .and_then(|advice| ::dsl::fix(&text, &problem.span(), problem.message(), advice))
            else {
                continue;
            };
            let mut better = text.clone();
            better.replace_range(problem.span(), &instead);
            let still = compiled(&better).err().is_some_and(|report| {
                report.problems().iter().any(|one| {
                    (one.code(), one.message(), one.span().start)
                        == (problem.code(), problem.message(), problem.span().start)
                })
            });
            assert!(!still, "{}: {} is still there after `{instead}`", path.display(), problem.message());
            mended += 1;
        }
    }
    assert!(mended > 20, "only {mended}");
}

/// What fragments of the documentation stand in: settings, tables and a script to speak of.
const HEAD: &str = r#"flow "Example"
source shop: ccv_salespos
target till: mpluskassa
"#;
const SETTINGS: &str = r#"use "scripts/address.rhai" as address
setting sender: text = "web"
setting list_of_statuses: list of text = ["paid"]
setting statuses: list of text = ["paid"]
setting update_texts: boolean = false
setting match_by: "email" | "number" = "email"
table method: text -> text
    otherwise keep
"#;
const FETCH: &str = "fetch order from shop.orders since modified_at\n";

/// The flow that a block of the documentation stands for.
fn framed(fragment: Option<&str>, block: &str) -> String {
    match fragment {
        None => block.to_owned(),
        Some("head") => format!("{HEAD}{block}{FETCH}notify \"done\"\n"),
        Some("steps") => format!("{HEAD}{SETTINGS}{FETCH}notify \"start\"\n{block}"),
        Some("fields") => format!(
            "{HEAD}{SETTINGS}{FETCH}upsert debtor in till.relations by email {{\n\
             email = order.customer.email\nkind = \"person\"\nname = \"x\"\n{block}}}\n"
        ),
        Some(other) => panic!("no frame `{other}`"),
    }
}

/// Every block tagged `weft` is a flow, or with `fragment=head|steps|fields` a part of one;
/// with `bad=F020` it has to show that mistake, otherwise none.
fn check_page(path: &Path) -> usize {
    let page = std::fs::read_to_string(path).unwrap();
    let (mut blocks, mut faults) = (0, Vec::new());
    let mut rest = page.as_str();
    while let Some((_, after)) = rest.split_once("\n```weft") {
        let (tag, body) = after.split_once('\n').unwrap();
        let (block, next) = body.split_once("```").unwrap();
        let option = |name: &str| tag.split_whitespace().find_map(|word| word.strip_prefix(name));
        let flow = framed(option("fragment="), block);
        let result = compile(&Source::new(path.display().to_string(), flow), &demo_catalog());
        match (option("bad="), result) {
            (None, Ok(_)) => {}
            (None, Err(report)) => faults.push(render(&report)),
            (Some(code), Ok(_)) => faults.push(format!("{}: no {code} in\n{block}", path.display())),
            (Some(code), Err(report)) => {
                let found: Vec<_> = report.problems().iter().map(|problem| problem.code().as_str()).collect();
                if found != [code] {
                    faults.push(format!("not {code} alone: {}", render(&report)));
                }
            }
        }
        blocks += 1;
        rest = next;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    blocks
}

fn docs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn docs_language() {
    assert!(check_page(&docs().join("language.md")) > 20);
}

#[test]
fn every_code_has_a_page_whose_example_shows_it() {
    let mut failed = Vec::new();
    for code in Code::ALL {
        let path = docs().join("errors").join(format!("{code}.md"));
        assert!(path.exists(), "docs/errors/{code}.md is missing");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(&format!("# {code}: ")));
        if std::panic::catch_unwind(|| check_page(&path)).is_err() {
            failed.push(code);
        }
    }
    assert!(failed.is_empty(), "see above: {failed:?}");
}
