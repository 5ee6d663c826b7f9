//! Kinds of mistakes that people make in flows, and where in a flow each can be made.

use std::collections::BTreeSet;

use dsl::catalog::{Field, System, Type};

use super::tokens::{Kind, Token};

/// A mistake that could be planted: what stands where is replaced.
#[derive(Clone, Debug)]
pub struct Planted {
    pub what: &'static str,
    pub at: std::ops::Range<usize>,
    pub new: String,
    /// The line where it stands, and those where it must show in its stead.
    pub lines: BTreeSet<usize>,
}

/// A flow with what is known of it.
pub struct Flow<'t> {
    pub text: &'t str,
    pub tokens: Vec<Token>,
    pub source: &'t System,
    pub target: &'t System,
}

type Plant = fn(&Flow<'_>, &mut fastrand::Rng) -> Vec<Planted>;

/// What people mistype, forget and mix up.
pub const KINDS: &[(&str, Plant)] = &[
    ("field of a record", field),
    ("field that is written", written),
    ("name of a step", name),
    ("name of a setting", setting),
    ("name of a table", table),
    ("function", function),
    ("name of a script", script),
    ("role", role),
    ("resource", resource),
    ("system", system),
    ("field to find by", found_by),
    ("word of the language", keyword),
    ("text of a choice", choice),
    ("event", event),
    ("type of a setting", kind_of_setting),
    ("quotes around a number", quotes),
    ("number without its quotes", no_quotes),
    ("value of a call left out", argument),
    ("required field left out", required),
    ("key of a look-up left out", key),
    ("key of a row left out", row),
    ("operator of another language", operator),
    ("bracket left open", bracket),
    ("quote left out", quote),
    ("question mark before a point left out", question_mark),
];

/// A word as hasty fingers write it: two letters swapped, one left out, one doubled.
fn mistyped(word: &str, rng: &mut fastrand::Rng) -> Option<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < 3 {
        return None;
    }
    let at = rng.usize(1..letters.len() - 1);
    let mut other = letters.clone();
    match rng.u8(0..3) {
        0 => other.swap(at, at + 1),
        1 => drop(other.remove(at)),
        _ => other.insert(at, letters[at]),
    }
    let other: String = other.into_iter().collect();
    (other != word).then_some(other)
}

impl Flow<'_> {
    fn before(&self, number: usize, back: usize) -> &str {
        number.checked_sub(back).map_or("", |at| self.tokens[at].text.as_str())
    }

    fn after(&self, number: usize) -> &str {
        self.tokens.get(number + 1).map_or("", |token| token.text.as_str())
    }

    fn line_starts_with(&self, number: usize) -> &str {
        let line = self.tokens[number].line;
        self.tokens[..=number]
            .iter()
            .rev()
            .find(|token| token.line == line && token.first)
            .map_or("", |token| token.text.as_str())
    }

    /// Mistypes each word that fits; it shows there or where else the same word stands.
    fn words(
        &self,
        what: &'static str,
        rng: &mut fastrand::Rng,
        fits: impl Fn(usize, &Token) -> bool,
    ) -> Vec<Planted> {
        let chosen = self
            .tokens
            .iter()
            .enumerate()
            .filter(|(number, token)| token.kind == Kind::Word && fits(*number, token));
        chosen
            .filter_map(|(_, token)| {
                Some(Planted {
                    what,
                    at: token.at..token.end(),
                    new: mistyped(&token.text, rng)?,
                    lines: BTreeSet::from([token.line]),
                })
            })
            .collect()
    }

    fn replaced(&self, what: &'static str, token: &Token, new: impl Into<String>) -> Planted {
        Planted { what, at: token.at..token.end(), new: new.into(), lines: BTreeSet::from([token.line]) }
    }

    /// Names that steps, settings and tables give.
    fn given(&self, words: &[&str]) -> BTreeSet<&str> {
        let tokens = self.tokens.iter().enumerate();
        let named = tokens.filter(|(number, token)| {
            token.kind == Kind::Word
                && *number > 0
                && (words.contains(&self.before(*number, 1)) && self.tokens[number - 1].first
                    || self.before(*number, 1) == "all" && words.contains(&self.before(*number, 2)))
        });
        named.map(|(_, token)| token.text.as_str()).filter(|name| *name != "all").collect()
    }

    /// A declared name shows where it is read.
    fn or_where_it_is_read(&self, mut planted: Planted) -> Planted {
        let old = &self.text[planted.at.clone()];
        planted.lines.extend(self.tokens.iter().filter(|token| token.text == old).map(|token| token.line));
        planted
    }
}

fn is_point(mark: &str) -> bool {
    mark == "." || mark == "?."
}

const STEPS: [&str; 6] = ["fetch", "lookup", "map", "create", "update", "upsert"];

fn field(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("field of a record", rng, |number, _| {
        is_point(flow.before(number, 1))
            && flow.before(number, 2) != "settings"
            && flow.after(number) != "("
            && !["in", "from"].contains(&flow.before(number, 3))
    })
}

fn written(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    let all =
        flow.words("field that is written", rng, |number, token| token.first && flow.after(number) == "=");
    all.into_iter().map(|planted| flow.or_where_it_is_read(planted)).collect()
}

fn name(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    let given = flow.given(&STEPS);
    flow.words("name of a step", rng, |number, token| {
        given.contains(token.text.as_str())
            && !is_point(flow.before(number, 1))
            && flow.line_starts_with(number) != "table"
            && !token.first
            && flow.after(number) != "["
            && !["all", "in", "by", "and", "where"].contains(&flow.before(number, 1))
            && !(STEPS.contains(&flow.before(number, 1)) && flow.tokens[number - 1].first)
            && !(flow.after(number) == "=" && ["lookup", "fetch"].contains(&flow.line_starts_with(number)))
    })
}

fn setting(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("name of a setting", rng, |number, _| {
        flow.before(number, 2) == "settings" && is_point(flow.before(number, 1))
    })
}

fn table(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    let given = flow.given(&["table"]);
    flow.words("name of a table", rng, |number, token| {
        given.contains(token.text.as_str()) && flow.after(number) == "["
    })
}

fn function(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("function", rng, |number, token| {
        flow.after(number) == "(" && flow.tokens[number + 1].at == token.end() && token.text != "if"
    })
}

fn script(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("name of a script", rng, |number, _| flow.after(number) == "::")
}

fn is_remote(flow: &Flow<'_>, number: usize) -> bool {
    STEPS.contains(&flow.line_starts_with(number))
        && ["in", "from"].contains(&flow.before(number, 1))
        && flow.after(number) == "."
}

fn role(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("role", rng, |number, _| is_remote(flow, number))
}

fn resource(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("resource", rng, |number, _| {
        number > 1 && flow.before(number, 1) == "." && is_remote(flow, number - 2)
    })
}

fn system(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("system", rng, |number, _| {
        flow.before(number, 1) == ":" && ["source", "target"].contains(&flow.line_starts_with(number))
    })
}

fn found_by(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    flow.words("field to find by", rng, |number, token| {
        ["by", "since", "where", "else"].contains(&flow.before(number, 1))
            && ["fetch", "lookup", "update", "upsert"].contains(&flow.line_starts_with(number))
            && token.text != "settings"
    })
}

fn keyword(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    const WORDS: [&str; 17] = [
        "source",
        "target",
        "use",
        "setting",
        "table",
        "otherwise",
        "every",
        "fetch",
        "filter",
        "lookup",
        "skip",
        "fail",
        "map",
        "create",
        "update",
        "upsert",
        "when",
    ];
    flow.words("word of the language", rng, |number, token| {
        token.first && WORDS.contains(&token.text.as_str()) && !["=", "{"].contains(&flow.after(number))
    })
}

/// Texts that some field of either system, or some setting, may be.
fn options(flow: &Flow<'_>) -> BTreeSet<String> {
    fn of(fields: &[Field], all: &mut BTreeSet<String>) {
        for field in fields {
            match &field.kind {
                Type::Enum(options) => all.extend(options.iter().cloned()),
                Type::Record(fields) => of(fields, all),
                Type::List(item) => {
                    if let Type::Record(fields) = &**item {
                        of(fields, all);
                    }
                }
                _ => {}
            }
        }
    }
    let mut all = BTreeSet::new();
    for resource in flow.source.resources.values().chain(flow.target.resources.values()) {
        of(&resource.fields, &mut all);
    }
    let pipes = flow.tokens.iter().enumerate().filter(|(number, token)| {
        token.kind == Kind::Text && (flow.before(*number, 1) == "|" || flow.after(*number) == "|")
    });
    all.extend(pipes.map(|(_, token)| token.text.trim_matches('"').to_owned()));
    all
}

fn choice(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    let options = options(flow);
    let tokens = flow.tokens.iter().enumerate();
    let chosen = tokens.filter(|(number, token)| {
        token.kind == Kind::Text
            && options.contains(token.text.trim_matches('"'))
            && ["==", "!=", "=", "{", "->", "["].contains(&flow.before(*number, 1))
            && flow.after(*number) != "|"
    });
    chosen
        .filter_map(|(_, token)| {
            let new = mistyped(token.text.trim_matches('"'), rng)?;
            Some(flow.or_where_it_is_read(flow.replaced("text of a choice", token, format!("\"{new}\""))))
        })
        .collect()
}

fn event(flow: &Flow<'_>, rng: &mut fastrand::Rng) -> Vec<Planted> {
    let tokens = flow.tokens.iter().enumerate();
    tokens
        .filter(|(number, token)| token.kind == Kind::Text && flow.before(*number, 2) == "webhook")
        .filter_map(|(_, token)| {
            let new = mistyped(token.text.trim_matches('"'), rng)?;
            Some(flow.replaced("event", token, format!("\"{new}\"")))
        })
        .collect()
}

fn kind_of_setting(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let tokens = flow.tokens.iter().enumerate();
    tokens
        .filter(|(number, _)| flow.before(*number, 3) == "setting" && flow.before(*number, 1) == ":")
        .filter_map(|(_, token)| {
            let new = match token.text.as_str() {
                "text" => "integer",
                "integer" | "decimal" | "date" => "boolean",
                "boolean" => "text",
                _ => return None,
            };
            Some(flow.or_where_the_setting_is_read(flow.replaced("type of a setting", token, new)))
        })
        .collect()
}

impl Flow<'_> {
    fn or_where_the_setting_is_read(&self, mut planted: Planted) -> Planted {
        let number = self.tokens.iter().position(|token| token.at == planted.at.start).unwrap();
        let name = &self.tokens[number - 2].text;
        planted.lines.extend(self.tokens.iter().filter(|token| token.text == *name).map(|token| token.line));
        planted
    }
}

fn quotes(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let tokens = flow.tokens.iter().enumerate();
    tokens
        .filter(|(number, token)| {
            token.kind == Kind::Number
                && ["==", "!=", "=", ">", "<", "->", "+", "-", "*", ","].contains(&flow.before(*number, 1))
                && !["every", "fetch", "at"].contains(&flow.line_starts_with(*number))
        })
        .map(|(_, token)| flow.replaced("quotes around a number", token, format!("\"{}\"", token.text)))
        .collect()
}

fn no_quotes(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let is_number =
        |text: &str| text.len() > 2 && text.trim_matches('"').bytes().all(|byte| byte.is_ascii_digit());
    let tokens = flow.tokens.iter().filter(|token| token.kind == Kind::Text && is_number(&token.text));
    tokens
        .map(|token| flow.replaced("number without its quotes", token, token.text.trim_matches('"')))
        .collect()
}

fn argument(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let mut found = Vec::new();
    for (number, token) in flow.tokens.iter().enumerate() {
        let is_call = token.kind == Kind::Word
            && flow.after(number) == "("
            && flow.tokens[number + 1].at == token.end();
        if !is_call || ["round", "split", "sub_string"].contains(&token.text.as_str()) {
            continue;
        }
        let (mut depth, mut comma) = (0, None);
        for inner in &flow.tokens[number + 1..] {
            match inner.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                "," if depth == 1 => comma = Some(inner.at),
                _ => {}
            }
            if depth == 0 {
                if let Some(comma) = comma.filter(|_| inner.line == token.line) {
                    let (at, lines) = (comma..inner.at, BTreeSet::from([token.line]));
                    found.push(Planted { what: "value of a call left out", at, new: String::new(), lines });
                }
                break;
            }
        }
    }
    found
}

/// Field lines of a new record that it needs, with the line of the block that they stand in.
fn required(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let mut found = Vec::new();
    let mut block: Option<(usize, &[Field])> = None;
    // Lines at which the blocks around begin: a field of the innermost is told there.
    let mut open: Vec<usize> = Vec::new();
    for (number, token) in flow.tokens.iter().enumerate() {
        match token.text.as_str() {
            "{" => open.push(token.line),
            "}" => drop(open.pop()),
            _ => {}
        }
        if token.first && ["create", "upsert"].contains(&token.text.as_str()) {
            let resource =
                flow.tokens.get(number + 5).and_then(|token| flow.target.resources.get(&token.text));
            block = resource.map(|resource| (token.line, resource.fields.as_slice()));
        } else if token.first && token.is("}") {
            block = None;
        }
        let Some((line, fields)) = block else { continue };
        let is_required = fields.iter().any(|field| field.required && field.name == token.text);
        let ends = flow.tokens.iter().skip(number).find(|other| other.line > token.line);
        if token.first
            && is_required
            && flow.after(number) == "="
            && let Some(ends) = ends
        {
            let at = token.at..flow.text[..ends.at].rfind('\n').unwrap();
            let lines = open.last().copied().into_iter().chain([line, token.line]).collect();
            found.push(Planted { what: "required field left out", at, new: String::new(), lines });
        }
    }
    found
}

fn key(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let given = flow.given(&["table"]);
    let mut found = Vec::new();
    for (number, token) in flow.tokens.iter().enumerate() {
        if !given.contains(token.text.as_str()) || flow.after(number) != "[" {
            continue;
        }
        let (mut depth, mut comma) = (0, None);
        for inner in &flow.tokens[number + 1..] {
            match inner.text.as_str() {
                "[" | "(" => depth += 1,
                "]" | ")" => depth -= 1,
                "," if depth == 1 => comma = Some(inner.at),
                _ => {}
            }
            if depth == 0 {
                if let Some(comma) = comma {
                    let lines = BTreeSet::from([token.line]);
                    found.push(Planted {
                        what: "key of a look-up left out",
                        at: comma..inner.at,
                        new: String::new(),
                        lines,
                    });
                }
                break;
            }
        }
    }
    found
}

fn row(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let mut found = Vec::new();
    for (number, token) in flow.tokens.iter().enumerate() {
        let end = flow.tokens[number..].iter().find(|inner| inner.is(")") && inner.line == token.line);
        if let (true, true, Some(end)) = (token.first, token.is("("), end) {
            let Some(comma) = flow.tokens[number..].iter().find(|inner| inner.is(",") && inner.at < end.at)
            else {
                continue;
            };
            let lines = BTreeSet::from([token.line]);
            found.push(Planted {
                what: "key of a row left out",
                at: comma.at..end.at,
                new: String::new(),
                lines,
            });
        }
    }
    found
}

fn operator(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let tokens = flow.tokens.iter();
    tokens
        .filter_map(|token| {
            let new = match token.text.as_str() {
                "&&" => "and",
                "||" => "or",
                "==" => "=",
                "!=" => "<>",
                _ => return None,
            };
            Some(flow.replaced("operator of another language", token, new))
        })
        .collect()
}

fn bracket(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let tokens = flow.tokens.iter().enumerate();
    let closing = tokens.filter(|(_, token)| [")", "]"].contains(&token.text.as_str()));
    closing
        .filter_map(|(number, token)| {
            // It is told where the bracket was opened.
            let mut depth = 0;
            let opening = flow.tokens[..=number].iter().rev().find(|inner| {
                depth += match inner.text.as_str() {
                    ")" | "]" | "}" => 1,
                    "(" | "[" | "{" | "${" => -1,
                    _ => 0,
                };
                depth == 0
            })?;
            let mut planted = flow.replaced("bracket left open", token, "");
            planted.lines.insert(opening.line);
            Some(planted)
        })
        .collect()
}

fn quote(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let tokens = flow.tokens.iter().filter(|token| token.kind == Kind::Text);
    tokens
        .map(|token| {
            let lines = BTreeSet::from([token.line]);
            Planted { what: "quote left out", at: token.end() - 1..token.end(), new: String::new(), lines }
        })
        .collect()
}

fn question_mark(flow: &Flow<'_>, _: &mut fastrand::Rng) -> Vec<Planted> {
    let tokens = flow.tokens.iter().filter(|token| token.is("?."));
    tokens.map(|token| flow.replaced("question mark before a point left out", token, ".")).collect()
}
