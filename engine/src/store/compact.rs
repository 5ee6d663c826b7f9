//! Payloads and details in less room: deflated, where that pays.
//!
//! Texts that begin with a byte above 1 lie in the store as they are, as every JSON text does;
//! so what earlier programs kept can still be read.

use std::borrow::Cow;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateDecoder, DeflateEncoder};

use super::StoreError;

/// Before what is deflated.
const DEFLATED: u8 = 0;

/// Before what lies there as it is, where it begins like one of these two.
const PLAIN: u8 = 1;

/// Shorter ones do not get shorter.
const SHORT: usize = 200;

/// Bytes as they lie in the store.
pub(super) fn pack(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.len() >= SHORT {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
        encoder.get_mut().push(DEFLATED);
        // Writing to a `Vec` cannot fail.
        if encoder.write_all(bytes).is_ok()
            && let Ok(packed) = encoder.finish()
            && packed.len() < bytes.len()
        {
            return Cow::Owned(packed);
        }
    }
    match bytes.first() {
        Some(&(DEFLATED | PLAIN)) => Cow::Owned([&[PLAIN], bytes].concat()),
        _ => Cow::Borrowed(bytes),
    }
}

/// Bytes as they were.
pub(super) fn unpack(packed: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let damaged = |_| StoreError::Unreadable { what: "a payload that cannot be unpacked".to_owned() };
    match packed.split_first() {
        Some((&DEFLATED, rest)) => {
            let mut decoder = DeflateDecoder::new(Vec::with_capacity(rest.len() * 4));
            decoder.write_all(rest).map_err(damaged)?;
            decoder.finish().map_err(damaged)
        }
        Some((&PLAIN, rest)) => Ok(rest.to_vec()),
        _ => Ok(packed),
    }
}

/// The same where there may be nothing.
pub(super) fn unpack_maybe(packed: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, StoreError> {
    packed.map(unpack).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(bytes: &[u8]) -> Vec<u8> {
        unpack(pack(bytes).into_owned()).expect("unpacked")
    }

    #[test]
    fn what_goes_in_comes_out() {
        for bytes in [&b""[..], b"{}", &[0], &[1], &[2], &[0, 1, 2], &[0; 1000], &[1; 199], &[7; 200]] {
            assert_eq!(through(bytes), bytes);
        }
        let noise: Vec<u8> = (0..1000).map(|_| fastrand::u8(..)).collect();
        assert_eq!(through(&noise), noise);
        assert!(pack(&noise).len() <= noise.len() + 1);
    }

    #[test]
    fn a_record_takes_less_than_half_the_room() {
        let line = r#"{"position":1,"sku":"4006381333931","description":"Koffiebonen 1 kg","quantity":2,"price_incl":12.50,"vat_rate":9.00}"#;
        let record = format!(
            r#"{{"number":"2026-1001","created_at":"2026-11-20T12:00:00+01:00","status":"paid","customer":{{"email":"sanne@example.com","full_name":"Sanne de Boer"}},"lines":[{line},{line},{line}]}}"#
        );
        let packed = pack(record.as_bytes());
        assert!(packed.len() * 2 < record.len(), "{} of {}", packed.len(), record.len());
    }

    #[test]
    fn what_is_damaged_is_told() {
        let packed = pack(&[b'a'; 1000]).into_owned();
        assert!(unpack(packed[..packed.len() / 2].to_vec()).is_err() || packed.len() < 4);
        assert!(unpack(vec![DEFLATED, 0xff, 0xff, 0xff]).is_err());
    }
}
