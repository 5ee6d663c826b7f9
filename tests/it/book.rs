//! The guides are a book too: every page is in it, once, in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::flows::pair::files;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// Parts whose pages are listed by a test, each the files of a folder.
const LISTED: [(&str, &str); 2] = [("# Decisions\n", "decisions"), ("# Errors\n", "errors")];

/// Pages that list a folder: their file, the folder, and what they begin with.
const LISTS: [(&str, &str, &str); 3] = [
    (
        "pairs.md",
        "pairs",
        "# All pairs\n\nSystems that ready flows join. Each page says what its flows do and what they ask.\n",
    ),
    (
        "systems.md",
        "systems",
        "# All systems\n\nHow each system is signed in to, what it can do, and what is known and assumed of it.\n",
    ),
    (
        "errors.md",
        "errors",
        "# All errors\n\nEach mistake has a code, which is never used twice: `F` of flows, `S` of scripts, `C` of profiles of \
         systems, `R` of\nwhatever happens while Weft works. `weft check --explain F082` shows a page in the terminal.\n",
    ),
];

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

/// A line for each page of a folder.
fn list(folder: &str) -> String {
    let line = |page: PathBuf| format!("- [{}]({})\n", title(&page).replace(['[', ']'], ""), page.display());
    pages(folder).into_iter().map(line).collect()
}

/// Compares a page with what it should be; `UPDATE_DOCS=1` makes it so.
fn is_made(page: &str, made: &str) {
    let file = Path::new(DOCS).join(page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, made).unwrap();
    } else {
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(written, made, "{page}: run the tests once with UPDATE_DOCS=1");
    }
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
                if let Some((list, _, begin)) = LISTS.iter().find(|(_, listed, _)| listed == folder) {
                    let title = begin.lines().next().unwrap().trim_start_matches("# ");
                    writeln!(text, "- [{title}]({list})").unwrap();
                }
                text.push_str(&list(folder));
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
    let made = made(&std::fs::read_to_string(&file).unwrap());
    is_made("SUMMARY.md", &made);
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

/// A folder has a page of its own that lists it, for a folder cannot be opened in a book.
#[test]
fn a_folder_of_pages_is_listed() {
    for (page, folder, begin) in LISTS {
        is_made(page, &format!("{begin}\n{}", list(folder)));
    }
}

/// The lines that stand in no fence.
fn outside(text: &str) -> impl Iterator<Item = &str> {
    let mut is_within = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_within ^= is_fence;
        !is_within && !is_fence
    })
}

/// A text without what stands in fences and between back-ticks.
fn prose(text: &str) -> String {
    let text = outside(text).collect::<Vec<_>>().join("\n");
    let (mut made, mut rest) = (String::new(), text.as_str());
    while let Some(at) = rest.find('`') {
        let (before, code) = rest.split_at(at);
        made.push_str(before);
        // A code ends with as many back-ticks as it begins with.
        let (mark, code) = code.split_at(code.len() - code.trim_start_matches('`').len());
        rest = code.split_once(mark).map_or("", |(_, rest)| rest);
    }
    made + rest
}

/// What the anchor of a heading is called.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|one| one.is_alphanumeric() || matches!(one, '-' | '_')).collect()
}

/// Anchors of a page: its headings, each of a name once.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for heading in outside(text).filter(|line| line.starts_with('#')) {
        let name = anchor(heading.trim_start_matches('#'));
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let name = [name.clone()].into_iter().chain(numbered).find(|name| !anchors.contains(name));
        anchors.extend(name);
    }
    anchors
}

/// Links of a text, without what stands behind their address.
fn links(text: &str) -> Vec<String> {
    let link = |rest: &str| rest.split([')', ' ', '\n']).next().unwrap_or_default().to_owned();
    prose(text).split("](").skip(1).map(link).collect()
}

/// A link leads to a page of the book and to a heading on it; from other pages, to a file.
#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(DOCS).join("..").canonicalize().unwrap();
    let mut texts = files("docs", "md");
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        texts.insert(page.to_owned(), std::fs::read_to_string(root.join(page)).unwrap());
    }
    let (mut broken, mut tried) = (Vec::new(), 0);
    for (page, text) in &texts {
        for link in links(text).iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            tried += 1;
            let (path, heading) =
                link.split_once('#').map_or((link.as_str(), None), |(path, at)| (path, Some(at)));
            let there = match path {
                "" => page.clone(),
                path => {
                    let there = root.join(page).parent().unwrap().join(path).canonicalize();
                    let there = there.ok().and_then(|there| Some(there.strip_prefix(&root).ok()?.to_owned()));
                    there.map_or_else(String::new, |there| there.display().to_string())
                }
            };
            let is_there = match (texts.get(&there), heading) {
                (Some(text), Some(heading)) => anchors(text).contains(heading),
                (Some(_), None) => true,
                (None, heading) => !there.is_empty() && heading.is_none() && !page.starts_with("docs/"),
            };
            if !is_there {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(tried > 400, "{tried}");
}
