//! Cases beside flows and scripts: those of the repository pass, a mistake in a flow fails them,
//! and what is wrong with a case is told in its place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use engine::case::{Coverage, FileReport, Subject, Suite, find};
use engine::project::Project;
use miette::{GraphicalReportHandler, GraphicalTheme};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A folder that is no project.
pub(crate) fn bare(root: &Path) -> Project {
    Project { limits: super::script::patient(), ..Project::bare(root) }
}

/// Plays what lies in these places of a folder that is no project.
async fn play(root: &Path, places: &[&str], accept: bool) -> Vec<FileReport> {
    let project = bare(root);
    let places: Vec<String> =
        places.iter().map(|place| root.join(place).to_string_lossy().into_owned()).collect();
    let suite = Suite::new(&project, accept).unwrap();
    let mut reports = Vec::new();
    for file in find(&project, &places).unwrap() {
        reports.push(suite.play(&file).await.unwrap());
    }
    reports
}

fn problems(report: &FileReport) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut told = String::new();
    for problem in &report.problems {
        handler.render_report(&mut told, problem.as_ref()).unwrap();
    }
    told
}

/// Every case that did not come as expected, a line each.
fn wrong(reports: &[FileReport]) -> Vec<String> {
    let mut wrong = Vec::new();
    for report in reports {
        assert!(report.problems.is_empty(), "{}", problems(report));
        for case in report.cases.iter().filter(|case| !case.passes()) {
            if case.differences.is_empty() {
                wrong.push(format!("{}:{}: {:?}", report.file, case.line, case.ended));
            }
            for differs in &case.differences {
                let shown = |value: &Option<connectors::record::Value>| {
                    value.as_ref().map_or("nothing".to_owned(), ToString::to_string)
                };
                wrong.push(format!(
                    "{}:{}: {}: expected {}, came {}",
                    report.file,
                    case.line,
                    differs.at.join(": "),
                    shown(&differs.expected),
                    shown(&differs.came)
                ));
            }
        }
    }
    wrong
}

#[tokio::test]
async fn every_case_of_a_ready_flow_comes_as_expected() {
    let reports = play(&root(), &["flows"], false).await;
    assert_eq!(wrong(&reports), [""; 0]);
    let project = Project::bare(&root());
    let mut pairs = std::collections::BTreeMap::<String, BTreeSet<String>>::new();
    for file in find(&project, &[root().join("flows").to_string_lossy().into_owned()]).unwrap() {
        let Subject::Flow(flow) = &file.subject else { panic!("{file:?}") };
        let pair = Path::new(flow).parent().unwrap().to_string_lossy().into_owned();
        pairs.entry(pair).or_default().insert(flow.clone());
    }
    let folders = fs::read_dir(root().join("flows")).unwrap().count();
    assert_eq!(pairs.len(), folders, "each pair has cases");
    assert!(pairs.values().all(|flows| flows.len() >= 2), "two flows of each pair: {pairs:?}");
}

#[tokio::test]
async fn every_case_of_a_ready_script_comes_as_expected() {
    let reports = play(&root(), &["scripts"], false).await;
    assert_eq!(wrong(&reports), [""; 0]);
    for report in &reports {
        let Some(Coverage::Script(script)) = &report.coverage else { panic!("{}", report.file) };
        assert_eq!(script.counts().0, script.counts().1, "{}", report.subject);
    }
}

/// A copy of the ready orders, with one of its flow's texts replaced.
fn copy(from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("flows")).unwrap();
    fs::create_dir_all(folder.path().join("scripts")).unwrap();
    for name in ["orders.flow", "orders.case.json"] {
        let text = fs::read_to_string(root().join("flows/ccv_salespos-mpluskassa").join(name)).unwrap();
        let text = if name.ends_with(".flow") {
            assert_eq!(text.matches(from).count(), 1, "{from}");
            text.replace(from, to)
        } else {
            text
        };
        fs::write(folder.path().join("flows").join(name), text).unwrap();
    }
    for script in super::script::files("scripts", ".rhai") {
        fs::copy(&script, folder.path().join("scripts").join(script.file_name().unwrap())).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_mistake_in_a_flow_fails_its_cases() {
    // Planted one at a time; each is one that the checker cannot see.
    let planted = [
        (
            "email               = to_lower(order.customer.email)",
            "email               = order.customer.email",
        ),
        ("if rest > settings.rounding_limit", "if rest > 100"),
        (
            "skip \"already in the till as an order\" if sent_order",
            "skip \"already in the till\" if sent_order",
        ),
        ("filter !settings.only_paid || order.is_paid == true", "filter settings.only_paid"),
        ("zipcode      = receiver?.postcode", "zipcode      = order.billing?.postcode"),
        ("\"Pin\"          -> \"PIN\"", "\"Pin\"          -> \"CONTANT\""),
        ("amount             = paid.total_incl", "amount             = paid.total_excl"),
        (
            "quantity = line.quantity\n        price    = round((if with_vat { line.total_incl } else { line.total_excl }) / line.quantity, 2)\n        rate     = line.vat_rate\n    }\n    lines each line in order.lines.filter(|line| line.quantity != 0 && (line.kind",
            "quantity = 1\n        price    = round((if with_vat { line.total_incl } else { line.total_excl }) / line.quantity, 2)\n        rate     = line.vat_rate\n    }\n    lines each line in order.lines.filter(|line| line.quantity != 0 && (line.kind",
        ),
        ("relation_number       = debtor_number", "relation_number       = settings.default_debtor"),
        (
            "to_date(order.created_at, \"Europe/Amsterdam\") >= settings.start_date",
            "to_date(order.created_at, \"Europe/Amsterdam\") <= settings.start_date",
        ),
    ];
    for (from, to) in planted {
        let folder = copy(from, to);
        let reports = play(folder.path(), &["flows"], false).await;
        assert!(!wrong(&reports).is_empty(), "nothing sees that `{from}` became `{to}`");
    }
}

#[tokio::test]
async fn what_came_otherwise_is_told_field_by_field_and_can_be_accepted() {
    let folder = copy("\"Pin\"          -> \"PIN\"", "\"Pin\"          -> \"DEBIT\"");
    let reports = play(folder.path(), &["flows"], false).await;
    assert_eq!(
        wrong(&reports),
        [
            "flows/orders.case.json:249: 12: create orders: payment_method: expected \"PIN\", came \"DEBIT\"",
            "flows/orders.case.json:249: 12: create orders: payments[0].method: expected \"PIN\", came \"DEBIT\"",
        ]
    );
    let file = folder.path().join("flows/orders.case.json");
    let before = fs::read_to_string(&file).unwrap();
    let reports = play(folder.path(), &["flows/orders.flow"], true).await;
    assert_eq!(reports[0].accepted, 1);
    let after = fs::read_to_string(&file).unwrap();
    let changed: Vec<(&str, &str)> = before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(before.lines().count(), after.lines().count());
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert_eq!(wrong(&play(folder.path(), &["flows/orders.case.json"], false).await), [""; 0]);
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
}

#[tokio::test]
async fn a_case_without_expectations_fails_until_they_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("half.rhai"), "/// Half of it.\nfn half(a) { a / 2 }\n").unwrap();
    let cases = "[\n  {\"call\": \"half\", \"args\": [5]},\n  {\"call\": \"half\", \"args\": [\"x\"], \"gives\": 1},\n  {\"call\": \"half\", \"args\": [null], \"gives\": null}\n]\n";
    fs::write(folder.path().join("half.case.json"), cases).unwrap();
    let reports = play(folder.path(), &["half.rhai"], false).await;
    assert_eq!(reports[0].cases.iter().filter(|case| case.passes()).count(), 0);
    play(folder.path(), &["half.rhai"], true).await;
    let accepted = fs::read_to_string(folder.path().join("half.case.json")).unwrap();
    insta::assert_snapshot!(accepted);
    assert_eq!(wrong(&play(folder.path(), &["."], false).await), [""; 0]);
}

#[tokio::test]
async fn what_is_wrong_with_a_case_is_told_in_its_place() {
    let folder = copy("flow \"Orders", "flow \"All orders");
    let file = folder.path().join("flows/orders.case.json");
    for (name, text) in [
        ("no_json", "[{\"name\": \"x\",, }]"),
        ("no_list", "{\"name\": \"x\"}"),
        (
            "members",
            "[{\"nmae\": \"x\", \"settings\": {\"start_date\": \"2026-01-01\", \"only_payed\": true, \"rounding_limit\": \"much\"},\n\"tables\": {\"vat_code\": {\"rows\": [[\"NL\", 21]]}},\n\"source\": {\"orders\": []}, \"expects\": {}}]",
        ),
        (
            "records",
            "[{\"name\": \"x\", \"settings\": {\"start_date\": \"2026-01-01\"},\n\"source\": {\"orders\": [{\"id\": 12, \"nummber\": \"1\"}, {\"number\": \"2\"}, {\"id\": \"13\", \"lines\": [{\"skuu\": \"1\"}]}]},\n\"target\": {\"order\": []}}]",
        ),
        (
            "expectations",
            "[{\"name\": \"x\", \"settings\": {\"start_date\": \"2026-01-01\"},\n\"source\": {\"orders\": [{\"id\": \"1\"}]},\n\"expects\": {\"1\": {\"outcome\": \"create\", \"writes\": [{\"creates\": \"orders\"}, {\"create\": \"order\"}, {\"create\": \"orders\", \"fields\": {\"refrence\": \"1\"}}]}}}]",
        ),
        ("unanswered", "[{\"name\": \"x\", \"source\": {\"orders\": [{\"id\": \"1\"}]}}]"),
    ] {
        fs::write(&file, text).unwrap();
        let reports = play(folder.path(), &["flows"], true).await;
        assert!(reports[0].cases.is_empty(), "nothing is played");
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "nothing is rewritten");
        insta::assert_snapshot!(name, problems(&reports[0]));
    }
}

#[tokio::test]
async fn coverage_tells_what_no_case_has_tried() {
    let reports = play(&root(), &["flows/ccv_salespos-mpluskassa/customers_to_till.flow"], false).await;
    let Some(Coverage::Flow(flow)) = &reports[0].coverage else { panic!("no coverage") };
    let missing: Vec<String> = flow.missing().iter().map(|(line, what)| format!("{line}: {what}")).collect();
    insta::assert_snapshot!(format!("{:?}\n{}", flow.counts(), missing.join("\n")));
}
