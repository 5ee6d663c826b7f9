//! A folder with files, so that the system `files` is held to its promises as the others are.

use std::fmt::Write as _;
use std::path::PathBuf;

use connectors::manifest::Answers;
use connectors::record::{Record, read_json};
use connectors::simulator::Simulator;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What stands in each file, row by row.
const ROWS: usize = 31;

const SCHEMA: &str = r#"
about = "Articles, to read and to write."
key = "code"
fields.code = { about = "Article number.", required = true }
fields.name = { about = "Name." }
fields.price = { type = "decimal", about = "Price with VAT, in euro." }
fields.stock = { type = "integer", about = "Pieces in stock." }
"#;

/// A folder of its own, gone when nobody holds it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }
}

fn row(number: usize) -> Value {
    json!({"code": format!("A-{number}"), "name": format!("Mok {number}"), "price": 9.5, "stock": number})
}

fn record(value: &Value) -> Record {
    read_json(&value.to_string().into_bytes().into()).unwrap().as_map().unwrap().clone()
}

impl Simulator for Folder {
    fn router(&self) -> axum::Router {
        axum::Router::new()
    }

    fn answers(&self, _: &str) -> Answers {
        [("folder".to_owned(), self.0.path().display().to_string())].into_iter().collect()
    }

    fn fill(&self) {
        let (mut csv, mut ndjson) = ("code,name,price,stock\n".to_owned(), String::new());
        let mut unkeyed = "day;remark\n".to_owned();
        for number in 0..ROWS {
            let _ = writeln!(csv, "A-{number},Mok {number},9.50,{number}");
            let _ = writeln!(ndjson, "{}", row(number));
            let _ = writeln!(unkeyed, "2026-11-{:02};Regel {number}", 1 + number % 28);
        }
        self.write("sheet.csv", &csv);
        self.write("lines.ndjson", &ndjson);
        self.write("list.json", &Value::from((0..ROWS).map(row).collect::<Vec<_>>()).to_string());
        self.write("journal.csv", &unkeyed);
        for file in ["sheet", "lines", "list"] {
            self.write(&format!("{file}.schema.toml"), SCHEMA);
        }
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        let value =
            json!({"code": format!("N-{number}"), "name": "Theepot", "price": 54.95, "stock": number});
        (resource != "journal").then(|| record(&value))
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        (resource != "journal").then(|| record(&json!({"name": format!("Kan {number}")})))
    }

    fn books(&self) -> Value {
        let read = |file: &str| std::fs::read_to_string(self.path(file)).unwrap_or_default();
        let rows = |file: &str| read(file).lines().skip(1).map(Value::from).collect::<Vec<_>>();
        let list: Value = serde_json::from_str(&read("list.json")).unwrap_or_default();
        let lines: Vec<Value> = read("lines.ndjson").lines().map(Value::from).collect();
        json!({"sheet": rows("sheet.csv"), "journal": rows("journal.csv"), "lines": lines, "list": list})
    }

    fn is_remote(&self) -> bool {
        false
    }
}
