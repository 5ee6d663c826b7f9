//! Secrets that must not appear in any text that leaves the HTTP layer.

/// Texts to blot out: keys, passwords, tokens, in plain and in percent-encoded form.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

/// What stands in a secret's place.
const BLOT: &str = "•••";

impl Secrets {
    /// No secrets.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Blots out these; the empty text is no secret.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut texts = Vec::new();
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            texts.push(secret.to_owned());
            for encoded in [
                percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string(),
                url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            ] {
                if encoded != secret {
                    texts.push(encoded);
                }
            }
        }
        // Longest first, so that a secret that contains another goes whole.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(texts)
    }

    /// The text without secrets.
    #[must_use]
    pub fn blot(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), BLOT) } else { text }
        })
    }
}

/// Says only how many there are.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_vanish_in_every_form() {
        let secrets = Secrets::of(["p@ss word", ""]);
        assert_eq!(secrets.blot("a p@ss word, p%40ss%20word and p%40ss+word"), "a •••, ••• and •••");
        assert_eq!(format!("{secrets:?}"), "3 secrets");
    }
}
