//! Reads how pages follow each other.

use super::dialect::{End, Paging, PagingKind};
use super::fields::path;
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
    table.need("kind", "one of `page`, `offset`, `none`");
    let kinds = [("page", Some(PagingKind::Page)), ("offset", Some(PagingKind::Offset)), ("none", None)];
    let Some(kind) = table.choice("kind", &kinds) else {
        // Which keys belong here depends on the kind.
        return Some(Choice::Whole);
    };
    let Some(kind) = kind else {
        table.finish();
        return Some(Choice::Whole);
    };
    let (parameter, first) = match kind {
        PagingKind::Page => ("page", 1),
        PagingKind::Offset => ("offset", 0),
    };
    let size = table.number("size", 1, 100_000);
    if !table.has("size") {
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
    let text = |key: &'static str| table.text(key).map(|word| word.text.to_owned());
    let unsigned =
        |number: Option<i64>, standard: u64| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(standard);
    let paging = Paging {
        kind,
        parameter: text("parameter").unwrap_or_else(|| parameter.to_owned()),
        size_parameter: text("size_parameter"),
        size: unsigned(size, 1),
        first: unsigned(table.number("first", 0, 1_000_000), first),
        most_pages: unsigned(table.number("most_pages", 1, 10_000_000), MOST_PAGES.unsigned_abs()),
        end: end(&table),
    };
    table.finish();
    Some(Choice::Pages(paging))
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
