//! Words of the language, by the place in which they stand.

/// What begins a line of the head.
pub(super) const HEAD: [&str; 13] = [
    "flow",
    "source",
    "target",
    "use",
    "setting",
    "table",
    "ask",
    "otherwise",
    "every",
    "at",
    "on webhook",
    "overlapping runs",
    "missed runs",
];

/// What begins a step.
pub(super) const STEPS: [&str; 14] = [
    "fetch",
    "filter",
    "lookup",
    "lookup all",
    "skip",
    "fail",
    "map",
    "upsert",
    "create",
    "update",
    "each",
    "when",
    "else",
    "notify",
];

/// Types of settings and tables.
pub(super) const TYPES: [&str; 6] = ["text", "integer", "decimal", "boolean", "date", "list of"];

/// What stands behind the value of a field.
pub(super) const BEHIND_A_VALUE: [&str; 4] = ["on create", "on update", "on delete", "when"];

/// What may follow within a step.
pub(super) fn clauses(verb: &str) -> &'static [&'static str] {
    match verb {
        "fetch" => &["from", "since", "overlap", "where", "and"],
        "lookup" | "update" => &["in", "by", "and"],
        "upsert" => &["in", "by", "and", "else"],
        "create" | "each" => &["in"],
        "skip" | "fail" | "notify" => &["if", "unless"],
        "map" => &["with"],
        "use" => &["as"],
        "setting" => &["ask"],
        "otherwise" => &["fail", "keep"],
        _ => &[],
    }
}
