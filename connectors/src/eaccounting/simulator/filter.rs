//! `$filter` as the service understands it: comparisons, `and`, `or`, `not`, brackets, text
//! functions, and `any` over rows.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::books::{Refusal, refuse};
use crate::eaccounting::members::{Entity, Form, entity};
use crate::eaccounting::wire::moment;
use crate::record::{Map, Value};

/// A condition that was read.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare(Operand, String, Operand),
    Text(String, Operand, Operand),
    Any(String, Box<Filter>),
}

#[derive(Debug)]
pub(super) enum Operand {
    /// A member, with the sign that stands before it.
    Member(String, Form, bool),
    Literal(Literal),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Truth(bool),
    Number(Decimal),
    Text(String),
    Moment(Timestamp),
    Guid(String),
}

struct Reader<'a> {
    words: Vec<String>,
    at: usize,
    entity: &'a Entity,
    /// Variable of the `any` that is being read.
    variable: String,
    unfilterable: &'a [String],
}

/// Reads a filter over records of that kind.
pub(super) fn read(text: &str, entity: &Entity, unfilterable: &[String]) -> Result<Filter, Refusal> {
    let mut reader = Reader { words: words(text)?, at: 0, entity, variable: String::new(), unfilterable };
    let filter = reader.or()?;
    if reader.at < reader.words.len() {
        return Err(bad(&format!("unexpected '{}'", reader.peek())));
    }
    Ok(filter)
}

fn bad(why: &str) -> Refusal {
    refuse(400, 6000, &format!("The query option $filter is invalid: {why}"))
}

/// Words, brackets and commas; texts keep their quotes.
fn words(text: &str) -> Result<Vec<String>, Refusal> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => {}
            '(' | ')' | ',' => words.push(letter.to_string()),
            '\'' => {
                let mut quoted = String::from('\'');
                loop {
                    match letters.next() {
                        Some('\'') if letters.peek() == Some(&'\'') => {
                            letters.next();
                            quoted.push('\'');
                        }
                        Some('\'') => break,
                        Some(letter) => quoted.push(letter),
                        None => return Err(bad("a text does not end")),
                    }
                }
                words.push(quoted);
            }
            _ => {
                let mut word = String::from(letter);
                while let Some(next) = letters.next_if(|next| !matches!(next, ' ' | '(' | ')' | ',' | '\'')) {
                    word.push(next);
                }
                words.push(word);
            }
        }
    }
    Ok(words)
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.words.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let word = self.peek().to_owned();
        self.at += 1;
        word
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_it = self.peek() == word;
        self.at += usize::from(is_it);
        is_it
    }

    fn must(&mut self, word: &str) -> Result<(), Refusal> {
        if self.takes(word) { Ok(()) } else { Err(bad(&format!("'{word}' expected, not '{}'", self.peek()))) }
    }

    fn or(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.and()?;
        while self.takes("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.one()?;
        while self.takes("and") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Filter, Refusal> {
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let inner = self.or()?;
            self.must(")")?;
            return Ok(inner);
        }
        if let Some(list) = self.peek().strip_suffix("/any").map(str::to_owned) {
            return self.any(&list);
        }
        if matches!(self.peek(), "contains" | "startswith" | "endswith") {
            let function = self.next();
            self.must("(")?;
            let left = self.operand()?;
            self.must(",")?;
            let right = self.operand()?;
            self.must(")")?;
            return Ok(Filter::Text(function, left, right));
        }
        let left = self.operand()?;
        let operator = self.next();
        if !matches!(operator.as_str(), "eq" | "ne" | "gt" | "ge" | "lt" | "le") {
            return Err(bad(&format!("'{operator}' is no operator")));
        }
        let right = self.operand()?;
        fits(&left, &right)?;
        fits(&right, &left)?;
        Ok(Filter::Compare(left, operator, right))
    }

    fn any(&mut self, list: &str) -> Result<Filter, Refusal> {
        let of = match self.entity.member(list).map(|member| member.form) {
            Some(Form::List(of)) => entity(of),
            _ => None,
        };
        let of = of.ok_or_else(|| bad(&format!("there is no list '{list}'")))?;
        self.next();
        self.must("(")?;
        let variable = self.next();
        let variable = variable.strip_suffix(':').ok_or_else(|| bad("'any' needs a variable"))?;
        let (outer, name) = (self.entity, std::mem::replace(&mut self.variable, variable.to_owned()));
        let mut inner = Reader {
            words: std::mem::take(&mut self.words),
            at: self.at,
            entity: of,
            variable: self.variable.clone(),
            unfilterable: &[],
        };
        let filter = inner.or();
        (self.words, self.at, self.entity, self.variable) = (inner.words, inner.at, outer, name);
        let filter = filter?;
        self.must(")")?;
        Ok(Filter::Any(list.to_owned(), Box::new(filter)))
    }

    fn operand(&mut self) -> Result<Operand, Refusal> {
        let word = self.next();
        if let Some(text) = word.strip_prefix('\'') {
            return Ok(Operand::Literal(Literal::Text(text.to_owned())));
        }
        let literal = match word.as_str() {
            "null" => Some(Literal::Null),
            "true" => Some(Literal::Truth(true)),
            "false" => Some(Literal::Truth(false)),
            _ if uuid::Uuid::try_parse(&word).is_ok() => Some(Literal::Guid(word.to_lowercase())),
            _ => word.parse().ok().map(Literal::Number),
        };
        if let Some(literal) = literal {
            return Ok(Operand::Literal(literal));
        }
        if word.starts_with(|letter: char| letter.is_ascii_digit()) {
            let at = moment(&word).ok_or_else(|| refuse(400, 6001, &format!("'{word}' is not a date")))?;
            return Ok(Operand::Literal(Literal::Moment(at)));
        }
        let (name, negative) = word.strip_prefix('-').map_or((word.as_str(), false), |name| (name, true));
        let prefix = format!("{}/", self.variable);
        let name = if self.variable.is_empty() { name } else { name.strip_prefix(&prefix).unwrap_or(name) };
        let member =
            self.entity.member(name).filter(|_| !self.unfilterable.iter().any(|known| known == name));
        match member {
            Some(member) if !matches!(member.form, Form::List(_) | Form::Record(_)) => {
                Ok(Operand::Member(name.to_owned(), member.form, negative))
            }
            _ => Err(bad(&format!("the property '{name}' cannot be used"))),
        }
    }
}

/// Whether a literal can stand beside a member of that type.
fn fits(member: &Operand, literal: &Operand) -> Result<(), Refusal> {
    let (Operand::Member(name, form, _), Operand::Literal(literal)) = (member, literal) else {
        return Ok(());
    };
    let is_fit = match literal {
        Literal::Null => true,
        Literal::Truth(_) => *form == Form::Boolean,
        Literal::Number(_) => matches!(form, Form::Integer | Form::Number),
        Literal::Text(_) => *form == Form::Text,
        Literal::Moment(_) => *form == Form::Moment,
        Literal::Guid(_) => *form == Form::Guid,
    };
    match (is_fit, form, literal) {
        (true, ..) => Ok(()),
        (false, Form::Moment, _) => Err(refuse(400, 6001, &format!("'{name}' needs a date"))),
        _ => Err(bad(&format!("'{name}' cannot be compared with that"))),
    }
}

impl Filter {
    /// Whether a record passes.
    pub(super) fn has(&self, row: &Map) -> bool {
        match self {
            Self::And(left, right) => left.has(row) && right.has(row),
            Self::Or(left, right) => left.has(row) || right.has(row),
            Self::Not(inner) => !inner.has(row),
            Self::Any(list, inner) => row
                .get(list)
                .and_then(Value::as_list)
                .unwrap_or_default()
                .iter()
                .filter_map(Value::as_map)
                .any(|row| inner.has(row)),
            Self::Text(function, left, right) => {
                let (Literal::Text(left), Literal::Text(right)) = (left.value(row), right.value(row)) else {
                    return false;
                };
                let (left, right) = (left.to_lowercase(), right.to_lowercase());
                match function.as_str() {
                    "contains" => left.contains(&right),
                    "startswith" => left.starts_with(&right),
                    _ => left.ends_with(&right),
                }
            }
            Self::Compare(left, operator, right) => {
                let order = compare(&left.value(row), &right.value(row));
                match operator.as_str() {
                    "eq" => order == Some(Ordering::Equal),
                    "ne" => order != Some(Ordering::Equal),
                    "gt" => order == Some(Ordering::Greater),
                    "ge" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                    "lt" => order == Some(Ordering::Less),
                    _ => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                }
            }
        }
    }
}

impl Operand {
    fn value(&self, row: &Map) -> Literal {
        match self {
            Self::Literal(literal) => literal.clone(),
            Self::Member(name, form, negative) => match literal(row.get(name), *form) {
                Literal::Number(number) if *negative => Literal::Number(-number),
                other => other,
            },
        }
    }
}

/// A member's value for comparing.
pub(super) fn literal(value: Option<&Value>, form: Form) -> Literal {
    let value = value.unwrap_or(&Value::Null);
    let known = match form {
        Form::Boolean => value.as_bool().map(Literal::Truth),
        Form::Integer | Form::Number => value.as_decimal().map(Literal::Number),
        Form::Moment => value.as_str().and_then(moment).map(Literal::Moment),
        Form::Guid => value.as_str().map(|text| Literal::Guid(text.to_lowercase())),
        _ => value.as_str().map(|text| Literal::Text(text.to_owned())),
    };
    known.unwrap_or(Literal::Null)
}

/// The order of two values of one type; texts without regard to capitals, nothing first.
pub(super) fn compare(left: &Literal, right: &Literal) -> Option<Ordering> {
    match (left, right) {
        (Literal::Null, Literal::Null) => Some(Ordering::Equal),
        (Literal::Truth(left), Literal::Truth(right)) => Some(left.cmp(right)),
        (Literal::Number(left), Literal::Number(right)) => Some(left.cmp(right)),
        (Literal::Text(left), Literal::Text(right)) => Some(left.to_lowercase().cmp(&right.to_lowercase())),
        (Literal::Moment(left), Literal::Moment(right)) => Some(left.cmp(right)),
        (Literal::Guid(left), Literal::Guid(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
