//! Article groups.

use super::super::keys::record;
use super::books::{Books, int, merge, number, numbers, text, texts};
use crate::record::{Record, Value};

impl Books {
    pub(super) fn get_group_changes(&mut self, request: &Record) -> Record {
        let all = self.groups.iter().map(|(number, group)| {
            let own = number.to_string();
            let members = self
                .products
                .iter()
                .filter(|(_, product)| texts(product, "group_numbers").contains(&own.as_str()));
            let members: Vec<Value> = members.map(|(number, _)| Value::from(number.to_string())).collect();
            let mut group = group.clone();
            group.set("product_numbers", members);
            group
        });
        let all = all.collect();
        record([("groups", self.marked(all, request))])
    }

    pub(super) fn new_group(&mut self, request: &Record) -> Record {
        let parent = number(request, "parent_group_number").unwrap_or(0);
        if parent != 0 && self.group(parent).is_none() {
            return record([("result", "parent_notfound".into()), ("group_number", "0".into())]);
        }
        if text(request, "name").is_empty() {
            return record([("result", "failed".into()), ("group_number", "0".into())]);
        }
        let own = self.groups.last_key_value().map_or(1, |(last, _)| last + 1);
        let mut group = Record::new();
        merge(&mut group, request);
        group.set("group_number", own.to_string());
        self.put_group(own, group, parent);
        record([("result", "ok".into()), ("group_number", own.to_string().into())])
    }

    pub(super) fn update_group(&mut self, request: &Record) -> Record {
        let result = |result: &'static str| record([("result", result.into())]);
        let known = number(request, "group_number").and_then(|own| Some((own, self.group(own)?.clone())));
        let Some((own, mut group)) = known else { return result("not_found") };
        let parent = number(request, "parent_group_number").or_else(|| number(&group, "parent_group_number"));
        let parent = parent.unwrap_or(0);
        if parent == own || (parent != 0 && self.group(parent).is_none()) {
            return result("failed");
        }
        merge(&mut group, request);
        self.put_group(own, group, parent);
        result("ok")
    }

    /// A group that was not removed.
    fn group(&self, number: i64) -> Option<&Record> {
        self.groups
            .get(&number)
            .filter(|group| group.get("is_deleted").and_then(Value::as_bool) != Some(true))
    }

    /// Removes a group with all that are below it; they are listed as removed from then on.
    pub(super) fn remove_group(&mut self, own: i64) {
        let below: Vec<i64> = self
            .groups
            .iter()
            .filter(|(_, group)| number(group, "parent_group_number") == Some(own))
            .map(|(number, _)| *number)
            .collect();
        for group in below {
            self.remove_group(group);
        }
        let marker = self.bump("article_group");
        if let Some(group) = self.groups.get_mut(&own) {
            group.set("is_deleted", true);
            group.set("sync_marker", marker);
        }
    }

    fn put_group(&mut self, own: i64, mut group: Record, parent: i64) {
        if parent == 0 {
            group.remove("parent_group_number");
        }
        if group.get("sort_order").is_none() {
            group.set("sort_order", 0);
        }
        if group.get("text").is_none() {
            group.set("text", text(&group, "name").to_owned());
        }
        group.set("is_deleted", false);
        group.set("sync_marker", self.bump("article_group"));
        self.groups.insert(own, group);
    }

    pub(super) fn add_to_group(&mut self, request: &Record) -> Record {
        let result = |result: &'static str| record([("result", result.into())]);
        let group = number(request, "group_number").unwrap_or(0);
        let wanted = numbers(request, "product_numbers");
        if self.group(group).is_none() || wanted.iter().any(|product| !self.products.contains_key(product)) {
            return result("not_found");
        }
        if wanted.is_empty() || int(request, "position").is_some_and(|position| position < 0) {
            return result("failed");
        }
        let name = group.to_string();
        for number in wanted {
            let Some(product) = self.products.get_mut(&number) else { continue };
            let mut groups: Vec<String> =
                texts(product, "group_numbers").into_iter().map(str::to_owned).collect();
            if !groups.contains(&name) {
                groups.push(name.clone());
            }
            product.set("group_numbers", groups.into_iter().map(Value::from).collect::<Vec<_>>());
            self.touch_groups(number);
        }
        result("ok")
    }

    /// The groups of a product changed with it.
    pub(super) fn touch_groups(&mut self, product: i64) {
        let groups = self.products.get(&product).map(|product| numbers(product, "group_numbers"));
        for group in groups.unwrap_or_default() {
            let marker = self.bump("article_group");
            if let Some(group) = self.groups.get_mut(&group) {
                group.set("sync_marker", marker);
            }
        }
    }
}
