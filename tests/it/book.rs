//! The guides are a book too: every page is in it, once, in its place.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::flows::pair::files;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// Parts whose pages are listed by a test, each the files of a folder.
const LISTED: [(&str, &str); 2] = [("# Decisions\n", "decisions"), ("# Errors\n", "errors")];

/// The pages below a folder, by their place in the guides.
fn pages(folder: &str) -> Vec<PathBuf> {
    let pages = files(&format!("docs/{folder}"), "md").into_keys();
    pages.map(|page| PathBuf::from(page.strip_prefix("docs/").unwrap())).collect()
}

/// The first line of a page, without its mark.
fn title(page: &Path) -> String {
    let text = std::fs::read_to_string(Path::new(DOCS).join(page)).unwrap();
    text.lines().next().unwrap().trim_start_matches("# ").to_owned()
}

/// `docs/SUMMARY.md` with the parts that are made.
fn made(written: &str) -> String {
    let mut text = String::new();
    let parts = written.split("\n# ").enumerate();
    for (at, part) in parts {
        let part = if at == 0 { part.to_owned() } else { format!("# {part}") };
        match LISTED.iter().find(|(head, _)| format!("{part}\n").starts_with(head)) {
            None => writeln!(text, "{}\n", part.trim_end()).unwrap(),
            Some((head, folder)) => {
                writeln!(text, "{head}").unwrap();
                for page in pages(folder) {
                    writeln!(text, "- [{}]({})", title(&page).replace(['[', ']'], ""), page.display())
                        .unwrap();
                }
                text.push('\n');
            }
        }
    }
    format!("{}\n", text.trim_end())
}

/// Errors and decisions in `docs/SUMMARY.md` are listed from their pages; `UPDATE_DOCS=1` does it.
#[test]
fn every_page_is_in_the_book_once() {
    let file = Path::new(DOCS).join("SUMMARY.md");
    let written = std::fs::read_to_string(&file).unwrap();
    let made = made(&written);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &made).unwrap();
    } else {
        assert_eq!(written, made, "run the tests once with UPDATE_DOCS=1");
    }
    let mut listed: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for link in made.split("](").skip(1) {
        *listed.entry(PathBuf::from(link.split(')').next().unwrap())).or_default() += 1;
    }
    let mut there = pages("");
    there.retain(|page| page != Path::new("SUMMARY.md"));
    assert!(there.len() > 200);
    for page in &there {
        assert_eq!(listed.remove(page), Some(1), "{} is not in docs/SUMMARY.md once", page.display());
    }
    assert!(listed.is_empty(), "docs/SUMMARY.md lists pages that are not there: {listed:?}");
}
