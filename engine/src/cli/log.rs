//! The log: to standard error, and as much as `WEFT_LOG` asks for.

use tracing_subscriber::EnvFilter;

use super::Command;
use super::serve::LogFormat;

/// Commands say nothing but errors; the daemon says what it does.
pub(super) fn start(command: &Command) {
    let (standard, format) = match command {
        Command::Serve(serve) => ("engine=info,connectors=warn,error", serve.log_format),
        _ => ("error", LogFormat::Text),
    };
    let filter = EnvFilter::try_from_env("WEFT_LOG").unwrap_or_else(|_| EnvFilter::new(standard));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // Fails only when a log is there already.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
