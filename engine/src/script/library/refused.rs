//! Words of Rhai that stay out of scripts: each gets a twin that says why.

use rhai::Module;

use super::add;
use super::call::Call;
use crate::script::error::Mistake;

/// Word, and what to do instead.
pub(super) const WORDS: &[(&str, &str)] = &[
    ("sleep", "a script may not wait; `every` and `at` in the flow decide when it runs"),
    ("print", "give the text back as the value of a field, or use `notify` in the flow"),
    ("debug", "give the value back as the value of a field, or try it with `weft eval`"),
    ("eval", "write the expression itself"),
    (
        "timestamp",
        "a script has no clock, so that it gives the same on every run; take the date from the record",
    ),
    ("now", "a script has no clock, so that it gives the same on every run; take the date from the record"),
    ("today", "a script has no clock, so that it gives the same on every run; take the date from the record"),
    ("rand", "a script must give the same on every run"),
    ("random", "a script must give the same on every run"),
    ("exit", "use `return` in a function"),
    ("import", "name the script in the flow: `use \"scripts/address.rhai\" as address`"),
    ("export", "every function of a script can be called; constants stay in their file"),
    ("type_of", "`kind(value)` tells what a value is"),
    ("curry", "write a function that takes what it needs: `|item| item.price * rate`"),
    ("is_shared", "values are never shared between scripts"),
];

pub(super) fn register(module: &mut Module) {
    for (word, _) in WORDS {
        for arity in 0..=1 {
            add(module, word, arity, |call| Err(refusal(call.name()).into()));
        }
    }
}

pub(in crate::script) fn refusal(word: &str) -> Mistake {
    let help = super::refused(word).unwrap_or("leave it out");
    Mistake::Refused { what: word.to_owned(), help: help.to_owned() }
}
