//! Whole pages at the end of a file of lines, and taking back what nobody counts on.
//!
//! Before a page is written the note beside the file says where it will start, how long it is and
//! what its fingerprint is. Whoever appended it notes the end of it elsewhere, in one transaction
//! with what the page came from. When that note is missing afterwards, the page is found by these
//! and taken out; lines that others added stay.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use async_trait::async_trait;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::folder::io_error;
use super::note::{Appended, Note};
use super::schema::is_journal;
use super::session::{Desk, refuse};
use super::write::{beside, mend, ours, set_aside, settle, tail};
use crate::contract::{Advice, Journal, Member, RemoteError, Takes};
use crate::record::{Record, Value, write_text};

#[async_trait]
impl Journal for Desk {
    fn enter(&self, resource: &str, record: &Record, page: &mut Vec<u8>) -> Result<(), RemoteError> {
        let table = self.table(resource)?;
        if record.get(&table.resource.key).is_none_or(Value::says_nothing) {
            return Err(refuse(format!("the record has no `{}`", table.resource.key)));
        }
        let start = page.len();
        let entered = match &table.shape {
            Some(shape) => shape.write_json(record, page),
            None if record.iter().any(|(name, _)| ours(name)) => {
                let plain: Record = record
                    .iter()
                    .filter(|(name, _)| !ours(name))
                    .map(|(name, value)| (name, value.clone()))
                    .collect();
                plain.write_json(page);
                Ok(())
            }
            None => {
                record.write_json(page);
                Ok(())
            }
        };
        match entered {
            Ok(()) => page.push(b'\n'),
            Err(_) => page.truncate(start),
        }
        entered.map_err(refuse)
    }

    fn member(&self, resource: &str, field: &str) -> Option<Member> {
        let table = self.table(resource).ok()?;
        let is_key = table.resource.key == field;
        let (name, takes) = match &table.shape {
            Some(shape) => shape.simple(field).map(|(place, form)| (place.as_str(), form.takes()))?,
            None if ours(field) => return None,
            None => (field, Takes::ALL),
        };
        let mut json = Vec::new();
        write_text(name, &mut json);
        json.push(b':');
        // A key that says nothing is refused.
        let takes = if is_key { Takes { empty: false, ..takes } } else { takes };
        Some(Member { name: json, takes, is_key })
    }

    async fn end(&self, resource: &str, owner: &str, known: Option<&str>) -> Result<String, RemoteError> {
        let (resource, owner) = (resource.to_owned(), xxh3_64(owner.as_bytes()));
        let known = known.map(|known| self.mark(known)).transpose()?;
        self.work(move |desk| desk.end_of(&resource, owner, known).map(|end| end.to_string())).await
    }

    async fn append(
        &self,
        resource: &str,
        owner: &str,
        mark: &str,
        page: &[u8],
    ) -> Result<Option<String>, RemoteError> {
        let (owner, mark) = (xxh3_64(owner.as_bytes()), self.mark(mark)?);
        // What was just made is still in this processor's cache.
        let end = self.work_here(|desk| desk.append_page(resource, owner, mark, page))?;
        Ok(end.map(|end| end.to_string()))
    }
}

impl Desk {
    /// Pages can be added to the resource.
    pub(super) fn has_journal(&self, resource: &str) -> bool {
        let table = self.table(resource).ok();
        table.is_some_and(|table| table.resource.create.is_some() && is_journal(&table.setup))
    }

    fn mark(&self, text: &str) -> Result<u64, RemoteError> {
        text.parse().map_err(|_| self.folder.error(format!("`{text}` is no mark")))
    }

    fn end_of(&self, resource: &str, owner: u64, known: Option<u64>) -> Result<u64, RemoteError> {
        let table = self.table(resource)?;
        let path = self.target(table)?;
        let io = |error: io::Error| io_error(&path, &error);
        let _one_at_a_time = self.lock();
        let mut note = Note::take(&path).map_err(io)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(io)?;
        let uncounted = |page: &&Appended| page.owner == owner && known.is_some_and(|end| end <= page.start);
        if let Some(page) = note.pages.iter().find(uncounted).cloned() {
            take_back(&path, &mut file, &page).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => in_the_way(&path, &page),
                _ => io(error),
            })?;
            note.drop_page(&page).and_then(|()| note.sync()).map_err(io)?;
            // It may be another file now.
            file = OpenOptions::new().read(true).append(true).open(&path).map_err(io)?;
        }
        mend(table, &path, &mut file, &mut note)?;
        Ok(file.metadata().map_err(io)?.len())
    }

    fn append_page(
        &self,
        resource: &str,
        owner: u64,
        mark: u64,
        page: &[u8],
    ) -> Result<Option<u64>, RemoteError> {
        let table = self.table(resource)?;
        let path = self.target(table)?;
        let io = |error: io::Error| io_error(&path, &error);
        let mut indexes = self.lock();
        let mut note = Note::take(&path).map_err(io)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(io)?;
        if file.metadata().map_err(io)?.len() != mark {
            return Ok(None);
        }
        let length = u64::try_from(page.len()).unwrap_or(u64::MAX);
        let appended = Appended { owner, start: mark, length, print: xxh3_64(page) };
        let end = appended.end();
        // Should the machine stop, the note must not know less than the file has.
        note.keep_page(appended).and_then(|()| note.sync()).map_err(io)?;
        if let Err(error) = file.write_all(page).and_then(|()| file.sync_data()) {
            // What cannot be taken back now is taken back by the next writer.
            let _ = file.set_len(mark);
            return Err(io(error));
        }
        let _ = tail(&mut file, end).and_then(|tail| note.keep(end, tail));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        indexes.retain(|(known, _), _| *known != format!("{resource}/{name}"));
        Ok(Some(end))
    }
}

/// Takes a page out that nobody counts on, whole or as far as it was written.
fn take_back(path: &Path, file: &mut File, page: &Appended) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length <= page.start {
        return Ok(());
    }
    if length < page.end() {
        return set_aside(path, file, page.start);
    }
    if print(file, page)? != page.print {
        return Err(io::ErrorKind::InvalidData.into());
    }
    if length == page.end() {
        return file.set_len(page.start).and_then(|()| file.sync_data());
    }
    // Others have added lines since.
    let (temporary, mut new) = beside(path)?;
    let copied = (|| {
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut io::Read::take(&*file, page.start), &mut new)?;
        file.seek(SeekFrom::Start(page.end()))?;
        io::copy(file, &mut new)?;
        settle(&temporary, path, &new)
    })();
    copied.inspect_err(|_| drop(std::fs::remove_file(&temporary)))
}

/// Moves a page away of which only a part was written: its owner cannot count on it.
pub(super) fn take_back_parts(path: &Path, file: &mut File, note: &mut Note) -> io::Result<()> {
    let length = file.metadata()?.len();
    let torn = |page: &&Appended| page.start < length && length < page.end();
    let Some(page) = note.pages.iter().find(torn).cloned() else { return Ok(()) };
    set_aside(path, file, page.start)?;
    note.drop_page(&page)?;
    note.sync()
}

fn print(file: &mut File, page: &Appended) -> io::Result<u64> {
    file.seek(SeekFrom::Start(page.start))?;
    let mut hash = Xxh3::new();
    let mut left = io::Read::take(&*file, page.length);
    let mut piece = vec![0; super::text::PIECE];
    loop {
        match io::Read::read(&mut left, &mut piece)? {
            0 => return Ok(hash.digest()),
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

fn in_the_way(path: &Path, page: &Appended) -> RemoteError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let reason = format!(
        "`{name}` was changed from byte {} on while a page of this flow was being written to it",
        page.start
    );
    RemoteError::new(Advice::StopFlow, "Files", reason).with_help(format!(
        "remove the lines that this flow wrote behind that byte, then delete `.{name}.weft`, and run it again: they will be written anew"
    ))
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "tests cut texts of which they know each byte")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::{Connector as _, Host, Session};
    use crate::files::Files;
    use crate::files::schema::MARK;
    use crate::manifest::Answers;

    const MADE: &str = "file = \"made.ndjson\"\n[fields]\nid = { about = \"Number.\" }\n";

    fn open() -> (tempfile::TempDir, Arc<dyn Session>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("made.schema.toml"), MADE).unwrap();
        let answers: Answers =
            [("folder".to_owned(), folder.path().to_str().unwrap().to_owned())].into_iter().collect();
        let files = Files::open(&answers).unwrap();
        let session = files.connect(&answers, &Host::default()).unwrap();
        (folder, session)
    }

    fn page(session: &dyn Session, ids: &[&str]) -> Vec<u8> {
        let mut page = Vec::new();
        for id in ids {
            let record: Record = [("id", Value::from(*id))].into_iter().collect();
            session.journal("made").unwrap().enter("made", &record, &mut page).unwrap();
        }
        page
    }

    fn text(folder: &tempfile::TempDir, name: &str) -> String {
        std::fs::read_to_string(folder.path().join(name)).unwrap_or_default()
    }

    /// Two pages, the first of which counts; then the file is changed, and the end asked for.
    async fn after(change: impl Fn(&str, &str) -> String) -> (String, String, Result<String, RemoteError>) {
        let (folder, session) = open();
        let journal = session.journal("made").unwrap();
        let begin = journal.end("made", "me", None).await.unwrap();
        let first = page(&*session, &["1", "2"]);
        let mark = journal.append("made", "me", &begin, &first).await.unwrap().unwrap();
        let second = page(&*session, &["3", "4"]);
        journal.append("made", "me", &mark, &second).await.unwrap().unwrap();
        let all = text(&folder, "made.ndjson");
        assert_eq!(all.as_bytes(), [first, second].concat());
        std::fs::write(folder.path().join("made.ndjson"), change(&all, &mark)).unwrap();
        let end = journal.end("made", "me", Some(&mark)).await;
        (text(&folder, "made.ndjson"), text(&folder, "made.ndjson.torn"), end)
    }

    const FIRST: &str = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n";
    const OTHER: &str = "{\"id\":\"x\"}\n";

    #[tokio::test]
    async fn a_page_that_nobody_counts_on_is_taken_back() {
        let (made, torn, end) = after(|all, _| all.to_owned()).await;
        assert_eq!((made.as_str(), torn.as_str(), end.unwrap().as_str()), (FIRST, "", "22"));
    }

    #[tokio::test]
    async fn half_a_page_is_moved_aside() {
        let (made, torn, end) = after(|all, _| all[..all.len() - 5].to_owned()).await;
        assert_eq!((made.as_str(), end.unwrap().as_str()), (FIRST, "22"));
        assert_eq!(torn, "{\"id\":\"3\"}\n{\"id\":");
    }

    #[tokio::test]
    async fn lines_of_others_stay() {
        let (made, torn, _) = after(|all, _| format!("{all}{OTHER}")).await;
        assert_eq!((made, torn.as_str()), (format!("{FIRST}{OTHER}"), ""));
    }

    #[tokio::test]
    async fn what_cannot_be_told_apart_stops_the_flow() {
        let (made, _, end) = after(|all, _| format!("{}{OTHER}{OTHER}", &all[..all.len() - 5])).await;
        let error = end.unwrap_err();
        assert_eq!(error.advice, Advice::StopFlow);
        assert!(error.reason.contains("`made.ndjson` was changed from byte 22 on"), "{error}");
        assert!(made.ends_with(OTHER), "nothing was touched");
    }

    #[tokio::test]
    async fn a_page_is_not_appended_behind_something_new() {
        let (folder, session) = open();
        let journal = session.journal("made").unwrap();
        let begin = journal.end("made", "me", None).await.unwrap();
        std::fs::write(folder.path().join("made.ndjson"), OTHER).unwrap();
        let page = page(&*session, &["1"]);
        assert_eq!(journal.append("made", "me", &begin, &page).await.unwrap(), None);
        let end = journal.end("made", "me", Some(&begin)).await.unwrap();
        let mark = journal.append("made", "me", &end, &page).await.unwrap().unwrap();
        assert_eq!(text(&folder, "made.ndjson"), format!("{OTHER}{{\"id\":\"1\"}}\n"));
        // It counts for its owner; to anybody else it is a stranger's.
        assert_eq!(journal.end("made", "me", Some(&mark)).await.unwrap(), mark);
        assert_eq!(journal.end("made", "you", Some("0")).await.unwrap(), mark);
    }

    #[tokio::test]
    async fn a_record_that_is_refused_leaves_the_page_as_it_was() {
        let (_folder, session) = open();
        let journal = session.journal("made").unwrap();
        let mut page = b"before".to_vec();
        for fields in [vec![("id", Value::Null)], vec![("id", Value::from("1")), ("color", "red".into())]] {
            let record: Record = fields.into_iter().collect();
            assert!(journal.enter("made", &record, &mut page).is_err());
            assert_eq!(page, b"before");
        }
    }

    #[test]
    fn a_member_stands_as_a_record_would_enter_it() {
        const KINDS: &str = "file = \"made.ndjson\"\nkey = \"id\"\n\n[columns]\nname = \"full name\"\n\n[fields]\n\
            id = { about = \"Number.\" }\nname = { about = \"Name.\" }\n\
            count = { type = \"integer\", about = \"Count.\" }\ntotal = { type = \"decimal\", about = \"Total.\" }\n\
            paid = { type = \"boolean\", about = \"Paid.\" }\nlines = { type = \"list\", about = \"Lines.\" }\n";
        let values = [
            Value::from("x"),
            "".into(),
            1.into(),
            Value::Decimal("1.10".parse().unwrap()),
            true.into(),
            Value::List(vec![1.into()]),
            Value::Map(Record::new()),
        ];
        for schema in [KINDS, "file = \"made.ndjson\"\n"] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("made.schema.toml"), schema).unwrap();
            let line = "{\"id\":\"0\",\"name\":\"x\",\"count\":1,\"total\":1,\"paid\":true,\"lines\":[]}\n";
            std::fs::write(folder.path().join("made.ndjson"), line).unwrap();
            let path = folder.path().to_str().unwrap().to_owned();
            let answers: Answers = [("folder".to_owned(), path)].into_iter().collect();
            let session = Files::open(&answers).unwrap().connect(&answers, &Host::default()).unwrap();
            let journal = session.journal("made").unwrap();
            assert!(journal.member("made", "id").unwrap().is_key);
            assert_eq!(journal.member("made", MARK), None);
            let mut taken = 0;
            for field in ["name", "count", "total", "paid", "lines"] {
                let member = journal.member("made", field).unwrap();
                for value in values.iter().filter(|value| member.takes.takes(value)) {
                    taken += 1;
                    let record: Record =
                        [("id", Value::from("1")), (field, value.clone())].into_iter().collect();
                    let mut page = Vec::new();
                    journal.enter("made", &record, &mut page).unwrap();
                    let name = String::from_utf8(member.name.clone()).unwrap();
                    let line = format!("{{\"id\":\"1\",{name}{value}}}\n");
                    assert_eq!(String::from_utf8(page).unwrap(), line, "{field}");
                }
            }
            assert!(taken >= 6, "{taken}");
            let key = journal.member("made", "id").unwrap().takes;
            assert!(key.takes(&"1".into()) && !key.takes(&"".into()));
        }
    }
}
