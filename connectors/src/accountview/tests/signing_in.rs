//! Consent, tokens that run out and tokens that work once.

use reqwest::redirect::Policy;

use super::*;

const BOTH: &str = "readaccountviewdata updateaccountviewdata";

fn browser() -> reqwest::Client {
    crate::http::choose_cryptography();
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

#[tokio::test]
async fn a_person_consents_in_a_browser() {
    let stage = Stage::filled().await;
    let oauth = AccountView.consent(&stage.service.answers(&stage.running.url())).unwrap().unwrap();
    let address = oauth.consent_address("st4te").unwrap();
    assert!(
        address.path() == "/ams/authorize.aspx"
            && address.as_str().contains("scope=readaccountviewdata+updateaccountviewdata"),
        "{address}"
    );
    let reply = browser().get(address).send().await.unwrap();
    let back = reply.headers()["location"].to_str().unwrap().to_owned();
    assert!(back.starts_with("http://localhost:8914/callback?code=c0de%2F"), "{back}");
    let back = url::Url::parse(&back).unwrap();
    let pairs: std::collections::HashMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!(pairs["state"], "st4te");
    let token = oauth.redeem(&pairs["code"]).await.unwrap();
    let session = connect(&stage.service, &stage.running, &[], token).unwrap();
    session.probe().await.unwrap();
    assert_eq!(
        oauth.redeem(&pairs["code"]).await.unwrap_err().advice,
        Advice::Reconnect,
        "a code works once"
    );
}

#[tokio::test]
async fn expiry_within_a_run_is_not_seen() {
    let stage = Stage::filled().await;
    stage.session.probe().await.unwrap();
    stage.service.expire_tokens();
    stage.create("debtors", r#"{"name":"A","collective_account":"1210"}"#).await.unwrap();
    stage.service.expire_tokens();
    assert_eq!(stage.all("articles", None).await.len(), 30);
    let exchanges = stage.running.requests_by()["POST /api/v3/token"];
    assert_eq!(exchanges, 2, "one exchange each time");
}

#[tokio::test]
async fn a_withdrawn_consent_asks_a_person() {
    let stage = Stage::filled().await;
    stage.session.probe().await.unwrap();
    stage.service.withdraw_consent();
    assert_eq!(stage.session.probe().await.unwrap_err().advice, Advice::Reconnect);
}

#[tokio::test]
async fn the_right_to_read_does_not_write() {
    let stage = Stage::filled().await;
    let token = stage.service.token_for("readaccountviewdata");
    let reader = connect(&stage.service, &stage.running, &[], token).unwrap();
    reader.probe().await.unwrap();
    let debtor = json(r#"{"name":"A","collective_account":"1210"}"#);
    let error = reader.create("debtors").unwrap().create("debtors", &debtor, "key").await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert!(error.help.unwrap().contains("rights"), "{}", error.reason);
    let writer = connect(&stage.service, &stage.running, &[], stage.service.token_for(BOTH)).unwrap();
    writer.create("debtors").unwrap().create("debtors", &debtor, "key").await.unwrap();
}
