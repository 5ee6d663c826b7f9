//! Addresses at which systems deliver: `PUBLIC_URL/hooks/CONNECTION/SECRET`.
//!
//! The last part cannot be guessed. It is known to the system that delivers there and to nobody
//! else: the store keeps a digest of it, by which a delivery is known again.

use sha2::{Digest as _, Sha256};

/// Address of a connection's webhooks, without what is secret of it.
pub(crate) fn prefix(public_url: &str, connection: &str) -> String {
    format!("{public_url}/hooks/{connection}")
}

/// A part of an address that nobody can guess: 122 bits of chance.
pub(crate) fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What the store keeps of it.
pub(crate) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// True for the secret whose digest was kept, in a time that does not tell how near it is.
pub(crate) fn is_right(secret: &str, kept: &[u8]) -> bool {
    let digest = digest(secret);
    digest.len() == kept.len()
        && digest.iter().zip(kept).fold(0, |difference, (ours, theirs)| difference | (ours ^ theirs)) == 0
}

/// The secret in an address that a system told, when it is one of ours.
pub(crate) fn secret_of<'a>(address: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = address.strip_prefix(prefix)?.strip_prefix('/')?;
    Some(rest.split('/').next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_digest() {
        let (one, other) = (secret(), secret());
        assert_ne!(one, other);
        let kept = digest(&one);
        assert!(is_right(&one, &kept));
        assert!(!is_right(&other, &kept) && !is_right("", &kept) && !is_right(&one, &[]));
        let prefix = prefix("https://weft.example/x", "shop");
        let address = format!("{prefix}/{one}/orders.created");
        assert_eq!(secret_of(&address, &prefix), Some(one.as_str()));
        assert_eq!(secret_of("https://weft.example/x/hooks/shopping/abc", &prefix), None);
    }
}
