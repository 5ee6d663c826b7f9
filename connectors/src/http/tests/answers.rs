//! Answers that are too large, too short, or elsewhere.

use super::*;

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").as_bytes(), body].concat()
}

#[tokio::test]
async fn an_answer_over_the_limit_is_not_read() {
    let long = "x".repeat(10_001);
    let chunked = format!("2711\r\n{long}\r\n0\r\n\r\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut gzip, &vec![0; 5_000_000]).unwrap();
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 10_000, "small enough on the wire");
    let packed = format!("Content-Encoding: gzip\r\nContent-Length: {}", bomb.len());
    for (headers, body) in [
        ("Content-Length: 999999999", b"".as_slice()),
        ("Content-Length: 10001", long.as_bytes()),
        ("Transfer-Encoding: chunked", chunked.as_bytes()),
        ("Connection: close", long.as_bytes()),
        (&packed, &bomb),
    ] {
        let server = Raw::saying(answer(headers, body), true).await;
        let plain = Plain::default();
        let http = client(&tiny());
        fails(http.send(&server.read(), &plain).await, Advice::StopFlow, "larger than 10000 bytes");
        assert_eq!(plain.tries(), 1, "{headers}");
        fails(http.send(&server.write(), &plain).await, Advice::Unknown, "larger than 10000 bytes");
    }
    let just_fits = answer("Content-Length: 10000", &long.as_bytes()[1..]);
    let server = Raw::saying(just_fits, true).await;
    client(&tiny()).send(&server.read(), &Plain::default()).await.unwrap();
}

#[tokio::test]
async fn an_answer_shorter_than_promised_is_not_taken() {
    for (headers, body) in [
        ("Content-Length: 100", "half an answer"),
        ("Transfer-Encoding: chunked", "4\r\nhalf\r\n"),
        ("Content-Encoding: gzip\r\nContent-Length: 4", "half"),
    ] {
        let server = Raw::saying(answer(headers, body.as_bytes()), true).await;
        let plain = Plain::default();
        fails(client(&tiny()).send(&server.read(), &plain).await, Advice::Retry(None), "was cut off");
        assert_eq!(plain.tries(), 3);
        fails(client(&tiny()).send(&server.write(), &plain).await, Advice::Unknown, "was cut off");
    }
}

/// Takes whatever comes, as a careless connector would.
struct Careless;

impl Protocol for Careless {
    fn prepare(&self, _: &mut reqwest::Request) -> Result<(), RemoteError> {
        Ok(())
    }

    fn judge(&self, _: &Call, _: &Reply) -> Verdict {
        Verdict::Accept
    }
}

#[tokio::test]
async fn redirects_are_refused_whatever_the_connector_thinks() {
    let moved =
        "HTTP/1.1 302 Found\r\nLocation: https://new.example/api?token=abc\r\nContent-Length: 0\r\n\r\n";
    let server = Raw::saying(moved, true).await;
    let error = fails(
        client(&tiny()).send(&server.write(), &Careless).await,
        Advice::StopFlow,
        "moved to https://new.example/api",
    );
    assert!(!error.reason.contains("abc"), "{error}");
    assert!(error.help.unwrap().contains("new address"));
    assert_eq!(server.connections(), 1);
    let same = Raw::saying("HTTP/1.1 304 Not Modified\r\n\r\n", true).await;
    client(&tiny()).send(&same.read(), &Careless).await.expect("304 is an answer, not a redirect");
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_not_left_out() {
    let server = Raw::saying(OK, true).await;
    let call = server.read().header(reqwest::header::AUTHORIZATION, "Bearer one\ntwo");
    let error =
        fails(client(&tiny()).send(&call, &Plain::default()).await, Advice::StopFlow, "authorization");
    assert!(!error.to_string().contains("one"), "{error}");
    assert_eq!(server.connections(), 0);
}

fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect();
    let status = StatusCode::from_u16(status).unwrap();
    Reply { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
}

#[test]
fn statuses_have_their_usual_meaning() {
    for (status, expected) in [
        (200, "accept"),
        (204, "accept"),
        (301, "StopFlow"),
        (400, "SkipRecord"),
        (401, "Reconnect"),
        (403, "StopFlow"),
        (404, "StopFlow"),
        (409, "SkipRecord"),
        (422, "SkipRecord"),
        (429, "again, untouched"),
        (500, "again"),
        (502, "again"),
        (503, "again, untouched"),
        (504, "again"),
    ] {
        let found = match judge_status("Shop", &reply(status, &[], "<p>because\n</p>")) {
            Verdict::Accept => "accept".to_owned(),
            Verdict::Again { untouched: true, .. } => "again, untouched".to_owned(),
            Verdict::Again { reason, .. } => {
                assert_eq!(reason, format!("answered with status {status}: because"));
                "again".to_owned()
            }
            Verdict::Refuse(error) => format!("{:?}", error.advice),
        };
        assert_eq!(found, expected, "{status}");
    }
}

#[test]
fn the_wish_to_wait_is_understood() {
    let wish = |text: &str| reply(429, &[("retry-after", text)], "").retry_after();
    assert_eq!(wish("7"), Some(Duration::from_secs(7)));
    assert_eq!(wish(" 0.5 "), Some(Duration::ZERO));
    assert_eq!(wish("99999999999999999999"), Some(LONGEST_WISH), "no clock reaches that far");
    assert_eq!(wish("18446744073709551615"), Some(LONGEST_WISH));
    assert_eq!(wish("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO), "already over");
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(90);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon).unwrap();
    let pause = wish(&date).unwrap();
    assert!((88..=90).contains(&pause.as_secs()), "{pause:?}");
    assert_eq!(wish("soon"), None);
    assert_eq!(wish("-3"), None);
    assert_eq!(reply(429, &[], "").retry_after(), None);
}
