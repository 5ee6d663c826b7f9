//! What an editor can do about a problem by itself, read from the problem's own advice.

use crate::plan::Span;

/// What to write in the place of what stands at `at`, when the advice says it whole: a name that
/// was probably meant, or `write …`. `None`: a person has to decide, or the mistake was made
/// elsewhere and only shows there.
#[must_use]
pub fn fix(text: &str, at: &Span, message: &str, advice: &str) -> Option<String> {
    let written = text.get(at.clone())?;
    if advice.starts_with("did you mean") && !message.contains(written.trim_matches('"')) {
        return None;
    }
    if advice == "take it away" && written.chars().count() == 1 {
        return Some(String::new());
    }
    let (instead, rest) = if let Some(meant) = advice.strip_prefix("did you mean `") {
        meant.split_once('`').filter(|(_, rest)| rest.starts_with('?'))?
    } else {
        let (instead, rest) = advice.strip_prefix("write `")?.rsplit_once('`')?;
        (instead, rest)
    };
    let is_placeholder = instead.contains('…') || instead.contains('`');
    let is_whole = rest.is_empty() || rest == "?" || rest == " with straight quotes";
    if instead.is_empty() || is_placeholder || !is_whole || written.contains('\n') {
        return None;
    }
    let quoted = |text: &str| text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    match (quoted(written), quoted(instead)) {
        // The name of a value stands in quotes in the flow, and without them in the advice.
        (true, false) => Some(format!("\"{instead}\"")),
        // A word takes the place of a word; what is meant by a whole expression is not known.
        (false, false) if is_name(instead) && !is_name(written) => None,
        _ => Some(instead.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::fix;

    #[test]
    fn advice_that_says_it_whole_can_be_followed() {
        let follow = |text: &str, advice: &str| {
            fix(text, &(0..text.len()), &format!("nothing is called {text}"), advice)
        };
        assert_eq!(follow("order", "did you mean `orders`?").as_deref(), Some("orders"));
        assert_eq!(follow("\"payd\"", "did you mean `paid`?").as_deref(), Some("\"paid\""));
        assert_eq!(follow("and", "write `&&`").as_deref(), Some("&&"));
        assert_eq!(follow("'x'", "write `\"x\"`").as_deref(), Some("\"x\""));
        assert_eq!(follow(";", "take it away").as_deref(), Some(""));
        let elsewhere = fix("kind", &(0..4), "`a.b` is never `compnay`", "did you mean `company`?");
        assert_eq!(elsewhere, None, "the wrong word stands elsewhere");
        for (text, advice) in [
            ("not", "write `!(…)`"),
            ("order", "its fields are: `a` and `b`"),
            ("a == b", "did you mean `c`?"),
            ("and", "write `&&` or `||`"),
            ("word", "take it away"),
            ("x", ""),
        ] {
            assert_eq!(follow(text, advice), None, "{advice}");
        }
    }
}
