//! What it means when a try ends without an answer, in words.
//!
//! Two facts decide what happens next: whether the request can have reached the server, and
//! whether another try can help. A connection that a server closed while it lay idle fails
//! like one that it closed while it worked, so only what the HTTP library itself knows to be
//! unsent counts as unsent.

use std::error::Error;
use std::io;
use std::time::Duration;

use url::Url;

/// How a single try ended without a verdict.
#[derive(Debug, Default)]
pub(super) struct Broken {
    /// In plain words.
    pub(super) reason: String,
    /// What a person can do.
    pub(super) help: Option<&'static str>,
    /// The request never reached the server.
    pub(super) unsent: bool,
    /// Trying again cannot help.
    pub(super) hopeless: bool,
}

const CHECK_ADDRESS: &str = "check the address of the connection, and that the system is running";

impl Broken {
    /// Why no answer began.
    pub(super) fn before_answer(error: &reqwest::Error, url: &Url, timeout: Duration) -> Self {
        let causes = causes(error);
        let host = url.host_str().unwrap_or_default();
        if let Some(certificate) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            return Self { unsent: error.is_connect(), ..encryption(certificate, host) };
        }
        if error.is_builder() {
            let reason = format!("the request cannot be made: {}", innermost(error));
            return Self { reason, unsent: true, hopeless: true, ..Self::default() };
        }
        if error.is_connect() {
            let reason = connecting(error, &causes, url);
            return Self { reason, help: Some(CHECK_ADDRESS), unsent: true, hopeless: false };
        }
        if error.is_timeout() {
            let reason = format!("no answer within {}", words(timeout));
            return Self { reason, ..Self::default() };
        }
        let http = causes.iter().find_map(|cause| cause.downcast_ref::<hyper::Error>());
        if http.is_some_and(hyper::Error::is_parse) {
            let reason = format!("what {host} answers is not HTTP: {}", innermost(error));
            return Self { reason, help: Some(CHECK_ADDRESS), unsent: false, hopeless: true };
        }
        let closed = http.is_some_and(hyper::Error::is_incomplete_message) || was_reset(&causes);
        let reason = if closed {
            "the connection was closed before the answer came".to_owned()
        } else {
            format!("the connection broke before the answer came: {}", innermost(error))
        };
        Self { reason, ..Self::default() }
    }

    /// Why an answer that had begun did not end.
    pub(super) fn within_answer(error: &reqwest::Error, timeout: Duration) -> Self {
        let reason = if error.is_timeout() {
            format!("the answer did not end within {}", words(timeout))
        } else {
            format!("the answer was cut off: {}", innermost(error))
        };
        Self { reason, ..Self::default() }
    }

    /// The answer is larger than allowed.
    pub(super) fn too_large(limit: usize) -> Self {
        let limit = if limit < 1 << 20 { format!("{limit} bytes") } else { format!("{} MiB", limit >> 20) };
        let reason = format!("the answer is larger than {limit}");
        Self { reason, hopeless: true, ..Self::default() }
    }
}

fn connecting(error: &reqwest::Error, causes: &[&(dyn Error + 'static)], url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let kind = causes.iter().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    if error.is_dns() {
        format!("no address is known for the host {host}")
    } else if error.is_timeout() {
        format!("{host} did not take the connection to port {port} in time")
    } else if kind == Some(io::ErrorKind::ConnectionRefused) {
        format!("{host} refuses connections to port {port}")
    } else {
        format!("cannot connect to {host}: {}", innermost(error))
    }
}

/// What went wrong while the two sides agreed on encryption.
fn encryption(error: &rustls::Error, host: &str) -> Broken {
    use rustls::{CertificateError as Why, Error as Tls};
    let (reason, help) = match error {
        Tls::InvalidCertificate(why) => {
            let what = match why {
                Why::Expired | Why::ExpiredContext { .. } => "has expired",
                Why::NotValidYet | Why::NotValidYetContext { .. } => "is not valid yet",
                Why::Revoked => "was revoked",
                Why::NotValidForName | Why::NotValidForNameContext { .. } => "belongs to another host",
                Why::UnknownIssuer => "comes from an issuer that this machine does not trust",
                _ => return certificate(host, &format!("was refused: {error}")),
            };
            return certificate(host, what);
        }
        Tls::InvalidMessage(_) => (
            format!("{host} does not answer with encryption (TLS)"),
            "check the address: its port, and whether it begins with https or http",
        ),
        _ => {
            let reason = format!("no encryption (TLS) could be agreed with {host}: {error}");
            return Broken { reason, ..Broken::default() };
        }
    };
    Broken { reason, help: Some(help), hopeless: true, unsent: false }
}

fn certificate(host: &str, what: &str) -> Broken {
    Broken {
        reason: format!("the certificate of {host} {what}"),
        help: Some("ask whoever runs that server to renew its certificate, and check this machine's clock"),
        hopeless: true,
        unsent: false,
    }
}

fn was_reset(causes: &[&(dyn Error + 'static)]) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    causes
        .iter()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| matches!(cause.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// The innermost cause, which names what happened; the outer ones say "error sending request"
/// and repeat the address.
fn innermost(error: &reqwest::Error) -> String {
    match causes(error).last() {
        Some(cause) => cause.to_string(),
        None => "no reason was given".to_owned(),
    }
}

/// Everything below an error. An `io::Error` hides what it wraps from `source`, and that is
/// where the reasons of encryption are.
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    causes
}

/// A pause or a bound, for people.
pub(super) fn words(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        1000..120_000 => format!("{} s", duration.as_secs()),
        120_000..7_200_000 => format!("{} minutes", duration.as_secs().div_ceil(60)),
        _ => format!("{} hours", duration.as_secs().div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::CertificateError;

    #[test]
    fn certificates_are_explained() {
        for (why, words) in [
            (CertificateError::Expired, "has expired"),
            (CertificateError::UnknownIssuer, "does not trust"),
            (CertificateError::NotValidForName, "another host"),
            (CertificateError::BadEncoding, "was refused"),
        ] {
            let broken = encryption(&rustls::Error::InvalidCertificate(why), "till.example");
            assert!(broken.reason.contains(words) && broken.reason.contains("till.example"), "{broken:?}");
            assert!(broken.hopeless && broken.help.is_some());
        }
        let broken = encryption(&rustls::Error::HandshakeNotComplete, "till.example");
        assert!(!broken.hopeless, "not every fault of encryption is for ever");
    }

    #[test]
    fn spans_are_said_in_fitting_units() {
        let said: Vec<_> = [50, 1_000, 90_000, 600_000, 86_400_000]
            .map(|millis| words(Duration::from_millis(millis)))
            .into_iter()
            .collect();
        assert_eq!(said, ["50 ms", "1 s", "90 s", "10 minutes", "24 hours"]);
    }
}
