//! Columns: what stands under each other in neighbouring lines.

use std::collections::BTreeMap;

use super::{Row, What, line::Piece};

/// Longest part, in characters, that others make room for; a longer one stands for itself.
const WIDEST: usize = 48;

/// Longest line to which comments of its neighbours are pushed.
const WIDEST_LINE: usize = 100;

/// Whose columns a line shares with its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// Nobody's.
    None,
    /// `=` of fields, and what stands behind their values.
    Fields,
    /// `->` of rows of a table.
    Rows,
}

/// Lines of one section of a block share their columns.
pub(super) fn set(rows: &mut [Row]) {
    let mut sections: BTreeMap<usize, Vec<&mut Row>> = BTreeMap::new();
    for row in rows.iter_mut().filter(|row| row.columns != Columns::None) {
        sections.entry(row.section).or_default().push(row);
    }
    for mut section in sections.into_values() {
        for column in 0..2 {
            set_one(&mut section, column);
        }
    }
}

fn set_one(run: &mut [&mut Row], column: usize) {
    let widest = run.iter().filter_map(|row| part(row, column)).map(|(_, width)| width).max();
    let Some(widest) = widest else { return };
    for row in run.iter_mut() {
        let Some((at, width)) = part(row, column) else { continue };
        let blanks = widest - width;
        if let Some(first) = row.laid.lines.first_mut() {
            first.text.insert_str(at, &" ".repeat(blanks));
        }
        for (line, cut) in row.laid.cuts.iter_mut().skip(column) {
            *cut += if *line == 0 { blanks } else { 0 };
        }
    }
}

/// Where a column begins in the first line of a row, and how wide the part before it is; `None`
/// when that is not in line with others.
fn part(row: &Row, column: usize) -> Option<(usize, usize)> {
    let (line, at) = *row.laid.cuts.get(column)?;
    let start = match column.checked_sub(1) {
        None => 0,
        Some(before) => row.laid.cuts.get(before)?.1,
    };
    let written = row.laid.lines.first()?.text.get(start..at)?;
    let width = written.trim_end().chars().count();
    // A value stands behind its `= `.
    (line == 0 && width <= WIDEST + 2 * column).then_some((at, width))
}

/// Comments behind neighbouring lines stand under each other.
pub(super) fn set_comments(rows: &mut [Row]) {
    let width = |row: &Row| match row.laid.lines.as_slice() {
        [Piece { text, .. }] => Some(row.indent + text.chars().count()).filter(|width| *width <= WIDEST_LINE),
        _ => None,
    };
    let has = |row: &Row| {
        !row.trailing.is_empty() && !matches!(row.what, What::Close | What::Branch) && width(row).is_some()
    };
    let together = |row: &Row, next: &Row| has(row) && has(next) && row.indent == next.indent && !next.spaced;
    for run in rows.chunk_by_mut(together) {
        let widest = run.iter().filter(|row| has(row)).filter_map(width).max().unwrap_or_default();
        for row in run.iter_mut().filter(|row| has(row)) {
            let blanks = widest - width(row).unwrap_or(widest);
            row.trailing.insert_str(0, &" ".repeat(blanks));
        }
    }
}
