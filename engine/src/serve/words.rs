//! What may stand in the log: no addresses, no numbers by which people are known.
//!
//! Reasons come from systems and may quote a record. The store has them whole, for `weft status`
//! and `weft runs`; the log gets them without what looks like a person's.

/// Longest reason in the log, in characters.
const LONGEST: usize = 300;

/// Digits in a row that may be a telephone number or an account.
const DIGITS: usize = 7;

/// The text without e-mail addresses and long numbers, cut to a line.
pub(super) fn plain(text: &str) -> String {
    let mut all = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let is_address = word.contains("://");
        let is_place = word.contains('/') && !word.starts_with('+');
        if word.contains('@') && !is_address {
            all.push('…');
        } else if digits >= DIGITS && !is_address && !is_place && !word.contains(':') {
            all.push('…');
        } else {
            all.push_str(word.trim_end());
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
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(plain(&"word ".repeat(100)).chars().count(), LONGEST + 1);
    }
}
