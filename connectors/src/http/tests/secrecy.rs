//! What is told of a call, and what is not.

use super::*;

#[tokio::test]
async fn secrets_leave_neither_in_errors_nor_in_exchanges() {
    let body = r#"{"error": "the key s3cret is unknown"}"#;
    let answer = format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = Raw::saying(answer, true).await;
    let mut url = server.url.join("?key=s3cret").unwrap();
    url.set_password(Some("unlisted")).unwrap();
    let call = Call::write(Method::POST, url, "application/json", r#"{"key":"s3cret"}"#);
    let http = client(&tiny());
    let (answer, exchanges) = recorded(http.send(&call, &Plain::default())).await;
    let error = fails(answer, Advice::Reconnect, "the key ••• is unknown");
    assert!(error.help.is_some());
    let [exchange] = exchanges.as_slice() else { panic!("{exchanges:?}") };
    assert_eq!((exchange.method.as_str(), exchange.status), ("POST", Some(401)));
    assert_eq!(exchange.sent, r#"{"key":"•••"}"#);
    let told = format!("{error:?} {exchange:?} {http:?}");
    assert!(!told.contains("s3cret") && !told.contains("unlisted"), "{told}");
}

#[tokio::test]
async fn no_half_of_a_secret_survives_the_cut() {
    let secret = "k".repeat(64);
    let server = Raw::saying(OK, true).await;
    for before in [16_384 - 64, 16_384 - 30, 16_384 - 1, 16_384] {
        let body = format!("{}{secret}{}", "é".repeat(before / 2), "x".repeat(100));
        let call = Call::write(Method::POST, server.url.clone(), "text/plain", body);
        let http = Http::new("Shop", &tiny(), 1, Secrets::of([secret.as_str()])).unwrap();
        let (answer, exchanges) = recorded(http.send(&call, &Plain::default())).await;
        answer.unwrap();
        let sent = &exchanges[0].sent;
        assert!(!sent.contains('k'), "{before}: …{}", sent.chars().rev().take(80).collect::<String>());
        assert!(sent.ends_with(" …") && sent.len() <= 16_384 + 4, "{}", sent.len());
    }
}

#[tokio::test]
async fn every_try_is_recorded() {
    let server = Raw::start(|number, mut stream| async move {
        request(&mut stream).await;
        if number > 0 {
            let _ = stream.write_all(OK.as_bytes()).await;
        }
    })
    .await;
    let http = client(&tiny());
    let call = server.read();
    let (_, exchanges) = recorded(http.send(&call, &Plain::default())).await;
    let told: Vec<_> = exchanges.iter().map(|one| (one.status, one.answer.as_str())).collect();
    assert_eq!(
        told,
        [(None, "the connection was closed before the answer came"), (Some(200), "ok")],
        "the failed try too"
    );
}

#[tokio::test]
async fn a_recording_hears_what_is_joined_and_not_what_is_spawned() {
    let server = Raw::saying(OK, true).await;
    let (http, plain, call) = (client(&tiny()), Plain::default(), server.read());
    let work = futures::future::join_all((0..5).map(|_| http.send(&call, &plain)));
    assert_eq!(recorded(work).await.1.len(), 5);

    let (other, again) = (http.clone(), call.clone());
    let spawned = async { tokio::spawn(async move { other.send(&again, &Plain::default()).await }).await };
    let (answer, exchanges) = recorded(spawned).await;
    answer.unwrap().unwrap();
    assert!(exchanges.is_empty());

    let (inner, outer) = recorded(recorded(http.send(&call, &plain))).await;
    assert_eq!((inner.1.len(), outer.len()), (1, 0), "an inner recording takes its own");
}

/// Keeps every log line as text.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<String>>);

impl tracing::field::Visit for Lines {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        let _ = write!(self.0.lock().unwrap(), " {field}={value:?}");
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn secrets_are_not_logged_either() {
    let answer = "HTTP/1.1 503 No\r\nContent-Length: 15\r\n\r\nthe key s3cret!";
    let server = Raw::saying(answer, true).await;
    let lines = Lines::default();
    let _logging = tracing::subscriber::set_default(lines.clone());
    let call = Call::get(server.url.join("/?key=s3cret").unwrap());
    client(&tiny()).send(&call, &Plain::default()).await.unwrap_err();
    let told = lines.0.lock().unwrap().clone();
    assert!(told.contains("trying again") && told.contains("•••"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
}
