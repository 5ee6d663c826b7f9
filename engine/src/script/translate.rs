//! Rhai's errors in the writer's words.

use rhai::{Dynamic, EvalAltResult, LexError, ParseError, ParseErrorType};

use super::error::{Inside, Mistake, Place, ScriptError};
use super::library::{self, shown};
use super::limits::Limits;
use super::syntax::{Known, nearest, place, unknown_function, wrong_count};
use super::values::{kind, with_article};

/// Letters of a value in a message.
const LONGEST: usize = 1000;

/// What stands before a place in the expression, or in the named script.
pub(super) type PathOf<'a> = Box<dyn Fn(Option<&str>, Place) -> Option<String> + 'a>;

/// What is known around an error.
pub(super) struct Around<'a> {
    pub(super) limits: &'a Limits,
    pub(super) functions: &'a [Known],
    /// Names that the expression could read.
    pub(super) names: Vec<String>,
    /// What stands before a place in the expression, or in the named script.
    pub(super) path: PathOf<'a>,
}

impl Around<'_> {
    /// An error at run time.
    pub(super) fn run_error(&self, mut error: EvalAltResult) -> ScriptError {
        let (mut at, mut inside): (Option<Place>, Option<Box<Inside>>) = (None, None);
        while let EvalAltResult::ErrorInFunctionCall(name, source, inner, called_at) = error {
            if inside.is_none() {
                at = place(called_at).or(at);
            }
            if !source.is_empty() {
                let function = (!name.starts_with("anon$")).then_some(name);
                let function = function.or_else(|| inside.take().and_then(|inside| inside.function));
                inside = Some(Box::new(Inside { script: source, function, at: None }));
            }
            error = *inner;
        }
        let found_at = place(error.position());
        match &mut inside {
            Some(inside) => inside.at = found_at,
            None => at = found_at.or(at),
        }
        let script = inside.as_ref().map(|inside| inside.script.as_str());
        let mistake = match self.mistake(error) {
            Mistake::NoValue { path, field } if path.is_empty() => {
                let path = found_at.and_then(|at| (self.path)(script, at));
                Mistake::NoValue { path: path.unwrap_or_else(|| "this".into()), field }
            }
            mistake => mistake,
        };
        ScriptError { mistake: mistake.brief(), at, inside }
    }

    fn mistake(&self, error: EvalAltResult) -> Mistake {
        use EvalAltResult as E;
        match error {
            E::ErrorRuntime(token, _) | E::ErrorTerminated(token, _) => thrown(&token),
            E::ErrorParsing(error, _) => syntax(&error, self.limits),
            E::ErrorVariableNotFound(name, _) => self.unknown_variable(name),
            E::ErrorFunctionNotFound(signature, _) => self.unknown_function(&signature),
            E::ErrorModuleNotFound(alias, _) => self.unknown_script(alias),
            E::ErrorMismatchDataType(wanted, given, _) | E::ErrorMismatchOutputType(wanted, given, _) => {
                mismatch(&wanted, &given)
            }
            E::ErrorArrayBounds(length, index, _) => Mistake::OutOfBounds { index, kind: "list", length },
            E::ErrorStringBounds(length, index, _) => Mistake::OutOfBounds { index, kind: "text", length },
            E::ErrorArithmetic(message, _) => Mistake::arithmetic(lower(&message)),
            E::ErrorFor(_) => Mistake::wrong_kind(
                "`for` goes through a list, and this is none",
                Some("`for name in keys(record)` goes through the fields of a record; `?? []` stands in for nothing"),
            ),
            E::ErrorTooManyVariables(_) => Mistake::limit("variables", self.limits.variables.to_string()),
            E::ErrorStackOverflow(_) => {
                Mistake::limit("calls within calls", self.limits.call_depth.to_string())
            }
            E::ErrorTooManyOperations(_) => Mistake::limit("operations", self.limits.operations.to_string()),
            E::ErrorDataTooLarge(what, _) => too_large(&what, self.limits),
            E::ErrorAssignmentToConstant(name, _)
            | E::ErrorNonPureMethodCallOnConstant(name, _)
            | E::ErrorVariableExists(name, _)
            | E::ErrorForbiddenVariable(name, _) => Mistake::Unchangeable {
                name,
                help: "give the new value a name of its own: `let changed = …`".into(),
            },
            E::ErrorDataRace(..) => Mistake::Unchangeable {
                name: "a variable that is read at the same time".into(),
                help: "a function that goes through a list may not read the variable that holds it: put what it reads in a variable of its own first".into(),
            },
            E::ErrorIndexNotFound(index, _) => Mistake::bad_argument(format!("there is no item `{}`", brief(&index))),
            E::ErrorIndexingType(..) => Mistake::wrong_kind(
                "this cannot be read with `[…]`",
                Some("lists are read by number, records by the name of a field"),
            ),
            E::ErrorBitFieldBounds(..) => Mistake::wrong_kind("an integer cannot be read with `[…]`", None),
            E::ErrorUnboundThis(_) => {
                Mistake::wrong_kind("there is no `this` here", Some("functions take what they need as arguments"))
            }
            E::ErrorDotExpr(..) | E::ErrorPropertyNotFound(..) => {
                Mistake::wrong_kind("this has no such field", None)
            }
            other => Mistake::Fault { message: other.to_string() },
        }
    }

    fn unknown_variable(&self, name: String) -> Mistake {
        let suggestion = nearest(&name, self.names.iter().map(String::as_str));
        Mistake::UnknownVariable { name, suggestion }
    }

    fn unknown_script(&self, alias: String) -> Mistake {
        let aliases = self.functions.iter().filter_map(|function| function.alias.as_deref());
        let suggestion = nearest(&alias, aliases);
        Mistake::UnknownScript { alias, suggestion }
    }

    /// `signature` is Rhai's: `street (string, i64)`.
    fn unknown_function(&self, signature: &str) -> Mistake {
        let name = signature.split(" (").next().unwrap_or(signature).trim();
        if name.chars().all(|letter| letter.is_ascii_punctuation() && letter != '_') {
            let kinds = signature.split_once(" (").map(|(_, kinds)| kinds.trim_end_matches(')'));
            let kinds: Vec<String> =
                kinds.unwrap_or_default().split(", ").map(|kind| plain_kind(kind).to_owned()).collect();
            return Mistake::wrong_kind(format!("`{name}` does not work on {}", kinds.join(" and ")), None);
        }
        if let Some(function) = library::functions().find(|function| function.name == name) {
            let given = signature.matches(',').count() + usize::from(!signature.ends_with("()"));
            return wrong_count(name, function.arguments.0, function.arguments.1, given);
        }
        if library::refused(name).is_some() {
            return library::refusal(name);
        }
        unknown_function(name, self.functions)
    }

    /// An error of the parser.
    pub(super) fn syntax_error(&self, error: &ParseError) -> ScriptError {
        let mistake = match error.err_type() {
            ParseErrorType::VariableUndefined(name) => self.unknown_variable(name.clone()),
            ParseErrorType::ModuleUndefined(alias) => self.unknown_script(alias.clone()),
            other => syntax(other, self.limits),
        };
        ScriptError { mistake: mistake.brief(), at: place(error.position()), inside: None }
    }
}

fn thrown(token: &Dynamic) -> Mistake {
    if let Some(mistake) = token.read_lock::<Mistake>() {
        return mistake.clone();
    }
    let message = match token.as_map_ref() {
        Ok(map) => map.get("message").map(brief),
        Err(_) => None,
    };
    let message = message.unwrap_or_else(|| brief(token));
    let message = if message.is_empty() { "the script gave up without saying why".into() } else { message };
    Mistake::Thrown { message }
}

/// A value as text for a message, or its kind where that would be long.
fn brief(value: &Dynamic) -> String {
    let text = shown(value, LONGEST).unwrap_or_else(|_| kind(value).into());
    text.chars().take(LONGEST).collect()
}

fn syntax(error: &ParseErrorType, limits: &Limits) -> Mistake {
    use ParseErrorType as P;
    let (message, help) = match error {
        P::UnexpectedEOF => {
            ("the text ends too early".to_owned(), Some("something that was opened is not closed"))
        }
        P::BadInput(LexError::UnterminatedString) => {
            ("a text is not closed".to_owned(), Some("texts stand between double quotes"))
        }
        P::BadInput(LexError::MalformedChar(_)) => {
            ("single quotes hold a single letter".to_owned(), Some("texts stand between double quotes"))
        }
        P::BadInput(LexError::StringTooLong(most)) => {
            return Mistake::limit("text length", format!("{most} bytes"));
        }
        P::BadInput(LexError::UnexpectedInput(what)) => {
            (format!("`{what}` means nothing here"), operator_help(what))
        }
        P::BadInput(LexError::ImproperSymbol(symbol, _)) | P::UnknownOperator(symbol) => {
            (format!("`{symbol}` means nothing here"), operator_help(symbol))
        }
        P::MissingToken(token, _) if token == ";" => (
            "something is missing here".to_owned(),
            Some(
                "`;` ends a statement, `}` a block; two values need an operator between them, `&&` for and, `||` for or",
            ),
        ),
        P::MissingToken(token, _) => (format!("`{token}` is missing here"), None),
        P::Reserved(word) if library::refused(word).is_some() => return library::refusal(word),
        P::Reserved(word) => {
            (format!("`{word}` is a word that Rhai keeps for itself"), Some("choose another name"))
        }
        P::ExprTooDeep => {
            return Mistake::limit("expressions within expressions", limits.expression_depth.to_string());
        }
        P::TooManyFunctions => return Mistake::limit("functions in a script", limits.functions.to_string()),
        P::LiteralTooLarge(what, _) => return too_large(what, limits),
        P::MismatchedType(wanted, given) => return mismatch(wanted, given),
        P::AssignmentToConstant(name) if !name.is_empty() => {
            return Mistake::Unchangeable { name: name.clone(), help: "use `let` where it is made".into() };
        }
        P::AssignmentToInvalidLHS(_) => {
            ("`=` sets a variable, and there is none before it".to_owned(), Some("to compare, write `==`"))
        }
        P::FnDuplicatedDefinition(name, count) => {
            (format!("there are two functions `{name}` with {count} arguments"), None)
        }
        P::WrongFnDefinition => ("`fn` stands at the outermost level of a script".to_owned(), None),
        other => (lower(&other.to_string()), None),
    };
    Mistake::Syntax { message, help: help.map(str::to_owned) }
}

fn operator_help(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "===" | "=" => "to compare, write `==`",
        "!==" | "<>" => "for different, write `!=`",
        "and" | "AND" => "write `&&`",
        "or" | "OR" => "write `||`",
        "not" => "write `!`",
        "++" => "write `+= 1`",
        "--" => "write `-= 1`",
        "=>" | "->" => "a function is written `|item| item.price`",
        _ => return None,
    })
}

fn mismatch(wanted: &str, given: &str) -> Mistake {
    let given = plain_kind(given);
    if plain_kind(wanted) == "boolean" {
        return not_a_condition(given);
    }
    Mistake::wrong_kind(
        format!("{} is needed here, and this is {}", with_article(plain_kind(wanted)), with_article(given)),
        None,
    )
}

/// The mistake of giving a value of that kind where a condition stands.
pub(super) fn not_a_condition(kind: &str) -> Mistake {
    let help = match kind {
        "text" => "compare it: `value != \"\"`",
        "integer" | "decimal" => "compare it: `value != 0`",
        "list" => "ask for items: `!value.is_empty()`",
        "nothing" => "give a value in its place: `value ?? false`",
        "record" => "ask whether it is there: `value != ()`",
        _ => "compare it with something",
    };
    Mistake::NotACondition { kind: with_article(kind), help: help.into() }
}

fn too_large(what: &str, limits: &Limits) -> Mistake {
    if what.contains("tring") {
        Mistake::limit("text length", format!("{} bytes", limits.text_length))
    } else if what.contains("rray") {
        Mistake::limit("list length", format!("{} items", limits.list_length))
    } else {
        Mistake::limit("record size", format!("{} fields", limits.record_size))
    }
}

/// Rhai's names of types in our words.
fn plain_kind(name: &str) -> &'static str {
    let name = name.trim();
    match name {
        "()" => "nothing",
        "bool" => "boolean",
        "i64" | "integer" => "integer",
        "decimal" => "decimal",
        "array" => "list",
        "map" | "record" => "record",
        "Fn" => "function",
        "table" => "table",
        _ if name.contains("tring") || name.contains("str") || name == "char" => "text",
        _ if name.contains("ecimal") => "decimal",
        _ if name.contains("Range") || name.contains("range") => "range",
        _ => "something else",
    }
}

fn lower(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
