//! Secrets that must not appear in any text that leaves the HTTP layer.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

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
    forms.retain(|form| !form.is_empty());
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
