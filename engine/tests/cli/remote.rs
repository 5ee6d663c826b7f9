//! Systems that refuse, are not there, or answer what nobody understands.
//!
//! Nothing is lost: once the system is there again, the next run does the rest.

use axum::Router;
use axum::body::Body;
use axum::http::{Response, header};
use connectors::simulator::{Fault, Faults, Running, serve};

use super::town::{CUSTOMERS, Folder, Town, golden};

/// A project whose connections go where the caller says.
fn project(town: &Town, shop: Option<&str>, till: Option<&str>) -> Folder {
    let folder = town.project(&[("customers", CUSTOMERS)]);
    let mut text = town.main_file(&[("customers", "")]);
    for (from, to) in [(town.shop_server.url(), shop), (town.till_server.url(), till)] {
        if let Some(to) = to {
            text = text.replace(&from, to);
        }
    }
    folder.put("weft.toml", text);
    folder
}

/// The run fails as it says; with everything in order again, the next one does all the work.
async fn fails_then_recovers(name: &str, town: &Town, folder: &Folder) {
    golden(name, folder.show(&["run"]).await);
    golden(&format!("{name}_listed"), folder.show(&["runs"]).await);
    let relations = town.till.relations().len();
    folder.put("weft.toml", town.main_file(&[("customers", "")]));
    folder.put("shop.secret", town.secret("secret_key")).put("till.secret", town.secret("secret"));
    town.shop_server.faults.clear();
    town.till_server.faults.clear();
    let told = folder.weft(&["run"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    assert_eq!((relations, town.till.relations().len()), (0, 3), "{}{}", told.out, told.err);
}

/// A server that gives one answer to everything.
async fn always(status: u16, kind: &'static str, text: &'static str) -> Running {
    let router = Router::new().fallback(move || async move {
        Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(Body::from(text)).unwrap()
    });
    serve(router, 0, Faults::default()).await.unwrap()
}

#[tokio::test]
async fn the_shop_refuses_the_key() {
    let town = Town::with_customers(3).await;
    let folder = project(&town, None, None);
    folder.put("shop.secret", "not-the-secret-0123456789");
    fails_then_recovers("wrong_key_of_shop", &town, &folder).await;
}

#[tokio::test]
async fn the_till_refuses_the_password() {
    let town = Town::with_customers(3).await;
    let folder = project(&town, None, None);
    folder.put("till.secret", "not-the-secret");
    fails_then_recovers("wrong_password_of_till", &town, &folder).await;
}

#[tokio::test]
async fn a_secret_is_never_shown() {
    let town = Town::with_customers(3).await;
    let folder = project(&town, None, None);
    folder.put("till.secret", "zeer-geheim-woord");
    for args in [&["run"][..], &["run", "--json"], &["runs"], &["records", "--failed", "--full"]] {
        let told = folder.command(args).env("WEFT_LOG", "trace").output().await.unwrap();
        let said = [told.stdout, told.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains("zeer-geheim-woord"), "{args:?}");
    }
    let store = std::fs::read(folder.store()).unwrap();
    assert!(!String::from_utf8_lossy(&store).contains("zeer-geheim-woord"));
}

/// An address where nobody listens.
async fn nobody() -> String {
    let running = always(200, "text/plain", "").await;
    let url = running.url();
    running.stop().await;
    url
}

#[tokio::test]
async fn nobody_listens_at_the_shop() {
    let town = Town::with_customers(3).await;
    let folder = project(&town, Some(&nobody().await), None);
    fails_then_recovers("shop_is_down", &town, &folder).await;
}

#[tokio::test]
async fn nobody_listens_at_the_till() {
    let town = Town::with_customers(3).await;
    let folder = project(&town, None, Some(&nobody().await));
    fails_then_recovers("till_is_down", &town, &folder).await;
}

const PAGE: &str = "<!doctype html><html><head><title>Inloggen</title></head><body>Welkom</body></html>";
const GATEWAY: &str = "<html><body><h1>502 Bad Gateway</h1></body></html>";

#[tokio::test]
async fn the_shop_answers_with_a_web_page() {
    let town = Town::with_customers(3).await;
    for (name, status, text) in [("shop_says_html", 200, PAGE), ("shop_says_html_502", 502, GATEWAY)] {
        let town = &town;
        let server = always(status, "text/html", text).await;
        let folder = project(town, Some(&server.url()), None);
        golden(name, folder.show(&["run"]).await);
    }
}

#[tokio::test]
async fn the_till_answers_with_a_web_page() {
    let town = Town::with_customers(3).await;
    for (name, status, text) in [("till_says_html", 200, PAGE), ("till_says_html_502", 502, GATEWAY)] {
        let server = always(status, "text/html", text).await;
        let folder = project(&town, None, Some(&server.url()));
        golden(name, folder.show(&["run"]).await);
    }
}

#[tokio::test]
async fn the_shop_stops_in_the_middle_of_its_answer() {
    let town = Town::with_customers(3).await;
    let folder = project(&town, None, None);
    town.shop_server.faults.rate(Fault::Cut, 1000);
    fails_then_recovers("shop_is_cut_off", &town, &folder).await;
}

#[tokio::test]
async fn the_till_stops_in_the_middle_of_its_answer() {
    let town = Town::with_customers(3).await;
    let folder = project(&town, None, None);
    town.till_server.faults.rate(Fault::Cut, 1000);
    golden("till_is_cut_off", folder.show(&["run"]).await);
}

/// The length is right, and yet the text ends too early.
#[tokio::test]
async fn answers_that_end_too_early() {
    let town = Town::with_customers(3).await;
    let json = always(200, "application/json", r#"{"items":[{"id":1,"email":"a@b."#).await;
    let folder = project(&town, Some(&json.url()), None);
    golden("shop_says_half_json", folder.show(&["run"]).await);
    let xml = always(200, "text/xml", "<?xml version=\"1.0\"?><SOAP-ENV:Envelope><SOAP-ENV:Bo").await;
    let folder = project(&town, None, Some(&xml.url()));
    golden("till_says_half_xml", folder.show(&["run"]).await);
}
