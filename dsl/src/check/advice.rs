//! Faults in expressions → advice: habits from other languages by name, the rest in Rhai's words.

use rhai::ParseErrorType;

use super::exprs::Purpose;
use crate::plan::Span;
use crate::problem::{Code, Problem};

/// Of each byte whether it is code: not within a text, a template's text or a comment.
pub(super) fn code_mask(text: &str) -> Vec<bool> {
    let bytes = text.as_bytes();
    let mut mask = vec![true; bytes.len()];
    let hide = |mask: &mut Vec<bool>, span: Span| {
        if let Some(bytes) = mask.get_mut(span) {
            bytes.fill(false);
        }
    };
    // `$` for `${` within a template, `{` for braces of code within that.
    let mut within: Vec<u8> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        if within.last() == Some(&b'`') {
            match (byte, next) {
                (b'`', _) => drop(within.pop()),
                (b'$', Some(b'{')) => {
                    within.push(b'$');
                    hide(&mut mask, at..at + 2);
                    at += 2;
                    continue;
                }
                _ => {}
            }
            hide(&mut mask, at..at + 1);
            at += 1;
            continue;
        }
        let length = match (byte, next) {
            (b'"', _) => quoted(bytes, at, b'"'),
            (b'\'', _) => quoted(bytes, at, b'\''),
            (b'/', Some(b'/')) => text.get(at..).and_then(|rest| rest.find('\n')).unwrap_or(bytes.len() - at),
            (b'/', Some(b'*')) => {
                text.get(at..).and_then(|rest| rest.find("*/")).map_or(bytes.len() - at, |end| end + 2)
            }
            (b'`', _) => {
                within.push(b'`');
                1
            }
            (b'{', _) if !within.is_empty() => {
                within.push(b'{');
                0
            }
            (b'}', _) => match within.pop() {
                Some(b'$') => 1,
                _ => 0,
            },
            _ => 0,
        };
        hide(&mut mask, at..at + length);
        at += length.max(1);
    }
    mask
}

fn quoted(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1 - start,
            _ => at += 1,
        }
    }
    bytes.len() - start
}

/// A word or mark of another language, and what is written here.
const WORDS: &[(&str, &str, &str)] = &[
    ("and", "`and` is written `&&`", "write `&&`"),
    ("or", "`or` is written `||`", "write `||`"),
    ("not", "`not` is written `!`", "write `!(…)`, or `unless …` instead of `if …`"),
    ("AND", "`AND` is written `&&`", "write `&&`"),
    ("OR", "`OR` is written `||`", "write `||`"),
    ("NOT", "`NOT` is written `!`", "write `!(…)`"),
    ("is", "`is` is written `==`", "write `==`; to ask whether something is there: `… != ()`"),
    ("equals", "`equals` is written `==`", "write `==`"),
    ("then", "`then` is not of the language", "write `if CONDITION { … } else { … }`"),
    ("elseif", "`elseif` is written `else if`", "write `else if CONDITION { … }`"),
    ("elif", "`elif` is written `else if`", "write `else if CONDITION { … }`"),
];

const MARKS: &[(&str, &str, &str)] = &[
    ("<>", "`<>` is written `!=`", "write `!=`"),
    ("===", "`===` is written `==`", "write `==`"),
    ("!==", "`!==` is written `!=`", "write `!=`"),
    (":=", "`:=` is no mark of the language", "write `==` to compare"),
];

/// What reads like another language, in code.
pub(super) fn of_other_languages(text: &str, span: &Span, purpose: Purpose) -> Option<Problem> {
    let mask = code_mask(text);
    let is_code = |at: usize| mask.get(at).copied().unwrap_or_default();
    for (mark, message, help) in MARKS {
        if let Some((at, _)) = text.match_indices(mark).find(|(at, _)| is_code(*at)) {
            let place = span.start + at..span.start + at + mark.len();
            return Some(
                Problem::new(Code::WordOperator, place, *message).label("from another language").help(*help),
            );
        }
    }
    for (start, word) in words(text).filter(|(at, _)| is_code(*at)) {
        let before = text.get(..start).unwrap_or_default().trim_end();
        let after = text.get(start + word.len()..).unwrap_or_default().trim_start();
        // A field of that name, or a function: `line.or`, `is(x)`, `#{and: 1}`.
        if before.ends_with(['.', ':'])
            || after.starts_with([':', '=', '.'])
            || (after.starts_with('(') && word != "not" && !needs_operator(before))
        {
            continue;
        }
        if let Some((_, message, help)) = WORDS.iter().find(|(name, ..)| *name == word) {
            let place = span.start + start..span.start + start + word.len();
            return Some(
                Problem::new(Code::WordOperator, place, *message).label("from another language").help(*help),
            );
        }
    }
    if purpose == Purpose::Condition {
        return assignment(text, span, &mask);
    }
    None
}

/// Something stands before that has to be joined to what comes.
fn needs_operator(before: &str) -> bool {
    before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']' | '"' | '`'))
}

/// One `=` at the top of a condition.
fn assignment(text: &str, span: &Span, mask: &[bool]) -> Option<Problem> {
    let bytes = text.as_bytes();
    let mut braces = 0_usize;
    for (at, byte) in bytes.iter().enumerate().filter(|(at, _)| mask.get(*at).copied().unwrap_or_default()) {
        match byte {
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            b'=' if braces == 0 => {
                let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
                let after = bytes.get(at + 1).copied().unwrap_or(b' ');
                if !b"=!<>+-*/%&|^".contains(&before) && !b"=>".contains(&after) {
                    let place = span.start + at..span.start + at + 1;
                    return Some(
                        Problem::new(Code::AssignmentInCondition, place, "a condition compares with `==`")
                            .label("one `=` gives a value")
                            .help("write `==`"),
                    );
                }
            }
            _ => {}
        }
    }
    None
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let from = text.get(rest..)?;
        let start = rest + from.find(|c: char| c.is_alphabetic() || c == '_')?;
        let word = text.get(start..)?;
        let length = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        rest = start + length;
        Some((start, word.get(..length)?))
    })
}

/// What Rhai says of an expression that it does not understand.
pub(super) fn of_rhai(kind: &ParseErrorType, at: usize, text: &str, span: &Span) -> Problem {
    let relative = at.saturating_sub(span.start);
    if let Some(problem) = clause_word(text, span) {
        return problem;
    }
    let rest = text.get(relative..).unwrap_or_default();
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let length = if word > 0 { word } else { rest.chars().next().map_or(1, char::len_utf8) };
    let found = rest.get(..length).unwrap_or_default();
    let at_end = relative >= text.trim_end().len();
    let place = if at_end { span.end.saturating_sub(1)..span.end } else { at..at + length };
    let problem = |message: String| Problem::new(Code::WrongExpression, place.clone(), message);
    match kind {
        _ if at_end => problem("the expression ends too early".to_owned())
            .label("something is missing after this")
            .help("finish it on this line, or let the next line start with an operator such as `+`, `??` or `&&`"),
        ParseErrorType::MissingToken(token, _) if token == ";" => {
            let before = text.get(..relative).unwrap_or_default().trim_end();
            let problem = problem(format!("the expression should end before `{found}`")).label("not expected here");
            if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '`' | ')' | ']' | '_')) {
                problem.help("two values are joined by an operator: `+` to add or to put texts together, `&&` for both, `??` for the first that is there")
            } else {
                problem
            }
        }
        ParseErrorType::MissingToken(token, why) => {
            problem(format!("`{token}` is missing here")).label(format!("found `{found}`")).maybe_help((!why.is_empty()).then(|| format!("expected `{token}` {why}")))
        }
        ParseErrorType::UnexpectedEOF => problem("the expression ends too early".to_owned()).label("something is missing after this"),
        ParseErrorType::Reserved(word) if matches!(word.as_str(), "null" | "nil" | "undefined") => {
            problem(format!("`{word}` is written `()`")).label("from another language").help("no value is `()`: `… == ()` asks whether there is none")
        }
        ParseErrorType::Reserved(word) => problem(format!("`{word}` is a reserved word")).label("cannot stand in an expression"),
        other => problem(format!("Rhai does not understand this: {}", first_small(&other.to_string()))).label("here"),
    }
}

/// A word of the flow language in the midst of an expression: a clause in the wrong place.
fn clause_word(text: &str, span: &Span) -> Option<Problem> {
    let mask = code_mask(text);
    let (start, word) = words(text).find(|(at, word)| {
        let before = text.get(..*at).unwrap_or_default().trim_end();
        mask.get(*at).copied().unwrap_or_default()
            && matches!(*word, "when" | "where" | "unless" | "on" | "by" | "since" | "otherwise" | "if")
            && needs_operator(before)
    })?;
    let help = match word {
        "when" => "`when` follows a field line; `skip`, `fail` and `notify` take `if` or `unless`",
        "if" => {
            "a field line takes `when CONDITION`; a value under a condition is `if CONDITION { … } else { … }`"
        }
        "unless" => "`unless` follows `skip`, `fail` and `notify`; a field line takes `when CONDITION`",
        "where" => "`where` belongs to `fetch`; records are chosen with `filter` as well",
        "on" => "after a value stands `on create`, `on update` or `on delete`",
        _ => "this word belongs to another step",
    };
    let place = span.start + start..span.start + start + word.len();
    Some(
        Problem::new(Code::WrongExpression, place, format!("`{word}` cannot stand here"))
            .label("not part of an expression")
            .help(help),
    )
}

fn first_small(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
