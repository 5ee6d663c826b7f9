//! `weft test`, and `weft records … --as-case`: what a person sees of cases.

use serde_json::Value;

use super::town::{CUSTOMERS, Folder, Town, golden};

const SYSTEMS: &str = "[flows.customers]\nfile = \"flows/customers.flow\"\n";

const CASES: &str = r#"[
  {
    "name": "a customer becomes a relation",
    "source": {"customers": [{"id": "1", "email": "sanne@voorbeeld.example", "full_name": "Sanne de Boer"}]},
    "expects": {
      "1": {
        "outcome": "created",
        "writes": [{"create": "relations", "fields": {"email": "sanne@voorbeeld.example", "name": "Sanne de Boer"}}]
      }
    }
  },
  {
    "name": "one who is known gets the name of the shop",
    "source": {"customers": [{"id": "2", "email": "piet@voorbeeld.example", "full_name": "Piet Pieters"}]},
    "target": {"relations": [{"relation_number": "500", "email": "piet@voorbeeld.example", "name": "P. Pieters"}]},
    "expects": {
      "2": {
        "outcome": "created",
        "writes": [{"update": "relations", "key": "500", "fields": {"name": "Pieters, Piet"}}]
      }
    }
  }
]
"#;

fn project() -> Folder {
    let folder = Folder::new();
    folder
        .put("weft.toml", SYSTEMS)
        .put("flows/customers.flow", CUSTOMERS)
        .put("flows/customers.case.json", CASES);
    folder
}

#[tokio::test]
async fn what_came_otherwise_is_shown_and_accepted() {
    let folder = project();
    let mut told = folder.show(&["test"]).await;
    told.push_str("\n\n");
    told.push_str(&folder.show(&["test", "customers", "--json", "--coverage"]).await);
    told.push_str("\n\n");
    told.push_str(&folder.show(&["test", "--accept"]).await);
    told.push_str("\n\n");
    told.push_str(&folder.show(&["test", "--coverage"]).await);
    golden("cases", told);
    let accepted = std::fs::read_to_string(folder.path().join("flows/customers.case.json")).unwrap();
    let expected = CASES.replacen(
        "\"2\": {\n        \"outcome\": \"created\"",
        "\"2\": {\n        \"outcome\": \"updated\"",
        1,
    );
    let expected = expected.replace("Pieters, Piet", "Piet Pieters");
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(value(&accepted), value(&expected));
}

#[tokio::test]
async fn cases_that_cannot_be_played_are_told() {
    let folder = project();
    folder.put("flows/order.case.json", "[]");
    golden("cases_of_nothing", folder.show(&["test", "flows/order.case.json"]).await);
    folder.put("flows/customers.case.json", CASES.replace("full_name", "fullname"));
    golden("cases_misspelt", folder.show(&["test", "flows/customers.flow"]).await);
    let none = Folder::new();
    assert_eq!(none.put("weft.toml", "").weft(&["test"]).await.code, Some(2));
}

#[tokio::test]
async fn cases_are_played_again_when_a_file_changes() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let folder = project();
    let mut child = folder.command(&["test", "--watch"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = async |text: &str| {
        let reading = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains(text) {
                    return;
                }
            }
            panic!("`{text}` never came");
        };
        tokio::time::timeout(std::time::Duration::from_mins(2), reading).await.expect("in time");
    };
    until("1 of 2 cases").await;
    until("waiting for files to change").await;
    let flow = CUSTOMERS.replace("customer.full_name", "\"somebody\"");
    folder.put("flows/customers.flow", flow);
    until("0 of 2 cases").await;
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_record_becomes_a_case_without_its_people() {
    let town = Town::new().await;
    town.shop.add_customer("Sanne@Boerderij.example", ("Sanne", "de Boer"), "").unwrap();
    let folder = town.project(&[("customers", CUSTOMERS)]);
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    town.shop.add_customer("other@boerderij.example", ("Piet", "Pieters"), "").unwrap();
    // The second run finds her there, and has nothing to write.
    assert_eq!(folder.weft(&["run", "--full"]).await.code, Some(0));
    for _ in 0..2 {
        let told = folder.weft(&["records", "sanne@boerderij.example", "--as-case"]).await;
        assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
        assert!(!told.out.contains("! "), "it comes as it came: {}", told.out);
    }
    let text = std::fs::read_to_string(folder.path().join("flows/customers.case.json")).unwrap();
    let small = text.to_lowercase();
    assert!(!small.contains("sanne") && !small.contains("boer"), "{text}");
    let cases: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.as_array().unwrap().len(), 2, "the second is added behind the first");
    let told = folder.weft(&["test"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    golden("records_as_case", folder.show(&["records", "nobody", "--as-case"]).await);
}
