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
