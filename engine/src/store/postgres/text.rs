//! Texts as PostgreSQL takes them: it knows no letter of the number 0, which records of other
//! systems may hold. That letter is written as a mark and a digit, and so is the mark itself.

use std::borrow::Cow;

/// Set apart by Unicode for use within a program; never a letter of a text.
const MARK: char = '\u{FDD0}';

/// The text as it is kept.
pub(super) fn kept(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\0' => kept.extend([MARK, '0']),
            MARK => kept.extend([MARK, '1']),
            other => kept.push(other),
        }
    }
    Cow::Owned(kept)
}

/// The text that was kept so.
pub(super) fn told(kept: &str) -> String {
    let mut parts = kept.split(MARK);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        text.push(if letters.next() == Some('0') { '\0' } else { MARK });
        text.push_str(letters.as_str());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["", "plain", "\0", "a\0b\u{FDD0}c", "\u{FDD0}0", "\u{FDD0}\u{FDD0}\0"] {
            assert_eq!(told(&kept(text)), text);
            assert!(!kept(text).contains('\0'));
        }
        assert!(matches!(kept("plain"), Cow::Borrowed(_)));
    }
}
