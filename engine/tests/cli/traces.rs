//! Traces go where they are wanted, whole and without a customer in them; nowhere else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::Uri;
use connectors::simulator::{Faults, serve};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::town::{CUSTOMERS, Town};

#[tokio::test]
async fn a_run_is_traced_down_to_its_requests() {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    let heard: Arc<Mutex<Vec<(String, Bytes)>>> = Arc::default();
    let ear = Arc::clone(&heard);
    let router = axum::Router::new().fallback(move |uri: Uri, body: Bytes| {
        ear.lock().unwrap().push((uri.path().to_owned(), body));
        async {}
    });
    let receiver = serve(router, 0, Faults::default()).await.unwrap();
    let output = folder.command(&["run"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url()).output();
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let heard = std::mem::take(&mut *heard.lock().unwrap());
    assert!(!heard.is_empty() && heard.iter().all(|(path, _)| path == "/v1/traces"));
    let spans: Vec<Span> = heard
        .iter()
        .flat_map(|(_, body)| ExportTraceServiceRequest::decode(body.clone()).unwrap().resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect();
    let names: BTreeMap<&[u8], &str> =
        spans.iter().map(|span| (span.span_id.as_slice(), span.name.as_str())).collect();
    let parent = |span: &Span| names.get(span.parent_span_id.as_slice()).copied().unwrap_or_default();
    let below = |name: &str, above: &str| {
        spans.iter().filter(|span| span.name == name && parent(span) == above).count()
    };
    assert_eq!((below("run", ""), below("page", "run"), below("record", "page")), (1, 1, 3));
    assert!(below("request", "record") >= 3, "{names:?}");
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id), "one trace");
    let told = format!("{spans:?}");
    assert!(told.contains("customers") && told.contains("MplusKASSA"));
    assert!(!told.contains("voorbeeld.example") && !told.contains("Sanne"), "no customer in them");

    let folder = town.project(&[("customers", CUSTOMERS)]);
    let before = receiver.requests();
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    assert_eq!(receiver.requests(), before, "off unless it is asked for");
}

#[tokio::test]
async fn a_receiver_that_is_away_costs_nothing_but_traces() {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    let output = folder.command(&["run"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1").output();
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
