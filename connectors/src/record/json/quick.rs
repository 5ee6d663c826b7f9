//! Reads JSON that is as it should be, and as the records before it were.
//!
//! It never explains: where it meets anything odd (a mistake, a number with an exponent or of more
//! than 18 digits, half a letter, too many levels) it gives up, and the other reader begins again.
//! So it only has to be right about what it reads.

use rust_decimal::Decimal;

use super::{DEEPEST, Layout, Place, within};
use crate::record::{Map, Text, Value};

/// The value that is all of a text.
pub(super) fn read(text: &str, layout: &mut Layout) -> Option<Value> {
    let mut quick = Quick { text, at: 0, places: layout.places, scratch: String::new() };
    let value = quick.value(0, &mut layout.top, 0);
    layout.places = quick.places;
    quick.skip_space();
    value.filter(|_| quick.at == text.len())
}

struct Quick<'j> {
    text: &'j str,
    at: usize,
    /// Places in the layout.
    places: usize,
    /// Where texts with escapes are put together.
    scratch: String,
}

impl Quick<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Goes past a byte, when it is that one.
    #[inline]
    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek() == Some(wanted)).then(|| self.at += 1)
    }

    /// Goes past the comma before the next item, or past the end of the items.
    #[inline]
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.skip_space();
        let found = self.peek()?;
        self.at += 1;
        match found {
            b',' => {
                self.skip_space();
                Some(true)
            }
            found if found == end => Some(false),
            _ => None,
        }
    }

    /// The value at a number of a place.
    fn value(&mut self, depth: usize, around: &mut Place, at: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        self.skip_space();
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => match within(&mut self.places, around, at) {
                Some(place) => self.map(depth, place),
                None => self.map(depth, &mut Place::default()),
            },
            b'[' => self.list(depth, around, at),
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(value)
    }

    fn list(&mut self, depth: usize, around: &mut Place, at: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']').is_none() {
            loop {
                items.push(self.value(depth + 1, around, at)?);
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        Some(Value::List(items))
    }

    fn map(&mut self, depth: usize, place: &mut Place) -> Option<Value> {
        self.at += 1;
        let mut entries: Vec<(Text, Value)> = Vec::with_capacity(place.names.len());
        let mut all_known = true;
        self.skip_space();
        if self.take(b'}').is_none() {
            loop {
                let name = if let Some(name) = self.known_name(place, entries.len()) {
                    name
                } else {
                    let name = self.string()?;
                    let (name, is_known) = place.name(entries.len(), &name);
                    all_known &= is_known;
                    name
                };
                self.skip_space();
                self.take(b':')?;
                let value = self.value(depth + 1, place, entries.len())?;
                entries.push((name, value));
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        Some(Value::Map(Map { entries: place.settle(entries, all_known) }))
    }

    /// The name that the record before had at this number, when it stands here letter for letter.
    #[inline]
    fn known_name(&mut self, place: &Place, at: usize) -> Option<Text> {
        let known = place.names.get(at).filter(|known| known.is_plain)?;
        let rest = self.text.as_bytes().get(self.at..)?.strip_prefix(b"\"")?;
        let name = known.name.as_bytes();
        if rest.get(name.len()) == Some(&b'"') && rest.starts_with(name) {
            self.at += name.len() + 2;
            return Some(known.name.clone());
        }
        None
    }

    #[inline]
    fn string(&mut self) -> Option<Text> {
        self.take(b'"')?;
        let start = self.at;
        self.at = plain_until(self.text.as_bytes(), start)?;
        let plain = self.text.get(start..self.at)?;
        match self.peek()? {
            b'"' => {
                self.at += 1;
                Some(Text::from(plain))
            }
            b'\\' => self.escaped(plain),
            _ => None,
        }
    }

    /// The rest of a text from its first escape on.
    fn escaped(&mut self, before: &str) -> Option<Text> {
        let mut made = std::mem::take(&mut self.scratch);
        made.clear();
        made.push_str(before);
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => made.push(self.escape()?),
                _ => return None,
            }
            let start = self.at;
            self.at = plain_until(self.text.as_bytes(), start)?;
            made.push_str(self.text.get(start..self.at)?);
        }
        self.at += 1;
        let text = Text::from(made.as_str());
        self.scratch = made;
        Some(text)
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.text.as_bytes().get(self.at + 1)?;
        self.at += 2;
        Some(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                if !(0xd800..0xe000).contains(&unit) {
                    return char::from_u32(unit);
                }
                // The first half of a letter; whatever is no letter then is for the other reader.
                self.take(b'\\')?;
                self.take(b'u')?;
                let units = [u16::try_from(unit).ok()?, u16::try_from(self.unit()?).ok()?];
                let mut letters = char::decode_utf16(units);
                let letter = letters.next()?.ok()?;
                return letters.next().is_none().then_some(letter);
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        // `from_str_radix` would take a sign.
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }

    /// A number of up to 18 digits, with or without a point.
    fn number(&mut self) -> Option<Value> {
        let negative = self.take(b'-').is_some();
        let start = self.at;
        let whole = self.digits(0);
        let length = self.at - start;
        let leads_with_zero = length > 1 && self.text.as_bytes().get(start) == Some(&b'0');
        if length == 0 || leads_with_zero {
            return None;
        }
        let (mut number, mut scale) = (whole, None);
        if self.take(b'.').is_some() {
            let point = self.at;
            number = self.digits(whole);
            scale = Some(u32::try_from(self.at - point).ok().filter(|digits| *digits > 0)?);
        }
        if self.at - start > 18 || matches!(self.peek(), Some(b'e' | b'E')) {
            return None;
        }
        let signed = if negative { -number } else { number };
        match scale {
            None => Some(Value::Int(signed)),
            // A zero has no sign in an integer.
            Some(_) if negative && number == 0 => None,
            Some(scale) => Some(Value::Decimal(Decimal::new(signed, scale))),
        }
    }

    /// Goes past digits; what they make of a number. More than 18 make anything.
    #[inline]
    fn digits(&mut self, mut number: i64) -> i64 {
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        number
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The place of the next quotation mark, backslash or control character; eight bytes at once.
#[inline]
fn plain_until(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let Some(eight) = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()) else {
            let rest = bytes.get(at..)?;
            return rest.iter().position(|byte| !is_plain(*byte)).map(|found| at + found);
        };
        // A byte that is zero, or less than a space, borrows from its highest bit; the first one that
        // does is certain, and only that one is looked for.
        let word = u64::from_le_bytes(eight);
        let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = is_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = is_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * u64::from(b' ')) & !word;
        let found = (quote | backslash | control) & (ONES << 7);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
}

/// Stands for itself in a JSON text.
pub(super) const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}
