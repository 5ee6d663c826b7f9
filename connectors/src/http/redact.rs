//! Secrets that must not appear in any text that leaves the HTTP layer.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Texts to blot out: keys, passwords, tokens, as they are and as addresses, JSON and XML
/// write them. Copies share what is added later.
#[derive(Clone, Default)]
pub struct Secrets {
    texts: Vec<String>,
    /// Tokens that came while the session ran; the latest ones.
    added: Arc<RwLock<VecDeque<Vec<String>>>>,
}

/// How many added secrets are remembered: a token and what it is exchanged with, for as long
/// as answers that mention them may be under way.
const REMEMBERED: usize = 16;

/// Secrets of fewer bytes are looked for as they are and as texts write them only.
const SHORT: usize = 8;

/// What stands in a secret's place.
const BLOT: &str = "•••";

/// What RFC 3986 lets stand as it is.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Secrets {
    /// No secrets.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Blots out these; the empty text is no secret.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut texts: Vec<String> =
            secrets.into_iter().filter(|secret| !secret.is_empty()).flat_map(forms).collect();
        // Longest first, so that a secret that contains another goes whole.
        texts.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        texts.dedup();
        Self { texts, added: Arc::default() }
    }

    /// Blots out these too, in every copy.
    pub fn add<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) {
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            let forms = forms(secret);
            if !added.contains(&forms) {
                added.push_back(forms);
            }
            while added.len() > REMEMBERED {
                added.pop_front();
            }
        }
    }

    /// The text without secrets.
    #[must_use]
    pub fn blot(&self, text: &str) -> String {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        self.texts.iter().chain(added.iter().flatten()).fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), BLOT) } else { text }
        })
    }

    /// Length of the longest text to blot out, in bytes.
    pub(super) fn longest(&self) -> usize {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        self.texts.iter().chain(added.iter().flatten()).map(String::len).max().unwrap_or(0)
    }
}

/// Every way in which a secret may be written.
fn forms(secret: &str) -> Vec<String> {
    let strict = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let usual = utf8_percent_encode(secret, &RESERVED).to_string();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let text = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let attribute = text.replace('"', "&quot;").replace('\'', "&apos;");
    let lower = [&strict, &usual, &form].map(|encoded| lower_hex(encoded));
    let slashed = json.replace('/', "\\/");
    let mut forms = vec![secret.to_owned(), strict, usual, form, json, slashed, text, attribute];
    forms.extend(lower);
    forms.extend(encoded(secret.as_bytes()));
    forms.retain(|form| !form.is_empty());
    forms
}

/// In base64, wherever in a longer text it stands, and as hexadecimal digits. A short secret
/// would be found where it is not.
fn encoded(secret: &[u8]) -> Vec<String> {
    if secret.len() < SHORT {
        return Vec::new();
    }
    let digits = |before: &str| {
        secret.iter().fold(String::new(), |mut text, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{before}{byte:02x}");
            text
        })
    };
    // With `%` before each byte: an address in which every letter is spelled.
    let mut forms: Vec<String> =
        ["", "%"].map(digits).into_iter().flat_map(|digits| [digits.to_uppercase(), digits]).collect();
    for before in 0..3 {
        let text = [vec![0; before], secret.to_vec()].concat();
        // Letters that the neighbours have no part in.
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for form in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push(form.encode(&text).chars().take(last).skip(first).collect());
        }
    }
    forms
}

/// `%2F` as `%2f`, which some write.
fn lower_hex(encoded: &str) -> String {
    let mut digits = 0;
    encoded
        .chars()
        .map(|letter| {
            if letter == '%' {
                digits = 2;
            } else if digits > 0 {
                digits -= 1;
                return letter.to_ascii_lowercase();
            }
            letter
        })
        .collect()
}

/// Says only how many there are.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.texts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_vanish_in_every_form() {
        let secrets = Secrets::of(["p@ss word", ""]);
        assert_eq!(secrets.blot("a p@ss word, p%40ss%20word and p%40ss+word"), "a •••, ••• and •••");
        assert!(format!("{secrets:?}").ends_with(" secrets"));

        let secrets = Secrets::of([r#"a"b/c&d-é"#]);
        for written in [
            r#"a"b/c&d-é"#,
            r#"a\"b/c&d-é"#,
            r#"a\"b\/c&d-é"#,
            r#"a"b/c&amp;d-é"#,
            "a&quot;b/c&amp;d-é",
            "a%22b%2Fc%26d-%C3%A9",
            "a%22b%2fc%26d-%c3%a9",
            "a%22b%2Fc%26d%2D%C3%A9",
        ] {
            assert_eq!(secrets.blot(&format!("<{written}>")), "<•••>");
        }
    }

    #[test]
    fn secrets_vanish_in_base64_and_as_digits() {
        let secrets = Secrets::of(["k>y?/long~er"]);
        for around in ["", "a", "ab", "abc:", "weft:"] {
            for form in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let written = form.encode(format!("{around}k>y?/long~er!!"));
                let blotted = secrets.blot(&written);
                assert!(blotted.contains(BLOT) && blotted.len() < written.len(), "{written}: {blotted}");
            }
        }
        assert_eq!(secrets.blot("6b3e793f2f6c6f6e677e6572 6B3E793F2F6C6F6E677E6572"), "••• •••");
        assert_eq!(Secrets::of(["ab"]).blot("6162 YWI"), "6162 YWI", "too short to be told from chance");
    }

    #[test]
    fn what_is_added_vanishes_in_every_copy() {
        let secrets = Secrets::of(["key"]);
        let copy = secrets.clone();
        secrets.add(["tok/en", ""]);
        assert_eq!(copy.blot("key tok/en tok%2Fen"), "••• ••• •••");
        assert!(copy.longest() >= "tok%2Fen".len());
    }

    #[test]
    fn the_longest_secret_goes_first() {
        assert_eq!(Secrets::of(["abc", "abcdef"]).blot("abcdef abc"), "••• •••");
    }
}
