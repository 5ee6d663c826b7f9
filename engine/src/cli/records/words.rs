//! `weft records show`: what happened to one record, as one would tell it, the oldest first.

use serde_json::Value;

use super::super::runs::moment;
use super::super::show::Show;
use super::{list, parsed, says_deleted};
use crate::store::{Found, HistoryRow, OutcomeWord, Store, StoreError};

/// Tells the history of a record.
pub(super) async fn tell(
    store: &dyn Store,
    found: &Found,
    history: &[HistoryRow],
    show: &Show,
) -> Result<(), StoreError> {
    show.line(show.strong(&format!("Record {} of flow {}", found.source_key, found.flow)));
    if history.is_empty() {
        let when = found.ledger.as_ref().map(|ledger| moment(ledger.updated_at));
        let last = when.map_or_else(String::new, |when| format!("; it was handled last on {when}"));
        show.line(format!("  The log says nothing of it any more{last}."));
    }
    for row in history.iter().rev() {
        let run = store.run(&row.run).await?;
        let cause = run.map_or_else(|| "a run".to_owned(), |run| format!("a run ({})", run.cause));
        let reason = row.reason.as_deref().unwrap_or("no reason was kept");
        let end = match row.outcome {
            OutcomeWord::Created => show.good("something was created for it"),
            OutcomeWord::Updated => show.good("it was brought up to date"),
            OutcomeWord::Unchanged => "nothing had to be sent".to_owned(),
            OutcomeWord::Skipped => format!("it was left out: {reason}"),
            OutcomeWord::Failed => format!("{} {reason}", show.bad("it was refused:")),
            OutcomeWord::Waiting => format!("{} {reason}", show.warning("it had to wait:")),
        };
        let gone = parsed(row.payload.as_deref()).is_some_and(|source| says_deleted(&source));
        let took = if gone { "heard that the source had deleted it" } else { "took it up" };
        show.line(format!("  On {} {cause} {took}, and {end}.", moment(row.at)));
        if let Some(detail) = parsed(row.detail.as_deref()) {
            tell_detail(&detail, show);
        }
    }
    show.line("");
    Ok(())
}

fn tell_detail(detail: &Value, show: &Show) {
    for lookup in list(detail, "lookups") {
        let found = match lookup["found"].as_u64() {
            Some(0) => "nothing was there".to_owned(),
            Some(1) => "one was there".to_owned(),
            Some(number) => format!("{number} were there"),
            None => "the answer was not kept".to_owned(),
        };
        let (resource, by) = (text(&lookup["resource"]), text(&lookup["by"]));
        show.line(
            show.faint(&format!("    It looked for {resource} by {by} {}: {found}.", values(&lookup["key"]))),
        );
    }
    for write in list(detail, "writes") {
        tell_write(write, show);
    }
    for notice in list(detail, "notices") {
        show.line(format!("    It said: {}", text(notice)));
    }
}

fn tell_write(write: &Value, show: &Show) {
    // `create orders`: what is written stands behind the verb.
    let name = text(&write["write"]);
    let resource = name.split_once(' ').map_or(name, |(_, resource)| resource);
    let key = text(&write["key"]);
    let what = format!("{resource} {key}");
    let what = what.trim_end();
    let did = text(&write["did"]);
    show.line(match did {
        "created" => format!("    It created {what}:"),
        "updated" => format!("    It changed {what}:"),
        "unchanged" => format!("    It left {what} as it was."),
        "adopted" => format!("    It found {what}, which an earlier try had created."),
        _ => format!("    It tried to write {what}, and was refused:"),
    });
    for (field, value) in write["sent"].as_object().into_iter().flatten() {
        let before = write["before"].get(field).unwrap_or(&Value::Null);
        let change = if before.is_null() { value.to_string() } else { format!("{value}, before {before}") };
        show.line(format!("      {field}: {change}"));
    }
    let asked = list(write, "exchanges").count();
    if let Some(last) = list(write, "exchanges").last() {
        let times = if asked > 1 { format!("After {asked} requests the") } else { "The".to_owned() };
        show.line(show.faint(&match last["status"].as_u64() {
            Some(status) => format!("    {times} system answered {status}."),
            None => format!("    {times} answer was lost."),
        }));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn values(key: &Value) -> String {
    let values = key.as_array().into_iter().flatten();
    values.map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
