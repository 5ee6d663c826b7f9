//! Reads how pages follow each other.

use super::dialect::{End, Paging, PagingKind};
use super::fields::path;
use super::path::Path;
use super::problem::{Code, Problem};
use super::reader::Table;

/// Pages that are read in a row before the system is taken to be running in circles.
const MOST_PAGES: i64 = 10_000;

/// What `paging` says in a table that may have it.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// Everything comes in one answer.
    Whole,
    Pages(Paging),
}

/// The `paging` of a connection or of a fetch.
pub(super) fn read(outer: &Table<'_, '_>) -> Option<Choice> {
    let table = outer.table("paging")?;
    table.need("kind", "one of `page`, `offset`, `cursor`, `keyset`, `next_url`, `link_header`, `none`");
    let kinds = [
        ("page", 'p'),
        ("offset", 'o'),
        ("cursor", 'c'),
        ("keyset", 'k'),
        ("next_url", 'u'),
        ("link_header", 'l'),
        ("none", 'n'),
    ];
    // Which keys belong here depends on the kind.
    let word = table.choice("kind", &kinds)?;
    let (kind, parameter) = match word {
        'p' => (PagingKind::Page, "page"),
        'o' => (PagingKind::Offset, "offset"),
        'c' => (
            PagingKind::Cursor(named(
                &table,
                "next",
                "where the answer has the next token: `next = \"$.meta.next\"`",
            )),
            "cursor",
        ),
        'k' => (
            PagingKind::Keyset(named(
                &table,
                "last",
                "where the last record has the value that the next page starts after: `last = \"$.id\"`",
            )),
            "after",
        ),
        'u' => (
            PagingKind::NextUrl(named(
                &table,
                "next",
                "where the answer has the address of the next page: `next = \"$.links.next\"`",
            )),
            "",
        ),
        'l' => (PagingKind::LinkHeader, ""),
        _ => {
            table.finish();
            return Some(Choice::Whole);
        }
    };
    let by_address = matches!(kind, PagingKind::NextUrl(_) | PagingKind::LinkHeader);
    let told = by_address || matches!(kind, PagingKind::Cursor(_));
    let counted = matches!(kind, PagingKind::Page | PagingKind::Offset);
    let size = size(&table, told);
    let text = |key: &'static str| table.text(key).map(|word| word.text.to_owned());
    let unsigned =
        |number: Option<i64>, standard: u64| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(standard);
    let own = if by_address { None } else { text("parameter") };
    let first = if counted { table.number("first", 0, 1_000_000) } else { None };
    let paging = Paging {
        parameter: own.unwrap_or_else(|| parameter.to_owned()),
        size_parameter: text("size_parameter"),
        size: unsigned(size, if told { 100 } else { 1 }),
        first: unsigned(first, u64::from(matches!(kind, PagingKind::Page))),
        most_pages: unsigned(table.number("most_pages", 1, 10_000_000), MOST_PAGES.unsigned_abs()),
        end: if told { told_end(&table) } else { end(&table) },
        alone: told && !by_address && table.flag("alone"),
        kind,
    };
    table.finish();
    Some(Choice::Pages(paging))
}

fn named(table: &Table<'_, '_>, key: &'static str, help: &str) -> Path {
    table.need_text(key, help).map_or_else(|| Path::Plain([].into()), |word| path(table, &word))
}

/// Records on a page. Where the answer names the next page, only a system that is told the size
/// has to have one.
fn size(table: &Table<'_, '_>, told: bool) -> Option<i64> {
    let size = table.number("size", 1, 100_000);
    if !table.has("size") && (!told || table.has("size_parameter")) {
        table.reader.report(
            Problem::new(
                Code::PagingWithoutSize,
                table.at.clone(),
                "this paging does not say how long a page is",
            )
            .label("`size` is missing")
            .help("add `size = 100`: as many records as the system puts on one page"),
        );
    }
    size
}

/// The end where the answer names the next page: it names none, or it says that this was the last.
fn told_end(table: &Table<'_, '_>) -> End {
    table.text("more").map_or(End::NoNext, |word| End::More(path(table, &word)))
}

/// How the last page is known: a value in the answer, else by how full a page is.
fn end(table: &Table<'_, '_>) -> End {
    let at = |key: &'static str| table.text(key).map(|word| path(table, &word));
    let known = [at("more").map(End::More), at("total").map(End::Total), at("pages").map(End::Pages)];
    let empty = table.choice("end", &[("short", false), ("empty", true)]);
    let mut said = known.into_iter().flatten();
    let first = said.next();
    if said.next().is_some() || (first.is_some() && empty.is_some()) {
        table.reader.report(
            Problem::new(
                Code::MisplacedTrait,
                table.at.clone(),
                "the last page is told in more than one way",
            )
            .label("says more than one of `more`, `total`, `pages` and `end`")
            .help("keep the one that the system is surest of"),
        );
    }
    first.unwrap_or(if empty == Some(true) { End::Empty } else { End::Short })
}
