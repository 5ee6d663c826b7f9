//! The kit, seen from a client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::*;

fn client() -> reqwest::Client {
    crate::http::choose_cryptography();
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap()
}

fn router() -> Router {
    Router::new().fallback(|| async { "served" })
}

async fn status(running: &Running, path: &str) -> Option<u16> {
    let answer = client().get(format!("{}{path}", running.url())).send().await.ok()?;
    let status = answer.status().as_u16();
    answer.bytes().await.ok().map(|_| status)
}

#[tokio::test]
async fn requests_are_counted_and_logged() {
    let running = serve(router(), 0, Faults::default()).await.unwrap();
    running.faults.next([Fault::Busy, Fault::Reset]);
    for path in ["/orders?page=1", "/orders?page=2", "/orders?page=2", "/products"] {
        status(&running, path).await;
    }
    let counts: Vec<_> = running.requests_by().into_iter().collect();
    assert_eq!(counts, [("GET /orders".to_owned(), 3), ("GET /products".to_owned(), 1)]);
    assert_eq!(running.requests(), 4);
    let told: Vec<_> = running.log().into_iter().map(|seen| (seen.fault, seen.status)).collect();
    let plain = (None, Some(200));
    assert_eq!(told, [(Some(Fault::Busy), Some(429)), (Some(Fault::Reset), None), plain, plain]);
    assert_eq!(running.log()[0].path, "/orders?page=1");
}

#[tokio::test]
async fn a_system_has_words_of_its_own() {
    let wording: Wording = Arc::new(|fault, request| {
        if fault != Fault::Down || request.uri.path() != "/soap" {
            return None;
        }
        let mut response = Response::new(Body::from("<fault/>"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Some(response)
    });
    let running = serve_worded(router(), 0, Faults::default(), Some(wording)).await.unwrap();
    running.faults.next([Fault::Down, Fault::Down, Fault::Expired, Fault::Cut]);
    assert_eq!(status(&running, "/soap").await, Some(500));
    assert_eq!(status(&running, "/rest").await, Some(503));
    assert_eq!(status(&running, "/soap").await, Some(401));
    assert_eq!(status(&running, "/soap").await, None, "cut off");
    assert_eq!(status(&running, "/soap").await, Some(200));
}

#[tokio::test]
async fn busy_says_for_how_long() {
    let running = serve(router(), 0, Faults::default()).await.unwrap();
    for (seconds, header) in [(Some(7), Some("7")), (None, None)] {
        running.faults.retry_after(seconds);
        running.faults.next([Fault::Busy]);
        let answer = client().get(running.url()).send().await.unwrap();
        assert_eq!(answer.headers().get("retry-after").map(|value| value.to_str().unwrap()), header);
    }
}

#[tokio::test]
async fn stopping_lets_the_last_request_end() {
    let running = serve(router(), 0, Faults::default()).await.unwrap();
    running.faults.delay(Duration::from_millis(80));
    running.faults.next([Fault::Slow]);
    let url = running.url();
    let (under_way, begin) = (tokio::spawn(client().get(url.clone()).send()), Instant::now());
    while running.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    running.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(4), "nobody waits for idle connections");
    assert_eq!(under_way.await.unwrap().unwrap().status(), 200);
    assert!(client().get(url).send().await.unwrap_err().is_connect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_at_once_are_all_served() {
    let running = serve(router(), 0, Faults::default()).await.unwrap();
    let begin = Instant::now();
    let clients = (0..64).map(|_| {
        let (client, url) = (client(), running.url());
        tokio::spawn(async move {
            for _ in 0..50 {
                assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "served");
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    assert_eq!(running.requests(), 3_200);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}
