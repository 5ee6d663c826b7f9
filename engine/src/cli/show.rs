//! What people and programs see: text or JSON, colour only on a terminal.

use std::io::{IsTerminal as _, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Report};

use super::problems::{Problem, problems};
use crate::trouble::Trouble;

/// Where and how a command speaks.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a plain fact of where it speaks, independent of the others"
)]
#[derive(Debug)]
pub(crate) struct Show {
    json: bool,
    /// Nothing is said at all.
    silent: bool,
    colour: bool,
    terminal: bool,
}

impl Show {
    pub(crate) fn new(json: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !json;
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, silent: false, colour, terminal }
    }

    /// Says nothing.
    pub(crate) const fn silent() -> Self {
        Self { json: false, silent: true, colour: false, terminal: false }
    }

    /// Empties the screen, where a person watches.
    pub(crate) fn clear(&self) {
        if self.colour && !self.json {
            let _ = write!(std::io::stdout(), "\u{1b}[2J\u{1b}[3J\u{1b}[H");
        }
    }

    /// The call asked for JSON.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// A person watches: bars may move.
    pub(crate) const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A line for people; nothing under `--json`. A closed pipe is no fault of ours.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if !self.json && !self.silent {
            let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
        }
    }

    /// Asks a person before something that cannot be taken back; `yes` is the answer given
    /// beforehand. Where nobody can be asked, nothing is done.
    pub(crate) fn confirm(&self, question: &str, yes: bool) -> Result<(), Trouble> {
        if yes {
            return Ok(());
        }
        if self.terminal && std::io::stdin().is_terminal() {
            let _ = write!(std::io::stderr(), "{question} [y/N] ");
            let mut answer = String::new();
            let read = std::io::stdin().read_line(&mut answer);
            if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") {
                return Ok(());
            }
            return Err(Trouble::new("R086", "nothing was changed"));
        }
        Err(Trouble::new("R086", question).help("nothing was changed; say `--yes` to go on"))
    }

    /// A value for programs; nothing without `--json`.
    pub(crate) fn json(&self, value: &serde_json::Value) {
        if self.json {
            let _ = writeln!(std::io::stdout(), "{value}");
        }
    }

    /// The same, as it was written: numbers keep every digit.
    pub(crate) fn json_text(&self, text: &[u8]) {
        if self.json {
            let mut out = std::io::stdout();
            let _ = out.write_all(text).and_then(|()| out.write_all(b"\n"));
        }
    }

    /// What ends a command.
    pub(crate) fn trouble(&self, trouble: &Trouble) {
        if !self.json {
            return self.diagnostic(trouble);
        }
        let mut all: Vec<_> = problems(trouble).iter().map(Problem::to_json).collect();
        self.json(&match (all.len(), all.pop()) {
            (1, Some(only)) => serde_json::json!({ "error": only }),
            (_, last) => {
                all.extend(last);
                serde_json::json!({ "error": { "message": trouble.to_string(), "problems": all } })
            }
        });
    }

    /// What was found in a file.
    pub(crate) fn report(&self, report: &Report) {
        let diagnostic: &dyn Diagnostic = report.as_ref();
        if !self.json {
            return self.diagnostic(diagnostic);
        }
        for problem in problems(diagnostic) {
            self.json(&serde_json::json!({ "problem": problem.to_json() }));
        }
    }

    fn diagnostic(&self, diagnostic: &dyn Diagnostic) {
        let theme = if self.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let width = if self.terminal { terminal_width() } else { 100 };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width);
        let all = problems(diagnostic);
        let mut text = String::new();
        if all.len() > 1 {
            text = format!("{}\n\n", self.strong(&diagnostic.to_string()));
        }
        for problem in &all {
            // Into a text, writing cannot fail.
            let _ = handler.render_report(&mut text, problem);
            text.truncate(text.trim_end().len());
            text.push_str("\n\n");
        }
        let _ = write!(std::io::stderr(), "{text}");
    }

    /// Bold on a terminal.
    pub(crate) fn strong(&self, text: &str) -> String {
        self.painted("1", text)
    }

    /// Green on a terminal.
    pub(crate) fn good(&self, text: &str) -> String {
        self.painted("32", text)
    }

    /// Yellow on a terminal.
    pub(crate) fn warning(&self, text: &str) -> String {
        self.painted("33", text)
    }

    /// Red on a terminal.
    pub(crate) fn bad(&self, text: &str) -> String {
        self.painted("31", text)
    }

    /// Dim on a terminal.
    pub(crate) fn faint(&self, text: &str) -> String {
        self.painted("2", text)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Columns of equal width, the last one free; the first line is a headline.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(String::as_str);
            cells.chain(head.get(at).copied()).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &[String]| {
            let padded: Vec<String> =
                cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            padded.join("  ").trim_end().to_owned()
        };
        self.line(self.faint(&line(&head.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>())));
        for row in rows {
            self.line(line(row));
        }
    }
}

fn terminal_width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100).clamp(60, 160)
}

/// `3 orders`, `1 order`.
pub(crate) fn count(number: i64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
