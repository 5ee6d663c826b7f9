//! Sending a call until it is answered, refused, or not worth another try.

use std::error::Error as _;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::Semaphore;

use super::exchange::{Exchange, keep};
use super::{Call, Pace, Protocol, Reply, Secrets, Verdict};
use crate::contract::{Advice, Limits, RemoteError};

/// Longest body that a record's history keeps of each side of an exchange.
const KEPT: usize = 16 << 10;

/// A client for one account of one system.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    system: String,
    limits: Limits,
    secrets: Secrets,
    pace: Arc<Pace>,
    slots: Arc<Semaphore>,
}

/// How a single try ended without a verdict.
struct Broken {
    reason: String,
    /// The request never reached the server.
    unsent: bool,
    /// Trying again cannot help.
    hopeless: bool,
}

impl Http {
    /// A client; `concurrency` calls may be under way at once.
    pub fn new(
        system: &str,
        limits: &Limits,
        concurrency: usize,
        secrets: Secrets,
    ) -> Result<Self, RemoteError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Fails only when the program has already chosen one, which is fine too.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = reqwest::Client::builder()
            .user_agent(concat!("weft/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(15).min(limits.timeout))
            .timeout(limits.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(concurrency.max(1))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| RemoteError::new(Advice::StopFlow, system, chain(&error)))?;
        Ok(Self {
            client,
            system: system.to_owned(),
            limits: limits.clone(),
            secrets,
            pace: Arc::default(),
            slots: Arc::new(Semaphore::new(concurrency.max(1))),
        })
    }

    /// Title of the system, for errors.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Sends the call, again where that is safe and may help.
    pub async fn send(&self, call: &Call, protocol: &dyn Protocol) -> Result<Reply, RemoteError> {
        let mut backoff = self.limits.backoff;
        for attempt in 1.. {
            let last = attempt >= self.limits.tries;
            let (reason, after, safe) = match self.attempt(call, protocol).await? {
                Ok(reply) => match protocol.judge(call, &reply) {
                    Verdict::Accept => return Ok(reply),
                    Verdict::Refuse(error) => return Err(self.blotted(error)),
                    Verdict::Again { reason, after, untouched } => {
                        (reason, after, untouched || call.repeatable)
                    }
                },
                Err(Broken { reason, unsent, hopeless }) => {
                    if hopeless {
                        return Err(self.error(Advice::StopFlow, &reason));
                    }
                    (reason, None, unsent || call.repeatable)
                }
            };
            if !safe {
                return Err(self.error(Advice::Unknown, &reason));
            }
            let pause = after.unwrap_or_else(|| jittered(backoff));
            if last || pause > self.limits.longest_pause {
                return Err(self.error(Advice::Retry(after), &reason));
            }
            tracing::debug!(
                system = self.system,
                attempt,
                ?pause,
                reason = self.secrets.blot(&reason),
                "trying again"
            );
            if let (Some((lane, _)), Some(pause)) = (&call.lane, after) {
                self.pace.hold(lane, pause);
            }
            tokio::time::sleep(pause).await;
            backoff = backoff.saturating_mul(2);
        }
        Err(self.error(Advice::Retry(None), "no try was allowed"))
    }

    async fn attempt(
        &self,
        call: &Call,
        protocol: &dyn Protocol,
    ) -> Result<Result<Reply, Broken>, RemoteError> {
        if let Some((lane, per_minute)) = &call.lane {
            self.pace.wait(lane, *per_minute).await;
        }
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
        *request.headers_mut() = call.headers.clone();
        if !call.body.is_empty() {
            *request.body_mut() = Some(call.body.clone().into());
        }
        protocol.prepare(&mut request)?;
        let begin = Instant::now();
        let answer = self.execute(request).await;
        keep(|| self.exchange(call, &answer, begin.elapsed()));
        Ok(answer)
    }

    async fn execute(&self, request: reqwest::Request) -> Result<Reply, Broken> {
        let mut response = self.client.execute(request).await.map_err(|error| self.broken(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.limits.largest_answer => {
                    drop(chunk);
                    let reason =
                        format!("the answer is larger than {} MiB", self.limits.largest_answer >> 20);
                    return Err(Broken { reason, unsent: false, hopeless: true });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Reply { status, headers, body: body.freeze() }),
                Err(error) => {
                    let reason = format!("the answer was cut off: {}", chain(&error.without_url()));
                    return Err(Broken { reason, unsent: false, hopeless: false });
                }
            }
        }
    }

    fn broken(&self, error: &reqwest::Error) -> Broken {
        let (unsent, hopeless) = (error.is_connect(), error.is_builder());
        let reason = if error.is_timeout() && !unsent {
            format!("no answer within {} s", self.limits.timeout.as_secs())
        } else if unsent {
            format!("cannot connect: {}", root(error))
        } else {
            format!("the connection broke: {}", root(error))
        };
        Broken { reason, unsent, hopeless }
    }

    fn exchange(&self, call: &Call, answer: &Result<Reply, Broken>, took: Duration) -> Exchange {
        let (status, text) = match answer {
            Ok(reply) => (Some(reply.status.as_u16()), self.kept(&reply.body)),
            Err(broken) => (None, self.secrets.blot(&broken.reason)),
        };
        Exchange {
            method: call.method.to_string(),
            url: self.secrets.blot(call.url.as_str()),
            sent: self.kept(&call.body),
            status,
            answer: text,
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn kept(&self, body: &Bytes) -> String {
        let start = body.get(..body.len().min(KEPT)).unwrap_or_default();
        let mut text = self.secrets.blot(&String::from_utf8_lossy(start));
        if body.len() > KEPT {
            text.push_str(" …");
        }
        text
    }

    fn error(&self, advice: Advice, reason: &str) -> RemoteError {
        RemoteError::new(advice, self.system.clone(), self.secrets.blot(reason))
    }

    fn blotted(&self, mut error: RemoteError) -> RemoteError {
        error.reason = self.secrets.blot(&error.reason);
        error
    }
}

/// Between half and the whole of a pause, so that clients do not come back in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// The innermost cause, which names what happened; the outer ones say "error sending request".
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
