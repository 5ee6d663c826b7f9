//! Signing in, rights and limits: consent, rotation, what runs out, what is full.

use reqwest::redirect::Policy;

use super::*;
use crate::contract::Advice;
use crate::sign_in::{OAuth, Token, TokenSource as _};
use crate::simulator::Fault;

impl Stage {
    fn oauth(&self) -> OAuth {
        let consent = Teamleader.consent(&self.office.answers(&self.running.url()));
        OAuth { limits: limits(), ..consent.unwrap().unwrap() }
    }

    /// A person opens the address and says yes: status, and where the browser is sent.
    async fn browse(&self, address: &str) -> (u16, String) {
        crate::http::choose_cryptography();
        let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let response = browser.get(address).send().await.unwrap();
        let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
        (response.status().as_u16(), to.to_owned())
    }
}

fn part(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_consent_becomes_a_session_and_its_code_works_once() {
    let stage = Stage::empty().await;
    let oauth = stage.oauth();
    let (status, back) = stage.browse(oauth.consent_address("st4te").unwrap().as_str()).await;
    assert_eq!(status, 302);
    assert!(back.starts_with("http://localhost:8914/callback?"), "{back}");
    assert_eq!(part(&back, "state").as_deref(), Some("st4te"));
    let code = part(&back, "code").unwrap();
    let token = oauth.redeem(&code).await.unwrap();
    let host = Host { limits: limits(), tokens: Tokens::starting_with(token) };
    let session = Teamleader.connect(&stage.office.answers(&stage.running.url()), &host).unwrap();
    session.probe().await.unwrap();
    assert_eq!(oauth.redeem(&code).await.unwrap_err().advice, Advice::Reconnect);
    let (_, back) = stage.browse(oauth.consent_address("two").unwrap().as_str()).await;
    stage.office.age_codes(Duration::from_secs(601));
    assert!(oauth.redeem(&part(&back, "code").unwrap()).await.is_err(), "a code lasts ten minutes");
}

#[tokio::test]
async fn what_must_not_be_asked_is_refused() {
    let stage = Stage::empty().await;
    let address = stage.oauth().consent_address("s").unwrap();
    assert_eq!(part(address.as_str(), "scope"), None, "rights stand at the integration");
    assert_eq!(stage.browse(&format!("{address}&scope=companies")).await.0, 400);
    let other = address.as_str().replace("8914", "8915");
    assert_eq!(stage.browse(&other).await.0, 400, "another address to come back to");
    stage.office.configure(|options| options.consent_denied = true);
    let (_, back) = stage.browse(address.as_str()).await;
    assert_eq!(part(&back, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_refresh_token_works_once_and_the_new_one_is_used() {
    let stage = Stage::empty().await;
    let oauth = stage.oauth();
    let first = stage.office.token().unwrap();
    let second = oauth.renew(Some(&first)).await.unwrap();
    assert_ne!(second.refresh, first.refresh);
    let again = oauth.renew(Some(&first)).await.unwrap_err();
    assert_eq!(again.advice, Advice::Reconnect);
    assert!(oauth.renew(Some(&second)).await.is_ok());
}

#[tokio::test]
async fn tokens_that_run_out_in_the_middle_are_not_noticed() {
    let stage = Stage::filled().await;
    let request = FetchRequest { resource: "companies".to_owned(), size: 5, ..FetchRequest::default() };
    let fetch = stage.session.fetch("companies").unwrap();
    let (mut found, mut position) = (0, None::<String>);
    loop {
        stage.office.expire_tokens();
        let page = fetch.page(&request, position.as_deref()).await.unwrap();
        found += page.records.len();
        position = page.next;
        if position.is_none() {
            break;
        }
    }
    assert_eq!(found, stage.office.rows("companies").len());
    stage.office.revoke();
    let error = stage.session.probe().await.unwrap_err();
    assert_eq!(error.advice, Advice::Reconnect);
    assert!(error.help.unwrap().contains("weft connect"));
}

#[tokio::test]
async fn many_calls_at_once_exchange_a_token_once() {
    let stage = Stage::filled().await;
    stage.office.expire_tokens();
    let ids = stage.office.rows("products");
    let finds = ids
        .iter()
        .take(8)
        .map(|row| async { stage.find("products", &["code"], &[row["code"].as_str().unwrap()]).await });
    let found = futures::future::join_all(finds).await;
    assert!(found.iter().all(|records| records.len() == 1));
    let counts = stage.running.requests_by();
    assert_eq!(counts.get("POST /oauth2/access_token"), Some(&1), "{counts:?}");
}

#[tokio::test]
async fn a_right_that_is_missing_stops_the_flow_and_is_named() {
    let stage = Stage::with(|options| options.scopes.retain(|scope| scope != "invoices")).await;
    let request = FetchRequest { resource: "invoices".to_owned(), ..FetchRequest::default() };
    let error = stage.session.fetch("invoices").unwrap().page(&request, None).await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert!(error.help.as_deref().unwrap_or_default().contains("the right to invoices"), "{error:?}");
}

#[tokio::test]
async fn the_servers_count_is_kept_and_a_full_minute_is_waited_for() {
    let stage = Stage::with(|options| options.limit = Some(3)).await;
    for _ in 0..2 {
        stage.session.probe().await.unwrap();
    }
    // Another program takes the last call of the minute; ours is told so and says how long.
    let other = session(&stage.office, &stage.running).unwrap();
    other.probe().await.unwrap();
    let error = stage.session.probe().await.unwrap_err();
    let Advice::Retry(Some(pause)) = error.advice else { panic!("{error:?}") };
    assert!(pause > Duration::from_secs(40) && pause <= Duration::from_secs(66), "{pause:?}");
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_no_missing_record() {
    let stage = Stage::empty().await;
    let elsewhere = crate::simulator::serve(axum::Router::new(), 0, Faults::default()).await.unwrap();
    let answers = stage.office.answers(&elsewhere.url());
    let token = Token { access: "a".to_owned(), refresh: None, expires_at: None };
    let host = Host { limits: limits(), tokens: Tokens::starting_with(token) };
    let error = Teamleader.connect(&answers, &host).unwrap().probe().await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow, "{error}");
    stage.running.faults.next([Fault::Down]);
    stage.session.probe().await.unwrap();
}
