//! JSON that stands as a text within JSON, laid open, and closed again byte for byte.
//!
//! `{"sent":"{\"a\":1}"}` becomes `{"sent":{"a":1}}` with a table of the places that were texts
//! before it. Only what comes out as it went in is laid open.

use connectors::record::write_text;

/// Texts that are laid open at most: their number is one byte.
const MOST: usize = 255;

/// Bytes of the table for each: where it starts in what follows the table, and its length.
const PLACE: usize = 8;

/// The table, and the text laid open; `None` when there is nothing in it to lay open.
pub(super) fn open(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut places: Vec<(usize, usize)> = Vec::new();
    let (mut opened, mut done, mut from) = (String::new(), 0, 0);
    while places.len() < MOST {
        let Some(brace) = text.get(from..)?.find("{\\\"").map(|at| from + at) else { break };
        from = brace + 1;
        let Some((start, end)) = literal(bytes, brace).filter(|(start, _)| *start >= done) else { continue };
        let Some(inner) = text.get(start..end).and_then(same_again) else { continue };
        opened.push_str(text.get(done..start)?);
        places.push((opened.len(), inner.len()));
        opened.push_str(&inner);
        (done, from) = (end, end);
    }
    if places.is_empty() {
        return None;
    }
    opened.push_str(text.get(done..)?);
    let mut whole = Vec::with_capacity(1 + places.len() * PLACE + opened.len());
    whole.push(u8::try_from(places.len()).ok()?);
    for (start, length) in places {
        whole.extend_from_slice(&u32::try_from(start).ok()?.to_le_bytes());
        whole.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    }
    whole.extend_from_slice(opened.as_bytes());
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

/// Where the literal starts and ends whose record, or list of records, begins with this brace.
fn literal(bytes: &[u8], brace: usize) -> Option<(usize, usize)> {
    let before = bytes.get(..brace)?;
    let start = before.strip_suffix(b"[").unwrap_or(before).strip_suffix(b"\"")?.len();
    let mut end = brace;
    loop {
        match bytes.get(end)? {
            b'"' => return Some((start, end + 1)),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
}

/// What a literal says, if writing it again gives the same literal.
fn same_again(literal: &str) -> Option<String> {
    let inner: String = serde_json::from_str(literal).ok()?;
    let mut again = Vec::with_capacity(literal.len());
    write_text(&inner, &mut again);
    (again == literal.as_bytes()).then_some(inner)
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
