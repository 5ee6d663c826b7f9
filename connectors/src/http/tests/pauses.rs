//! Servers that say "not now".

use std::time::Instant;

use super::*;

/// Says 429 with these headers to the first requests, and 200 from then on; counts requests.
async fn busy_at_first(times: u32, headers: &'static str) -> (Raw, Arc<AtomicU32>) {
    let requests = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&requests);
    let server = Raw::start(move |_, mut stream| {
        let requests = Arc::clone(&counted);
        async move {
            while request(&mut stream).await.is_some() {
                let busy =
                    format!("HTTP/1.1 429 Too Many Requests\r\n{headers}Content-Length: 4\r\n\r\nbusy");
                let answer = if requests.fetch_add(1, Ordering::Relaxed) < times { &busy } else { OK };
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    })
    .await;
    (server, requests)
}

#[tokio::test]
async fn one_call_that_is_asked_to_wait_makes_all_wait() {
    let (server, requests) = busy_at_first(1, "Retry-After: 1\r\n").await;
    let (http, plain) = (client(&tiny()), Plain::default());
    let begin = Instant::now();
    let (first, other) = (server.write(), server.read().lane("reads", 1000));
    let first = http.send(&first, &plain);
    let others = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(requests.load(Ordering::Relaxed), 1);
        let calls = (0..3).map(|_| http.send(&other, &plain));
        futures::future::try_join_all(calls).await
    };
    let (first, others) = tokio::join!(first, others);
    first.unwrap();
    others.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(requests.load(Ordering::Relaxed), 5, "nobody asked in vain");
}

#[tokio::test]
async fn a_busy_lane_leaves_the_others_alone() {
    let (server, requests) = busy_at_first(1, "Retry-After: 3600\r\n").await;
    let (http, plain) = (client(&tiny()), Plain::default());
    let slow = server.read().lane("orders", 1000);
    let hour = Duration::from_hours(1);
    fails(http.send(&slow, &plain).await, Advice::Retry(Some(hour)), "it asks to wait 60 minutes");
    http.send(&server.read().lane("products", 1000), &plain).await.unwrap();
    http.send(&server.read(), &plain).await.unwrap();
    assert_eq!(requests.load(Ordering::Relaxed), 3);
    let error = http.send(&slow, &plain).await.unwrap_err();
    let Advice::Retry(Some(left)) = error.advice else { panic!("{error:?}") };
    assert!(left <= hour && left > hour / 2, "the time that is left: {left:?}");
    assert_eq!(requests.load(Ordering::Relaxed), 3, "nothing was sent");
}

#[tokio::test]
async fn without_a_wish_pauses_grow_by_themselves() {
    let (server, requests) = busy_at_first(2, "").await;
    let begin = Instant::now();
    client(&tiny()).send(&server.write(), &Plain::default()).await.unwrap();
    assert_eq!(requests.load(Ordering::Relaxed), 3);
    assert!(begin.elapsed() >= Duration::from_millis(3), "half of 2 ms and half of 4 ms");

    let (server, requests) = busy_at_first(2, "Retry-After: 0\r\n").await;
    client(&tiny()).send(&server.write(), &Plain::default()).await.unwrap();
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn pauses_double() {
    let (server, _) = busy_at_first(3, "").await;
    let limits = Limits { backoff: Duration::from_millis(40), tries: 4, ..tiny() };
    let begin = Instant::now();
    client(&limits).send(&server.read(), &Plain::default()).await.unwrap();
    // Halves at the least: 20, 40 and 80; three times 40 at the most would be less.
    assert!(begin.elapsed() >= Duration::from_millis(140), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_call_that_waited_for_its_turn_heeds_the_pause_too() {
    let (server, requests) = busy_at_first(1, "Retry-After: 1\r\n").await;
    let http = Http::new("Shop", &tiny(), 1, Secrets::none()).unwrap();
    let (call, plain) = (server.read(), Plain::default());
    let both = async { tokio::join!(http.send(&call, &plain), http.send(&call, &plain)) };
    let counted = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        requests.load(Ordering::Relaxed)
    };
    let ((one, two), early) = tokio::join!(both, counted);
    one.unwrap();
    two.unwrap();
    assert_eq!(early, 1, "the second call was not sent while the server asked for a pause");
}

#[tokio::test]
async fn a_system_may_have_its_own_pause() {
    let (server, _) = busy_at_first(1, "").await;
    let http = client(&tiny()).busy_pause(Duration::from_millis(80));
    let begin = Instant::now();
    http.send(&server.read(), &Plain::default()).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(80));

    let (server, _) = busy_at_first(9, "").await;
    let pause = Duration::from_mins(10);
    let http = client(&tiny()).busy_pause(pause);
    fails(http.send(&server.read(), &Plain::default()).await, Advice::Retry(Some(pause)), "10 minutes");
}

#[tokio::test]
async fn tries_end() {
    let (server, requests) = busy_at_first(99, "").await;
    fails(
        client(&tiny()).send(&server.write(), &Plain::default()).await,
        Advice::Retry(None),
        "answered with status 429: busy; tried 3 times",
    );
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_allowed() {
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (busy, peak) = (Arc::clone(&now), Arc::clone(&most));
    let server = Raw::start(move |_, mut stream| {
        let (now, most) = (Arc::clone(&busy), Arc::clone(&peak));
        async move {
            while request(&mut stream).await.is_some() {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(OK.as_bytes()).await;
            }
        }
    })
    .await;
    let (http, plain, call) = (client(&tiny()), Plain::default(), server.read());
    futures::future::try_join_all((0..20).map(|_| http.send(&call, &plain))).await.unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 4);
    assert!(server.connections() <= 4);
}
