//! The log: to standard error, and as much as `WEFT_LOG` asks for. Traces beside it, where they
//! are wanted.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::Command;
use super::serve::LogFormat;
use crate::traces::{self, Traces};

/// Commands say nothing but errors; the daemon says what it does. What is left of traces is sent
/// when the result is dropped.
#[must_use]
pub(super) fn start(command: &Command) -> Traces {
    let (standard, format) = match command {
        Command::Serve(serve) => ("engine=info,connectors=warn,error", serve.log_format),
        _ => ("error", LogFormat::Text),
    };
    let filter = EnvFilter::try_from_env("WEFT_LOG").unwrap_or_else(|_| EnvFilter::new(standard));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let log = match format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let (ear, traces, wrong) = traces::start();
    // Fails only when a log is there already.
    let _ = tracing_subscriber::registry().with(ear).with(log.with_filter(filter)).try_init();
    if let Some(reason) = wrong {
        tracing::error!(reason, "traces cannot be sent: correct OTEL_EXPORTER_OTLP_ENDPOINT");
    }
    traces
}
