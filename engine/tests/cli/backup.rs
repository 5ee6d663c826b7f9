//! Copies of the store, as a person makes them and puts them back.

use connectors::simulator::Simulator;

use super::postgres::in_database;
use super::server;
use super::town::{CUSTOMERS, Folder, Town, golden};

async fn project() -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    (town, folder)
}

#[tokio::test]
async fn a_store_is_copied_verified_and_put_back() {
    let (town, folder) = project().await;
    golden("backup_without_a_store", folder.show(&["backup", "copy.db"]).await);
    assert!(!folder.store().exists());
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    golden("backup", folder.show(&["backup", "copy.db"]).await);
    golden("backup_twice", folder.show(&["backup", "copy.db"]).await);
    golden("verify", folder.show(&["verify"]).await);

    std::fs::write(folder.store(), "ruined").unwrap();
    golden("verify_what_is_ruined", folder.show(&["verify"]).await);
    golden("restore", folder.show(&["restore", "copy.db"]).await);
    golden("restore_json", folder.show(&["restore", "copy.db", "--json"]).await);
    let asked = town.till_server.requests();
    golden("run_after_restore", folder.show(&["run"]).await);
    assert_eq!(town.till_server.requests(), asked, "everything is known again");
    assert_eq!(town.till.relations().len(), 3);
    golden("restore_mark", folder.show(&["restore", "--mark"]).await);
    golden("restore_nothing", folder.show(&["restore", "copy-of-yesterday.db"]).await);
    golden("restore_itself", folder.show(&["restore", ".weft/store.db"]).await);
}

/// Articles become products without a look whether they are there.
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

#[tokio::test]
async fn what_was_sent_after_a_copy_is_not_sent_again_when_the_copy_was_put_back() {
    let town = Town::new().await;
    let folder = town.project(&[("articles", BARE)]);
    for number in 1..=20 {
        town.article(&(1_000 + number).to_string(), "Koffiemok", "12.95");
    }
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    assert_eq!(folder.weft(&["backup", "copy.db"]).await.code, Some(0));
    for number in 1..=20 {
        town.article(&(2_000 + number).to_string(), "Theeglas", "4.95");
    }
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    assert_eq!(folder.weft(&["restore", "copy.db"]).await.code, Some(0));
    town.article("3001", "Lepel", "1.95");
    let told = folder.weft(&["run"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    let products = town.shop.books()["products"].as_array().unwrap().len();
    assert_eq!(products, 41, "{}", told.out);
}

#[tokio::test]
async fn a_damaged_store_is_told_place_by_place() {
    let (_town, folder) = project().await;
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    let mut content = std::fs::read(folder.store()).unwrap();
    // The end of the last page: rows of an index or a table, not the head of the file.
    let length = content.len();
    content[length - 1000..].fill(0x55);
    std::fs::write(folder.store(), content).unwrap();
    let told = folder.weft(&["verify"]).await;
    assert_eq!(told.code, Some(4), "{}{}", told.out, told.err);
    assert!(told.err.contains("put back the last backup"), "{}", told.err);
    let copied = folder.weft(&["backup", "copy.db"]).await;
    assert_eq!(copied.code, Some(4), "{}{}", copied.out, copied.err);
    assert!(!folder.path().join("copy.db").exists(), "a copy that is damaged is no copy");
}

#[tokio::test]
async fn a_store_is_not_replaced_while_a_flow_runs() {
    let (town, folder) = project().await;
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    assert_eq!(folder.weft(&["backup", "copy.db"]).await.code, Some(0));
    for number in 100..160 {
        town.shop
            .add_customer(&format!("klant{number}@voorbeeld.example"), ("Sanne", "de Boer"), "")
            .unwrap();
    }
    // The till takes its time: the run is still on its way when we come.
    town.till_server.faults.delay(std::time::Duration::from_millis(300));
    town.till_server.faults.rate(connectors::simulator::Fault::Slow, 1_000);
    let before = town.till_server.requests();
    let mut run = folder.command(&["run"]).spawn().unwrap();
    while town.till_server.requests() == before {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let told = folder.weft(&["restore", "copy.db"]).await;
    let words = told.err.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(told.code, Some(4), "{words}");
    assert!(words.contains("is in use: flow `customers` is being run by process"), "{words}");
    assert_eq!(folder.weft(&["backup", "meanwhile.db"]).await.code, Some(0));
    town.till_server.faults.clear();
    assert_eq!(run.wait().await.unwrap().code(), Some(0));
    assert_eq!(town.till.relations().len(), 63);
}

#[tokio::test]
async fn a_database_is_copied_by_its_own_tools() {
    let (_town, folder) = project().await;
    in_database(&folder, "postgres://weft:hunter2@db.example/books?sslmode=verify-full");
    golden("backup_of_a_database", folder.show(&["backup", "copy.dump"]).await);
    golden("restore_of_a_database", folder.show(&["restore", "copy.dump"]).await);
}

#[tokio::test]
async fn a_database_is_verified() {
    let Some(address) = server::place() else { return };
    let (_town, folder) = project().await;
    in_database(&folder, &address);
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    let told = folder.weft(&["verify"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    assert!(told.out.contains("is whole"), "{}", told.out);
}
