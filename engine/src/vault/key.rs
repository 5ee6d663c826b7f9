//! One key, and what it seals: XChaCha20-Poly1305, with the place of a secret as associated data,
//! so that nobody can put one secret in the place of another.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// How everything that is sealed begins; the number is that of the construction.
const HEAD: &[u8; 5] = b"weft1";

/// Bytes of a key's name, and of a nonce.
const ID: usize = 8;
const NONCE: usize = 24;

/// Bytes of a key.
const KEY: usize = 32;

/// A key. It has no printable form but for its name.
pub(super) struct Key {
    bytes: Zeroizing<[u8; KEY]>,
    id: [u8; ID],
}

/// Why something sealed stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// It was sealed with another key.
    OtherKey,
    /// It is not what was sealed.
    Damaged,
}

impl Key {
    /// A key that nobody knows.
    pub(super) fn random() -> Result<Self, String> {
        let mut bytes = Zeroizing::new([0; KEY]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|error| format!("no random numbers: {error}"))?;
        Ok(Self::of(bytes))
    }

    fn of(bytes: Zeroizing<[u8; KEY]>) -> Self {
        let digest = Sha256::new().chain_update(b"weft key").chain_update(bytes.as_slice()).finalize();
        let mut id = [0; ID];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self { bytes, id }
    }

    /// A key as people write it: 32 bytes in base64 or as hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let decoded = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
            .iter()
            .find_map(|form| form.decode(text).ok())
            .filter(|bytes| bytes.len() == KEY)
            .or_else(|| hex(text))
            .map(Zeroizing::new)?;
        let mut bytes = Zeroizing::new([0; KEY]);
        if decoded.len() != KEY {
            return None;
        }
        bytes.copy_from_slice(&decoded);
        Some(Self::of(bytes))
    }

    /// The key as its file holds it.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// What the key is called; says nothing of it.
    pub(super) fn name(&self) -> String {
        name(self.id)
    }

    /// Seals a text for a place.
    pub(super) fn seal(&self, place: (&str, &str), text: &[u8]) -> Result<Vec<u8>, String> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| format!("no random numbers: {error}"))?;
        let data = associated(self.id, place);
        let payload = Payload { msg: text, aad: &data };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| "it is too long")?;
        Ok([HEAD.as_slice(), &self.id, &nonce, &sealed].concat())
    }

    /// The text that was sealed for a place.
    pub(super) fn open(&self, place: (&str, &str), sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Closed> {
        let (id, rest) = parts(sealed).ok_or(Closed::Damaged)?;
        if id != self.id {
            return Err(Closed::OtherKey);
        }
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(Closed::Damaged)?;
        let data = associated(self.id, place);
        let payload = Payload { msg: text, aad: &data };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| Closed::Damaged)?;
        Ok(Zeroizing::new(opened))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: &[u8; KEY] = &self.bytes;
        XChaCha20Poly1305::new(key.into())
    }
}

/// Whether this is something that was sealed here.
pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(HEAD)
}

/// The name of the key that something is sealed with.
pub(super) fn name_in(sealed: &[u8]) -> Option<String> {
    parts(sealed).map(|(id, _)| name(id))
}

fn name(id: [u8; ID]) -> String {
    format!("{:016x}", u64::from_be_bytes(id))
}

fn parts(sealed: &[u8]) -> Option<([u8; ID], &[u8])> {
    let (id, rest) = sealed.strip_prefix(HEAD)?.split_first_chunk::<ID>()?;
    Some((*id, rest))
}

/// The place, each part with its length, so that no two places read the same.
fn associated(id: [u8; ID], (connection, name): (&str, &str)) -> Vec<u8> {
    let mut data = [HEAD.as_slice(), &id].concat();
    for part in [connection, name] {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    data
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect::<Option<_>>())?
}

/// Says nothing of the key.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key {}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let key = Key::random().unwrap();
        let sealed = key.seal(("till", "secret"), b"hunter2").unwrap();
        assert_eq!(key.open(("till", "secret"), &sealed).unwrap().as_slice(), b"hunter2");
        for place in [("till", "key"), ("shop", "secret"), ("tills", "ecret"), ("", "tillsecret")] {
            assert_eq!(key.open(place, &sealed), Err(Closed::Damaged), "{place:?}");
        }
        let other = Key::random().unwrap();
        assert_eq!(other.open(("till", "secret"), &sealed), Err(Closed::OtherKey));
        assert_eq!(name_in(&sealed), Some(key.name()));
    }

    #[test]
    fn no_bit_of_it_can_be_changed() {
        let key = Key::random().unwrap();
        let sealed = key.seal(("till", "secret"), b"hunter2").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(("till", "secret"), &changed).is_err(), "byte {at}");
            assert!(key.open(("till", "secret"), &sealed[..at]).is_err(), "cut at {at}");
        }
        assert_ne!(sealed, key.seal(("till", "secret"), b"hunter2").unwrap(), "no two are alike");
    }

    #[test]
    fn a_key_may_be_written_in_many_ways() {
        let key = Key::parse(&"0f".repeat(32)).unwrap();
        for text in [
            "Dw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8=",
            " Dw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8\n",
            &"0F".repeat(32),
            &key.to_text(),
        ] {
            assert_eq!(Key::parse(text).unwrap().id, key.id, "{text}");
        }
        for text in ["", "0f", "hunter2", &"0f".repeat(31), &"0f".repeat(33), &"zz".repeat(32), "é"] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
        assert_eq!(format!("{key:?}"), format!("key {}", key.name()), "the key itself is not said");
    }
}
