//! Payloads and details in less room: packed by LZ4, where that pays. It costs a few microseconds a
//! record; what packs closer costs several times the rest of a page.
//!
//! The log of a write has one body several times: by itself, and as a text in what was sent and
//! answered, where each quotation mark is escaped. Such texts are laid open first (see [`nested`]), so
//! that they are packed as the repetitions that they are.
//!
//! Texts that begin with a byte above 1 lie in the store as they are, as every JSON text does;
//! so what earlier programs kept can still be read.

mod nested;

use std::borrow::Cow;
use std::cell::RefCell;

use lz4_flex::block::{compress_into, decompress, get_maximum_output_size};

use super::StoreError;

/// Before what is packed; then its length as it was, in four bytes.
const PACKED: u8 = 0;

/// The mark and the length.
const HEAD: usize = 5;

/// Longer texts than any answer are damage.
const LONGEST: usize = 256 << 20;

/// In the length: texts within were laid open.
const OPENED: u32 = 1 << 31;

/// Before what lies there as it is, where it begins like one of these two.
const PLAIN: u8 = 1;

/// Shorter ones do not get shorter.
const SHORT: usize = 200;

/// Room for packing that a thread keeps.
const KEPT: usize = 1 << 20;

thread_local! {
    /// Where texts are packed, before as much is taken as they need.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes as they lie in the store.
pub(super) fn pack(bytes: &[u8]) -> Cow<'_, [u8]> {
    let opened = (SHORT..=LONGEST).contains(&bytes.len()).then(|| nested::open(bytes)).flatten();
    let (text, mark) = opened.as_ref().map_or((bytes, 0), |opened| (opened.as_slice(), OPENED));
    if (SHORT..=LONGEST).contains(&text.len())
        && let Ok(length) = u32::try_from(text.len())
    {
        let packed = ROOM.with_borrow_mut(|room| {
            let most = HEAD + get_maximum_output_size(text.len());
            if room.len() < most {
                room.resize(most, 0);
            }
            let (head, body) = room.split_at_mut(HEAD);
            let begin = std::iter::once(PACKED).chain((length | mark).to_le_bytes());
            head.iter_mut().zip(begin).for_each(|(place, byte)| *place = byte);
            let taken = HEAD + compress_into(text, body).ok()?;
            let packed = room.get(..taken).filter(|packed| packed.len() < bytes.len())?.to_vec();
            if most > KEPT {
                *room = Vec::new();
            }
            Some(packed)
        });
        if let Some(packed) = packed {
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
            let said = u32::from_le_bytes(*length);
            let length = usize::try_from(said & !OPENED).unwrap_or(usize::MAX);
            let whole = (length <= LONGEST).then(|| decompress(body, length).ok()).flatten();
            let whole = whole.filter(|whole| whole.len() == length).ok_or_else(damaged)?;
            if said & OPENED == 0 { Ok(whole) } else { nested::close(&whole).ok_or_else(damaged) }
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
    fn a_body_in_the_log_takes_room_once() {
        let words: Vec<String> =
            (0..60).map(|_| format!("\"{:x}\":\"{:x}\"", fastrand::u32(..), fastrand::u64(..))).collect();
        let body = format!("{{{}}}", words.join(","));
        let text = serde_json::to_string(&body).unwrap();
        let log =
            format!(r#"{{"writes":[{{"sent":{body},"exchanges":[{{"sent":{text},"answer":{text}}}]}}]}}"#);
        assert_eq!(through(log.as_bytes()), log.as_bytes());
        let (once, all) = (pack(body.as_bytes()).len(), pack(log.as_bytes()).len());
        assert!(all < once + 200, "{all} after {once}");
    }

    #[test]
    fn what_was_packed_before_is_read() {
        let text = format!(r#"{{"sent":"{}"}}"#, r#"{\"a\":1}"#.repeat(50));
        let body = lz4_flex::block::compress(text.as_bytes());
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        let packed = [&[PACKED][..], &length, &body].concat();
        assert_eq!(unpack(packed).unwrap(), text.as_bytes());
    }

    #[test]
    fn what_is_damaged_is_told() {
        let packed = pack(&[b'a'; 1000]).into_owned();
        assert!(unpack(packed[..packed.len() / 2].to_vec()).is_err() || packed.len() < 4);
        assert!(unpack(vec![PACKED, 0xff, 0xff, 0xff]).is_err());
        assert!(unpack(vec![PACKED, 0xff, 0xff, 0xff, 0xff, 0]).is_err());
        for opened in [
            &[][..],
            &[1],
            &[1, 0, 0, 0, 0, 0, 0, 0],
            &[1, 9, 0, 0, 0, 9, 0, 0, 0],
            b"\x01\0\0\0\0\x01\0\0\0\xff",
        ] {
            let length = (u32::try_from(opened.len()).unwrap() | OPENED).to_le_bytes();
            let packed = [&[PACKED][..], &length, &lz4_flex::block::compress(opened)].concat();
            assert!(unpack(packed).is_err(), "{opened:?}");
        }
    }
}
