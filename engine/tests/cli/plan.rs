//! `weft plan` and `weft run --plan`: what a person sees beforehand, and that nothing else follows.

use super::town::{CUSTOMERS, Folder, Town, golden};

/// Customers, and for each a note that refers to the relation that is to be created.
const WITH_ORDER: &str = r#"flow "Customers with a first order"
source shop: ccv_salespos
target till: mpluskassa

fetch customer from shop.customers
skip "has an account of the house" if customer.email == "klant3@voorbeeld.example"
fail `${customer.email} is on the black list` if customer.email == "klant4@voorbeeld.example"
upsert relation in till.relations by email {
    email = customer.email
    name  = customer.full_name
}
lookup article in till.articles by article_number = "1"
create welcome in till.orders {
    ext_order_id    = `W-${customer.id}`
    relation_number = relation.relation_number
    employee_number = "1"
    lines each one in [1] {
        article_number = article?.article_number ?? "1"
        quantity       = one
    }
}
notify `${customer.email} is new`
"#;

async fn shown(folder: &Folder, name: &str, args: &[&str]) {
    golden(name, folder.show(args).await);
}

/// Requests that came in, by method and path.
fn asked(town: &Town) -> Vec<String> {
    town.shop_server.requests_by().into_keys().collect()
}

#[tokio::test]
async fn a_plan_shows_what_would_be_written_and_writes_nothing() {
    let town = Town::with_customers(4).await;
    let folder = town.project(&[("customers", WITH_ORDER)]);
    let before = (town.till.relations().len(), town.till.orders().len());
    shown(&folder, "plan", &["plan"]).await;
    shown(&folder, "plan_json", &["plan", "--json"]).await;
    shown(&folder, "plan_limit", &["plan", "--limit", "1"]).await;
    shown(&folder, "plan_record", &["plan", "--record", "klant2@voorbeeld.example"]).await;
    shown(&folder, "plan_no_such_record", &["plan", "customers", "--record", "999999"]).await;
    assert_eq!(before, (town.till.relations().len(), town.till.orders().len()));
    assert!(asked(&town).iter().all(|call| call.starts_with("GET ")), "{:?}", asked(&town));
    // Nothing of it is known to the store either.
    let runs = folder.weft(&["runs", "--json"]).await;
    assert_eq!(runs.out.trim(), "");
}

#[tokio::test]
async fn a_plan_makes_no_store() {
    let town = Town::with_customers(1).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    let told = folder.weft(&["plan"]).await;
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{}", told.out);
    assert!(told.out.contains("1 to create"), "{}", told.out);
    assert!(!folder.path().join(".weft").exists(), "the plan has made a store");
    // A secret that is to be in the store cannot be, and looking for it makes none either.
    let main = town.main_file(&[("customers", CUSTOMERS)]);
    folder.put(
        "weft.toml",
        main.replace("secret_key = { file = \"shop.secret\" }", "secret_key = { sealed = true }"),
    );
    let told = folder.weft(&["plan"]).await;
    assert!(told.err.contains("R080"), "{}", told.err);
    assert!(!folder.path().join(".weft").exists(), "the plan has made a store");
    // The store of earlier runs is asked: what was done is done.
    folder.put("weft.toml", main);
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    let told = folder.weft(&["plan"]).await;
    assert!(told.out.contains("0 to create") || !told.out.contains("to create"), "{}", told.out);
}

#[tokio::test]
async fn a_plan_is_carried_out_as_it_was_shown() {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    shown(&folder, "plan_kept", &["plan", "--out", "customers.plan"]).await;
    let text = std::fs::read_to_string(folder.path().join("customers.plan")).unwrap();
    assert!(!text.contains(&town.secret("secret")) && !text.contains(&town.secret("secret_key")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("customers.plan")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Somebody is entered into the till by hand in between.
    town.shop.add_customer("klant4@voorbeeld.example", ("Jan", "Smit"), "").unwrap();
    town.till.add_relations([super::town::record(&serde_json::json!({
        "email": "klant2@voorbeeld.example", "name": "Sanne uit Breda",
    }))]);
    shown(&folder, "plan_carried_out", &["run", "--plan", "customers.plan"]).await;
    assert_eq!(town.till.relations().len(), 3);
    // What was left is done by a plan that knows of it; what was done is not done again.
    shown(&folder, "plan_after", &["plan", "--out", "customers.plan"]).await;
    shown(&folder, "plan_carried_out_after", &["run", "--plan", "customers.plan"]).await;
    shown(&folder, "plan_nothing_left", &["plan"]).await;
    assert_eq!(town.till.relations().len(), 4);
}

#[tokio::test]
async fn a_plan_of_something_else_is_refused() {
    let town = Town::with_customers(1).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    assert_eq!(folder.weft(&["plan", "--out", "customers.plan"]).await.code, Some(0));
    shown(&folder, "plan_no_such_file", &["run", "--plan", "orders.plan"]).await;
    folder.put("other.plan", "{\"weft_plan\": 7}");
    shown(&folder, "plan_of_another_form", &["run", "--plan", "other.plan"]).await;
    folder.put("flows/customers.flow", CUSTOMERS.replace("customer.full_name", "customer.email"));
    shown(&folder, "plan_flow_has_changed", &["run", "--plan", "customers.plan"]).await;
    folder.put("flows/customers.flow", CUSTOMERS);
    let elsewhere = Town::with_customers(1).await;
    folder.put("weft.toml", elsewhere.main_file(&[("customers", "")]));
    shown(&folder, "plan_leads_elsewhere", &["run", "--plan", "customers.plan"]).await;
    assert_eq!(town.till.relations().len() + elsewhere.till.relations().len(), 0);
}

/// A system that does not answer ends the plan, and says so.
#[tokio::test]
async fn a_plan_needs_both_systems() {
    let town = Town::with_customers(2).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    town.till_server.stop().await;
    let told = folder.weft(&["plan"]).await;
    assert_eq!(told.code, Some(3), "{}{}", told.out, told.err);
    assert!(told.out.contains("the plan ends here"), "{}", told.out);
}

/// A target that is a folder: nothing appears in it.
#[tokio::test]
async fn a_plan_makes_no_files() {
    let folder = Folder::new();
    folder
        .put(
            "weft.toml",
            "[connections.inbox]\nsystem = \"files\"\nfolder = \"in\"\n\n\
             [connections.outbox]\nsystem = \"files\"\nfolder = \"out\"\n\n[flows.map]\nfile = \"map.flow\"\n",
        )
        .put("out/made.schema.toml", "file = \"made.ndjson\"\n\n[fields]\nnumber = { about = \"Number.\" }\n")
        .put("in/orders.ndjson", "{\"id\":1}\n{\"id\":2}\n")
        .put(
            "map.flow",
            "flow \"Orders\"\nsource inbox: files\ntarget outbox: files\n\nfetch order from inbox.orders\n\
             create made in outbox.made {\n    number = `N-${order.id}`\n}\n",
        );
    shown(&folder, "plan_of_files", &["plan"]).await;
    let there: Vec<String> = std::fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, ["made.schema.toml"]);
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    shown(&folder, "plan_of_files_again", &["plan"]).await;
}

/// Relations by one flow, and what refers to them by another one.
const ORDERS: &str = r#"flow "A first order for each customer"
source shop: ccv_salespos
target till: mpluskassa

fetch customer from shop.customers
lookup relation in till.relations by email = customer.email
fail `${customer.email} is not in the till` unless relation
create welcome in till.orders {
    ext_order_id    = `W-${customer.id}`
    relation_number = relation.relation_number
    lines each one in [1] {
        article_number = "1"
        quantity       = one
    }
}
"#;

#[tokio::test]
async fn a_later_flow_finds_what_an_earlier_one_would_create() {
    let town = Town::with_customers(2).await;
    town.article("1", "Koffiemok", "9.95");
    let folder = town.project(&[("customers", CUSTOMERS), ("orders", ORDERS)]);
    shown(&folder, "plan_of_two_flows", &["plan", "--out", "both.plan"]).await;
    shown(&folder, "plan_of_the_later_flow", &["plan", "orders"]).await;
    shown(&folder, "plan_of_two_flows_carried_out", &["run", "--plan", "both.plan"]).await;
    let numbers = |records: Vec<connectors::record::Record>| -> Vec<String> {
        let mut all: Vec<String> =
            records.iter().map(|record| record.get("relation_number").unwrap().to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(numbers(town.till.orders()), numbers(town.till.relations()));
    // Carried out once more, it does nothing: everything is there.
    let again = folder.weft(&["run", "--plan", "both.plan"]).await;
    assert_eq!(town.till.orders().len(), 2, "{}", again.out);
}

#[tokio::test]
async fn a_record_that_has_changed_in_the_source_is_left() {
    let town = Town::with_customers(2).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    assert_eq!(folder.weft(&["plan", "--out", "customers.plan"]).await.code, Some(0));
    let text = std::fs::read_to_string(folder.path().join("customers.plan")).unwrap();
    // As if the customer had been called otherwise when the plan was made.
    let older = text.replacen("\"full_name\":\"Sanne de Boer\"", "\"full_name\":\"Sanne Boer\"", 1);
    assert_ne!(text, older);
    folder.put("customers.plan", older);
    shown(&folder, "plan_source_has_changed", &["run", "--plan", "customers.plan"]).await;
    assert_eq!(town.till.relations().len(), 1);
}

#[tokio::test]
async fn a_record_is_run_again_with_the_flow_of_now_or_of_then() {
    let town = Town::with_customers(2).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    let two = "klant2@voorbeeld.example";
    shown(&folder, "replay_nothing_to_send", &["replay", two]).await;
    let loud = CUSTOMERS.replace("customer.full_name", "customer.full_name.to_upper()");
    folder.put("flows/customers.flow", &loud);
    shown(&folder, "replay_unconfirmed", &["replay", two]).await;
    shown(&folder, "replay", &["replay", two, "--yes"]).await;
    let names = || {
        let mut all: Vec<String> =
            town.till.relations().iter().map(|record| record.get("name").unwrap().to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(names(), ["\"SANNE DE BOER\"", "\"Sanne de Boer\""]);
    // The other one was handled by the flow of then; this one by now's, which says what is there.
    shown(&folder, "replay_then_nothing", &["replay", two, "--with", "then"]).await;
    let told = folder.weft(&["runs", "--json"]).await.out;
    let first: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    let run = first["run"].as_str().unwrap();
    shown(&folder, "replay_then", &["replay", "--run", run, "--with", "then", "--yes"]).await;
    assert_eq!(names(), ["\"Sanne de Boer\"", "\"Sanne de Boer\""]);
    shown(&folder, "records_show", &["records", "show", two]).await;
    shown(&folder, "replay_no_such_run", &["replay", "--run", "0"]).await;
    shown(&folder, "replay_no_such_record", &["replay", "klant9@voorbeeld.example"]).await;
}
