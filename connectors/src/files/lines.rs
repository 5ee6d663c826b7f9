//! Records a line, by the block: read and checked at once.
//!
//! Whatever is unusual (the last line of a file, a text that is not UTF-8) is left to the scan
//! that reads a file piece by piece.

use std::io;

use xxhash_rust::xxh3::xxh3_64;

use super::scan::{Item, Scan, a_record};
use crate::record::read_json_text;

impl Scan {
    /// The next record, when it stands in a whole line of a block.
    pub(super) fn next_whole_line(&mut self) -> io::Result<Option<Item>> {
        loop {
            let (block, at) = &self.lines;
            let rest = block.get(*at..).unwrap_or_default();
            let Some(end) = rest.find('\n') else {
                match self.reader.lines()? {
                    Some(block) => self.lines = (block, 0),
                    None => return Ok(None),
                }
                continue;
            };
            let (start, line, before) = self.place();
            let text = rest.get(..=end).unwrap_or_default();
            let record = text.trim_ascii_end();
            let item = (!record.trim_ascii_start().is_empty()).then(|| Item {
                start,
                end: start + u64::try_from(text.len()).unwrap_or_default(),
                line,
                count: before + 1,
                hash: xxh3_64(record.as_bytes()),
                wire: a_record(read_json_text(record, &mut self.layout))
                    .map_err(|reason| format!("line {line}: {reason}")),
            });
            self.reader.pass(text);
            self.lines.1 += end + 1;
            if item.is_some() {
                self.count += 1;
                return Ok(item);
            }
        }
    }
}
