//! Text → ast; with its sub-modules the only place that knows pest.
//!
//! The scanner cuts the text into logical lines, pest reads each of them, and `tree` puts the
//! blocks together. A line that cannot be read costs one problem and no other line.

mod constant;
mod convert;
mod fault;
mod tree;
mod types;

pub(crate) use tree::{is_head, is_step};

use pest::Parser as _;
use pest_derive::Parser;

use crate::ast::{File, Kind};
use crate::problem::{Code, Problem};
use crate::scan::{self, Line};
use crate::source::{MAX_BYTES, Source};

#[derive(Parser)]
#[grammar = "flow.pest"]
struct FlowParser;

/// A file as read, with what was wrong with its form.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The lines and blocks.
    pub file: File,
    /// The text with quotes, brackets and comments out of sight.
    pub masked: String,
    /// Problems of form.
    pub problems: Vec<Problem>,
    /// So much is wrong that nothing more should be said.
    pub hopeless: bool,
}

/// Reads a file. Whatever the text is, this ends, and says what it could not read.
pub(crate) fn parse(source: &Source) -> Parsed {
    let text = source.text();
    if text.len() > MAX_BYTES {
        let problem = Problem::new(
            Code::TooLarge,
            0..1,
            format!("the file is larger than {} KiB", MAX_BYTES / 1024),
        )
        .label("no flow is that long")
        .help(
            "is this a flow file? Long tables belong into the project's settings, where they can be edited",
        );
        return Parsed { problems: vec![problem], hopeless: true, ..Parsed::default() };
    }
    let scanned = scan::scan(text);
    let mut problems = scanned.problems;
    let mut lines = Vec::with_capacity(scanned.lines.len());
    for line in &scanned.lines {
        let kind = match line {
            Line::Close { .. } => None,
            Line::Text { span, opens, faulty, .. } => {
                let reader = LineReader { text, masked: &scanned.masked, span, opens: opens.is_some() };
                let (kind, found) = reader.read(*faulty);
                let faulty = *faulty || !found.is_empty();
                problems.extend(found);
                Some((kind, faulty))
            }
        };
        lines.push((line, kind));
    }
    let mut hopeless = problems.iter().any(|problem| problem.code() == Code::TooDeep);
    let nodes = tree::build(lines, &mut problems);
    hopeless |= problems.iter().any(|problem| problem.code() == Code::TooDeep);
    if lines_say_nothing(&scanned.lines) && problems.is_empty() {
        hopeless = true;
        problems.push(
            Problem::new(Code::EmptyFile, 0..1, "the file says nothing")
                .help("a flow starts with `flow \"its title\"`; docs/language.md shows whole ones"),
        );
    }
    Parsed { file: File { nodes, comments: scanned.comments }, masked: scanned.masked, problems, hopeless }
}

fn lines_say_nothing(lines: &[Line]) -> bool {
    lines.is_empty()
}

/// Reads one logical line.
struct LineReader<'a> {
    text: &'a str,
    masked: &'a str,
    span: &'a std::ops::Range<usize>,
    opens: bool,
}

impl LineReader<'_> {
    /// What the line says, and what is wrong with it. In a line that the scanner found faulty
    /// already nothing more is reported.
    fn read(&self, faulty: bool) -> (Kind, Vec<Problem>) {
        let line = self.masked.get(self.span.clone()).unwrap_or_default();
        match FlowParser::parse(Self::rule(line), line) {
            Ok(pairs) => {
                let mut convert = convert::Convert::new(self.text, self.span.start);
                let kind = convert.line(pairs);
                if matches!(kind, Kind::FieldBlock(_)) && !self.opens {
                    let problem = fault::unknown_line(line, self.text, self.span);
                    return (Kind::Malformed, if faulty { Vec::new() } else { vec![problem] });
                }
                (kind, if faulty { Vec::new() } else { convert.problems })
            }
            Err(_) if faulty => (Kind::Malformed, Vec::new()),
            Err(error) => {
                (Kind::Malformed, vec![fault::explain(&error, Self::rule(line), line, self.text, self.span)])
            }
        }
    }

    fn rule(line: &str) -> Rule {
        let after_name =
            line.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.')).trim_start();
        let assigns = after_name.len() < line.len() && after_name.starts_with('=');
        if assigns && !after_name.starts_with("==") && !after_name.starts_with("=>") {
            Rule::field_line
        } else if line.contains("->") && !line.starts_with("table")
            || line.starts_with(['"', '(', '-'])
            || line.starts_with(|c: char| c.is_ascii_digit())
        {
            Rule::row_line
        } else {
            Rule::line
        }
    }
}
