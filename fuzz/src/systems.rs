//! What other systems send, and what describes them.

use bytes::Bytes;
use connectors::profile::Profile;
use connectors::record::{Value, read_json, read_json_lines};

/// Whatever is read is written so that what reads back says the same.
fn reads_back(value: &Value) {
    let written = value.to_json();
    let again = read_json(&Bytes::from(written)).expect("what was written reads back");
    // A decimal without a fraction, such as 1e5, is written as a whole number.
    assert!(again.says_the_same_as(value), "{again:?} is not {value:?}");
}

/// Any bytes are refused or read as JSON.
pub fn json(bytes: &[u8]) {
    let page = Bytes::copy_from_slice(bytes);
    if let Ok(value) = read_json(&page) {
        reads_back(&value);
    }
    for value in read_json_lines(&page).unwrap_or_default() {
        reads_back(&value);
    }
}

/// Any text is refused or read as the profile of a system, and every problem points at a place in
/// it.
pub fn profile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(report) = Profile::load("fuzz.toml", text) {
        assert!(!report.problems().is_empty(), "refused without a reason");
        for problem in report.problems() {
            let stands = text.is_empty() || text.get(problem.span()).is_some();
            assert!(stands, "{:?} is no place: {problem}", problem.span());
        }
    }
}

/// Any bytes are refused or read as an envelope, and what is in it as each reply and request that
/// has its name.
pub fn soap(bytes: &[u8]) {
    for record in connectors::mpluskassa::decode_envelope(&Bytes::copy_from_slice(bytes)) {
        reads_back(&Value::Map(record));
    }
}
