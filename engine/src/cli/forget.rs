//! `weft forget`: a person leaves the log, the dead letters and the search index of all flows.

use clap::Args;

use super::Ended;
use super::run::open_store;
use super::runs::{moment, utc};
use super::show::{Show, count};
use crate::person::{Left, RecordName, forget, records_of, unknown};
use crate::project::Project;
use crate::store::{Receipt, Removed, Store};
use crate::trouble::Trouble;

/// Forget a person everywhere.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// An e-mail address, or a record's key or number
    #[arg(required_unless_present = "receipts")]
    text: Option<String>,
    /// List who was forgotten when; with an address or key, whether that was
    #[arg(long)]
    receipts: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Forget {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let store = open_store(project).await?;
        let ended = match &self.text {
            Some(text) if !self.receipts => self.forget(project, &*store, text, show).await,
            text => receipts(&*store, text.as_deref(), show).await,
        };
        store.close().await;
        ended
    }

    async fn forget(
        &self,
        project: &Project,
        store: &dyn Store,
        text: &str,
        show: &Show,
    ) -> Result<Ended, Trouble> {
        let records = records_of(store, text).await?;
        if records.is_empty() {
            return Err(unknown(text));
        }
        show.confirm(&question(&records), self.yes)?;
        let (receipt, left) = forget(project, store, text, &records, &super::who()).await?;
        show.json(&to_json(&receipt));
        let all = total(&receipt);
        show.line(format!(
            "{} {} forgotten: {}, {}, {}",
            show.good("✓"),
            records_in_words(all.records),
            number(all.log, "line of the log", "lines of the log"),
            number(all.dead, "refused record", "refused records"),
            number(all.search, "search key", "search keys"),
        ));
        show.line(format!("the receipt is {}; it does not say who it was", receipt.id));
        tell_left(&left, show);
        Ok(Ended::Well)
    }
}

fn question(records: &[RecordName]) -> String {
    let mut flows: Vec<&str> = records.iter().map(|(flow, _)| flow.as_str()).collect();
    flows.sort_unstable();
    flows.dedup();
    format!("forget {} of {}?", records_in_words(records.len() as u64), flows.join(", "))
}

fn tell_left(left: &Left, show: &Show) {
    for copy in &left.copies {
        show.json(&serde_json::json!({ "copy": copy }));
        show.line(format!(
            "{} {} is a copy of the store and keeps what it has: remove it, or let it grow old",
            show.warning("!"),
            copy.display()
        ));
    }
    for flow in &left.running {
        show.json(&serde_json::json!({ "running": flow }));
        show.line(format!(
            "{} flow {flow} is running and may have the person in hand: forget again when it has ended",
            show.warning("!")
        ));
    }
}

async fn receipts(store: &dyn Store, text: Option<&str>, show: &Show) -> Result<Ended, Trouble> {
    let mut receipts = store.receipts().await?;
    receipts.retain(|receipt| text.is_none_or(|text| receipt.is_of(text)));
    for receipt in &receipts {
        show.json(&to_json(receipt));
    }
    if receipts.is_empty() {
        show.line(text.map_or("nobody was forgotten yet", |_| "nobody was forgotten who goes by that"));
        return Ok(Ended::Well);
    }
    let rows: Vec<Vec<String>> = receipts
        .iter()
        .map(|receipt| {
            let flows: Vec<&str> = receipt.removed.keys().map(String::as_str).collect();
            let records = total(receipt).records.to_string();
            vec![receipt.id.clone(), moment(receipt.at), receipt.by.clone(), records, flows.join(", ")]
        })
        .collect();
    show.table(&["receipt", "forgotten", "by", "records", "flows"], &rows);
    Ok(Ended::Well)
}

fn total(receipt: &Receipt) -> Removed {
    receipt.removed.values().fold(Removed::default(), |all, one| Removed {
        records: all.records + one.records,
        log: all.log + one.log,
        dead: all.dead + one.dead,
        search: all.search + one.search,
    })
}

fn to_json(receipt: &Receipt) -> serde_json::Value {
    serde_json::json!({
        "receipt": receipt.id,
        "forgotten_at": utc(receipt.at),
        "forgotten_by": receipt.by,
        "removed": receipt.removed,
    })
}

fn number(number: u64, one: &str, many: &str) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX), one, many)
}

fn records_in_words(records: u64) -> String {
    number(records, "record", "records")
}
