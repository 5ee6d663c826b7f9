//! Traces for OpenTelemetry: runs, their pages, their records, and the requests that these make.
//!
//! Off, and next to free, unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where they go. They are sent
//! as protobuf over HTTP by a thread of their own, so that no run waits for them. Spans name flows,
//! systems and hosts; never a record, a key or what stands in an address.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, layer};

/// Where traces go, by the name that OpenTelemetry gives it; the second one is for traces only.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// How long the receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends what is left when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // What cannot be sent now is lost, which has been said.
            let _ = provider.shutdown();
        }
    }
}

/// A layer that hears spans.
pub(crate) type Ear<S> = Box<dyn Layer<S> + Send + Sync>;

/// What hears spans and sends them, where somebody wants them; else a layer that hears nothing.
/// The third is what is wrong with how it was asked for.
pub(crate) fn start<S>() -> (Ear<S>, Traces, Option<String>)
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let nothing = || -> Ear<S> { layer::Identity::new().boxed() };
    let is_wanted = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    if !ENDPOINTS.iter().any(is_wanted) {
        return (nothing(), Traces::default(), None);
    }
    match provider() {
        Ok(provider) => {
            let spans = Targets::new()
                .with_target("engine", LevelFilter::DEBUG)
                .with_target("connectors", LevelFilter::DEBUG);
            let ear = tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("weft"))
                .with_location(false)
                .with_threads(false)
                .with_filter(spans)
                .boxed();
            (ear, Traces(Some(provider)), None)
        }
        Err(error) => (nothing(), Traces::default(), Some(error)),
    }
}

fn provider() -> Result<SdkTracerProvider, String> {
    let exporter = SpanExporter::builder().with_http().with_http_client(Sender::new()?).build();
    let exporter = exporter.map_err(|error| error.to_string())?;
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("weft");
    }
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build())
}

/// Sends over our own client, with the cryptography of all other requests, on a runtime that
/// runs have no part in.
#[derive(Debug)]
struct Sender {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    is_failing: AtomicBool,
}

impl Sender {
    fn new() -> Result<Self, String> {
        connectors::http::choose_cryptography();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { runtime, client, is_failing: AtomicBool::new(false) })
    }

    /// Says once that traces are lost, and once that they no longer are.
    fn note(&self, problem: Option<String>) {
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(reason) if !was_failing => {
                tracing::warn!(reason, "traces are lost: their receiver does not take them");
            }
            None if was_failing => tracing::info!("traces are taken again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let (head, body) = request.into_parts();
            let url = head.uri.to_string();
            let request = client.request(head.method, url).headers(head.headers).body(body);
            let response = request.send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        });
        match sent.await? {
            Ok((status, body)) => {
                self.note(
                    (!status.is_success()).then(|| format!("it answers with status {}", status.as_u16())),
                );
                let mut response = http::Response::new(body);
                *response.status_mut() = status;
                Ok(response)
            }
            Err(error) => {
                let error = error.without_url();
                self.note(Some(error.to_string()));
                Err(error.into())
            }
        }
    }
}
