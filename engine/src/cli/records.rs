//! `weft records`: find a record by anything it is known by, and see what happened to it.

mod words;

use clap::Args;
use connectors::contract::DELETED;
use serde_json::Value;

use super::Ended;
use super::called::{Names, called};
use super::run::{open_store, store_trouble};
use super::runs::{moment, utc};
use super::show::Show;
use crate::project::Project;
use crate::store::{DeadQuery, Found, HistoryRow, OutcomeWord, Store};
use crate::trouble::Trouble;

/// Records that a search lists.
const LISTED: u32 = 50;

/// Lines of the log that are shown of one record.
const SHOWN: u32 = 20;

/// Find records and show what happened to them.
#[derive(Debug, Args)]
pub(crate) struct Records {
    /// Key, order number, e-mail address, SKU: anything the record is known by on either side; after
    /// `show`: its history in plain words
    #[arg(required_unless_present = "failed")]
    text: Option<String>,
    /// What the record is known by, after `show`
    #[arg(hide = true)]
    shown: Option<String>,
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// List the records that were refused or have to wait
    #[arg(long, conflicts_with = "text")]
    failed: bool,
    /// Show requests and answers in full
    #[arg(long)]
    full: bool,
    /// Make a case of what happened last, without the people in it, and add it beside the flow
    #[arg(long, conflicts_with_all = ["failed", "full"])]
    as_case: bool,
}

impl Records {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        if let Some(flow) = &self.flow {
            project.flow(flow)?;
        }
        if let (Some(text), Some(more)) = (&self.text, &self.shown)
            && text != "show"
        {
            return Err(Trouble::new(
                "R031",
                format!("no record is known by two texts, `{text}` and `{more}`"),
            )
            .help("search by one of them; put a text with blanks in quotes"));
        }
        let store = open_store(project).await?;
        let ended = match (&self.text, &self.shown) {
            (Some(_), Some(text)) | (Some(text), None) if self.as_case => {
                self.case(project, &*store, text, show).await
            }
            (Some(_), Some(text)) | (Some(text), None) => self.search(&*store, text, show).await,
            (None, _) => self.refused(project, &*store, show).await,
        };
        store.close().await;
        ended
    }

    async fn refused(&self, project: &Project, store: &dyn Store, show: &Show) -> Result<Ended, Trouble> {
        let query =
            DeadQuery { flow: self.flow.clone(), waiting: true, limit: 10_000, ..DeadQuery::default() };
        let letters = store.dead_letters(&query).await.map_err(|error| store_trouble(&error))?;
        let (mut names, mut rows) = (Names::new(project), Vec::new());
        for letter in &letters {
            let name = names.of(letter).await;
            show.json(&serde_json::json!({
                "flow": letter.flow,
                "key": letter.source_key,
                "name": name,
                "class": letter.class,
                "reason": letter.reason,
                "attempts": letter.attempts,
                "first_at": utc(letter.first_at),
                "last_at": utc(letter.last_at),
                "retry_at": letter.retry_at.map(utc),
            }));
            rows.push(vec![
                letter.flow.clone(),
                called(name.as_deref(), &letter.source_key),
                moment(letter.last_at),
                letter.reason.clone(),
            ]);
        }
        if letters.is_empty() {
            show.line("no record is refused or waiting");
            return Ok(Ended::Well);
        }
        show.table(&["flow", "record", "last tried", "reason"], &rows);
        Ok(Ended::Well)
    }

    async fn search(&self, store: &dyn Store, text: &str, show: &Show) -> Result<Ended, Trouble> {
        let mut found = store.find_records(text, LISTED).await.map_err(|error| store_trouble(&error))?;
        found.retain(|one| self.flow.as_ref().is_none_or(|flow| *flow == one.flow));
        if found.is_empty() {
            return Err(Trouble::new("R031", format!("no record is known by `{text}`"))
                .help("search by its key or number in either system; records appear here once a run has handled them"));
        }
        // Many records: a list to choose from. Few: their histories.
        if found.len() > 3 && !show.is_json() {
            let rows: Vec<Vec<String>> = found.iter().map(row).collect();
            show.table(&["flow", "key", "outcome", "last", "reason"], &rows);
            return Ok(Ended::Well);
        }
        for one in &found {
            let history = store
                .record_history(&one.flow, &one.source_key, SHOWN)
                .await
                .map_err(|error| store_trouble(&error))?;
            if self.shown.is_some() && !show.is_json() {
                words::tell(store, one, &history, show).await?;
            } else {
                self.history(one, &history, show);
            }
        }
        Ok(Ended::Well)
    }

    async fn case(
        &self,
        project: &Project,
        store: &dyn Store,
        text: &str,
        show: &Show,
    ) -> Result<Ended, Trouble> {
        let mut found = store.find_records(text, LISTED).await.map_err(|error| store_trouble(&error))?;
        found.retain(|one| self.flow.as_ref().is_none_or(|flow| *flow == one.flow));
        let one = match found.as_slice() {
            [] => return Err(crate::person::unknown(text)),
            [one] => one,
            several => {
                let known: Vec<String> =
                    several.iter().map(|one| format!("{} {}", one.flow, one.source_key)).collect();
                let message = format!("{} records are known by `{text}`", several.len());
                let help = format!("give the key of one, and its flow with --flow: {}", known.join(", "));
                return Err(Trouble::new("R128", message).help(help));
            }
        };
        let made = crate::case::of_past(project, store, &one.flow, &one.source_key).await?;
        made.add()?;
        show.json(&serde_json::json!({ "file": made.file, "case": made.name, "notes": made.notes,
            "content": serde_json::from_str::<Value>(&made.case.to_string()).ok() }));
        show.line(format!("{} a case is added to {}", show.good("✓"), made.file));
        for note in &made.notes {
            show.line(format!("{} {note}", show.warning("!")));
        }
        if !made.notes.is_empty() {
            show.line("what look-ups find is not kept whole: complete the records of the case, then `weft test --accept`");
        }
        show.line("read it before you share it: what is personal is told by the names of fields");
        Ok(Ended::Well)
    }

    fn history(&self, found: &Found, history: &[HistoryRow], show: &Show) {
        show.json(&serde_json::json!({
            "flow": found.flow,
            "key": found.source_key,
            "outcome": found.ledger.as_ref().map(|ledger| ledger.outcome.as_str()),
            "reason": found.ledger.as_ref().and_then(|ledger| ledger.reason.clone()),
            "history": history.iter().map(|row| serde_json::json!({
                "at": utc(row.at),
                "run": row.run,
                "outcome": row.outcome.as_str(),
                "reason": row.reason,
                "source": parsed(row.payload.as_deref()),
                "detail": parsed(row.detail.as_deref()),
            })).collect::<Vec<_>>(),
        }));
        show.line(show.strong(&format!("{} {}", found.flow, found.source_key)));
        for row in history {
            let outcome = match row.outcome {
                OutcomeWord::Created | OutcomeWord::Updated => show.good(row.outcome.as_str()),
                OutcomeWord::Failed => show.bad("refused"),
                OutcomeWord::Waiting => show.warning("waiting"),
                OutcomeWord::Unchanged | OutcomeWord::Skipped => row.outcome.to_string(),
            };
            let reason = row.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
            show.line(format!("  {}  {outcome}{reason}", moment(row.at)));
            if parsed(row.payload.as_deref()).is_some_and(|source| says_deleted(&source)) {
                show.line("      the source had deleted it");
            }
            if let Some(detail) = parsed(row.detail.as_deref()) {
                write_detail(&detail, self.full, show);
            }
        }
        let read = history.iter().filter_map(|row| parsed(row.payload.as_deref()));
        if let Some(source) = read.into_iter().find(|source| !says_deleted(source)) {
            show.line("  as read from the source:");
            let text = serde_json::to_string_pretty(&source).unwrap_or_default();
            for line in text.lines() {
                show.line(show.faint(&format!("    {line}")));
            }
        }
        show.line("");
    }
}

/// What was looked up, written, sent and answered.
pub(crate) fn write_detail(detail: &Value, full: bool, show: &Show) {
    for lookup in list(detail, "lookups") {
        let by = lookup["by"].as_str().unwrap_or_default();
        let found = match lookup["found"].as_u64() {
            Some(0) => "nothing".to_owned(),
            Some(number) => format!("{number}"),
            None => "?".to_owned(),
        };
        show.line(show.faint(&format!(
            "      looked up {} by {by} = {}: found {found}",
            lookup["resource"].as_str().unwrap_or_default(),
            lookup["key"]
        )));
    }
    for notice in list(detail, "notices") {
        show.line(format!("      notice: {}", notice.as_str().unwrap_or_default()));
    }
    for write in list(detail, "writes") {
        let key = write["key"].as_str().map_or_else(String::new, |key| format!(" {key}"));
        show.line(format!(
            "      {}: {}{key}",
            write["write"].as_str().unwrap_or_default(),
            write["did"].as_str().unwrap_or_default()
        ));
        if let Some(sent) = write["sent"].as_object() {
            for (field, value) in sent {
                let before = write["before"].get(field).unwrap_or(&Value::Null);
                let change =
                    if before.is_null() { value.to_string() } else { format!("{before} → {value}") };
                show.line(format!("        {field} = {change}"));
            }
        }
        for exchange in list(write, "exchanges") {
            let status = exchange["status"].as_u64().map_or("no answer".to_owned(), |code| code.to_string());
            show.line(show.faint(&format!(
                "        {} {} → {status}, {} ms",
                exchange["method"].as_str().unwrap_or_default(),
                exchange["url"].as_str().unwrap_or_default(),
                exchange["millis"]
            )));
            if full {
                for (side, text) in [("sent", &exchange["sent"]), ("answer", &exchange["answer"])] {
                    let text = text.as_str().unwrap_or_default();
                    if !text.is_empty() {
                        show.line(show.faint(&format!("          {side}: {text}")));
                    }
                }
            }
        }
    }
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn row(found: &Found) -> Vec<String> {
    let ledger = found.ledger.as_ref();
    vec![
        found.flow.clone(),
        found.source_key.clone(),
        ledger.map_or_else(String::new, |ledger| ledger.outcome.to_string()),
        ledger.map_or_else(String::new, |ledger| moment(ledger.updated_at)),
        ledger.and_then(|ledger| ledger.reason.clone()).unwrap_or_default(),
    ]
}

/// Nothing was read but that it is gone.
fn says_deleted(source: &Value) -> bool {
    source.get(DELETED).is_some()
}

fn parsed(bytes: Option<&[u8]>) -> Option<Value> {
    serde_json::from_slice(bytes?).ok()
}
