//! A file of lines that is made into another one: settled by the page, and yet each record once,
//! whatever happens in between.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::town::Folder;

const PROJECT: &str = "[connections.inbox]\nsystem = \"files\"\nfolder = \"in\"\n\n\
    [connections.outbox]\nsystem = \"files\"\nfolder = \"out\"\n\n[flows.map]\nfile = \"map.flow\"\n";

const MADE: &str = "file = \"made.ndjson\"\n\n[fields]\nnumber = { about = \"Number.\" }\n\
    total = { type = \"decimal\", about = \"Total.\" }\nname = { about = \"Name.\" }\n";

const FLOW: &str = r#"flow "Orders into orders"
source inbox: files
target outbox: files

fetch order from inbox.orders
filter order.status != "draft"
skip "is a test" if order.status == "test"
fail `order ${order.id} has no lines` if order.lines.len() == 0
create made in outbox.made {
    number = `N-${order.id}`
    total  = order.lines.sum(|line| line.price * line.quantity)
    name   = or_nothing(order.name) ?? "unknown"
}
"#;

fn order(id: usize, status: &str) -> String {
    format!(
        "{{\"id\":{id},\"status\":\"{status}\",\"name\":\"klant {id}\",\"lines\":[{{\"price\":1.10,\"quantity\":{}}}]}}\n",
        id % 5 + 1
    )
}

fn orders(ids: impl Iterator<Item = usize>) -> String {
    ids.fold(String::new(), |mut all, id| {
        let _ = write!(all, "{}", order(id, "paid"));
        all
    })
}

fn project(text: impl AsRef<[u8]>) -> Folder {
    let folder = Folder::new();
    folder.put("weft.toml", PROJECT).put("map.flow", FLOW).put("out/made.schema.toml", MADE);
    folder.put("in/orders.ndjson", text);
    folder
}

/// Numbers of the records that were made, in the order of the file.
fn made(folder: &Folder) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path().join("out/made.ndjson")).unwrap_or_default();
    let number = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        record["number"].as_str().unwrap().to_owned()
    };
    text.lines().map(number).collect()
}

fn numbers(ids: impl Iterator<Item = usize>) -> Vec<String> {
    ids.map(|id| format!("N-{id}")).collect()
}

/// Runs the flow and gives the counts.
async fn run(folder: &Folder, args: &[&str]) -> Value {
    let told = folder.weft(&[&["run", "--json"], args].concat()).await;
    assert!(matches!(told.code, Some(0 | 1)), "{}{}", told.out, told.err);
    let line = told.out.lines().rev().find(|line| line.contains("\"counts\"")).unwrap();
    serde_json::from_str::<Value>(line).unwrap()["counts"].clone()
}

fn count(counts: &Value, name: &str) -> u64 {
    counts[name].as_u64().unwrap_or_else(|| panic!("{name} in {counts}"))
}

#[tokio::test]
async fn what_was_read_is_not_made_twice() {
    let folder = project(orders(1..2501));
    let counts = run(&folder, &[]).await;
    assert_eq!((count(&counts, "read"), count(&counts, "created")), (2500, 2500));
    assert_eq!(made(&folder), numbers(1..2501));
    let counts = run(&folder, &[]).await;
    assert_eq!(count(&counts, "read"), 0, "nothing is new, so nothing is read");
    // Lines at the end are all that is read of a file that grew.
    folder.put("in/orders.ndjson", orders(1..2511));
    let counts = run(&folder, &[]).await;
    assert_eq!((count(&counts, "read"), count(&counts, "created")), (10, 10));
    let counts = run(&folder, &["--full"]).await;
    assert_eq!((count(&counts, "read"), count(&counts, "unchanged")), (2510, 2510));
    // Another file, in which some orders stand that were made before.
    folder.put("in/orders.ndjson", orders(2490..2530));
    let counts = run(&folder, &[]).await;
    assert_eq!((count(&counts, "unchanged"), count(&counts, "created")), (21, 19));
    // One order in the midst of it has another number now; the length stays.
    folder.put("in/orders.ndjson", orders(2490..2530).replace("2500", "9500"));
    let counts = run(&folder, &[]).await;
    assert_eq!((count(&counts, "unchanged"), count(&counts, "created")), (39, 1));
    assert_eq!(made(&folder), [numbers(1..2530), numbers(9500..9501)].concat());
    // Another flow knows as well what was made.
    folder.put("map.flow", FLOW.replace("1.10", "1.20").replace("klant", "customer").replace("N-", "M-"));
    assert_eq!(count(&run(&folder, &["--full"]).await, "created"), 0);
}

#[tokio::test]
async fn records_that_are_unusual_are_told_one_by_one() {
    let mut text = orders(1..4);
    text.push_str("{\"id\":4, broken\n");
    text.push_str(&order(5, "draft"));
    text.push_str(&order(6, "test"));
    text.push_str("{\"id\":7,\"status\":\"paid\",\"lines\":[]}\n");
    text.push_str("{\"status\":\"paid\",\"lines\":[]}\n");
    text.push_str(&order(2, "paid"));
    text.push_str(&order(8, "paid"));
    let folder = project(&text);
    let counts = run(&folder, &[]).await;
    let each = ["read", "created", "unchanged", "skipped", "refused"]
        .map(|name| count(&counts, if counts[name].is_null() { "failed" } else { name }));
    assert_eq!(each, [10, 4, 1, 2, 3], "{counts}");
    assert_eq!(made(&folder), ["N-1", "N-2", "N-3", "N-8"]);
    let failed = folder.weft(&["records", "--failed"]).await.out;
    for words in ["line 4: is not JSON", "order 7 has no lines", "the record has no `id`"] {
        assert!(failed.contains(words), "{words} is missing:\n{failed}");
    }
    for (key, words) in [("8", "created"), ("7", "order 7 has no lines"), ("6", "is a test")] {
        let told = folder.weft(&["records", key]).await;
        assert!(told.out.contains(words), "{key}: {}{}", told.out, told.err);
    }
    // What was wrong is put right where it stands.
    folder.put("in/orders.ndjson", text.replace("{\"id\":4, broken", order(4, "paid").trim_end()));
    assert_eq!(count(&run(&folder, &[]).await, "created"), 1);
    assert_eq!(made(&folder), ["N-1", "N-2", "N-3", "N-8", "N-4"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_each_record_is_there_once() {
    const ORDERS: usize = 12_000;
    let mut random = fastrand::Rng::with_seed(20_261_122);
    for round in 0..3 {
        let folder = project(orders(1..=ORDERS));
        let path = folder.path().join("out/made.ndjson");
        let length = || path.metadata().map_or(0, |about| about.len());
        let (mut kills, mut others) = (0, 0);
        while kills < 6 {
            let (at, later) =
                (length() + random.u64(0..200_000), Duration::from_micros(random.u64(0..20_000)));
            let mut child = folder.command(&["run"]).spawn().unwrap();
            while length() < at && child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            tokio::time::sleep(later).await;
            // SIGKILL: nothing can be tidied up.
            child.start_kill().unwrap();
            if child.wait().await.unwrap().code().is_some() {
                break;
            }
            kills += 1;
            // Who writes behind half a line loses his own, with any program.
            let whole = std::fs::read(&path).is_ok_and(|bytes| bytes.ends_with(b"\n"));
            if random.bool() && whole {
                others += 1;
                let line = format!("{{\"number\":\"other {others}\"}}\n");
                let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
                std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
            }
        }
        let told = folder.weft(&["run"]).await;
        assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
        let (theirs, ours): (Vec<String>, Vec<String>) =
            made(&folder).into_iter().partition(|number| number.starts_with("other"));
        assert!(kills > 0, "round {round} was over too soon");
        assert_eq!(ours.len(), ORDERS, "round {round}, {kills} kills");
        assert_eq!(ours, numbers(1..=ORDERS));
        assert_eq!(theirs.len(), others, "lines of others stay");
        let runs = folder.weft(&["runs", "--limit", "100", "--json"]).await;
        let created: u64 = runs
            .out
            .lines()
            .map(|line| count(&serde_json::from_str::<Value>(line).unwrap()["counts"], "created"))
            .sum();
        assert_eq!(created, ORDERS as u64, "each record is counted once, in one of the runs");
    }
}
