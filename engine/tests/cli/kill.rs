//! The program is killed, again and again, in the midst of its work, and started again.
//!
//! What is in the till at the end must be what an undisturbed run puts there: every order
//! once, every customer once, and nothing refused that would not have been refused anyway.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use connectors::simulator::{Fault, Simulator};
use serde_json::Value;

use super::postgres::in_database;
use super::server;
use super::town::{Folder, Town};

/// Flows of the pair, in the order in which they run.
const FLOWS: [&str; 4] = ["products_to_till", "variants_to_till", "customers_to_till", "orders"];

const GROUP: &str = "[settings]\nturnover_group = \"10\"\n";
const COSTS: &str = "[settings]\nstart_date = \"2020-01-01\"\nonly_paid = false\nshipping_article = \"900\"\n\
                     costs_article = \"901\"\ndiscount_article = \"902\"\ndeposit_article = \"903\"\n";

/// Articles become products without a look whether they are there, in a shop that takes any
/// number twice and knows no idempotency keys: only the engine keeps them from being doubled.
const BARE: &str = r#"flow "Articles, as they are"
source till: mpluskassa
target shop: ccv_salespos

fetch article from till.articles
create product in shop.products {
    sku        = article.article_number
    name       = article.description
    price      = article.price_incl
    tax_tariff = "normal"
}
"#;

/// Everything that a fault may do to a request, in thousandths.
pub(crate) const FAULTS: [(Fault, u32); 4] =
    [(Fault::Lost, 50), (Fault::Cut, 50), (Fault::Reset, 50), (Fault::Busy, 50)];

/// A shop with its sample and many orders, a till that knows the costs, and the flows that
/// come with Weft.
pub(crate) fn orders(town: &Town) -> Folder {
    town.shop.fill();
    town.shop.add_orders(120);
    for number in ["900", "901", "902", "903"] {
        town.article(number, "Kosten", "1");
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let texts = FLOWS.map(|flow| {
        let path = root.join(format!("flows/ccv_salespos-mpluskassa/{flow}.flow"));
        (flow, std::fs::read_to_string(path).unwrap())
    });
    let flows: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = town.project(&flows);
    for file in std::fs::read_dir(root.join("scripts")).unwrap().flatten() {
        if file.path().extension().is_some_and(|extension| extension == "rhai") {
            let name = format!("scripts/{}", file.file_name().to_string_lossy());
            folder.put(&name, std::fs::read(file.path()).unwrap());
        }
    }
    folder.put("settings/products_to_till.toml", GROUP).put("settings/variants_to_till.toml", GROUP);
    folder.put("settings/orders.toml", COSTS);
    folder
}

/// A till with many articles and an empty shop.
pub(crate) fn articles(town: &Town) -> Folder {
    for number in 1..=150 {
        town.article(&(100_000 + number).to_string(), "Koffiemok", "12.95");
    }
    town.project(&[("articles", BARE)])
}

/// The same with the store in a database of a server on this machine.
fn orders_on_postgres(town: &Town) -> Folder {
    let folder = orders(town);
    in_database(&folder, &server::place().expect("server"));
    folder
}

fn articles_on_postgres(town: &Town) -> Folder {
    let folder = articles(town);
    in_database(&folder, &server::place().expect("server"));
    folder
}

/// What must be the same however often a run was interrupted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) orders: BTreeMap<String, Value>,
    pub(crate) customers: BTreeMap<String, Value>,
    pub(crate) articles: BTreeMap<String, Value>,
    pub(crate) products: BTreeMap<String, Value>,
    refused: BTreeMap<String, String>,
    /// Records that runs say they have created.
    pub(crate) created: u64,
}

/// Runs to the end, and looks at both books and at the store.
pub(crate) async fn finish(town: &Town, folder: &Folder) -> End {
    // The first run ends what was interrupted; the second takes up what had to wait for it.
    for args in [&["run"][..], &["run", "--full"]] {
        let told = folder.weft(args).await;
        assert!(matches!(told.code, Some(0 | 1)), "{}{}", told.out, told.err);
    }
    let refused = refused(folder).await;
    let created = sums_hold(folder).await;
    let books = town.till.books();
    let relations = rows(&books, "relations");
    let email: BTreeMap<String, String> =
        relations.iter().map(|row| (text(row, "relation_number"), text(row, "email"))).collect();
    let orders = rows(&books, "orders").into_iter().map(|mut order| {
        let customer = email.get(&text(&order, "relation_number")).cloned().unwrap_or_default();
        order["customer"] = customer.into();
        (text(&order, "ext_order_id"), plain(order))
    });
    End {
        orders: once(orders, "orders"),
        customers: once(relations.into_iter().map(|row| (text(&row, "email"), plain(row))), "customers"),
        articles: once(
            rows(&books, "articles").into_iter().map(|row| (text(&row, "article_number"), plain(row))),
            "articles",
        ),
        products: once(
            rows(&town.shop.books(), "products")
                .into_iter()
                .map(|row| (text(&row, "productnumber"), plain(row))),
            "products",
        ),
        refused,
        created,
    }
}

/// By key, each of which may be there once.
fn once(rows: impl Iterator<Item = (String, Value)>, what: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (key, row) in rows {
        if let Some(first) = all.insert(key.clone(), row.clone()) {
            panic!("twice among the {what}: {key}\n{first}\n{row}");
        }
    }
    all
}

fn rows(books: &Value, name: &str) -> Vec<Value> {
    books[name].as_array().cloned().unwrap_or_default()
}

fn text(row: &Value, name: &str) -> String {
    match &row[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Members that the till hands out itself, or that tell when something was done.
fn is_generated(name: &str) -> bool {
    const MORE: [&str; 9] = [
        "order_number",
        "relation_number",
        "product_number",
        "change_counter",
        "version_number",
        "sync_marker",
        "create_timestamp",
        "change_timestamp",
        "financial_date",
    ];
    name == "id"
        || name == "deeplink"
        || MORE.contains(&name)
        || (name.ends_with("_id") && !name.starts_with("ext_"))
}

fn plain(row: Value) -> Value {
    match row {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, _)| !is_generated(name))
            .map(|(name, value)| (name, plain(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        other => other,
    }
}

async fn refused(folder: &Folder) -> BTreeMap<String, String> {
    let told = folder.weft(&["records", "--failed", "--json"]).await;
    let lines = told.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| (format!("{} {}", text(&line, "flow"), text(&line, "key")), text(&line, "reason")))
        .collect()
}

/// Counts of every run add up, and no run is left over as under way.
///
/// Gives how many records were created, over all runs.
async fn sums_hold(folder: &Folder) -> u64 {
    let mut created = 0;
    let told = folder.weft(&["runs", "--limit", "1000", "--json"]).await;
    for line in told.out.lines() {
        let run: Value = serde_json::from_str(line).unwrap();
        let counts = run["counts"].as_object().unwrap();
        let sum: i64 =
            counts.iter().filter(|(name, _)| *name != "read").map(|(_, count)| count.as_i64().unwrap()).sum();
        assert_eq!(counts["read"].as_i64(), Some(sum), "{run}");
        assert_ne!(run["state"], "running", "{run}");
        created += counts["created"].as_u64().unwrap();
    }
    created
}

/// Starts the program and kills it after it has asked so many things, and a little later.
/// False when it had ended by itself.
async fn kill_once(town: &Town, folder: &Folder, random: &mut fastrand::Rng) -> bool {
    let asked = || town.shop_server.requests() + town.till_server.requests();
    let (last, later) = (asked() + random.u64(1..70), Duration::from_micros(random.u64(0..20_000)));
    let mut child = folder.command(&["run"]).spawn().unwrap();
    while asked() < last {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(later).await;
    // SIGKILL: nothing can be tidied up.
    child.start_kill().unwrap();
    child.wait().await.unwrap().code().is_none()
}

/// Rounds over worlds that are alike, with so many kills each. Gives how many records were
/// created: undisturbed, then in each round.
async fn rounds(
    fill: fn(&Town) -> Folder,
    seed: u64,
    rounds: usize,
    kills: usize,
    faults: &[(Fault, u32)],
) -> Vec<u64> {
    let begin = Instant::now();
    let town = Town::new().await;
    let folder = fill(&town);
    let clean = finish(&town, &folder).await;
    assert!(clean.orders.len() + clean.products.len() > 100, "refused: {:?}", clean.refused);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut killed, mut created) = (0, vec![clean.created]);
    for round in 1..=rounds {
        let town = Town::new().await;
        let folder = fill(&town);
        for server in [&town.shop_server, &town.till_server] {
            server.faults.retry_after(Some(0));
            for (fault, rate) in faults {
                server.faults.rate(*fault, *rate);
            }
        }
        let before = killed;
        while killed < before + kills {
            killed += usize::from(kill_once(&town, &folder, &mut random).await);
        }
        town.shop_server.faults.clear();
        town.till_server.faults.clear();
        let end = finish(&town, &folder).await;
        println!("seed {seed}, round {round}: {killed} kills so far, {:.1?}", begin.elapsed());
        same(&clean, &end);
        created.push(end.created);
    }
    created
}

/// Says what differs, not all that is there.
pub(crate) fn same(clean: &End, end: &End) {
    for (what, clean, end) in [
        ("orders", &clean.orders, &end.orders),
        ("customers", &clean.customers, &end.customers),
        ("articles", &clean.articles, &end.articles),
        ("products", &clean.products, &end.products),
    ] {
        for (key, row) in clean {
            assert_eq!(Some(row), end.get(key), "{what}: {key}");
        }
        let more: Vec<_> = end.keys().filter(|key| !clean.contains_key(*key)).collect();
        assert!(more.is_empty(), "{what} that should not be there: {more:?}");
    }
    assert_eq!(clean.refused, end.refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_the_end_is_the_same() {
    rounds(orders, 20_261_121, 3, 7, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_the_network_is_bad_the_end_is_the_same() {
    rounds(orders, 7, 1, 7, &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_that_looks_for_nothing_is_kept_from_doubling() {
    let quiet = rounds(articles, 11, 3, 8, &[]).await;
    let noisy = rounds(articles, 12, 2, 6, &FAULTS).await;
    // Each create is counted once, in one of the runs, whichever of them was killed.
    assert!(quiet.iter().chain(&noisy).all(|created| *created == quiet[0]), "{quiet:?} {noisy:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_postgresql_the_end_is_the_same() {
    if server::shared().is_none() {
        return;
    }
    rounds(orders_on_postgres, 20_261_122, 1, 7, &FAULTS).await;
    let created = rounds(articles_on_postgres, 13, 2, 7, &[]).await;
    assert!(created.iter().all(|one| *one == created[0]), "{created:?}");
}
