//! Lines that cannot be read → advice.
//!
//! What people write in other languages is met by name; for the rest pest knows what it
//! expected, and [`crate::labels`] knows how a writer would call that.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use crate::labels::plain_name;
use crate::plan::Span;
use crate::problem::{Code, Problem, closest};

/// Words that start a line.
const VERBS: &[&str] = &[
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
    "map",
    "upsert",
    "create",
    "update",
    "each",
    "when",
    "else",
];

/// What other languages say, and what is said here.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["select", "get", "read", "pull", "load", "query", "fetch_all", "retrieve"],
        "records are read with `fetch NAME from ROLE.RESOURCE`; a single one is found with `lookup NAME in ROLE.RESOURCE by FIELD = …`",
    ),
    (
        &["insert", "add", "new", "post", "write", "push", "send"],
        "a new record is made with `create NAME in ROLE.RESOURCE { … }`",
    ),
    (
        &["save", "store", "sync", "merge", "put", "replace"],
        "a record is created or updated with `upsert NAME in ROLE.RESOURCE by FIELD { … }`",
    ),
    (
        &["modify", "change", "patch", "edit", "alter"],
        "a record is changed with `update NAME in ROLE.RESOURCE by FIELD = … { … }`",
    ),
    (
        &["delete", "remove", "drop"],
        "flows do not delete; where the source tells what it has deleted, a field line can say that the record is no longer used: `active = false on delete`",
    ),
    (
        &["find", "search", "look", "lookfor"],
        "a record is found with `lookup NAME in ROLE.RESOURCE by FIELD = …`",
    ),
    (
        &["for", "foreach", "loop", "while", "forall", "repeat"],
        "a list is walked with `each NAME in LIST { … }`",
    ),
    (
        &["if", "case", "switch", "unless"],
        "steps under a condition stand in `when CONDITION { … }`; a record is left out with `skip \"reason\" if CONDITION`",
    ),
    (&["elseif", "elsif", "elif", "elsewhen"], "write `else when CONDITION {`"),
    (
        &["let", "var", "const", "val", "dim", "declare"],
        "a value is worked out in the field line that needs it; a record of values is made with `map NAME { … }`",
    ),
    (
        &["set", "assign"],
        "a field gets its value with `field = value` in the block of `create`, `update`, `upsert` or `map`",
    ),
    (
        &["throw", "raise", "error", "reject", "abort", "assert", "exit"],
        "a record is refused with `fail \"reason\" if CONDITION`",
    ),
    (
        &["continue", "next", "ignore", "exclude", "break", "return"],
        "a record is left out with `skip \"reason\" if CONDITION`",
    ),
    (
        &["where", "having", "include", "only", "keep"],
        "records are chosen with `filter CONDITION`, or by the source itself with `fetch … where FIELD = value`",
    ),
    (&["print", "log", "echo", "alert", "warn"], "people are told with `notify \"text\" if CONDITION`"),
    (
        &["import", "require", "using", "script"],
        "a script is brought in with `use \"scripts/NAME.rhai\" as NAME`",
    ),
    (
        &["function", "fn", "def", "func", "sub"],
        "functions stand in a script, brought in with `use \"scripts/NAME.rhai\" as NAME`",
    ),
    (
        &["param", "parameter", "variable", "config", "option", "question", "input"],
        "a question is asked with `setting NAME: TYPE = DEFAULT`",
    ),
    (
        &["mapping", "translate", "dictionary", "dict", "enum", "lookup_table"],
        "values are translated with `table NAME: text -> text` and rows `\"from\" -> \"to\"`",
    ),
    (&["from", "input_system"], "the system that is read stands in the head: `source NAME: SYSTEM`"),
    (
        &["to", "into", "destination", "dest", "sink"],
        "the system that is written stands in the head: `target NAME: SYSTEM`",
    ),
    (
        &["cron", "schedule", "daily", "hourly"],
        "a time is given with `every 5 minutes` or `at \"0 6 * * *\" in \"Europe/Amsterdam\"`",
    ),
    (&["end", "endif", "done", "fi", "begin"], "blocks stand between `{` and `}`"),
    (&["default", "otherwise_use"], "what a table gives for other keys is said with `otherwise VALUE`"),
    (&["name", "title", "workflow", "pipeline", "job"], "a flow starts with `flow \"its title\"`"),
];

/// A problem for a line that pest could not read.
pub(super) fn explain(error: &Error<Rule>, rule: Rule, line: &str, text: &str, span: &Span) -> Problem {
    let first = first_word(line);
    let known = VERBS.contains(&first) || rule == Rule::field_line;
    if rule == Rule::row_line && !line.contains("->") {
        return missing_arrow(line, text, span);
    }
    if !known && let Some(problem) = wrong_mark(line, text, span) {
        return problem;
    }
    if !known && rule != Rule::row_line {
        return unknown_line(line, text, span);
    }
    let found = found_at(error, line, span);
    let written = text.get(found.clone()).unwrap_or_default();
    let names = expected(error, known);
    if let Some(problem) = particular(first, line, &names, &found, written, span) {
        return problem;
    }
    let at_end = found.start >= span.end;
    let what = or_list(&names);
    let place = if at_end { span.end.saturating_sub(1)..span.end } else { found };
    if at_end && names.iter().all(|name| *name == "an expression") && !names.is_empty() {
        return Problem::new(Code::MissingExpression, place, "the line ends where a value must stand")
            .label("something is missing after this")
            .maybe_help(form(first, line).map(|form| format!("the form is `{form}`")));
    }
    let message = match (what.is_empty(), at_end) {
        (true, _) => format!("this line cannot be read from `{written}` on"),
        (false, true) => format!("expected {what}, but the line ends"),
        (false, false) => format!("expected {what}, found `{written}`"),
    };
    let label =
        if at_end { "something is missing after this".to_owned() } else { "not expected here".to_owned() };
    Problem::new(Code::Unexpected, place, message)
        .label(label)
        .maybe_help(form(first, line).map(|form| format!("the form is `{form}`")))
}

/// A line that starts with no word of the language.
pub(super) fn unknown_line(line: &str, text: &str, span: &Span) -> Problem {
    let first = first_word(line);
    let place = span.start..span.start + first.len().max(1);
    let written = text.get(place.clone()).unwrap_or_default().to_owned();
    let lower = first.to_lowercase();
    if VERBS.contains(&lower.as_str()) {
        return Problem::new(
            Code::UnknownVerb,
            place,
            "words of the flow language are written in small letters",
        )
        .label("capital letters")
        .help(format!("write `{lower}`"));
    }
    if let Some((_, advice)) = FOREIGN.iter().find(|(words, _)| words.contains(&lower.as_str())) {
        return Problem::new(
            Code::ForeignVerb,
            place,
            format!("`{written}` is not a word of the flow language"),
        )
        .label("from another language")
        .help(*advice);
    }
    if let Some(verb) = closest(&lower, VERBS.iter().copied()) {
        return Problem::new(
            Code::UnknownVerb,
            place,
            format!("`{written}` is not a word of the flow language"),
        )
        .label("no line starts like this")
        .help(format!("did you mean `{verb}`?"));
    }
    let whole = line.trim();
    let is_bare = whole == first && !first.is_empty();
    let help = if is_bare {
        format!(
            "a field gets its value with `{written} = …`; a step starts with a verb such as `lookup` or `create`"
        )
    } else {
        "a line starts with a verb such as `fetch`, `lookup` or `create`, or gives a field its value: `field = value`".to_owned()
    };
    let shown = if written.trim().is_empty() { whole.to_owned() } else { written };
    Problem::new(Code::UnknownVerb, place, format!("`{shown}` starts no line of the flow language"))
        .label("neither a verb nor a field line")
        .help(help)
}

/// A row of a table that does without its arrow.
fn missing_arrow(line: &str, text: &str, span: &Span) -> Problem {
    let rest = line.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit() || c == '.');
    let close = match rest.bytes().next() {
        Some(b'"') if rest.len() == line.len() => {
            rest.get(1..).and_then(|rest| rest.find('"')).map_or(rest.len(), |at| at + 2)
        }
        Some(b'(') => rest.find(')').map_or(rest.len(), |at| at + 1),
        _ => 0,
    };
    let after = rest.get(close..).unwrap_or_default();
    let start = span.start + line.len() - after.trim_start().len();
    let mark =
        ["=>", "=", ":", ",", "→", "->", "-"].into_iter().find(|mark| after.trim_start().starts_with(mark));
    let key = text.get(span.start..start).unwrap_or_default().trim();
    let value = text.get(start + mark.map_or(0, str::len)..span.end).unwrap_or_default().trim();
    let value = if value.is_empty() { "…" } else { value };
    // What stands there instead, a letter of whatever length.
    let letter = text.get(start..).and_then(|text| text.chars().next()).map_or(0, char::len_utf8);
    let place = start..start + mark.map_or(letter, str::len);
    Problem::new(Code::Unexpected, place, "the arrow `->` is missing")
        .label(
            mark.map_or_else(
                || "expected `->` before this".to_owned(),
                |mark| format!("`{mark}` stands here"),
            ),
        )
        .help(format!("write `{key} -> {value}`"))
}

/// `name: value`, `name == value`, `name => value`, `name := value`.
fn wrong_mark(line: &str, text: &str, span: &Span) -> Option<Problem> {
    let name = first_word(line);
    let rest = line.get(name.len()..)?;
    let after = rest.trim_start();
    let mark = [":=", "==", "=>", "<-", ":"].into_iter().find(|mark| after.starts_with(mark))?;
    if name.is_empty() {
        return None;
    }
    let start = span.start + name.len() + (rest.len() - after.len());
    let value = text.get(start + mark.len()..span.end).unwrap_or_default().trim();
    let value = if value.is_empty() || value.len() > 40 || value.contains('\n') { "…" } else { value };
    let problem =
        Problem::new(Code::WrongEquals, start..start + mark.len(), "a field gets its value with `=`")
            .label(format!("`{mark}` stands here"));
    Some(problem.help(format!("write `{name} = {value}`")))
}

/// Mistakes in lines of a known verb that deserve words of their own.
fn particular(
    first: &str,
    line: &str,
    names: &[&str],
    found: &Span,
    written: &str,
    span: &Span,
) -> Option<Problem> {
    let wants = |name: &str| names.contains(&name);
    let rest = line.get(found.start.saturating_sub(span.start)..).unwrap_or_default().trim();
    if first == "else" && matches!(written, "if" | "unless") {
        return Some(
            Problem::new(Code::ForeignVerb, found.clone(), "`else if` is not of the flow language")
                .label("from another language")
                .help("write `else when CONDITION {`"),
        );
    }
    if wants("a text in quotes") && written.starts_with(|c: char| c.is_alphabetic()) {
        let plain: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || " _-/.:*".contains(*c)).collect();
        let end = plain.find(" as ").or(plain.find(" in ")).unwrap_or(plain.len());
        let plain = plain.get(..end).unwrap_or(&plain).trim_end();
        let place = found.start..found.start + plain.len().max(1);
        return Some(
            Problem::new(Code::MissingQuotes, place, "a text stands in quotes")
                .label("quotes are missing")
                .help(format!("write `\"{plain}\"`")),
        );
    }
    if wants("`->`") {
        return Some(
            Problem::new(Code::Unexpected, found.clone(), "the arrow `->` is missing")
                .label(if rest.is_empty() { "the line ends" } else { "expected `->` here" })
                .help("a row is written `key -> value`, a table `table NAME: KEY -> TYPE`"),
        );
    }
    if first == "at" && written.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(
            Problem::new(
                Code::WrongCron,
                found.start..found.start + rest.split_whitespace().next().map_or(1, str::len),
                "a time is five fields in quotes",
            )
            .label("minute, hour, day of month, month, day of week")
            .help("six o'clock every morning is `at \"0 6 * * *\" in \"Europe/Amsterdam\"`"),
        );
    }
    if written == "." && (wants("`in`") || wants("`from`")) {
        let before = span.start
            + line
                .get(..found.start.saturating_sub(span.start))
                .unwrap_or_default()
                .trim_end()
                .rfind(' ')
                .map_or(0, |at| at + 1);
        return Some(
            Problem::new(
                Code::Unexpected,
                before..found.start.max(before + 1),
                format!("`{first}` gives its record a name first"),
            )
            .label("expected a name before this")
            .maybe_help(form(first, line).map(|form| format!("the form is `{form}`"))),
        );
    }
    if wants("a resource such as `shop.orders`") || wants("`.`") {
        let before = line.get(..found.start.saturating_sub(span.start)).unwrap_or_default().trim_end();
        let start = span.start + before.rfind(' ').map_or(0, |at| at + 1);
        let place = if wants("`.`") { start..span.start + before.len() } else { found.clone() };
        return Some(
            Problem::new(Code::Unexpected, place, "a resource is named with its side: `ROLE.RESOURCE`")
                .label("expected a resource such as `shop.orders`")
                .maybe_help(form(first, line).map(|form| format!("the form is `{form}`"))),
        );
    }
    if first == "skip" || first == "fail" || first == "notify" {
        return Some(
            Problem::new(Code::Unexpected, found.clone(), format!("`{first}` says why, for people"))
                .label("expected a text")
                .maybe_help(form(first, line).map(|form| format!("the form is `{form}`"))),
        );
    }
    None
}

/// The form of a line, for its help.
fn form(first: &str, line: &str) -> Option<&'static str> {
    Some(match first {
        "flow" => "flow \"title\"",
        "source" => "source NAME: SYSTEM",
        "target" => "target NAME: SYSTEM",
        "use" => "use \"scripts/NAME.rhai\" as NAME",
        "setting" => "setting NAME: TYPE = DEFAULT",
        "table" => "table NAME: KEY -> TYPE",
        "ask" => "ask \"question\"",
        "otherwise" => "otherwise VALUE",
        "every" => "every 5 minutes",
        "at" if line.contains("least") => "at least 1 minute apart",
        "at" => "at \"0 6 * * *\" in \"Europe/Amsterdam\"",
        "on" => "on webhook ROLE \"event\"",
        "overlapping" => "overlapping runs skip",
        "missed" => "missed runs once",
        "fetch" => "fetch NAME from ROLE.RESOURCE since FIELD where FIELD = value",
        "filter" => "filter CONDITION",
        "lookup" => "lookup NAME in ROLE.RESOURCE by FIELD = value",
        "skip" => "skip \"reason\" if CONDITION",
        "fail" => "fail \"reason\" if CONDITION",
        "notify" => "notify \"text\" if CONDITION",
        "map" => "map NAME { … }",
        "upsert" => "upsert NAME in ROLE.RESOURCE by FIELD { … }",
        "create" => "create NAME in ROLE.RESOURCE { … }",
        "update" => "update NAME in ROLE.RESOURCE by FIELD = value { … }",
        "each" => "each NAME in LIST { … }",
        "when" => "when CONDITION { … }",
        "else" => "else { … }",
        _ => return None,
    })
}

fn first_word(line: &str) -> &str {
    let end = line.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// The word, or the mark, at which reading stopped.
fn found_at(error: &Error<Rule>, line: &str, span: &Span) -> Span {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rest = line.get(at..).unwrap_or_default();
    let at = at + (rest.len() - rest.trim_start().len());
    let rest = rest.trim_start();
    let word = first_word(rest).len();
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.find('"')).map_or(0, |end| end + 2);
    let mark = rest.chars().next().map_or(0, char::len_utf8);
    let length = if word > 0 { word } else { quoted.max(mark) };
    span.start + at..span.start + at + length
}

/// Plain names of what pest expected, each once.
fn expected(error: &Error<Rule>, known_verb: bool) -> Vec<&'static str> {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else { return Vec::new() };
    let catch_all =
        |rule: &Rule| matches!(rule, Rule::field_equals | Rule::field_each | Rule::field_block | Rule::EOI);
    let certain: Vec<&Rule> = positives.iter().filter(|rule| !(known_verb && catch_all(rule))).collect();
    let chosen = if certain.is_empty() { positives.iter().collect() } else { certain };
    let mut names: Vec<&'static str> = Vec::new();
    for name in chosen.into_iter().filter_map(|rule| plain_name(*rule)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn or_list(names: &[&str]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
