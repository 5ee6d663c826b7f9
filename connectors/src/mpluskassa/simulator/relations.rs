//! Relations.

use super::super::keys::record;
use super::books::{Books, merge, number, numbers, text};
use crate::record::{Record, Value};

/// Fields that a search may name; others find nothing.
const SEARCHABLE: [&str; 18] = [
    "ext_relation_id",
    "name",
    "address",
    "zipcode",
    "city",
    "country",
    "delivery_address",
    "delivery_zipcode",
    "delivery_city",
    "delivery_country",
    "contact",
    "telephone",
    "mobile",
    "email",
    "website",
    "relation_code",
    "card_number",
    "bank_account_number",
];

const READ_ONLY: [&str; 5] = ["sync_marker", "create_timestamp", "change_timestamp", "points", "balance"];

impl Books {
    pub(super) fn get_relations(&mut self, request: &Record) -> Record {
        let wanted = numbers(request, "relation_numbers");
        let chosen = if wanted.is_empty() {
            self.relations.values().cloned().collect()
        } else {
            wanted.iter().filter_map(|number| self.relations.get(number)).cloned().collect()
        };
        record([("relations", self.marked(chosen, request))])
    }

    /// The first hit: part of a text or, exactly, all of it; capitals do not matter.
    pub(super) fn find_relation(&self, request: &Record) -> Record {
        let exact = request.get("exact_match").and_then(Value::as_bool) == Some(true);
        let wanted = request.get("relation").and_then(Value::as_map).cloned().unwrap_or_default();
        let wanted: Vec<(&str, String)> = SEARCHABLE
            .iter()
            .filter_map(|field| Some((*field, wanted.text(field)?.to_lowercase())))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        let hit = |relation: &&Record| {
            wanted.iter().all(|(field, wanted)| {
                let own = text(relation, field).to_lowercase();
                if exact { own == *wanted } else { own.contains(wanted.as_str()) }
            })
        };
        match self.relations.values().find(hit).filter(|_| !wanted.is_empty()) {
            Some(found) => record([("result", "ok".into()), ("relation", found.clone().into())]),
            None => record([("result", "not_found".into())]),
        }
    }

    pub(super) fn create_relation(&mut self, request: &Record) -> Record {
        let refused = |result: &'static str, reason: String| {
            record([
                ("result", result.into()),
                ("relation_number", "0".into()),
                ("error_message", reason.into()),
            ])
        };
        let sent = request.get("relation").and_then(Value::as_map).cloned().unwrap_or_default();
        let own = number(&sent, "relation_number");
        let own = own.unwrap_or_else(|| self.relations.last_key_value().map_or(1, |(last, _)| last + 1));
        if self.relations.contains_key(&own) {
            let reason = format!("Relation number {own} is already taken");
            return refused("failed_relation_number_already_taken", reason);
        }
        let mut relation = Record::new();
        relation.set("relation_number", own.to_string());
        relation.set("active", true);
        relation.set("create_timestamp", self.now());
        match self.put_relation(own, relation, &sent) {
            Ok(marker) => record([
                ("result", "ok".into()),
                ("relation_number", own.to_string().into()),
                ("change_timestamp", self.now().into()),
                ("sync_marker", marker.into()),
            ]),
            Err(reason) => refused("failed", reason),
        }
    }

    pub(super) fn update_relation(&mut self, request: &Record) -> Record {
        let sent = request.get("relation").and_then(Value::as_map).cloned().unwrap_or_default();
        let known =
            number(&sent, "relation_number").and_then(|own| Some((own, self.relations.get(&own)?.clone())));
        let Some((own, relation)) = known else {
            return super::books::refusal("not_found", "The relation does not exist");
        };
        match self.put_relation(own, relation, &sent) {
            Ok(marker) => record([
                ("result", "ok".into()),
                ("change_timestamp", self.now().into()),
                ("sync_marker", marker.into()),
            ]),
            Err(reason) => super::books::refusal("failed", reason),
        }
    }

    fn put_relation(&mut self, own: i64, mut relation: Record, sent: &Record) -> Result<i64, String> {
        let mut sent = sent.clone();
        for field in READ_ONLY {
            sent.remove(field);
        }
        merge(&mut relation, &sent);
        if text(&relation, "relation_code").chars().count() > 128 {
            return Err("The relation code is longer than 128 characters".into());
        }
        let group = relation.text("price_group_number");
        if group.is_some_and(|group| {
            !self.price_groups.iter().any(|row| text(row, "price_group_number") == group)
        }) {
            return Err("The price group does not exist".into());
        }
        let marker = self.bump("relation");
        relation.set("sync_marker", marker);
        relation.set("change_timestamp", self.now());
        self.relations.insert(own, relation);
        Ok(marker)
    }
}
