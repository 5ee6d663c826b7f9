//! What may stand in the log: no addresses, no numbers by which people are known.
//!
//! Reasons come from systems and may quote a record. The store has them whole, for `weft status`
//! and `weft runs`; the log gets them without what looks like a person's.

/// Longest reason in the log, in characters.
const LONGEST: usize = 300;

/// Digits in a row that may be a telephone number or an account.
const DIGITS: usize = 7;

/// The text without e-mail addresses and long numbers, cut to a line.
pub(crate) fn plain(text: &str) -> String {
    let mut all = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if let Some(origin) = origin(bare) {
            all.push_str(origin);
            all.push_str(if origin.len() < bare.len() { "/…" } else { "" });
        } else if is_telling(bare) {
            all.push('…');
        } else {
            all.push_str(bare);
        }
        if word.ends_with(char::is_whitespace) {
            all.push(' ');
        }
    }
    let mut cut: String = all.chars().take(LONGEST).collect();
    if cut.len() < all.len() {
        cut.push('…');
    }
    cut.trim_end().to_owned()
}

/// What the program itself does wrong is a line of the log like any other, and names nobody.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().map(plain).unwrap_or_default();
        tracing::error!(place, what, "the program itself failed; report this line");
    }));
}

/// The system and its port, of an address in the web: what comes behind may name a record.
fn origin(word: &str) -> Option<&str> {
    let (scheme, rest) = word.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    word.get(..scheme.len() + 3 + host.len()).filter(|origin| !origin.contains('@'))
}

/// It looks like an e-mail address, or like a number that belongs to somebody.
fn is_telling(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_path = word.contains('/') && !word.starts_with('+');
    word.contains('@') || (digits >= DIGITS && !is_path && !word.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_left_out_and_reasons_stay() {
        for (text, expected) in [
            (
                "MplusKASSA: the service is down; tried 4 times",
                "MplusKASSA: the service is down; tried 4 times",
            ),
            ("no customer jan@voorbeeld.example here", "no customer … here"),
            ("call +31612345678 or 0612345678", "call … or …"),
            ("no room for `/srv/weft/20261122/store.db`", "no room for `/srv/weft/20261122/store.db`"),
            (
                "cannot reach https://api.koffiehuis.example:34562",
                "cannot reach https://api.koffiehuis.example:34562",
            ),
            (
                "GET https://api.example/v1/people?email=jan%40voorbeeld failed",
                "GET https://api.example/… failed",
            ),
            ("https://jan@voorbeeld.example/", "…"),
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(plain(&"word ".repeat(100)).chars().count(), LONGEST + 1);
    }
}
