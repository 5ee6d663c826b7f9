//! A plan as people and programs see it.

use std::collections::BTreeMap;

use connectors::record::{Record, Value};

use super::super::progress::to_json;
use super::super::show::Show;
use crate::preview::{FlowPreview, PlannedRecord, PlannedWrite, changes};
use crate::store::{Counts, OutcomeWord};

/// Longest text of a value that is shown.
const LONGEST: usize = 100;

/// Records that are named of those that are skipped for one reason.
const NAMED: usize = 3;

/// Shows what a run of one flow would do.
pub(crate) fn tell(planned: &FlowPreview, show: &Show) {
    for record in &planned.records {
        let mut value = Record::new();
        value.set("flow", planned.flow.as_str());
        for (name, part) in record.to_value() {
            value.set(name, part);
        }
        let mut text = Vec::new();
        value.write_json(&mut text);
        show.json_text(&text);
    }
    show.json(&serde_json::json!({
        "flow": planned.flow,
        "planned": to_json(&planned.counts),
        "error": planned.error,
        "help": planned.help,
    }));
    show.line(show.strong(&planned.flow));
    let mut skipped: BTreeMap<&str, Vec<&PlannedRecord>> = BTreeMap::new();
    for record in &planned.records {
        if record.outcome == OutcomeWord::Skipped && record.writes.is_empty() && record.notices.is_empty() {
            skipped.entry(record.reason.as_deref().unwrap_or_default()).or_default().push(record);
        } else {
            tell_record(record, show);
        }
    }
    for (reason, records) in skipped {
        tell_skipped(reason, &records, show);
    }
    let mark = match (&planned.error, planned.counts.failed + planned.counts.waiting) {
        (Some(_), _) => show.bad("✗"),
        (None, 0) => show.good("✓"),
        (None, _) => show.warning("!"),
    };
    show.line(format!("  {mark} {}", in_words(&planned.counts)));
    if let Some(error) = &planned.error {
        show.line(format!("    {}", show.bad(error)));
        if let Some(help) = &planned.help {
            show.line(format!("    {help}"));
        }
        show.line("    the plan ends here; a run would, too");
    }
}

fn called(record: &PlannedRecord) -> String {
    super::super::called::called(record.name.as_deref(), &record.key)
}

fn tell_record(record: &PlannedRecord, show: &Show) {
    let reason = record.reason.as_deref().unwrap_or_default();
    let end = match record.outcome {
        OutcomeWord::Failed => format!("  {} {reason}", show.bad("refused:")),
        OutcomeWord::Waiting => format!("  {} {reason}", show.warning("would wait:")),
        OutcomeWord::Skipped => format!("  skipped: {reason}"),
        OutcomeWord::Created | OutcomeWord::Updated | OutcomeWord::Unchanged => String::new(),
    };
    show.line(format!("  {}{end}", show.strong(&called(record))));
    for write in &record.writes {
        tell_write(write, show);
    }
    if let Some(open) = &record.open {
        show.line(format!("    {} {open}", show.warning("…")));
    }
    for notice in &record.notices {
        show.line(format!("    notice: {notice}"));
    }
}

fn tell_write(write: &PlannedWrite, show: &Show) {
    let PlannedWrite { resource, key, .. } = write;
    if write.creates {
        show.line(format!("    {} {key}", show.good(&format!("+ create {resource}"))));
        for change in changes(&Record::new(), &write.fields) {
            show.line(format!("        {} = {}", change.field, shown(change.new.as_ref())));
        }
        return;
    }
    show.line(format!("    {} {key}", show.warning(&format!("~ update {resource}"))));
    for change in changes(&write.before, &write.fields) {
        show.line(format!(
            "        {}: {} → {}",
            change.field,
            shown(change.old.as_ref()),
            shown(change.new.as_ref())
        ));
    }
}

fn tell_skipped(reason: &str, records: &[&PlannedRecord], show: &Show) {
    let named: Vec<String> = records.iter().take(NAMED).map(|record| called(record)).collect();
    let more = records.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    show.line(format!("  {}{more}  skipped: {reason}", named.join(", ")));
}

/// A value as it is read by people: what has no key yet stands without quotes.
fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None => return "nothing".to_owned(),
        Some(Value::Text(text)) if text.starts_with('‹') && text.ends_with('›') => text.to_string(),
        Some(value) => value.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(&text)),
        None => text,
    }
}

/// `12 read: 3 to create, 1 to update, 8 unchanged`
fn in_words(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.created, "to create"),
        (counts.updated, "to update"),
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.failed, "refused"),
        (counts.waiting, "would wait"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    if parts.is_empty() {
        "nothing to read".to_owned()
    } else {
        format!("{} read: {}", counts.read(), parts.join(", "))
    }
}
