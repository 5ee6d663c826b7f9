//! Takes what came as what is expected: only the expectations of a case file are rewritten, in
//! one form, and the file is replaced whole or not at all.

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;

use connectors::record::Value;

use crate::trouble::{Trouble, why};

/// Longest line of what is written here, where it can be helped.
const WIDTH: usize = 110;

/// JSON for people: what fits on a line stands on one. `column` is where the first line begins,
/// `depth` how far it is indented.
pub(crate) fn pretty(value: &Value, column: usize, depth: usize, text: &mut String) {
    let mut line = String::new();
    inline(value, &mut line);
    let nested = match value {
        Value::List(items) => !items.is_empty(),
        Value::Map(fields) => !fields.is_empty(),
        _ => false,
    };
    if !nested || column + line.chars().count() <= WIDTH {
        text.push_str(&line);
        return;
    }
    let indent = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let is_list = matches!(value, Value::List(_));
    text.push(if is_list { '[' } else { '{' });
    let mut separator = "";
    let mut item = |name: Option<&str>, value: &Value, text: &mut String| {
        text.push_str(separator);
        separator = ",";
        indent(text, depth + 1);
        let name = name.map_or_else(String::new, |name| format!("{}: ", Value::from(name)));
        text.push_str(&name);
        pretty(value, 2 * (depth + 1) + name.chars().count(), depth + 1, text);
    };
    match value {
        Value::List(items) => items.iter().for_each(|value| item(None, value, text)),
        Value::Map(fields) => fields.iter().for_each(|(name, value)| item(Some(name), value, text)),
        _ => {}
    }
    indent(text, depth);
    text.push(if is_list { ']' } else { '}' });
}

/// On one line, with a blank behind each comma and colon.
pub(super) fn inline(value: &Value, text: &mut String) {
    let mut separator = "";
    match value {
        Value::List(items) => {
            text.push('[');
            for item in items {
                text.push_str(separator);
                separator = ", ";
                inline(item, text);
            }
            text.push(']');
        }
        Value::Map(fields) => {
            text.push('{');
            for (name, value) in fields.iter() {
                // Into a text, writing cannot fail.
                let _ = write!(text, "{separator}{}: ", Value::from(name.as_str()));
                separator = ", ";
                inline(value, text);
            }
            text.push('}');
        }
        single => {
            let _ = write!(text, "{single}");
        }
    }
}

/// A part of a file that is to be something else.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// The text with the changes, which do not overlap.
pub(super) fn changed(text: &str, mut changes: Vec<Change>) -> String {
    changes.sort_by_key(|change| change.at.start);
    let mut all = String::with_capacity(text.len());
    let mut end = 0;
    for change in changes {
        all.push_str(text.get(end..change.at.start).unwrap_or_default());
        all.push_str(&change.text);
        end = change.at.end;
    }
    all.push_str(text.get(end..).unwrap_or_default());
    all
}

/// Puts a text into a file so that a reader, and a crash, finds the old one or the new one.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), Trouble> {
    let fresh = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
    let write = || {
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if let Ok(about) = std::fs::metadata(path) {
            std::fs::set_permissions(&fresh, about.permissions())?;
        }
        std::fs::rename(&fresh, path)
    };
    write().map_err(|error| {
        // What is left of it is of no use.
        let _ = std::fs::remove_file(&fresh);
        Trouble::new("R125", format!("cannot write `{}`: {}", path.display(), why(&error)))
            .help("give the user who runs weft the right to write in its folder; the file is as it was")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectors::record::read_json;

    #[test]
    fn what_fits_on_a_line_stands_on_one() {
        let value = read_json(
            &r#"{"a":[1,2.50,"x"],"b":{"long":"0123456789012345678901234567890123456789012345678901234567890123456789","other":[{"c":"01234567890123456789012345678901234567890123456789"}]},"e":{},"f":[]}"#
                .to_owned()
                .into(),
        )
        .unwrap();
        let mut text = String::new();
        pretty(&value, 0, 0, &mut text);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(lines.contains(&"  \"a\": [1, 2.50, \"x\"],") && lines.contains(&"  \"e\": {},"), "{text}");
        assert_eq!(read_json(&text.into()).unwrap(), value);
    }

    #[test]
    fn only_what_changes_is_written_anew() {
        let changes = vec![
            Change { at: 6..7, text: "3".into() },
            Change { at: 1..2, text: "10".into() },
            Change { at: 8..8, text: ", 4".into() },
        ];
        assert_eq!(changed("[1, 2,2 ]", changes), "[10, 2,3 , 4]");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_whole(&path, "one").unwrap();
        write_whole(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let trouble = write_whole(&folder.path().join("no/where.json"), "x").unwrap_err();
        assert!(trouble.to_string().contains("it is not there"), "{trouble}");
    }
}
