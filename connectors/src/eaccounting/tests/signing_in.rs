//! Consent, tokens that run out, and rights.

use super::*;
use crate::contract::Advice;
use crate::sign_in::OAuth;

fn oauth(bench: &Bench, changes: &[(&str, &str)]) -> OAuth {
    let standard = bench.company.answers(&bench.running.url());
    let names: Vec<String> = standard.names().map(str::to_owned).collect();
    let mut all: Vec<(String, String)> = names
        .into_iter()
        .map(|name| {
            let value = standard.get(&super::super::MANIFEST, &name).unwrap_or_default().to_owned();
            (name, value)
        })
        .collect();
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        all.push(((*name).to_owned(), (*value).to_owned()));
    }
    EAccounting.consent(&all.into_iter().collect()).unwrap().unwrap()
}

/// What the browser comes back with.
async fn consented(bench: &Bench) -> String {
    let address = oauth(bench, &[]).consent_address("st4te").unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(address.as_str()).send().await.unwrap();
    let back = answer.headers()["location"].to_str().unwrap().to_owned();
    let back = url::Url::parse(&back).unwrap();
    assert!(back.as_str().starts_with("http://localhost:8914/callback?"), "{back}");
    let get = |name: &str| back.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
    assert_eq!(get("state"), "st4te");
    get("code")
}

#[tokio::test]
async fn a_consent_becomes_a_token_once() {
    let bench = Bench::new(Options::default()).await;
    let code = consented(&bench).await;
    let token = oauth(&bench, &[]).redeem(&code).await.unwrap();
    assert!(token.refresh.is_some() && token.expires_at.is_some());
    for (code, changes) in [
        (code, vec![]),
        (consented(&bench).await, vec![("redirect_address", "http://localhost:8914/other")]),
        (consented(&bench).await, vec![("client_secret", "wrong")]),
    ] {
        let error = oauth(&bench, &changes).redeem(&code).await.unwrap_err();
        assert_eq!(error.advice, Advice::Reconnect, "{error}");
    }
    let late = consented(&bench).await;
    bench.company.pass_time(301);
    assert!(oauth(&bench, &[]).redeem(&late).await.is_err());
}

#[tokio::test]
async fn a_token_that_runs_out_is_exchanged_within_the_call() {
    for rotates in [true, false] {
        let bench = Bench::new(Options { rotates, ..Options::default() }).await;
        bench.session.probe().await.unwrap();
        for _ in 0..2 {
            bench.company.expire_tokens();
            bench.create("article_labels", &json!({"name": "Groep"})).await.unwrap();
        }
        assert_eq!(bench.company.rows("articlelabels").len(), 2);
        bench.company.withdraw_consent();
        let error = bench.session.probe().await.unwrap_err();
        assert_eq!(error.advice, Advice::Reconnect);
        assert!(error.help.unwrap().contains("`weft connect NAME`"));
    }
}

#[tokio::test]
async fn rights_that_are_missing_are_named() {
    let company = Company::default();
    let token = company.consent("ea:api offline_access ea:sales_readonly");
    let bench = Bench::with(company, token, &[]).await;
    bench.session.probe().await.unwrap();
    let error = bench.create("article_labels", &json!({"name": "Groep"})).await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert!(error.help.unwrap().contains("`scope`"));
    let request = FetchRequest { resource: "accounts".into(), ..FetchRequest::default() };
    let error = bench.session.fetch("accounts").unwrap().page(&request, None).await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
}
