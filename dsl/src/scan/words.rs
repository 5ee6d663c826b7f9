//! What the first words of a line say about its braces and about the line before.

use super::Braces;

/// Verbs that start a step; the line before them has ended.
const STEPS: &[&str] = &[
    "fetch", "filter", "lookup", "skip", "fail", "map", "upsert", "create", "update", "each", "when",
    "notify",
];

/// Words that start a line without a block of its own.
const PLAIN: &[&str] = &[
    "flow",
    "source",
    "target",
    "use",
    "setting",
    "table",
    "ask",
    "otherwise",
    "every",
    "at",
    "on",
    "overlapping",
    "missed",
    "fetch",
    "filter",
    "lookup",
    "skip",
    "fail",
    "notify",
];

/// Splits off the first word: letters, digits, `_`.
fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r'])
}

/// One `=` that is not `==` or `=>`.
fn is_assignment(rest: &str) -> bool {
    rest.strip_prefix('=').is_some_and(|rest| !rest.starts_with(['=', '>']))
}

/// How to read the braces of the line that starts here.
pub(super) fn braces(line: &str) -> Braces {
    let line = line.split('\n').next().unwrap_or_default();
    let (first, rest) = word(line);
    let rest = blanks(rest);
    if first.is_empty() || rest.starts_with('=') {
        return Braces::Expression;
    }
    let (second, _) = word(rest);
    match first {
        "map" if line.split_whitespace().nth(2) == Some("with") => Braces::Expression,
        "when" | "each" | "create" | "upsert" | "update" | "else" | "map" => Braces::Block,
        _ if second == "each" => Braces::Block,
        _ if PLAIN.contains(&first) => Braces::Expression,
        _ if rest.starts_with('{') => Braces::Block,
        _ => Braces::Guess,
    }
}

/// The next line can only be the start of something new: `name =`, or a verb and a name.
pub(super) fn starts_statement(line: &str) -> bool {
    let (first, rest) = word(line.trim_start());
    if first.is_empty() {
        return false;
    }
    let after = blanks(rest);
    if is_assignment(after) {
        return true;
    }
    let spaced = after.len() < rest.len();
    STEPS.contains(&first) && spaced && after.starts_with(|c: char| c.is_alphabetic() || c == '"' || c == '`')
}

/// Whether the logical line goes on after the line break at the start of `rest`.
pub(super) fn goes_on(line: &[u8], rest: &str) -> bool {
    let next = rest.trim_start();
    // A line of comment between two lines of one expression does not part them.
    let next = skip_comments(next);
    if starts_statement(next) || next.is_empty() {
        return false;
    }
    let line = line.trim_ascii();
    let first_word = std::str::from_utf8(line).map(word).map_or("", |(first, _)| first);
    is_open(line) || leads(next) || is_clause(first_word, line, next)
}

fn skip_comments(mut text: &str) -> &str {
    while let Some(comment) = text.strip_prefix("//") {
        text = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    text
}

/// The line ends with an operator that wants something after it.
fn is_open(line: &[u8]) -> bool {
    ["&&", "||", "??", "==", "!=", "<=", ">=", " +", " *", " %", " |", " -", ","]
        .iter()
        .any(|operator| line.ends_with(operator.as_bytes()))
}

/// The next line starts with an operator that wants something before it.
fn leads(next: &str) -> bool {
    let operators = ["??", "?.", "||", "&&", "+ ", "* ", "% ", "== ", "!= ", "<= ", ">= ", "| "];
    if operators.iter().any(|operator| next.starts_with(operator)) {
        return true;
    }
    // A negative number starts a row of a table as well.
    let line = next.split('\n').next().unwrap_or_default();
    next.starts_with("- ") && !line.contains("->")
        || next
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// The next line is a clause of the step that this line starts.
fn is_clause(first_word: &str, line: &[u8], next: &str) -> bool {
    let (second, rest) = word(next);
    let clauses: &[&str] = match first_word {
        "fetch" => &["from", "since", "overlap", "where", "and"],
        "lookup" | "update" => &["in", "by", "and"],
        "upsert" => &["in", "by", "and", "else"],
        "skip" | "fail" | "notify" if !has_condition(line) => &["if", "unless"],
        _ => &[],
    };
    let line = next.split('\n').next().unwrap_or_default().trim_end();
    let is_if_block = matches!(second, "if" | "unless") && line.ends_with('{');
    clauses.contains(&second) && rest.starts_with([' ', '\t']) && !is_if_block
}

fn has_condition(line: &[u8]) -> bool {
    std::str::from_utf8(line)
        .is_ok_and(|line| line.split_whitespace().any(|word| matches!(word, "if" | "unless")))
}
