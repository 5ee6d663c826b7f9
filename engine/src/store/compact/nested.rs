//! JSON that stands as a text within JSON, laid open, and closed again byte for byte.
//!
//! `{"sent":"{\"a\":1}"}` becomes `{"sent":{"a":1}}` with a table of the places that were texts
//! before it. Only what comes out as it went in is laid open.

use std::sync::OnceLock;

use connectors::record::write_text;

/// How a record begins that stands as a text.
const BEGIN: &[u8] = b"{\\\"";

static FINDER: OnceLock<memchr::memmem::Finder<'static>> = OnceLock::new();

/// Texts that are laid open at most: their number is one byte.
const MOST: usize = 255;

/// Bytes of the table for each: where it starts in what follows the table, and its length.
const PLACE: usize = 8;

/// The table, and the text laid open; `None` when there is nothing in it to lay open.
pub(super) fn open(bytes: &[u8]) -> Option<Vec<u8>> {
    let finder = FINDER.get_or_init(|| memchr::memmem::Finder::new(BEGIN));
    let first = finder.find(bytes)?;
    std::str::from_utf8(bytes).ok()?;
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut opened = Vec::with_capacity(bytes.len());
    let (mut done, mut brace) = (0, Some(first));
    while let Some(at) = brace.filter(|_| places.len() < MOST) {
        let mut next = at + 1;
        // Only behind what was laid open before, and only what begins the text of a literal.
        if let Some(start) = begins_at(bytes, at).filter(|start| *start >= done) {
            let kept = opened.len();
            opened.extend_from_slice(bytes.get(done..start)?);
            let from = opened.len();
            if let Some(end) = unescape(bytes, start + 1, &mut opened) {
                places.push((from, opened.len() - from));
                (done, next) = (end, end);
            } else {
                opened.truncate(kept);
            }
        }
        brace = finder.find(bytes.get(next..)?).map(|further| next + further);
    }
    if places.is_empty() {
        return None;
    }
    opened.extend_from_slice(bytes.get(done..)?);
    let mut whole = Vec::with_capacity(1 + places.len() * PLACE + opened.len());
    whole.push(u8::try_from(places.len()).ok()?);
    for (start, length) in places {
        whole.extend_from_slice(&u32::try_from(start).ok()?.to_le_bytes());
        whole.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    }
    whole.extend_from_slice(&opened);
    Some(whole)
}

/// The text as it was; `None` for what [`open`] did not make.
pub(super) fn close(whole: &[u8]) -> Option<Vec<u8>> {
    let (count, rest) = whole.split_first()?;
    let (table, opened) = rest.split_at_checked(usize::from(*count) * PLACE)?;
    let opened = std::str::from_utf8(opened).ok()?;
    let mut text = Vec::with_capacity(opened.len() + opened.len() / 4);
    let mut done = 0;
    for place in table.chunks_exact(PLACE) {
        let (start, length) = place.split_first_chunk::<4>()?;
        let start = usize::try_from(u32::from_le_bytes(*start)).ok()?;
        let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
        let end = start.checked_add(length)?;
        text.extend_from_slice(opened.get(done..start)?.as_bytes());
        write_text(opened.get(start..end)?, &mut text);
        done = end;
    }
    text.extend_from_slice(opened.get(done..)?.as_bytes());
    Some(text)
}

/// Where the literal starts whose record, or list of records, begins with this brace.
fn begins_at(bytes: &[u8], brace: usize) -> Option<usize> {
    let before = bytes.get(..brace)?;
    Some(before.strip_suffix(b"[").unwrap_or(before).strip_suffix(b"\"")?.len())
}

/// Appends what a literal says from there on; gives where it ends. `None` for what [`write_text`]
/// would have written in another way, or not at all: it would not come out as it went in.
fn unescape(bytes: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    loop {
        let rest = bytes.get(at..)?;
        let length = memchr::memchr2(b'"', b'\\', rest)?;
        let (plain, rest) = rest.split_at_checked(length)?;
        if plain.iter().any(|byte| *byte < b' ') {
            return None;
        }
        out.extend_from_slice(plain);
        match rest {
            [b'"', ..] => return Some(at + length + 1),
            [b'\\', escaped, ..] => out.push(match escaped {
                b'"' | b'\\' => *escaped,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                _ => return None,
            }),
            _ => return None,
        }
        at += length + 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opened(text: &str) -> Option<String> {
        let whole = open(text.as_bytes())?;
        assert_eq!(close(&whole).as_deref(), Some(text.as_bytes()));
        let table = 1 + usize::from(whole[0]) * PLACE;
        Some(String::from_utf8(whole[table..].to_vec()).unwrap())
    }

    #[test]
    fn records_within_texts_are_laid_open() {
        for (text, plain) in [
            (r#"{"sent":"{\"a\":1}","x":2}"#, r#"{"sent":{"a":1},"x":2}"#),
            (r#"["[{\"a\":\"é\\n\"}]","{\"b\":\"\\\"\"}"]"#, r#"[[{"a":"é\n"}],{"b":"\""}]"#),
            (r#"{"sent":"{\"a\":\"{\\\"deep\\\":1}\"}"}"#, r#"{"sent":{"a":"{\"deep\":1}"}}"#),
        ] {
            assert_eq!(opened(text).as_deref(), Some(plain));
        }
        for text in [
            "",
            "{}",
            r#"{"a":"{"}"#,
            r#"{"a":"{\"b\":1"#,
            r#"{"a":"{\"b\":\"\u0065\"}"}"#,
            "x{\\",
            r#"{"a":"{\""#,
        ] {
            assert_eq!(opened(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_laid_open_closes_again(parts in prop::collection::vec(
            prop_oneof![
                Just("\"".to_owned()), Just("\\\"".to_owned()), Just("{".to_owned()), Just("\\".to_owned()),
                Just("\"{\\\"".to_owned()), Just("}\"".to_owned()), Just("[".to_owned()), ".{0,3}",
            ],
            0..40,
        )) {
            opened(&parts.concat());
        }
    }
}
