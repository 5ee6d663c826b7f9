//! Files as a system: read, found, written, torn and mended.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use connectors::contract::{
    Advice, Connector as _, FetchRequest, Host, Page, RemoteError, Session, unreadable,
};
use connectors::files::Files;
use connectors::manifest::{Answers, Kind};
use connectors::record::{Record, Value, read_json};
use proptest::prelude::*;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn answers(folder: &Path, more: &[(&str, &str)]) -> Answers {
    let more = more.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    more.chain([("folder".to_string(), folder.to_str().unwrap().to_owned())]).collect()
}

fn open(folder: &TempDir, more: &[(&str, &str)]) -> (Files, Arc<dyn Session>) {
    let answers = answers(folder.path(), more);
    let files = Files::open(&answers).unwrap_or_else(|error| panic!("{error}"));
    let session = files.connect(&answers, &Host::default()).unwrap();
    (files, session)
}

async fn page(
    session: &dyn Session,
    resource: &str,
    size: usize,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    let request = FetchRequest { resource: resource.into(), size, ..FetchRequest::default() };
    session.fetch(resource).unwrap().page(&request, position).await
}

async fn all(
    session: &dyn Session,
    resource: &str,
    size: usize,
    since: Option<(&str, Value)>,
) -> Vec<Record> {
    let since = since.map(|(field, value)| (field.to_owned(), value));
    let request = FetchRequest { resource: resource.into(), size, since, ..FetchRequest::default() };
    let (mut records, mut position) = (Vec::new(), None::<String>);
    loop {
        let page = session.fetch(resource).unwrap().page(&request, position.as_deref()).await.unwrap();
        assert!(page.records.len() <= size.max(500));
        records.extend(page.records);
        position = page.next;
        if position.is_none() {
            return records;
        }
    }
}

fn texts(records: &[Record], field: &str) -> Vec<String> {
    records.iter().map(|record| record.text(field).unwrap_or("-").to_owned()).collect()
}

fn record(json: &str) -> Record {
    let Value::Map(map) = read_json(&json.to_owned().into()).unwrap() else { panic!("a record") };
    map
}

#[tokio::test]
async fn a_folder_is_a_system() {
    let folder = folder(&[
        (
            "Orders 2026.csv",
            "Order No.;Customer Name;;Customer Name\r\n1;Zoë;a;b\r\n\r\n2;\"Jan;\r\nPiet\";c;d\r\n",
        ),
        ("products.ndjson", "{\"code\":\"A\",\"price\":1.50}\n\n{\"code\":\"B\"}"),
        (
            "customers.json",
            "{\"meta\":{\"n\":[1]},\"errors\":[],\"codes\":[1,2],\"data\":[{\"id\":1,\"tags\":[1,2]} , {\"id\":2}]}",
        ),
        ("notes.txt", "not ours"),
        (".hidden.csv", "a\n1\n"),
    ]);
    let (files, session) = open(&folder, &[]);
    let manifest = files.manifest();
    let names: Vec<_> = manifest.resources.names().collect();
    assert_eq!(names, ["customers", "orders_2026", "products"]);
    let orders = manifest.resources.get("orders_2026").unwrap();
    let fields: Vec<_> = orders.fields.names().collect();
    assert_eq!(fields, ["order_no", "customer_name", "column_3", "customer_name_2", "line", "file_mark"]);
    assert_eq!((orders.key.as_str(), orders.create.is_some()), ("line", false));
    assert_eq!(manifest.resources.get("products").unwrap().key, "code");
    assert!(session.probe().await.unwrap().contains("3 resources"));

    let records = all(&*session, "orders_2026", 10, None).await;
    assert_eq!(texts(&records, "customer_name"), ["Zoë", "Jan;\r\nPiet"]);
    assert_eq!(texts(&records, "line"), ["2", "4"]);
    let records = all(&*session, "products", 1, None).await;
    assert_eq!(texts(&records, "code"), ["A", "B"]);
    assert_eq!(records[0].get("price").unwrap().to_string(), "1.50");
    let records = all(&*session, "customers", 1, None).await;
    assert_eq!(records.len(), 2, "the first list of records among the members");
    assert_eq!(records[1].get("id"), Some(&Value::Int(2)));
}

#[tokio::test]
async fn a_schema_gives_types_names_and_a_key() {
    let folder = folder(&[
        ("orders.schema.toml", ORDERS),
        (
            "export.csv",
            "Ordernr;Bedrag;Datum;Klaar\n7;\"1.234,50\";2026-11-21T10:00:00+01:00;true\n8;12,5;morgen;false\n",
        ),
    ]);
    let (files, session) = open(&folder, &[]);
    let names: Vec<_> = files.manifest().resources.names().collect();
    assert_eq!(names, ["orders"], "the file belongs to the schema");
    let orders = files.manifest().resources.get("orders").unwrap();
    assert_eq!((orders.key.as_str(), orders.fields.get("total").unwrap().kind), ("number", Kind::Decimal));
    let records = all(&*session, "orders", 10, None).await;
    assert_eq!(records[0].get("total").unwrap().to_string(), "1234.50");
    assert_eq!(records[0].get("done"), Some(&Value::Bool(true)));
    assert_eq!(unreadable(&records[1]), Some("line 3: field `at` is `morgen`, not a date and time"));
    let since = Some(("at", Value::from("2026-11-21T09:30:00Z")));
    let later = all(&*session, "orders", 10, since).await;
    assert_eq!(later.len(), 1, "the unreadable one only: it cannot be left out unseen");

    let create = session.create("orders").unwrap();
    create.create("orders", &record(r#"{"number":"9","total":3.25,"done":true}"#), "k").await.unwrap();
    let text = fs::read_to_string(folder.path().join("export.csv")).unwrap();
    assert!(text.ends_with("\n9;3,25;;true\n"), "{text}");
}

const ORDERS: &str = r#"
about = "Orders as the till exports them."
file = "export.csv"
separator = "semicolon"
decimal = "comma"
key = "number"
since = ["at"]
columns = { number = "Ordernr", total = "Bedrag", at = "Datum", done = "Klaar" }

[fields]
number = { about = "Order number." }
total = { type = "decimal" }
at = { type = "datetime" }
done = { type = "boolean" }
"#;

#[tokio::test]
async fn what_is_wrong_with_a_row_costs_that_row() {
    let folder = folder(&[
        ("a.csv", "id,name\n1,x\n2\n3,y,z\n4,w,,\n\"5,open\n6,v\n"),
        ("b.ndjson", "{\"id\":1}\n{\"id\":\n[2]\n{\"id\":3}\n"),
    ]);
    let (_, session) = open(&folder, &[]);
    let said = |records: &[Record]| -> Vec<String> {
        records.iter().map(|record| unreadable(record).unwrap_or("fine").to_owned()).collect()
    };
    let records = all(&*session, "a", 2, None).await;
    assert_eq!(
        said(&records),
        [
            "fine",
            "line 3: has 1 column instead of 2",
            "line 4: has 3 columns instead of 2",
            "fine",
            "line 6: a quote is opened and never closed",
            "fine"
        ]
    );
    let records = all(&*session, "b", 2, None).await;
    let said = said(&records);
    assert!(said[1].starts_with("line 2: is not JSON: "), "{said:?}");
    assert_eq!([&said[0], &said[2], &said[3]], ["fine", "line 3: is a list, not a record", "fine"]);
}

#[tokio::test]
async fn faults_of_files_are_explained() {
    let folder = folder(&[
        ("cut.json", "[{\"id\":1},\n{\"id\":2,"),
        ("no_list.json", "{\"a\": {\"b\": 1}}"),
        ("torn.ndjson", "{\"id\":1}\n{\"id\":"),
        ("fine.csv", "id\n1\n"),
    ]);
    fs::write(folder.path().join("latin.ndjson"), b"{\"id\":1}\n{\"id\":\"caf\xe9\"}\n").unwrap();
    let mut said = Vec::new();
    let mut note = |what: &str, error: RemoteError| {
        let reason = error.reason.replace(folder.path().canonicalize().unwrap().to_str().unwrap(), "FOLDER");
        let reason = reason.replace(folder.path().to_str().unwrap(), "FOLDER");
        said.push(format!(
            "{what}\n  {:?}: {reason}\n  help: {}",
            error.advice,
            error.help.unwrap_or_default()
        ));
    };
    let opened =
        |more: &[(&str, &str)], path: &Path| Files::open(&answers(path, more)).map(|_| ()).unwrap_err();
    let files = Files::open(&answers(folder.path(), &[])).unwrap();
    assert_eq!(files.left_out().len(), 1, "one odd file does not stop the others");
    note("a list that is none", files.left_out()[0].clone());
    note("folder missing", opened(&[], &folder.path().join("nowhere")));
    note("folder is a file", opened(&[], &folder.path().join("fine.csv")));
    note("encoding", opened(&[("encoding", "klingon")], folder.path()));
    note("separator", opened(&[("separator", "~")], folder.path()));
    note("header", opened(&[("header", "maybe")], folder.path()));
    for (what, schema) in [
        ("schema is not TOML", "key = "),
        ("schema with an unknown key", "kee = \"id\""),
        ("schema without a file", "key = \"id\""),
        ("schema with an unknown field", "file = \"fine.csv\"\nkey = \"nr\""),
        ("schema that leads out", "file = \"../other.csv\""),
        ("schema with an absolute file", "file = \"/etc/passwd.csv\""),
        ("schema with a strange file", "file = \"fine.xlsx\""),
    ] {
        fs::write(folder.path().join("x.schema.toml"), schema).unwrap();
        note(what, opened(&[], folder.path()));
    }
    fs::remove_file(folder.path().join("x.schema.toml")).unwrap();
    let (_, session) = open(&folder, &[]);
    for resource in ["cut", "torn", "latin"] {
        let first = page(&*session, resource, 10, None).await.unwrap();
        assert_eq!(first.records.len(), 1, "what is good comes first");
        note(resource, page(&*session, resource, 10, first.next.as_deref()).await.unwrap_err());
    }
    fs::remove_file(folder.path().join("fine.csv")).unwrap();
    note("file gone", page(&*session, "fine", 10, None).await.unwrap_err());
    insta::assert_snapshot!(said.join("\n\n"));
}

#[cfg(unix)]
#[tokio::test]
async fn links_out_of_the_folder_are_left_alone() {
    let outside = folder(&[("secret.csv", "id\n1\n")]);
    let folder = folder(&[("fine.csv", "id\n1\n")]);
    let link = folder.path().join("link.csv");
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), &link).unwrap();
    std::os::unix::fs::symlink(folder.path().join("fine.csv"), folder.path().join("inside.csv")).unwrap();
    let (files, session) = open(&folder, &[]);
    assert_eq!(files.manifest().resources.names().collect::<Vec<_>>(), ["fine", "inside"]);
    // A file that is swapped for a link later is not followed either.
    fs::remove_file(folder.path().join("fine.csv")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), folder.path().join("fine.csv")).unwrap();
    let error = page(&*session, "fine", 10, None).await.unwrap_err();
    assert!(error.reason.contains("outside the folder"), "{error}");
    fs::write(folder.path().join("out.schema.toml"), "file = \"link.csv\"").unwrap();
    assert!(Files::open(&answers(folder.path(), &[])).is_err());
}

#[tokio::test]
async fn growth_is_read_from_where_it_stopped_and_a_new_file_from_its_start() {
    let folder = folder(&[("log.ndjson", ""), ("rows.csv", "id,name\n")]);
    let log = folder.path().join("log.ndjson");
    let line = |number: usize| format!("{{\"id\":\"{number}\",\"pad\":\"{}\"}}\n", "x".repeat(50));
    fs::write(&log, (0..10).map(line).collect::<String>()).unwrap();
    let (_, session) = open(&folder, &[]);
    let records = all(&*session, "log", 3, None).await;
    assert_eq!(records.len(), 10);
    let marks: Vec<i64> =
        records.iter().map(|record| record.get("file_mark").unwrap().as_int().unwrap()).collect();
    assert!(marks.is_sorted() && marks.windows(2).all(|pair| pair[0] < pair[1]), "marks grow: {marks:?}");
    let since = || Some(("file_mark", Value::Int(marks[9])));
    assert_eq!(texts(&all(&*session, "log", 3, since()).await, "id"), ["9"], "inclusive");
    let mut text = fs::read_to_string(&log).unwrap();
    text.push_str(&line(10));
    text.push_str(&line(11));
    fs::write(&log, &text).unwrap();
    assert_eq!(texts(&all(&*session, "log", 3, since()).await, "id"), ["9", "10", "11"]);
    // Another file under the same name, longer than the old one was: from its start.
    fs::write(&log, (100..130).map(line).collect::<String>()).unwrap();
    assert_eq!(all(&*session, "log", 7, since()).await.len(), 30);
    // Shorter: too.
    fs::write(&log, line(7)).unwrap();
    assert_eq!(texts(&all(&*session, "log", 3, since()).await, "id"), ["7"]);
}

#[tokio::test]
async fn a_position_in_a_file_that_was_exchanged_starts_over() {
    let folder = folder(&[("a.csv", "id\n1\n2\n3\n4\n")]);
    let (_, session) = open(&folder, &[]);
    let first = page(&*session, "a", 2, None).await.unwrap();
    assert_eq!(texts(&first.records, "id"), ["1", "2"]);
    let second = page(&*session, "a", 2, first.next.as_deref()).await.unwrap();
    assert_eq!(texts(&second.records, "id"), ["3", "4"]);
    fs::write(folder.path().join("a.csv"), "id\n9\n8\n7\n").unwrap();
    let other = page(&*session, "a", 2, first.next.as_deref()).await.unwrap();
    assert_eq!(texts(&other.records, "id"), ["9", "8"]);
    assert_eq!(page(&*session, "a", 2, Some("rubbish")).await.unwrap_err().advice, Advice::StopFlow);
}

#[tokio::test]
async fn many_files_are_one_resource() {
    let folder = folder(&[
        ("orders.schema.toml", "files = \"orders-*.csv\"\nkey = \"id\"\n[fields]\nid = {}\n"),
        ("orders-1.csv", "id\n1\n2\n"),
        ("orders-2.csv", "id\n3\n"),
        ("orders-10.csv", "id\n"),
        ("other.csv", "id\n9\n"),
    ]);
    let (files, session) = open(&folder, &[]);
    assert_eq!(files.manifest().resources.names().collect::<Vec<_>>(), ["orders", "other"]);
    for size in [1, 2, 10] {
        let mut ids = texts(&all(&*session, "orders", size, None).await, "id");
        ids.sort();
        assert_eq!(ids, ["1", "2", "3"]);
    }
    let future = Value::from("2100-01-01T00:00:00Z");
    assert_eq!(all(&*session, "orders", 10, Some(("file_modified", future))).await.len(), 0);
    let found =
        session.find("orders").unwrap().find("orders", &["id".into()], &[vec!["3".into()]]).await.unwrap();
    assert_eq!(found[0].len(), 1);
    assert!(session.create("orders").is_none(), "into which of them?");
}

#[tokio::test]
async fn records_are_created_found_and_updated() {
    for name in ["a.csv", "a.ndjson", "a.json"] {
        let folder = folder(&[(
            "a.schema.toml",
            &format!(
                "file = \"{name}\"\nkey = \"id\"\n[fields]\nid = {{}}\nname = {{}}\nprice = {{ type = \"decimal\" }}\n"
            ),
        )]);
        let path = folder.path().join(name);
        let (_, session) = open(&folder, &[]);
        let (create, update) = (session.create("a").unwrap(), session.update("a").unwrap());
        let find = session.find("a").unwrap();
        let by = ["id".to_owned()];
        for number in 0..20 {
            let new = record(&format!(
                r#"{{"id":"{number}","name":"a \"name\",\nnumber {number};","price":{number}.50}}"#
            ));
            let keys = [vec![Value::from(number.to_string())]];
            assert_eq!(find.find("a", &by, &keys).await.unwrap()[0].len(), 0);
            assert_eq!(create.create("a", &new, "k").await.unwrap().key, number.to_string());
            assert_eq!(find.find("a", &by, &keys).await.unwrap()[0].len(), 1, "{name}: found at once");
        }
        let changed = record(r#"{"name":"changed"}"#);
        let written = update.update("a", "7", &changed, None).await.unwrap();
        assert_eq!(written.record.get("price").unwrap().to_string(), "7.50", "the rest stays");
        assert_eq!(update.update("a", "77", &changed, None).await.unwrap_err().advice, Advice::SkipRecord);
        create.create("a", &record(r#"{"id":"20"}"#), "k").await.unwrap();
        let records = all(&*session, "a", 6, None).await;
        assert_eq!(records.len(), 21, "{}", fs::read_to_string(&path).unwrap());
        assert!(records.iter().all(|record| unreadable(record).is_none()));
        assert_eq!(records[7].text("name"), Some("changed"));
        assert_eq!(records[8].text("name"), Some("a \"name\",\nnumber 8;"));
        let by = ["price".to_owned()];
        let found = find.find("a", &by, &[vec![Value::Decimal("3.5".parse().unwrap())]]).await.unwrap();
        assert_eq!(texts(&found[0], "id"), ["3"], "{name}: 3.5 is 3.50");
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|left| left.ends_with(".new") || left.ends_with(".torn"))
            .collect();
        assert_eq!(left, [""; 0]);
    }
}

#[tokio::test]
async fn half_a_record_of_a_crash_is_moved_aside() {
    for (name, torn) in [
        ("a.ndjson", "{\"id\":\"2\",\"na"),
        ("a.csv", "2,\"half a"),
        ("a.csv", "2,\"two\nlin"),
        ("a.csv", "2,\"two\n"),
        ("a.csv", "2,ab"),
    ] {
        let folder = folder(&[(
            "a.schema.toml",
            &format!("file = \"{name}\"\nkey = \"id\"\n[fields]\nid = {{}}\nname = {{}}\n"),
        )]);
        let path = folder.path().join(name);
        let (_, session) = open(&folder, &[]);
        let new = |id: &str| record(&format!(r#"{{"id":"{id}","name":"n"}}"#));
        session.create("a").unwrap().create("a", &new("1"), "k").await.unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{torn}")).unwrap();
        // Another process goes on.
        let (_, session) = open(&folder, &[]);
        session.create("a").unwrap().create("a", &new("2"), "k").await.unwrap();
        let records = all(&*session, "a", 10, None).await;
        assert_eq!(texts(&records, "id"), ["1", "2"], "{torn:?}: {}", fs::read_to_string(&path).unwrap());
        assert!(records.iter().all(|record| unreadable(record).is_none()));
        assert_eq!(
            fs::read_to_string(folder.path().join(format!("{name}.torn"))).unwrap(),
            torn,
            "kept, not lost"
        );
    }
}

#[tokio::test]
async fn what_others_wrote_is_never_cut() {
    // Without a line break at the end, as many programs leave it.
    let folder = folder(&[("a.csv", "id,name\n1,x"), ("b.ndjson", "{\"id\":\"1\"}")]);
    let (_, session) = open(&folder, &[]);
    for resource in ["a", "b"] {
        session.create(resource).unwrap().create(resource, &record(r#"{"id":"2"}"#), "k").await.unwrap();
        assert_eq!(texts(&all(&*session, resource, 10, None).await, "id"), ["1", "2"]);
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), "id,name\n1,x\n2,\n");
    // Written anew by another program since: its last line is its own business.
    fs::write(folder.path().join("a.csv"), "id,name\n5,a longer text than it was before, to be sure")
        .unwrap();
    let error = session
        .create("a")
        .unwrap()
        .create("a", &record(r#"{"id":"6","other":"x"}"#), "k")
        .await
        .unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    session.create("a").unwrap().create("a", &record(r#"{"id":"6"}"#), "k").await.unwrap();
    assert!(!folder.path().join("a.csv.torn").exists());
}

#[tokio::test]
async fn encodings_and_their_limits() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("latin.csv"), b"id;naam\n1;Ren\xe9e \x80 5\n").unwrap();
    let utf16: Vec<u8> =
        "\u{feff}id,naam\n1,Zoë 😀\n2,x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.path().join("wide.csv"), utf16).unwrap();
    let (files, session) = open(&folder, &[("encoding", "windows-1252")]);
    assert_eq!(texts(&all(&*session, "latin", 1, None).await, "naam"), ["Renée € 5"]);
    assert_eq!(texts(&all(&*session, "wide", 1, None).await, "naam"), ["Zoë 😀", "x"]);
    assert!(files.manifest().resources.get("wide").unwrap().create.is_none());
    let create = session.create("latin").unwrap();
    create.create("latin", &record(r#"{"id":"2","naam":"Señor"}"#), "k").await.unwrap();
    assert!(fs::read(folder.path().join("latin.csv")).unwrap().ends_with(b"2;Se\xf1or\n"));
    let error = create.create("latin", &record(r#"{"id":"3","naam":"日本"}"#), "k").await.unwrap_err();
    assert_eq!(
        (error.advice, error.reason.as_str()),
        (Advice::SkipRecord, "`日` cannot be written in the encoding of this file")
    );
}

#[tokio::test]
async fn two_writers_do_not_mix_lines() {
    let folder = folder(&[("a.ndjson", "{\"id\":\"0\"}\n")]);
    let mut tasks = Vec::new();
    for writer in 0..4 {
        let (_, session) = open(&folder, &[]);
        tasks.push(tokio::spawn(async move {
            for number in 0..25 {
                let new = record(&format!(r#"{{"id":"{writer}-{number}"}}"#));
                session.create("a").unwrap().create("a", &new, "k").await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let (_, session) = open(&folder, &[]);
    let records = all(&*session, "a", 1000, None).await;
    assert_eq!(records.len(), 101);
    assert!(records.iter().all(|record| unreadable(record).is_none()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// What is created is read back as it was, whatever is in it and wherever pages end.
    #[test]
    fn records_come_back_as_they_were(
        names in prop::collection::vec("[a-zé\",;\n\r\t{}\\[\\]\\\\ ]{0,12}", 1..12),
        size in 1usize..5,
        name in prop::sample::select(vec!["a.csv", "a.ndjson", "a.json"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = folder(&[("a.schema.toml", &format!("file = \"{name}\"\nkey = \"id\"\n[fields]\nid = {{}}\nname = {{}}\n"))]);
            let (_, session) = open(&folder, &[]);
            for (number, name) in names.iter().enumerate() {
                let mut new = Record::new();
                new.set("id", number.to_string());
                new.set("name", name.as_str());
                session.create("a").unwrap().create("a", &new, "k").await.unwrap();
            }
            let records = all(&*session, "a", size, None).await;
            let back: Vec<String> = records.iter().map(|record| record.text("name").unwrap_or_default().to_owned()).collect();
            assert_eq!(back, names);
        });
    }
}

#[tokio::test]
async fn a_file_that_changes_while_others_are_read_is_not_missed() {
    let folder = folder(&[
        ("x.schema.toml", "files = \"x-*.csv\"\nkey = \"id\"\n[fields]\nid = {}\n"),
        ("x-1.csv", "id\n1\n2\n"),
        ("x-2.csv", "id\n3\n"),
        ("x-3.csv", "id\n4\n"),
    ]);
    let (_, session) = open(&folder, &[]);
    let (mut records, mut position) = (Vec::new(), None::<String>);
    for turn in 0.. {
        let next = page(&*session, "x", 1, position.as_deref()).await.unwrap();
        records.extend(next.records);
        if turn == 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            fs::write(folder.path().join("x-1.csv"), "id\n1\n2\n5\n").unwrap();
            fs::write(folder.path().join("x-3.csv"), "id\n4\n6\n").unwrap();
        }
        position = next.next;
        if position.is_none() {
            break;
        }
    }
    let ids = texts(&records, "id");
    assert!(["1", "2", "3", "4"].iter().all(|id| ids.contains(&(*id).to_owned())), "{ids:?}");
    let last = texts(&records, "file_modified").into_iter().max().unwrap();
    let later = all(&*session, "x", 10, Some(("file_modified", Value::from(last)))).await;
    assert!(texts(&later, "id").contains(&"5".to_owned()), "the next run sees it");
}

#[tokio::test]
async fn the_schema_of_the_guide_works() {
    let guide = fs::read_to_string("../docs/files.md").unwrap();
    let schema = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = folder(&[
        ("orders.schema.toml", schema),
        ("export.csv", "Order No.;Amount;Modified At\n12;1.250,00;2026-11-21T09:30:00+01:00\n"),
    ]);
    let (_, session) = open(&folder, &[]);
    let records = all(&*session, "orders", 10, None).await;
    assert_eq!(records[0].get("total").unwrap().to_string(), "1250.00");
    assert_eq!(texts(&records, "modified_at"), ["2026-11-21T09:30:00+01:00"]);
}

#[tokio::test]
async fn half_a_header_of_a_crash_is_moved_aside_too() {
    let folder =
        folder(&[("a.schema.toml", "file = \"a.csv\"\nkey = \"id\"\n[fields]\nid = {}\nname = {}\n")]);
    let (_, session) = open(&folder, &[]);
    let create = session.create("a").unwrap();
    create.create("a", &record(r#"{"id":"1"}"#), "k").await.unwrap();
    // As a crash in the middle of the very first write leaves it: the note says that nothing was there.
    fs::write(folder.path().join(".a.csv.weft"), format!("{:020} {:016x}\n", 0, 0x2d06_8005_38d3_94c2_u64))
        .unwrap();
    fs::write(folder.path().join("a.csv"), "id,na").unwrap();
    let (_, session) = open(&folder, &[]);
    session.create("a").unwrap().create("a", &record(r#"{"id":"2","name":"x"}"#), "k").await.unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), "id,name\n2,x\n");
}
