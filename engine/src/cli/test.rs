//! `weft test`: plays the cases beside flows and scripts, and says what came otherwise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use connectors::record::Value;
use serde_json::json;

use super::Ended;
use super::show::{Show, count};
use crate::case::{Coverage, Difference, FileReport, Ran, Suite, find};
use crate::project::Project;
use crate::serve::files::Files;
use crate::trouble::Trouble;

/// How often `--watch` looks at the files; a change is taken up once two looks see the same.
const LOOK: Duration = Duration::from_millis(250);

/// Longest difference that stands on one line.
const WIDE: usize = 100;

/// Play the cases beside flows and scripts.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Folders, case files, flows or scripts; else everything below the project
    paths: Vec<String>,
    /// Take what comes as what is expected, and rewrite it in the case files
    #[arg(long)]
    accept: bool,
    /// Play them again whenever a file changes
    #[arg(long, conflicts_with = "accept")]
    watch: bool,
    /// Tell which steps, branches, rows of tables and functions no case tries
    #[arg(long)]
    coverage: bool,
}

/// What came of all cases.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    files: usize,
    passed: usize,
    failed: usize,
    accepted: usize,
    problems: usize,
}

impl Test {
    pub(crate) async fn run(&self, folder: Option<&Path>, show: &Show) -> Result<Ended, Trouble> {
        if !self.watch {
            return self.once(folder, show).await;
        }
        loop {
            let mut files = Files::below(&self.watched(folder)?);
            if let Err(trouble) = self.once(folder, show).await {
                show.trouble(&trouble);
            }
            show.line(show.faint("waiting for files to change; Ctrl-C ends it"));
            loop {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = tokio::signal::ctrl_c() => return Ok(Ended::Well),
                }
                if files.changed() {
                    break;
                }
            }
        }
    }

    /// The folders whose files decide.
    fn watched(&self, folder: Option<&Path>) -> Result<Vec<PathBuf>, Trouble> {
        let mut all = vec![project(folder)?.root];
        for path in self.paths.iter().map(Path::new).filter(|path| path.exists()) {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            all.push(if path.is_dir() { path } else { path.parent().map(Path::to_owned).unwrap_or(path) });
        }
        Ok(all)
    }

    async fn once(&self, folder: Option<&Path>, show: &Show) -> Result<Ended, Trouble> {
        let project = project(folder)?;
        let files = find(&project, &self.paths)?;
        let suite = Suite::new(&project, self.accept)?;
        let mut total = Total::default();
        for file in &files {
            let report = suite.play(file).await?;
            total.add(&report);
            self.tell(&report, show);
        }
        show.json(&json!({ "files": total.files, "passed": total.passed, "failed": total.failed,
            "accepted": total.accepted, "problems": total.problems }));
        show.line(total.said(show));
        Ok(if total.problems > 0 {
            Ended::Wrong
        } else if total.failed > total.accepted {
            Ended::Partly
        } else {
            Ended::Well
        })
    }

    fn tell(&self, report: &FileReport, show: &Show) {
        for problem in &report.problems {
            show.report(problem);
        }
        for case in &report.cases {
            show.json(&json!({
                "file": report.file, "subject": report.subject, "line": case.line, "case": case.name,
                "passes": case.passes(), "ended": case.ended,
                "differences": case.differences.iter().map(in_json).collect::<Vec<_>>(),
            }));
        }
        let passed = report.cases.iter().filter(|case| case.passes()).count();
        let all = report.cases.len();
        let cases = count(i64::try_from(all).unwrap_or(i64::MAX), "case", "cases");
        if !report.problems.is_empty() {
            let problems = i64::try_from(report.problems.len()).unwrap_or(i64::MAX);
            let problems = count(problems, "problem", "problems");
            show.line(format!("{} {}: {problems}", show.bad("✗"), report.file));
        } else if passed == all {
            show.line(format!("{} {}: {cases}", show.good("✓"), report.subject));
        } else if report.accepted > 0 {
            let accepted = i64::try_from(report.accepted).unwrap_or(i64::MAX);
            let accepted = count(accepted, "case is", "cases are");
            show.line(format!("{} {}: {accepted} accepted", show.warning("!"), report.file));
        } else {
            show.line(format!("{} {}: {passed} of {cases}", show.bad("✗"), report.subject));
        }
        if report.accepted == 0 {
            report.cases.iter().filter(|case| !case.passes()).for_each(|case| failed(report, case, show));
        }
        if self.coverage
            && let Some(coverage) = &report.coverage
        {
            covered(report, coverage, show);
        }
    }
}

impl Total {
    fn add(&mut self, report: &FileReport) {
        let passed = report.cases.iter().filter(|case| case.passes()).count();
        self.files += 1;
        self.passed += passed;
        self.failed += report.cases.len() - passed;
        self.accepted += report.accepted;
        self.problems += report.problems.len();
    }

    fn said(self, show: &Show) -> String {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let played = count(number(self.passed + self.failed), "case", "cases");
        let files = count(number(self.files), "file", "files");
        if self.problems > 0 {
            return format!("{} {played} played; mend the above and test again", show.bad("✗"));
        }
        match (self.failed, self.accepted) {
            (0, _) => format!("{} {played} in {files}, all as expected", show.good("✓")),
            (failed, accepted) if failed > accepted => {
                let help = if accepted == 0 {
                    "; where what came is right: `weft test --accept`"
                } else {
                    "; a run that cannot go on is not accepted"
                };
                format!("{} {failed} of {played} came otherwise{help}", show.bad("✗"))
            }
            (_, accepted) => {
                let cases = count(number(accepted), "case", "cases");
                format!(
                    "{} {cases} accepted of {played}; the diff of the files is the review",
                    show.good("✓")
                )
            }
        }
    }
}

/// The project, or just a folder with flows and scripts.
fn project(folder: Option<&Path>) -> Result<Project, Trouble> {
    match super::open(folder) {
        Ok(project) => Ok(project),
        Err(trouble) if folder.is_some() => Err(trouble),
        Err(trouble) => {
            let here = std::path::absolute(".").unwrap_or_else(|_| PathBuf::from("."));
            let has_main = here.ancestors().any(|folder| folder.join(crate::project::MAIN_FILE).is_file());
            if has_main { Err(trouble) } else { Ok(Project::bare(&here)) }
        }
    }
}

fn in_json(difference: &Difference) -> serde_json::Value {
    let value = |value: &Option<Value>| {
        value.as_ref().and_then(|value| serde_json::from_str::<serde_json::Value>(&value.to_string()).ok())
    };
    json!({ "at": difference.at, "expected": value(&difference.expected), "came": value(&difference.came) })
}

/// What came otherwise in one case.
fn failed(report: &FileReport, case: &Ran, show: &Show) {
    let place = show.faint(&format!("{}:{}", report.file, case.line));
    show.line(format!("  {} {}  {place}", show.bad("✗"), show.strong(&case.name)));
    if let Some(ended) = &case.ended {
        show.line(format!("      the run could not go on: {ended}"));
    }
    if case.is_bare {
        show.line("      the case does not say what it expects; `weft test --accept` writes down what came");
        return;
    }
    for Difference { at, expected, came } in &case.differences {
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let (expected, came) = (shown(expected), shown(came));
        let at = at.join(": ");
        let wide = at.chars().count() + expected.chars().count() + came.chars().count() > WIDE;
        let (expected, came) = (show.good(&expected), show.bad(&came));
        if wide {
            show.line(format!("      {at}"));
            show.line(format!("        expected {expected}"));
            show.line(format!("        came     {came}"));
        } else {
            show.line(format!("      {at}: expected {expected}, came {came}"));
        }
    }
}

/// What the cases of one file have not tried.
fn covered(report: &FileReport, coverage: &Coverage, show: &Show) {
    match coverage {
        Coverage::Flow(flow) => {
            let [steps, branches, rows] = flow.counts();
            let missing = flow.missing();
            show.json(&json!({
                "coverage": report.subject,
                "steps": { "tried": steps.0, "all": steps.1 },
                "branches": { "tried": branches.0, "all": branches.1 },
                "rows": { "tried": rows.0, "all": rows.1 },
                "missing": missing.iter().map(|(line, what)| json!({ "line": line, "what": what }))
                    .collect::<Vec<_>>(),
            }));
            let part = |(tried, all): (usize, usize)| format!("{tried} of {all}");
            let cells = vec![part(steps), part(branches), part(rows)];
            show.table(&["    steps", "branches", "rows of tables"], &[indented(cells)]);
            for (line, what) in missing {
                show.line(format!("    {}:{line}: {what}", report.subject));
            }
        }
        Coverage::Script(script) => {
            let (called, all) = script.counts();
            let missing: Vec<&str> = script
                .functions
                .iter()
                .filter(|(_, called)| !called)
                .map(|(name, _)| name.as_str())
                .collect();
            show.json(&json!({
                "coverage": report.subject, "functions": { "tried": called, "all": all }, "missing": missing,
            }));
            show.line(format!("    {called} of {all} functions"));
            for name in missing {
                show.line(format!("    {}: {name}", report.subject));
            }
        }
    }
}

fn indented(mut cells: Vec<String>) -> Vec<String> {
    if let Some(first) = cells.first_mut() {
        first.insert_str(0, "    ");
    }
    cells
}
