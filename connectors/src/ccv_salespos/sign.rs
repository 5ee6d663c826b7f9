//! Signatures: HMAC-SHA512 over parts joined by bars, on requests, answers and webhooks.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;

/// Header with the public key.
pub(super) const PUBLIC: &str = "x-public";
/// Header with the moment of a request or an answer.
pub(super) const DATE: &str = "x-date";
/// Header with the signature.
pub(super) const HASH: &str = "x-hash";

/// What one request and its answer have in common: who asks, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// Public key.
    pub(super) public: &'a str,
    /// Verb in upper case.
    pub(super) method: &'a str,
    /// Path and query as on the request line.
    pub(super) target: &'a str,
    /// Body of the request, or of the answer.
    pub(super) body: &'a [u8],
    /// Text of the date header.
    pub(super) date: &'a str,
}

impl Signed<'_> {
    /// The signature, in lower-case hex.
    pub(super) fn hash(&self, secret: &str) -> String {
        let head = format!("{}|{}|{}|", self.public, self.method, self.target);
        hash(secret, &[head.as_bytes(), self.body, b"|", self.date.as_bytes()])
    }
}

/// The moment, as the official clients write it.
pub(super) fn date(now: jiff::Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// The signature that a webhook delivery has to carry in `x-hash`.
///
/// That the hook's own key signs is documented; that the text is the hook's address, a bar and
/// the body follows from how CCV signs its other calls to us, and is assumed. Handshake and
/// removal of an app from CCV's store are signed so with the app's secret, and its installation
/// with the public key in the place of the body.
#[must_use]
pub fn webhook_hash(key: &str, address: &str, body: &[u8]) -> String {
    hash(key, &[address.as_bytes(), b"|", body])
}

/// True when a webhook delivery was signed with the hook's key. `address` is the address that
/// the hook was registered with, letter for letter.
#[must_use]
pub fn webhook_is_genuine(key: &str, address: &str, body: &[u8], x_hash: &str) -> bool {
    !key.is_empty() && same(&webhook_hash(key, address, body), x_hash)
}

/// Compares two signatures in a time that does not tell where they differ.
pub(super) fn same(left: &str, right: &str) -> bool {
    left.len() == right.len()
        && left.bytes().zip(right.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn hash(secret: &str, parts: &[&[u8]]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(secret.as_bytes()) else { return String::new() };
    for part in parts {
        mac.update(part);
    }
    let bytes = mac.finalize().into_bytes();
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk_demo_secret";

    fn signed<'a>(method: &'a str, target: &'a str, body: &'a str, date: &'a str) -> String {
        Signed { public: "pk_demo_0001", method, target, body: body.as_bytes(), date }.hash(SECRET)
    }

    #[test]
    fn a_read_is_signed_over_its_whole_target() {
        let target = "/api/rest/v1/orders?start=0&size=50&min_create_date=2025-03-01";
        assert_eq!(
            signed("GET", target, "", "2025-03-14T09:26:53+00:00"),
            "0e35ac3ea8f98c7e680d1d403bec161ec6580928ca9fe209cc443a738a03f9f3\
             1327a477b3fc6124525344dc5057afe567d3b7aaa35759305457674d1430a9b6"
        );
    }

    #[test]
    fn a_write_is_signed_over_its_body() {
        let target = "/api/rest/v1/products/845754960";
        assert_eq!(
            signed("PATCH", target, r#"{"stock":12,"price":19.95}"#, "2025-03-14T09:26:53+00:00"),
            "5569e85e39add11eec1ae9805897a75c2ba7ff6b1555ca57ef182a050081d26d\
             e9daa492c78a18f5ce06f450a8546a2dc4949d5891e5b7d6fca1dabfb19bc633"
        );
    }

    #[test]
    fn an_answer_is_signed_even_when_empty() {
        let target = "/api/rest/v1/products/845754960";
        assert_eq!(
            signed("PATCH", target, "", "2025-03-14T09:26:54+00:00"),
            "0d5b98eddd1dac867e29401ffde12e8a973263e7e96cd71a421c012f689098de\
             bb6da18694bd8e2440b112401d8135ffc90ce44120a67b631e0369af7b0ea456"
        );
    }

    #[test]
    fn a_webhook_is_signed_with_its_own_key() {
        let (address, body) =
            ("https://hooks.example.com/ccv", br#"{"triggered_at":"2025-03-14T09:26:53Z","id":270451312}"#);
        let right = "341d7214beffceaaf79ac9443d221774f231b8fbc828b6d4de14987a80548924\
                     9d9252b54672f4435ec3ec9b9c62c0b0712021eea0218286f2ad76ff8adeb0c7";
        assert_eq!(webhook_hash("wh_demo_key", address, body), right);
        assert!(webhook_is_genuine("wh_demo_key", address, body, right));
        assert!(!webhook_is_genuine("wh_demo_key", address, b"{}", right), "another body");
        assert!(!webhook_is_genuine("wh_demo_key", "https://hooks.example.com/other", body, right));
        assert!(!webhook_is_genuine("another key", address, body, right));
        assert!(!webhook_is_genuine("", address, body, &webhook_hash("", address, body)), "no key at all");
        assert!(!webhook_is_genuine("wh_demo_key", address, body, &right.to_uppercase()));
        assert!(!webhook_is_genuine("wh_demo_key", address, body, ""));
    }

    #[test]
    fn dates_are_written_as_the_official_clients_do() {
        let now: jiff::Timestamp = "2025-03-14T09:26:53.987Z".parse().unwrap();
        assert_eq!(date(now), "2025-03-14T09:26:53+00:00");
    }
}
