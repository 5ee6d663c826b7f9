//! What goes wrong between the connector and a till, and what the engine is told to do.

use super::*;
use crate::contract::Advice;
use crate::simulator::Fault;

const ORDER: &str = r#"{"ext_order_id":"A","relation_number":"7","lines":[{"article_number":"100","quantity":1}],
    "payments":[{"method":"IDEAL","amount":12.10}]}"#;

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_made_once() {
    for fault in [Fault::Lost, Fault::Cut, Fault::Reset, Fault::Html, Fault::Down, Fault::Busy] {
        let stand = Stand::empty().await;
        stand.stock(100, 7);
        stand.running.faults.next([fault]);
        if fault == Fault::Busy {
            continue; // Its pause of a second is tested in the shared layer.
        }
        let written =
            stand.create("orders", ORDER, "key").await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(stand.till.orders().len(), 1, "{fault:?}");
        assert_eq!(stand.till.orders()[0].text("order_id"), Some(written.key.as_str()));
        assert_eq!(
            stand.till.orders()[0].get("prepaid_amount"),
            Some(&euro("12.10")),
            "{fault:?}: paid once"
        );
    }
}

#[tokio::test]
async fn an_order_that_never_gets_an_answer_is_made_once_when_it_is_sent_again() {
    let stand = Stand::empty().await;
    stand.stock(100, 7);
    stand.running.faults.next([Fault::Lost, Fault::Lost, Fault::Lost]);
    let error = stand.create("orders", ORDER, "key").await.unwrap_err();
    assert_eq!(error.advice, Advice::Retry(None), "safe to repeat: the key protects it");
    stand.create("orders", ORDER, "key").await.unwrap();
    assert_eq!(stand.till.orders().len(), 1);
}

#[tokio::test]
async fn a_payment_whose_answer_is_lost_is_booked_once() {
    let stand = Stand::filled().await;
    let order = stand.till.orders()[0].text("order_id").unwrap().to_owned();
    let payment = format!(r#"{{"order_id":"{order}","method":"PIN","amount":5}}"#);
    stand.running.faults.next([Fault::Lost, Fault::Cut]);
    stand.create("order_payments", &payment, "pay-1").await.unwrap();
    stand.create("order_payments", &payment, "pay-1").await.unwrap();
    assert_eq!(stand.till.orders()[0].get("prepaid_amount"), Some(&euro("5.00")));
}

#[tokio::test]
async fn other_writes_are_not_repeated_when_their_answer_is_lost() {
    let stand = Stand::empty().await;
    stand.stock(100, 7);
    for fault in [Fault::Lost, Fault::Cut] {
        for (resource, record) in [
            ("relations", r#"{"name":"Piet"}"#),
            ("products", r#"{"description":"Muts"}"#),
            ("articles", r#"{"description":"Muts"}"#),
            ("article_groups", r#"{"name":"Mutsen"}"#),
            (
                "invoices",
                r#"{"ext_invoice_id":"F","relation_number":"7","lines":[{"article_number":"100","quantity":1}]}"#,
            ),
        ] {
            stand.running.faults.next([fault]);
            let error = stand.create(resource, record, "key").await.unwrap_err();
            assert_eq!(error.advice, Advice::Unknown, "{resource}: {error}");
        }
        stand.running.faults.next([fault]);
        assert_eq!(
            stand.update("stock", "1:100", r#"{"amount_free":4}"#).await.unwrap_err().advice,
            Advice::Unknown
        );
    }
    assert_eq!(stand.till.stock(1, 100).get("amount_free"), Some(&euro("4")), "it was done all the same");
    assert_eq!(stand.till.invoices().len(), 1, "the second one found the first");
}

#[tokio::test]
async fn an_invoice_that_is_sent_again_is_found() {
    let stand = Stand::empty().await;
    stand.stock(100, 7);
    let invoice = r#"{"ext_invoice_id":"F","relation_number":"7","lines":[{"article_number":"100","quantity":1}],
        "payments":[{"method":"BANK","amount":12.10}]}"#;
    stand.running.faults.next([Fault::Lost]);
    assert_eq!(stand.create("invoices", invoice, "k").await.unwrap_err().advice, Advice::Unknown);
    assert_eq!(stand.till.invoices()[0].text("state"), Some("outstanding"));
    for _ in 0..2 {
        stand.create("invoices", invoice, "k").await.unwrap();
        assert_eq!(stand.till.invoices()[0].get("paid_amount"), Some(&euro("12.10")), "paid once");
    }
}

#[tokio::test]
async fn reads_are_repeated() {
    let stand = Stand::filled().await;
    for fault in [Fault::Lost, Fault::Cut, Fault::Html, Fault::Reset, Fault::Down] {
        stand.running.faults.next([fault, fault]);
        assert_eq!(stand.one("relations", "relation_number", "3").await.text("relation_number"), Some("3"));
    }
    stand.till.fail_next(2);
    stand.one("relations", "relation_number", "3").await;
}

#[tokio::test]
async fn a_fault_of_the_server_comes_back_later() {
    let stand = Stand::filled().await;
    stand.till.fail_next(3);
    let error = stand.session.probe().await.unwrap_err();
    assert_eq!(error.advice, Advice::Retry(None), "{error}");
    assert!(error.reason.contains("internal error"), "{error}");
    stand.till.fail_next(1);
    let error = stand.create("relations", r#"{"name":"Piet"}"#, "k").await.unwrap_err();
    assert_eq!(error.advice, Advice::Unknown, "nobody says that nothing was done");
}

#[tokio::test]
async fn wrong_credentials_ask_for_a_person() {
    let stand = Stand::filled().await;
    for (name, answer) in [("secret", "wrong"), ("ident", "somebody")] {
        let session = stand.with(&[(name, answer)]);
        let error = session.probe().await.unwrap_err();
        assert_eq!(error.advice, Advice::Reconnect, "{error}");
        assert!(error.help.is_some());
        assert!(!error.to_string().contains("p@ss"), "{error}");
    }
    stand.running.faults.next([Fault::Expired]);
    assert_eq!(stand.session.probe().await.unwrap_err().advice, Advice::Reconnect);
}

#[tokio::test]
async fn the_secret_is_never_shown() {
    let stand = Stand::filled().await;
    stand.running.faults.next([Fault::Html, Fault::Html, Fault::Html]);
    let (outcome, exchanges) = crate::http::recorded(stand.session.probe()).await;
    assert!(!format!("{:?}", outcome.unwrap_err()).contains("word"));
    let text = serde_json::to_string(&exchanges).unwrap();
    assert!(exchanges.len() == 3 && text.contains("getApiVersion"));
    assert!(!text.contains("p@ss") && !text.contains("p%40ss"), "{text}");
}

#[tokio::test]
async fn wrong_addresses_are_explained() {
    // A web server that is no till.
    for (page, status, words) in [
        ("<html><body>Welcome</body></html>", 200, "web page"),
        ("", 404, "no MplusKASSA service"),
        ("", 405, "no MplusKASSA service"),
        ("<a/>", 200, "cut off"),
        ("<a:Envelope xmlns:a='urn:x'></a:Envelope>", 200, "SOAP"),
    ] {
        let router = axum::Router::new()
            .fallback(move || async move { (axum::http::StatusCode::from_u16(status).unwrap(), page) });
        let running = serve(router, 0, Faults::default()).await.unwrap();
        let answers = TillSimulator::new().answers(&running.url());
        let session = MplusKassa.connect(&answers, &limits().into()).unwrap();
        let error = session.probe().await.unwrap_err();
        assert!(error.reason.contains(words), "{status} {page}: {error}");
    }
    let answers = TillSimulator::new().answers("http://127.0.0.1:1");
    let error = MplusKassa.connect(&answers, &limits().into()).unwrap().probe().await.unwrap_err();
    assert!(error.reason.contains("refuses connections"), "{error}");
}

#[tokio::test]
async fn answers_to_settings_are_checked() {
    let good = [("address", "api.mpluskassa.nl:34562"), ("ident", "i"), ("secret", "s")];
    let connect = |changed: (&str, &str)| {
        let all = good.iter().filter(|(name, _)| *name != changed.0).copied().chain([changed]);
        let answers = all.map(|(name, answer)| (name.to_owned(), answer.to_owned())).collect();
        MplusKassa.connect(&answers, &limits().into()).map(|_| ())
    };
    connect(("payments", "finish")).unwrap();
    connect(("address", "https://api.mpluskassa.nl:34562/")).unwrap();
    for (name, answer) in [
        ("address", ""),
        ("address", "ftp://till"),
        ("address", "https://"),
        ("secret", " "),
        ("ident", ""),
        ("branch_number", "first"),
        ("workplace_number", "0"),
        ("employee_number", "-1"),
        ("payments", "sometimes"),
        ("vat_divisor", "0"),
        ("time_zone", "Texel"),
    ] {
        let error = connect((name, answer)).unwrap_err();
        assert!(error.advice == Advice::StopFlow && error.reason.contains(name), "{name}: {error}");
    }
}

#[tokio::test]
async fn the_probe_names_version_and_branch() {
    let stand = Stand::filled().await;
    assert_eq!(stand.session.probe().await.unwrap(), "MplusKASSA 67.1.3, branch 1: Den Burg");
    let error = stand.with(&[("branch_number", "77")]).probe().await.unwrap_err();
    assert!(error.help.unwrap().contains("1 (Den Burg), 2 (De Koog)"));
}
