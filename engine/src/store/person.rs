//! People: what the store has of somebody, and forgetting them.
//!
//! Forgetting removes what was read, sent and answered, reasons, dead letters and search keys.
//! What keeps a record from being created twice stays, under a fingerprint of the record's key.
//! Should the source show the record again, it is known again, and goes by its key again.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

use super::answers::Known;
use super::compact::unpack_maybe;
use super::lease::now;
use super::link::{Link, Row, Words};
use super::types::{Fingerprint, Millis};
use super::{StoreError, page};

/// What a key that was forgotten begins with in the store.
const FORGOTTEN: &str = "forgotten ";

/// Rows that a search for mentions looks at together.
const SOME: i64 = 500;

/// Records of a person, and who wants them forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Forget<'a> {
    /// What was given: an address, a key.
    pub text: &'a str,
    /// Flows, and keys of records in their sources.
    pub records: &'a [(String, String)],
    /// Who wants it.
    pub by: &'a str,
}

/// That somebody was forgotten; does not say who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its name; sortable by moment.
    pub id: String,
    /// Fingerprint of what was given, unlike that on any other receipt.
    pub who: Fingerprint,
    /// When.
    pub at: Millis,
    /// By whom.
    pub by: String,
    /// What was removed, by flow.
    pub removed: BTreeMap<String, Removed>,
}

/// What was removed from a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Removed {
    /// Records.
    pub records: u64,
    /// Lines of the log.
    pub log: u64,
    /// Dead letters.
    pub dead: u64,
    /// Search keys.
    pub search: u64,
}

impl Receipt {
    /// Whether it is about what is given here.
    #[must_use]
    pub fn is_of(&self, text: &str) -> bool {
        self.who == who(&self.id, text)
    }
}

fn who(id: &str, text: &str) -> Fingerprint {
    let digest = Sha256::new().chain_update(id).chain_update(text.trim().to_lowercase()).finalize();
    let mut print = [0; 16];
    print.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    Fingerprint(print)
}

/// What stands in the place of a source key that was forgotten.
pub(super) fn forgotten_key(source_key: &str) -> String {
    format!("{FORGOTTEN}{:?}", Fingerprint::of_key(source_key))
}

/// The fingerprint of a source key, forgotten or not.
pub(super) fn print_of(source_key: &str) -> Fingerprint {
    let digits = source_key.strip_prefix(FORGOTTEN).filter(|digits| digits.len() == 32);
    let print = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
    print.map_or_else(|| Fingerprint::of_key(source_key), Fingerprint::from)
}

const ANY_FORGOTTEN: &str = "SELECT flow FROM forgotten_flow WHERE flow = $1";

const FORGOTTEN_FLOW: &str = "INSERT INTO forgotten_flow (flow) VALUES ($1) ON CONFLICT (flow) DO NOTHING";

const LOG: &str = "DELETE FROM activity WHERE flow = $1 AND source_key = $2";
const INBOX: &str = "DELETE FROM inbox WHERE flow = $1 AND source_key = $2";
const SEARCH: &str = "DELETE FROM record_key WHERE flow = $1 AND source_key = $2";
const DEAD: &str = "DELETE FROM dead WHERE flow = $1 AND source_key = $2";

/// What keeps a record from being created twice goes by another key.
const RENAME: [&str; 3] = [
    "UPDATE ledger SET source_key = $3 WHERE flow = $1 AND source_key = $2
        AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.flow = $1 AND l.source_key = $3)",
    "UPDATE written SET source_key = $3 WHERE flow = $1 AND source_key = $2
        AND NOT EXISTS (SELECT 1 FROM written w WHERE w.flow = $1 AND w.source_key = $3)",
    "UPDATE intent SET source_key = $3 WHERE flow = $1 AND source_key = $2
        AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.flow = $1 AND i.source_key = $3)",
];

/// What stands in the way: from the last time that the record was forgotten, and older.
const CLEAR: [&str; 3] = [
    "DELETE FROM ledger WHERE flow = $1 AND source_key = $2",
    "DELETE FROM written WHERE flow = $1 AND source_key = $2",
    "DELETE FROM intent WHERE flow = $1 AND source_key = $2",
];

const NO_REASON: &str = "UPDATE ledger SET reason = NULL WHERE flow = $1 AND source_key = $2";
const NOT_SENT: &str = "UPDATE written SET sent = NULL WHERE flow = $1 AND source_key = $2";

/// Runs that broke off over somebody.
const RUN_ERRORS: &str = "
UPDATE run SET error = 'what it said was forgotten' WHERE LOWER(error) LIKE $1 ESCAPE '\\'";

const RECEIPT: &str = "
INSERT INTO forgotten (id, who, forgotten_at, forgotten_by, removed) VALUES ($1, $2, $3, $4, $5)";

const RECEIPTS: &str = "SELECT id, who, forgotten_at, forgotten_by, removed FROM forgotten ORDER BY id DESC";

const SEARCH_KEYS: &str = "
SELECT search_key FROM record_key WHERE flow = $1 AND source_key = $2 ORDER BY search_key";

const SOME_LOG: &str = "
SELECT run_id, page, seq, flow, source_key, reason, payload, detail FROM activity
WHERE (run_id, page, seq) > ($1, $2, $3) ORDER BY run_id, page, seq LIMIT $4";

const SOME_DEAD: &str = "
SELECT flow, source_key, reason, payload, edited FROM dead
WHERE (flow, source_key) > ($1, $2) ORDER BY flow, source_key LIMIT $3";

const REASONS: &str = "SELECT flow, source_key, reason FROM ledger WHERE LOWER(reason) LIKE $1 ESCAPE '\\'";

/// What is known of records that were forgotten and are asked for by their keys.
pub(super) async fn known(
    link: &mut dyn Link,
    flow: &str,
    keys: &[&str],
) -> Result<HashMap<String, Known>, StoreError> {
    if keys.is_empty() || link.fetch(ANY_FORGOTTEN, &[flow.into()], true).await?.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<String> = keys.iter().map(|key| forgotten_key(key)).collect();
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut found = page::known_by(link, flow, &asked).await?;
    Ok(keys
        .iter()
        .zip(&names)
        .filter_map(|(key, name)| Some(((*key).to_owned(), found.remove(name)?)))
        .collect())
}

/// Records that were forgotten and are about to be handled again go by their keys again.
pub(super) async fn come_back(link: &mut dyn Link, flow: &str, keys: &[&str]) -> Result<(), StoreError> {
    if link.fetch(ANY_FORGOTTEN, &[flow.into()], true).await?.is_empty() {
        return Ok(());
    }
    for key in keys {
        let name = forgotten_key(key);
        for statement in RENAME {
            link.execute(statement, &[flow.into(), (&name).into(), (*key).into()], true).await?;
        }
    }
    Ok(())
}

pub(super) async fn forget(
    link: &mut dyn Link,
    words: &Words,
    forget: &Forget<'_>,
) -> Result<Receipt, StoreError> {
    let mut removed: BTreeMap<String, Removed> = BTreeMap::new();
    for (flow, key) in forget.records {
        let of = removed.entry(flow.clone()).or_default();
        let args = [flow.into(), key.into()];
        of.records += 1;
        of.log += link.execute(LOG, &args, true).await?;
        of.search += link.execute(SEARCH, &args, true).await?;
        link.execute(INBOX, &args, true).await?;
        of.dead += link.execute(DEAD, &args, true).await?;
        for statement in [NO_REASON, NOT_SENT] {
            link.execute(statement, &args, true).await?;
        }
        // One that is forgotten already stays under the name that it has.
        if key.starts_with(FORGOTTEN) {
            continue;
        }
        let name = forgotten_key(key);
        for (clear, rename) in CLEAR.iter().zip(RENAME) {
            link.execute(clear, &[flow.into(), (&name).into()], true).await?;
            link.execute(rename, &[flow.into(), key.into(), (&name).into()], true).await?;
        }
    }
    for flow in removed.keys() {
        link.execute(FORGOTTEN_FLOW, &[flow.into()], true).await?;
    }
    if is_address(forget.text) {
        link.execute(RUN_ERRORS, &[(&like(forget.text)).into()], true).await?;
    }
    let id = uuid::Uuid::now_v7().to_string();
    let at = now(link, words).await?;
    let receipt = Receipt { who: who(&id, forget.text), id, at, by: forget.by.to_owned(), removed };
    let text = serde_json::to_string(&receipt.removed).unwrap_or_default();
    let who = receipt.who.0.as_slice();
    let args = [(&receipt.id).into(), who.into(), at.into(), (&receipt.by).into(), (&text).into()];
    link.execute(RECEIPT, &args, true).await?;
    Ok(receipt)
}

pub(super) async fn receipts(link: &mut dyn Link) -> Result<Vec<Receipt>, StoreError> {
    let read = |mut row: Row| {
        let (id, who) = (row.text()?, super::lease::print(&mut row)?);
        let (at, by, removed) = (row.int()?, row.text()?, row.text()?);
        let unreadable = |_| StoreError::Unreadable { what: "a receipt that is no JSON".to_owned() };
        Ok(Receipt { id, who, at, by, removed: serde_json::from_str(&removed).map_err(unreadable)? })
    };
    link.fetch(RECEIPTS, &[], true).await?.into_iter().map(read).collect()
}

pub(super) async fn search_keys(
    link: &mut dyn Link,
    flow: &str,
    source_key: &str,
) -> Result<Vec<String>, StoreError> {
    let rows = link.fetch(SEARCH_KEYS, &[flow.into(), source_key.into()], true).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// Whether a text names one person wherever it stands; a number may be anything.
pub(super) fn is_address(text: &str) -> bool {
    let text = text.trim();
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

fn like(text: &str) -> String {
    let escaped = text.trim().to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Where a search for mentions is.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    log: Option<(String, i64, i64)>,
    dead: Option<(String, String)>,
}

/// Records whose reason in the ledger names an address.
pub(super) async fn in_reasons(link: &mut dyn Link, text: &str) -> Result<Vec<(String, String)>, StoreError> {
    let needles = needles(text);
    let mut found = Vec::new();
    for mut row in link.fetch(REASONS, &[(&like(text)).into()], true).await? {
        let record = (row.text()?, row.text()?);
        if is_named(row.text()?.as_bytes(), &needles) {
            found.push(record);
        }
    }
    Ok(found)
}

/// Looks at some more rows of the log, then of the dead letters; `None`: all were looked at.
pub(super) async fn mentions(
    link: &mut dyn Link,
    text: &str,
    search: &mut Search,
) -> Result<Option<Vec<(String, String)>>, StoreError> {
    let needles = needles(text);
    let names = |texts: &[Option<Vec<u8>>]| texts.iter().flatten().any(|text| is_named(text, &needles));
    let mut found = Vec::new();
    if search.dead.is_none() {
        let (run, page, seq) = search.log.clone().unwrap_or_default();
        let args = [(&run).into(), page.into(), seq.into(), SOME.into()];
        let rows = link.fetch(SOME_LOG, &args, true).await?;
        for mut row in rows {
            search.log = Some((row.text()?, row.int()?, row.int()?));
            let record = (row.text()?, row.text()?);
            let reason = row.maybe_text()?.map(String::into_bytes);
            let texts = [reason, unpack_maybe(row.maybe_bytes()?)?, unpack_maybe(row.maybe_bytes()?)?];
            if names(&texts) {
                found.push(record);
            }
        }
        if search.log == Some((run, page, seq)) || search.log.is_none() {
            search.dead = Some(Default::default());
        }
        return Ok(Some(found));
    }
    let (flow, key) = search.dead.clone().unwrap_or_default();
    let rows = link.fetch(SOME_DEAD, &[(&flow).into(), (&key).into(), SOME.into()], true).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    for mut row in rows {
        let record = (row.text()?, row.text()?);
        let reason = Some(row.text()?.into_bytes());
        let texts = [reason, unpack_maybe(row.maybe_bytes()?)?, unpack_maybe(row.maybe_bytes()?)?];
        search.dead = Some(record.clone());
        if names(&texts) {
            found.push(record);
        }
    }
    Ok(Some(found))
}

/// An address as texts and addresses of pages write it, in lower case.
fn needles(text: &str) -> [String; 2] {
    let text = text.trim().to_lowercase();
    [text.replace('@', "%40"), text]
}

/// Whether an address stands in a text, and not as a part of a longer one.
fn is_named(text: &[u8], needles: &[String]) -> bool {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let goes_on = |letter: char| letter.is_alphanumeric() || "._-+".contains(letter);
    needles.iter().any(|needle| {
        text.match_indices(needle.as_str()).any(|(at, found)| {
            let (before, rest) = text.split_at_checked(at).unwrap_or_default();
            let after = rest.strip_prefix(found).unwrap_or_default();
            // A full stop may end a sentence.
            let ends = after.trim_start_matches('.').chars().next();
            !before.chars().next_back().is_some_and(goes_on) && !ends.is_some_and(goes_on)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_as_a_whole_only() {
        let named = |text: &str| is_named(text.as_bytes(), &needles("An@X.nl"));
        for text in ["an@x.nl", r#"{"email":"AN@x.nl"}"#, "<an@x.nl>, gone.", "to an@x.nl.", "?q=an%40x.nl&p"]
        {
            assert!(named(text), "{text}");
        }
        for text in ["jan@x.nl", "an@x.nlx", "an@x.nl.example", "j.an@x.nl", "an at x.nl", ""] {
            assert!(!named(text), "{text}");
        }
    }

    #[test]
    fn a_key_has_one_fingerprint_forgotten_or_not() {
        assert_eq!(print_of(&forgotten_key("1001")), print_of("1001"));
        assert_ne!(print_of("forgotten"), print_of("forgotten 1"));
        assert!(is_address("an@x.nl") && !is_address("1001") && !is_address("@") && !is_address("a@b"));
    }
}
