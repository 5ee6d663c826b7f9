//! What a pair of systems brings to the demo: two stand-ins, a world that goes on, and an audit
//! that knows no flow.

use std::collections::BTreeMap;

use connectors::simulator::Simulator;
use serde_json::Value;

use crate::cli::count;

/// How large the demo's world is.
#[derive(Clone, Debug)]
pub(crate) struct Size {
    /// Products of the side that owns them.
    pub(crate) products: usize,
    /// Orders of the side that sells.
    pub(crate) orders: usize,
    /// Seed of chance: the same seed makes the same world.
    pub(crate) seed: u64,
    /// When it takes place.
    pub(crate) today: jiff::Timestamp,
}

/// One pair of systems, acted out.
pub(super) trait Play: Send + Sync {
    /// Both systems, and what they know when the curtain rises; a line each.
    fn introduction(&self) -> [String; 2];

    /// Both stand-ins.
    fn sides(&self) -> [Side<'_>; 2];

    /// Answers to what the flows ask: name of the flow, text of its settings file.
    fn answers(&self) -> &'static [(&'static str, &'static str)];

    /// What is played, in this order.
    fn acts(&self) -> &'static [Act];

    /// The world goes on before an act, counted from 0; gives what there is to tell.
    fn before(&self, act: usize) -> Option<String>;

    /// Compares the books of both sides. Nothing here may ask a flow or the store; `refused`
    /// says how many records each flow has refused with a reason, so that what is missing
    /// without one counts as lost.
    fn audit(&self, refused: &BTreeMap<String, i64>) -> Audit;

    /// Somebody changes one thing on one side.
    fn edit(&self) -> Edit;

    /// Whether exactly that change has arrived: [`Ok`] and [`Err`] say in words what was found.
    fn has_followed(&self, edit: &Edit, before: &Value, after: &Value) -> Result<String, String>;

    /// The key of a record to look at.
    fn example(&self) -> String;
}

/// One of the two systems.
pub(super) struct Side<'a> {
    /// The connection, and the role in the flows.
    pub(super) name: &'static str,
    /// The system, as flows name it.
    pub(super) system: &'static str,
    /// Its stand-in.
    pub(super) simulator: &'a dyn Simulator,
    /// Lists of the books that tell what was asked, and are no part of the books.
    pub(super) apart: &'static [&'static str],
}

impl Side<'_> {
    /// What the system holds.
    pub(super) fn books(&self) -> Value {
        let mut books = self.simulator.books();
        if let Some(books) = books.as_object_mut() {
            for name in self.apart {
                books.remove(*name);
            }
        }
        books
    }
}

/// Flows that run one after the other.
pub(super) struct Act {
    /// What happens.
    pub(super) headline: &'static str,
    /// Names of the flows.
    pub(super) flows: &'static [&'static str],
}

/// What came of comparing the books.
pub(super) struct Audit {
    /// What was found, a line each.
    pub(super) lines: Vec<String>,
    /// What does not agree.
    pub(super) wrong: Vec<String>,
    /// Something was there to compare.
    pub(super) is_whole: bool,
    /// The same for programs.
    pub(super) json: Value,
}

/// Something that a person changes.
pub(super) struct Edit {
    /// What happens.
    pub(super) headline: &'static str,
    /// What was changed, as the pair knows it.
    pub(super) key: String,
    /// The flow that carries it.
    pub(super) flow: &'static str,
    /// The side that it goes to: 0 or 1, as in [`Play::sides`].
    pub(super) to: usize,
}

/// One list of the books.
pub(super) fn list(books: &Value, name: &str) -> Vec<Value> {
    books.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Keys of the rows of one list that differ between two states of the books.
pub(super) fn changed(before: &Value, after: &Value, name: &str, key: &str) -> Vec<String> {
    let rows = |books: &Value| -> BTreeMap<String, Value> {
        let keyed = |row: Value| {
            let key = row.get(key).map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
            (key.unwrap_or_default(), row)
        };
        list(books, name).into_iter().map(keyed).collect()
    };
    let (before, after) = (rows(before), rows(after));
    after.iter().filter(|(key, row)| before.get(*key) != Some(row)).map(|(key, _)| key.clone()).collect()
}

/// `1 order is`, `3 orders are`: with what one does, and what several do.
pub(super) fn orders(number: impl TryInto<i64>, [one, many]: [&str; 2]) -> String {
    count(number.try_into().unwrap_or(i64::MAX), &format!("order {one}"), &format!("orders {many}"))
}
