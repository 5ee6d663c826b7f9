//! The pages of the errors, as a terminal shows them: they are part of the program, so that
//! whoever has an error has its page.

/// Code and page, in the order of the codes.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// Longest line that is written; long words and examples may pass it.
const WIDTH: usize = 92;

/// Every code that has a page.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// The page of a code, in whatever letters it is written: `f020`.
///
/// # Errors
/// What to say when there is no such page, with the code that was probably meant.
pub fn page(code: &str) -> Result<(&'static str, &'static str), String> {
    let wanted = code.trim().to_uppercase();
    if let Some(found) = PAGES.iter().find(|(known, _)| *known == wanted) {
        return Ok(*found);
    }
    // Of codes that are as near as each other the one that counts up to the wanted one.
    let nearest = codes()
        .map(|known| (strsim::damerau_levenshtein(&wanted, known), known))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, known)| {
            let is_other_kind = known.chars().next() != wanted.chars().next();
            (*distance, is_other_kind, number(known).abs_diff(number(&wanted)))
        });
    Err(match nearest {
        Some((_, known)) => format!("no error has this code; did you mean `{known}`?"),
        None => "no error has this code; codes are a letter (F, S, C or R) and three digits, such as F020"
            .to_owned(),
    })
}

/// The number in a code.
fn number(code: &str) -> u32 {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

/// A page without the marks of its format.
#[must_use]
pub fn plain(page: &str) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut example = false;
    for line in page.lines() {
        if line.starts_with("```") {
            end(&mut paragraph, &mut out);
            example = !example;
        } else if example {
            out.push_str("    ");
            out.push_str(line);
            out.push('\n');
        } else if line.trim().is_empty() {
            end(&mut paragraph, &mut out);
            out.push('\n');
        } else if line.starts_with(['|', '#']) {
            // Tables and headings keep their lines.
            end(&mut paragraph, &mut out);
            paragraph.push_str(line.trim_start_matches('#').trim_start());
            end(&mut paragraph, &mut out);
        } else {
            if line.starts_with("- ") {
                end(&mut paragraph, &mut out);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    end(&mut paragraph, &mut out);
    // An empty line too many comes of nothing but the marks.
    while out.contains("\n\n\n") {
        out = out.replace("\n\n\n", "\n\n");
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// Writes a paragraph, when there is one.
fn end(paragraph: &mut String, out: &mut String) {
    if !paragraph.is_empty() {
        wrap(&without_links(&paragraph.replace("**", "")), out);
        paragraph.clear();
    }
}

/// `[text](address)` becomes the text.
fn without_links(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match after.split_once("](").and_then(|(text, link)| Some((text, link.split_once(')')?.1))) {
            Some((text, after)) if !text.contains('[') => {
                out.push_str(text);
                rest = after;
            }
            _ => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn wrap(line: &str, out: &mut String) {
    // A table is read by its columns.
    if line.starts_with('|') {
        out.push_str(line);
        out.push('\n');
        return;
    }
    let mut length = 0;
    for word in line.split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > WIDTH {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += letters;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{codes, page, plain};

    #[test]
    fn every_page_can_be_shown() {
        assert!(codes().count() > 150);
        for code in codes() {
            let (found, text) = page(&code.to_lowercase()).unwrap();
            assert_eq!(found, code);
            let shown = plain(text);
            assert!(shown.starts_with(&format!("{code}: ")), "{shown}");
            for mark in ["```", "**", "]("] {
                assert!(!shown.contains(mark), "{code} shows {mark}:\n{shown}");
            }
            assert!(shown.lines().count() > 2, "{shown}");
        }
    }

    #[test]
    fn a_code_that_is_none_is_answered_with_a_near_one() {
        assert_eq!(page("F0020").unwrap_err(), "no error has this code; did you mean `F020`?");
        assert!(page("FO20").unwrap_err().contains("`F020`"));
        assert!(page("what").unwrap_err().contains("such as F020"));
    }

    #[test]
    fn pages_lose_their_marks_and_keep_their_examples() {
        let page = "# F999: A title\n\nSee [scripts](../scripts.md#limits),\n**please**.\n\n- one\n- two\n  lines\n\n```text\nfilter  x\n```\n\n\n[a] b";
        assert_eq!(
            plain(page),
            "F999: A title\n\nSee scripts, please.\n\n- one\n- two lines\n\n    filter  x\n\n[a] b"
        );
    }
}
