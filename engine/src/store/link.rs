//! The seam between the statements and a driver: values in, rows out.
//!
//! Statements are written once against [`Link`]; a driver binds [`Arg`]s and turns its rows
//! into [`Row`]s. Nothing here knows a table.

use std::sync::OnceLock;

use async_trait::async_trait;

use super::StoreError;

/// A value for a placeholder. Typed even when absent, because PostgreSQL asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg<'a> {
    /// BIGINT
    Int(Option<i64>),
    /// TEXT
    Text(Option<&'a str>),
    /// BLOB, BYTEA
    Bytes(Option<&'a [u8]>),
}

impl From<i64> for Arg<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Some(value))
    }
}

impl<'a> From<Option<&'a [u8]>> for Arg<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        Self::Bytes(value)
    }
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// NULL
    Null,
    /// BIGINT
    Int(i64),
    /// TEXT
    Text(String),
    /// BLOB, BYTEA
    Bytes(Vec<u8>),
}

/// A row that is read column by column, in the order of the statement.
#[derive(Debug)]
pub(super) struct Row(std::vec::IntoIter<Cell>);

impl Row {
    /// A row of these values.
    pub(super) fn new(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter())
    }

    /// The next column holds nothing; it is not taken.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.0.as_slice(), [Cell::Null, ..])
    }

    /// The next column, a number.
    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        match self.0.next() {
            Some(Cell::Int(value)) => Ok(value),
            other => Err(unexpected("a number", other.as_ref())),
        }
    }

    /// The next column, a number or nothing.
    pub(super) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Cell::Int(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            other => Err(unexpected("a number", other.as_ref())),
        }
    }

    /// The next column, a text.
    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        match self.0.next() {
            Some(Cell::Text(value)) => Ok(value),
            other => Err(unexpected("a text", other.as_ref())),
        }
    }

    /// The next column, a text or nothing.
    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Cell::Text(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            other => Err(unexpected("a text", other.as_ref())),
        }
    }

    /// The next column, bytes.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Cell::Bytes(value)) => Ok(value),
            other => Err(unexpected("bytes", other.as_ref())),
        }
    }

    /// The next column, bytes or nothing.
    pub(super) fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Cell::Bytes(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            other => Err(unexpected("bytes", other.as_ref())),
        }
    }
}

fn unexpected(wanted: &str, found: Option<&Cell>) -> StoreError {
    let found = match found {
        None => "no column",
        Some(Cell::Null) => "nothing",
        Some(Cell::Int(_)) => "a number",
        Some(Cell::Text(_)) => "a text",
        Some(Cell::Bytes(_)) => "bytes",
    };
    StoreError::Unreadable { what: format!("{found} where {wanted} belongs") }
}

/// A connection, inside or outside a transaction.
#[async_trait]
pub(super) trait Link: Send {
    /// Runs a statement; answers how many rows it touched. `reuse` says that the same text
    /// will come again, so that it pays to keep it prepared.
    async fn execute(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<u64, StoreError>;

    /// Runs a statement; answers its rows.
    async fn fetch(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<Vec<Row>, StoreError>;

    /// Runs a statement for all these rows, as often as it takes; answers how many it touched.
    async fn execute_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        rows: &[Vec<Arg<'_>>],
    ) -> Result<u64, StoreError>;

    /// Runs a statement for all these keys, as often as it takes; answers its rows.
    async fn fetch_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        keys: &[&str],
    ) -> Result<Vec<Row>, StoreError>;

    /// Runs several statements, parted by semicolons, without values.
    async fn script(&mut self, sql: &str) -> Result<(), StoreError>;
}

/// A transaction that may write. Dropped without an end, it is rolled back.
#[async_trait]
pub(super) trait Transaction: Link {
    /// Makes everything durable.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
    /// Leaves nothing behind.
    async fn rollback(self: Box<Self>);
}

/// What differs between databases in the text of statements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// The database's clock: milliseconds since 1970 as a BIGINT expression.
    pub(super) clock: &'static str,
    /// Put after a SELECT to hold the row until the transaction ends; empty where writing
    /// transactions exclude each other anyway.
    pub(super) hold: &'static str,
    /// Type of columns of text, compared letter by letter.
    pub(super) text: &'static str,
    /// Type of columns of bytes.
    pub(super) bytes: &'static str,
    /// Put after a table of small rows that are always reached by their key: they are kept in
    /// the order of the key, and nowhere else.
    pub(super) keyed: &'static str,
    /// Said first by whoever changes the schema, so that two processes do it one after the
    /// other; empty where writing transactions exclude each other anyway.
    pub(super) alone: &'static str,
}

/// A dialect's words, for filling in.
#[derive(Clone, Debug)]
pub(super) struct Words {
    now: &'static str,
    hold: &'static str,
    #[cfg(test)]
    clock: Option<std::sync::Arc<std::sync::atomic::AtomicI64>>,
}

impl Words {
    /// The words of a dialect.
    pub(super) fn new(dialect: &Dialect) -> Self {
        Self {
            now: dialect.clock,
            hold: dialect.hold,
            #[cfg(test)]
            clock: None,
        }
    }

    /// The statement as the database takes it.
    pub(super) fn fill(&self, sql: &str) -> String {
        #[cfg(test)]
        if let Some(clock) = &self.clock {
            let now = clock.load(std::sync::atomic::Ordering::SeqCst);
            return sql.replace("{now}", &format!("CAST({now} AS BIGINT)")).replace("{hold}", self.hold);
        }
        sql.replace("{now}", self.now).replace("{hold}", self.hold)
    }

    /// The same words on a clock that a test sets.
    #[cfg(test)]
    pub(super) fn with_clock(mut self, clock: std::sync::Arc<std::sync::atomic::AtomicI64>) -> Self {
        self.clock = Some(clock);
        self
    }
}

/// One database: how to get at it and how to look after it.
#[async_trait]
pub(super) trait Driver: Send + Sync {
    /// What differs in the text of statements.
    fn dialect(&self) -> Dialect;
    /// Begins a transaction that may write.
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;
    /// A connection for reading, outside any transaction.
    async fn read(&self) -> Result<Box<dyn Link>, StoreError>;
    /// Commits next to nothing, durably.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Called after each settled page.
    async fn after_page(&self);
    /// Gives space back, moves the log into the main file; waits for nobody.
    async fn upkeep(&self) -> Result<(), StoreError>;

    /// Sees to it that nothing of what was removed is left in free places.
    async fn scrub(&self) -> Result<(), StoreError> {
        self.upkeep().await
    }
    /// Copies a store of this schema before it is changed, where that is the driver's business.
    async fn backup(&self, schema: i64) -> Result<(), StoreError>;
    /// Reads everything and answers what is damaged.
    async fn verify(&self) -> Result<Vec<String>, StoreError>;
    /// Closes all connections.
    async fn close(&self);
}

/// A statement for many rows or keys.
///
/// Where every statement is a trip to a server, it takes many at once: it comes in a few lengths,
/// so that every text comes again and stays prepared. Where it is none, it is run for one after
/// the other.
#[derive(Debug)]
pub(super) struct Many {
    /// Text before the rows.
    head: &'static str,
    /// One row; `?` stands for its own values, `$1`… for values that all rows share.
    row: &'static str,
    /// Text after the rows.
    tail: &'static str,
    /// How many values all rows share. The row's own stand behind them.
    shared: usize,
    /// By length.
    texts: [OnceLock<Box<str>>; LENGTHS.len()],
}

/// Rows or keys a statement.
const LENGTHS: [usize; 8] = [100, 64, 32, 16, 8, 4, 2, 1];

/// Most values of rows in a statement.
const MOST_VALUES: usize = 1_000;

impl Many {
    /// A statement of these parts; see the fields.
    pub(super) const fn new(
        head: &'static str,
        row: &'static str,
        tail: &'static str,
        shared: usize,
    ) -> Self {
        Self { head, row, tail, shared, texts: [const { OnceLock::new() }; LENGTHS.len()] }
    }

    /// The most rows that are worth sending together.
    fn most_rows(&self) -> usize {
        MOST_VALUES / self.row.matches('?').count().max(1)
    }

    /// A list of keys: naming one twice does no harm.
    fn takes_repeats(&self) -> bool {
        self.row == "?"
    }

    fn write(&self, rows: usize) -> String {
        let mut text = String::with_capacity(self.head.len() + self.tail.len() + rows * self.row.len() * 2);
        let mut next = self.shared;
        let parts = std::iter::once(self.head)
            .chain((0..rows).flat_map(|row| [if row > 0 { ", " } else { "" }, self.row]))
            .chain(std::iter::once(self.tail));
        for letter in parts.flat_map(str::chars) {
            if letter == '?' {
                next += 1;
                text.push('$');
                text.push_str(&next.to_string());
            } else {
                text.push(letter);
            }
        }
        text
    }

    fn text(&self, at: usize) -> (&str, usize) {
        let (Some(text), Some(length)) = (self.texts.get(at), LENGTHS.get(at)) else { return ("", 1) };
        (text.get_or_init(|| self.write(*length).into()), *length)
    }

    /// The statement for one row.
    pub(super) fn for_one(&self) -> &str {
        self.text(LENGTHS.len() - 1).0
    }

    /// The statement for the next rows, and how many it takes: as many as there are of a list
    /// of keys, which is filled up; of rows the longest that there are enough for.
    fn next(&self, left: usize) -> (&str, usize) {
        let at = if self.takes_repeats() {
            LENGTHS.iter().rposition(|length| left <= *length)
        } else {
            LENGTHS.iter().position(|length| *length <= left.min(self.most_rows()))
        };
        self.text(at.unwrap_or_default())
    }

    /// Runs the statement for all rows, many at once.
    pub(super) async fn execute(
        &self,
        link: &mut dyn Link,
        shared: &[Arg<'_>],
        rows: &[Vec<Arg<'_>>],
    ) -> Result<u64, StoreError> {
        let mut touched = 0;
        let mut rest = rows;
        while let Some(last) = rest.last() {
            let (text, length) = self.next(rest.len());
            let (now, later) = rest.split_at(length.min(rest.len()));
            let filling = std::iter::repeat_n(last, length - now.len());
            let own = now.iter().chain(filling).flatten();
            let args: Vec<Arg<'_>> = shared.iter().chain(own).copied().collect();
            touched += link.execute(text, &args, true).await?;
            rest = later;
        }
        Ok(touched)
    }

    /// Runs the statement for all keys, many at once.
    pub(super) async fn fetch(
        &self,
        link: &mut dyn Link,
        shared: &[Arg<'_>],
        keys: &[&str],
    ) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        let mut rest = keys;
        while let Some(last) = rest.last() {
            let (text, length) = self.next(rest.len());
            let (now, later) = rest.split_at(length.min(rest.len()));
            let filling = std::iter::repeat_n(last, length - now.len());
            let keys = now.iter().chain(filling).map(|key| Arg::from(*key));
            let args: Vec<Arg<'_>> = shared.iter().copied().chain(keys).collect();
            found.extend(link.fetch(text, &args, true).await?);
            rest = later;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_numbers_own_values_after_shared_ones() {
        let many = Many::new("VALUES ", "($1, ?, ?)", " END", 1);
        assert_eq!(many.write(2), "VALUES ($1, $2, $3), ($1, $4, $5) END");
        assert_eq!(many.for_one(), "VALUES ($1, $2, $3) END");
    }

    #[test]
    fn statements_come_in_few_lengths() {
        let rows = Many::new("VALUES ", "($1, ?, ?, ?, ?)", "", 1);
        let keys = Many::new("IN (", "?", ")", 0);
        let taken = |many: &Many, mut left: usize| {
            let mut taken = Vec::new();
            while left > 0 {
                let (_, length) = many.next(left);
                taken.push(length);
                left -= length.min(left);
            }
            taken
        };
        assert_eq!(taken(&rows, 74), [64, 8, 2]);
        assert_eq!(taken(&rows, 3), [2, 1]);
        assert_eq!(taken(&keys, 74), [100], "26 are named again");
        assert_eq!(taken(&keys, 130), [100, 32]);
        assert_eq!(taken(&keys, 1), [1]);
    }
}
