//! `weft check`: everything that is wrong, each at its place.

use super::town::{CUSTOMERS, Folder, golden};

const FIVE: &str = r#"flow "Orders: shop to till"

source shop: ccv_salespos
target till: mpluskasa

every 5 mins

fetch order from shop.order since created_at
filter order.status = "paid"
lokup known in till.orders by ext_order_id = order.number
create booked in till.orders {
    ext_order_id = order.number
}
"#;

const NO_CONNECTIONS: &str = "[flows.orders]\nfile = \"flows/orders.flow\"\n";

fn project(flow: &str) -> Folder {
    let folder = Folder::new();
    folder.put("weft.toml", NO_CONNECTIONS).put("flows/orders.flow", flow);
    folder
}

#[tokio::test]
async fn five_mistakes_are_five_messages() {
    golden("five_mistakes", project(FIVE).show(&["check"]).await);
}

#[tokio::test]
async fn five_mistakes_for_programs() {
    golden("five_mistakes_json", project(FIVE).show(&["check", "--json"]).await);
}

#[tokio::test]
async fn a_clean_project_is_said_to_be_clean() {
    let folder = project(CUSTOMERS);
    golden("clean", folder.show(&["check"]).await);
    golden("clean_json", folder.show(&["check", "--json"]).await);
}

#[tokio::test]
async fn one_file_is_checked_without_a_project() {
    let folder = Folder::new();
    folder.put("one.flow", CUSTOMERS);
    golden("one_file", folder.show(&["check", "one.flow"]).await);
}

const QUICK: &str = r#"flow "All of it native"
source shop: ccv_salespos
target till: mpluskassa

fetch customer from shop.customers
upsert relation in till.relations by email {
    email = to_lower(customer.email)
    name  = or_nothing(customer.company) ?? customer.full_name
}
"#;

const SLOW: &str = r#"flow "Some of it in Rhai"
source shop: ccv_salespos
target till: mpluskassa

fetch customer from shop.customers
upsert relation in till.relations by email {
    email = to_lower(customer.email)
    name  = switch customer.full_name.len() { 0..3 => "short", _ => customer.full_name }
}
"#;

#[tokio::test]
async fn lines_that_are_left_to_rhai_are_named_with_the_reason() {
    let folder = Folder::new();
    folder.put("weft.toml", "").put("quick.flow", QUICK).put("slow.flow", SLOW);
    golden("explain_speed", folder.show(&["check", "--explain-speed", "quick.flow", "slow.flow"]).await);
    golden(
        "explain_speed_json",
        folder.show(&["check", "--explain-speed", "--json", "quick.flow", "slow.flow"]).await,
    );
}

#[tokio::test]
async fn the_page_of_an_error_is_shown() {
    let folder = Folder::new();
    golden("explain", folder.show(&["check", "--explain", "f110"]).await);
    golden("explain_json", folder.show(&["check", "--explain", "S011", "--json"]).await);
    golden("explain_unknown", folder.show(&["check", "--explain", "F0110"]).await);
}

const ASSUMED: &str = "[connections.softmaat]\nsystem = \"softmaat\"\naddress = \"https://softmaat.example\"\napi_key = { file = \"softmaat.key\" }\n";

/// A contract that is assumed is said; the project's own profile takes the place of ours.
#[tokio::test]
async fn what_is_assumed_is_said() {
    let folder = project(CUSTOMERS);
    folder.put("weft.toml", format!("{ASSUMED}{NO_CONNECTIONS}")).put("softmaat.key", "k\n");
    golden("assumed", folder.show(&["check"]).await);
    let verified = "contract = \"verified\"\nverified_on = \"2026-11-20\"\nverified_by = \"J. Jansen\"";
    let own = connectors::softmaat::PROFILE.replace("contract = \"assumed\"", verified);
    folder.put("systems/softmaat.toml", own);
    golden("assumed_and_verified", folder.show(&["check"]).await);
}
