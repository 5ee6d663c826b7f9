//! Payloads and details in less room: packed by LZ4, where that pays. It costs a few microseconds a
//! record; what packs closer costs several times the rest of a page.
//!
//! Texts that begin with a byte above 1 lie in the store as they are, as every JSON text does;
//! so what earlier programs kept can still be read.

use std::borrow::Cow;

use lz4_flex::block::{compress_into, decompress, get_maximum_output_size};

use super::StoreError;

/// Before what is packed; then its length as it was, in four bytes.
const PACKED: u8 = 0;

/// The mark and the length.
const HEAD: usize = 5;

/// Longer texts than any answer are damage.
const LONGEST: usize = 256 << 20;

/// Before what lies there as it is, where it begins like one of these two.
const PLAIN: u8 = 1;

/// Shorter ones do not get shorter.
const SHORT: usize = 200;

/// Bytes as they lie in the store.
pub(super) fn pack(bytes: &[u8]) -> Cow<'_, [u8]> {
    if (SHORT..=LONGEST).contains(&bytes.len())
        && let Ok(length) = u32::try_from(bytes.len())
    {
        let mut packed = vec![PACKED; HEAD + get_maximum_output_size(bytes.len())];
        let (head, body) = packed.split_at_mut(HEAD);
        head.iter_mut().skip(1).zip(length.to_le_bytes()).for_each(|(place, byte)| *place = byte);
        if let Ok(taken) = compress_into(bytes, body)
            && HEAD + taken < bytes.len()
        {
            packed.truncate(HEAD + taken);
            packed.shrink_to_fit();
            return Cow::Owned(packed);
        }
    }
    match bytes.first() {
        Some(&(PACKED | PLAIN)) => Cow::Owned([&[PLAIN], bytes].concat()),
        _ => Cow::Borrowed(bytes),
    }
}

/// Bytes as they were.
pub(super) fn unpack(packed: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let damaged = || StoreError::Unreadable { what: "a payload that cannot be unpacked".to_owned() };
    match packed.split_first() {
        Some((&PACKED, rest)) => {
            let (length, body) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            let whole = (length <= LONGEST).then(|| decompress(body, length).ok()).flatten();
            whole.filter(|whole| whole.len() == length).ok_or_else(damaged)
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
    fn a_record_takes_three_fifths_of_the_room() {
        let line = r#"{"position":1,"sku":"4006381333931","description":"Koffiebonen 1 kg","quantity":2,"price_incl":12.50,"vat_rate":9.00}"#;
        let record = format!(
            r#"{{"number":"2026-1001","created_at":"2026-11-20T12:00:00+01:00","status":"paid","customer":{{"email":"sanne@example.com","full_name":"Sanne de Boer"}},"lines":[{line},{line},{line}]}}"#
        );
        let packed = pack(record.as_bytes());
        assert!(packed.len() * 5 < record.len() * 3, "{} of {}", packed.len(), record.len());
    }

    #[test]
    fn what_is_damaged_is_told() {
        let packed = pack(&[b'a'; 1000]).into_owned();
        assert!(unpack(packed[..packed.len() / 2].to_vec()).is_err() || packed.len() < 4);
        assert!(unpack(vec![PACKED, 0xff, 0xff, 0xff]).is_err());
        assert!(unpack(vec![PACKED, 0xff, 0xff, 0xff, 0xff, 0]).is_err());
    }
}
