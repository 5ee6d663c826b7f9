//! Connections that are refused, broken, late, or not what they seem.

use super::*;
use crate::simulator::{Fault, Faults, Running, serve};

async fn simulated(faults: &[Fault]) -> (Running, Url) {
    let router = axum::Router::new().fallback(|| async { "done and dusted" });
    let running = serve(router, 0, Faults::default()).await.unwrap();
    running.faults.next(faults.iter().copied());
    let url = Url::parse(&running.url()).unwrap();
    (running, url)
}

fn post(url: &Url) -> Call {
    Call::write(Method::POST, url.clone(), "application/json", "{}")
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_even_for_writes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let plain = Plain::default();
    let error =
        fails(client(&tiny()).send(&post(&url), &plain).await, Advice::Retry(None), "refuses connections");
    assert_eq!(plain.tries(), 3);
    assert!(error.reason.ends_with("tried 3 times"), "{error}");
    assert!(error.help.unwrap().contains("check the address"));
    let once = Limits { tries: 0, ..tiny() };
    fails(client(&once).send(&post(&url), &plain).await, Advice::Retry(None), "refuses connections");
    assert_eq!(plain.tries(), 4, "without tries there is still one");
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    // Longer than any host name may be, so that nobody is asked.
    let url = Url::parse(&format!("http://{}.example/", "x".repeat(70))).unwrap();
    let answer = client(&tiny()).send(&Call::get(url), &Plain::default()).await;
    fails(answer, Advice::Retry(None), "no address is known for the host xxx");
}

#[tokio::test]
async fn a_late_answer_is_a_doubt_only_for_writes() {
    let server = Raw::start(|_, mut stream| async move {
        request(&mut stream).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let http = client(&Limits { timeout: Duration::from_millis(60), ..tiny() });
    let plain = Plain::default();
    fails(http.send(&server.read(), &plain).await, Advice::Retry(None), "no answer within 60 ms");
    assert_eq!(plain.tries(), 3);
    fails(http.send(&server.write(), &plain).await, Advice::Unknown, "no answer within 60 ms");
    assert_eq!(plain.tries(), 4, "a write is not sent twice");
    fails(http.send(&server.write().repeatable(), &plain).await, Advice::Retry(None), "no answer");
    assert_eq!(plain.tries(), 7);
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_short() {
    let server = Raw::start(|_, mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nso far").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let http = client(&Limits { timeout: Duration::from_millis(60), ..tiny() });
    let answer = http.send(&server.read(), &Plain::default()).await;
    fails(answer, Advice::Retry(None), "the answer did not end within 60 ms");
}

#[tokio::test]
async fn what_breaks_on_the_way_is_repeated_only_when_that_is_safe() {
    for fault in [Fault::Reset, Fault::Lost, Fault::Cut] {
        let (running, url) = simulated(&[fault]).await;
        let http = client(&tiny());
        let reply = http.send(&Call::get(url.clone()), &Plain::default()).await.unwrap();
        assert_eq!(
            (reply.body.as_ref(), running.requests()),
            (b"done and dusted".as_slice(), 2),
            "{fault:?}"
        );
        running.faults.next([fault]);
        http.send(&post(&url).repeatable(), &Plain::default()).await.unwrap();
        assert_eq!(running.requests(), 4);
        running.faults.next([fault]);
        fails(http.send(&post(&url), &Plain::default()).await, Advice::Unknown, "");
        assert_eq!(running.requests(), 5, "{fault:?}: a write is not sent twice");
    }
}

#[tokio::test]
async fn a_refusal_before_work_lets_even_a_write_go_again() {
    let (running, url) = simulated(&[Fault::Down, Fault::Down]).await;
    client(&tiny()).send(&post(&url), &Plain::default()).await.unwrap();
    assert_eq!(running.requests(), 3);
    running.faults.next([Fault::Html]);
    fails(client(&tiny()).send(&post(&url), &Plain::default()).await, Advice::Unknown, "502 Bad Gateway");
    // The first try was refused, the second one is in doubt.
    running.faults.next([Fault::Down, Fault::Lost]);
    fails(client(&tiny()).send(&post(&url), &Plain::default()).await, Advice::Unknown, "closed before");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_no_doubt() {
    let server = Raw::saying(OK, true).await;
    let http = client(&tiny());
    for _ in 0..5 {
        http.send(&server.write(), &Plain::default()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn a_connection_is_used_again_unless_it_lay_idle() {
    let server = Raw::saying(OK, false).await;
    let http = client(&tiny());
    http.send(&server.read(), &Plain::default()).await.unwrap();
    http.send(&server.write(), &Plain::default()).await.unwrap();
    assert_eq!(server.connections(), 1);
    tokio::time::sleep(Duration::from_millis(1600)).await;
    http.send(&server.write(), &Plain::default()).await.unwrap();
    assert_eq!(server.connections(), 2, "some servers close idle connections after two seconds");
}

#[tokio::test]
async fn a_kept_connection_that_closes_under_a_write_leaves_a_doubt() {
    let server = Raw::start(|_, mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(OK.as_bytes()).await;
        // Reads the next request and goes: nobody can tell whether it was done.
        request(&mut stream).await;
    })
    .await;
    let http = client(&tiny());
    http.send(&server.read(), &Plain::default()).await.unwrap();
    fails(http.send(&server.write(), &Plain::default()).await, Advice::Unknown, "closed before the answer");
    assert_eq!(server.connections(), 1);
    http.send(&server.read(), &Plain::default()).await.unwrap();
    http.send(&server.read(), &Plain::default()).await.expect("a read goes again on a new connection");
}

#[tokio::test]
async fn what_is_not_http_is_said_to_be_so() {
    let server = Raw::saying("SSH-2.0-OpenSSH_9.6\r\n\r\n", true).await;
    let plain = Plain::default();
    let error = fails(client(&tiny()).send(&server.read(), &plain).await, Advice::StopFlow, "is not HTTP");
    assert!(error.help.is_some());
    assert_eq!(plain.tries(), 1);
    fails(client(&tiny()).send(&server.write(), &plain).await, Advice::Unknown, "is not HTTP");
}

// shows R91
#[tokio::test]
async fn a_port_without_encryption_is_said_to_be_so() {
    let server = Raw::start(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        request(&mut stream).await;
    })
    .await;
    let mut url = server.url.clone();
    url.set_scheme("https").unwrap();
    let answer = client(&tiny()).send(&post(&url), &Plain::default()).await;
    let error = fails(answer, Advice::StopFlow, "does not answer with encryption");
    assert!(error.help.unwrap().contains("https"));
}

// shows R91
#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let server = Raw::start(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let _ = acceptor.accept(stream).await;
        }
    })
    .await;
    let mut url = server.url.clone();
    url.set_scheme("https").unwrap();
    let plain = Plain::default();
    let error = fails(
        client(&tiny()).send(&post(&url), &plain).await,
        Advice::StopFlow,
        "the certificate of 127.0.0.1 comes from an issuer that this machine does not trust",
    );
    assert!(error.help.is_some());
    assert_eq!(plain.tries(), 1);
}
