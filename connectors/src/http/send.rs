//! Sending a call until it is answered, refused, or not worth another try.

use std::sync::{Arc, Once, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument as _;

use super::broken::{Broken, words};
use super::exchange::{Exchange, keep};
use super::{Call, Pace, Protocol, Reply, Secrets, Verdict, moved};
use crate::contract::{Advice, Limits, RemoteError};
use crate::sign_in::SignIn;

/// Longest body that a record's history keeps of each side of an exchange.
const KEPT: usize = 16 << 10;

/// Bytes of an answer for which room is made before they come.
const LIKELY: usize = 1 << 20;

/// How long a connection may lie idle and still be used again. A server that closes an idle
/// connection just as a write goes out leaves nobody the wiser about that write, and some
/// close after two seconds; a new connection costs less than a doubt.
const IDLE: Duration = Duration::from_millis(1500);

/// A client for one account of one system.
#[derive(Clone)]
pub struct Http {
    /// Made when it is first used: reading the machine's certificates takes longer than checking a
    /// project, which needs sessions and sends nothing.
    client: Arc<OnceLock<reqwest::Client>>,
    /// Connections that are kept open.
    idle: usize,
    system: String,
    limits: Limits,
    secrets: Secrets,
    busy_pause: Option<Duration>,
    spacing: Option<Duration>,
    sign_in: Option<Arc<SignIn>>,
    pace: Arc<Pace>,
    slots: Arc<Semaphore>,
}

/// Why a try was not the last one, if another may be made.
struct Trouble {
    reason: String,
    help: Option<&'static str>,
    /// The server's wish.
    after: Option<Duration>,
    /// The server said that it would not work now.
    busy: bool,
    /// Nothing was done.
    untouched: bool,
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
        Ok(Self {
            client: Arc::default(),
            idle: concurrency.max(1),
            system: system.to_owned(),
            limits: limits.clone(),
            secrets,
            busy_pause: None,
            spacing: None,
            sign_in: None,
            pace: Arc::default(),
            slots: Arc::new(Semaphore::new(concurrency.max(1))),
        })
    }

    /// The same client, pausing that long when the server is busy and does not say for how
    /// long.
    #[must_use]
    pub const fn busy_pause(mut self, pause: Duration) -> Self {
        self.busy_pause = Some(pause);
        self
    }

    /// The same client, with at least that much time between the starts of two calls.
    #[must_use]
    pub const fn spaced(mut self, spacing: Duration) -> Self {
        self.spacing = Some(spacing);
        self
    }

    /// The same client, with a token of that sign-in on every call.
    #[must_use]
    pub fn signed_in(mut self, sign_in: SignIn) -> Self {
        self.sign_in = Some(Arc::new(sign_in));
        self
    }

    /// What is blotted out of everything that leaves this client; more can be added.
    #[must_use]
    pub const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Title of the system, for errors.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Sends the call, again where that is safe and may help.
    ///
    /// While a server says that it is busy, every call in that lane, or of the session when
    /// the call has no lane, waits with it. `Advice::Retry` after the last try of a
    /// *repeatable* call means that sending it again does no harm, not that nothing happened.
    pub async fn send(&self, call: &Call, protocol: &dyn Protocol) -> Result<Reply, RemoteError> {
        if let Some(problem) = &call.problem {
            return Err(self
                .error(Advice::StopFlow, problem)
                .with_help("look for line breaks and unusual characters in the connection's settings"));
        }
        let lane = call.lane.as_ref().map(|(lane, _)| lane.as_str());
        let tries = self.limits.tries.max(1);
        let mut backoff = self.limits.backoff;
        let mut attempt = 1;
        let mut token = None;
        let mut renewed = false;
        loop {
            if let Some(sign_in) = &self.sign_in {
                token = Some(sign_in.token(None).await.map_err(|error| self.blotted(error))?);
            }
            let answer = self.attempt(call, lane, protocol, token.as_deref()).await?;
            if let (Some(sign_in), Some(old), Ok(reply)) = (&self.sign_in, &token, &answer) {
                // The server has looked at the token and at nothing else: any call may be
                // repeated, and the exchange is no failed try. Once; then it is not the token.
                if !renewed && protocol.token_refused(reply) {
                    renewed = true;
                    sign_in.token(Some(old)).await.map_err(|error| self.blotted(error))?;
                    continue;
                }
            }
            let trouble = match answer {
                Ok(reply) => match self.judge(call, &reply, protocol)? {
                    None => return Ok(reply),
                    Some(trouble) => trouble,
                },
                Err(broken) => broken.into(),
            };
            if !(trouble.untouched || call.repeatable) {
                return Err(self.failed(Advice::Unknown, &trouble, ""));
            }
            if trouble.hopeless {
                return Err(self.failed(Advice::StopFlow, &trouble, ""));
            }
            let wish = trouble.after.or(self.busy_pause.filter(|_| trouble.busy));
            let least = jittered(self.limits.backoff);
            let pause = wish.map_or_else(|| jittered(backoff), |wish| wish.max(least));
            if trouble.busy {
                match lane {
                    Some(lane) => self.pace.hold(lane, pause),
                    None => self.pace.hold_all(pause),
                }
            }
            if pause > self.limits.longest_pause {
                let note = format!("; it asks to wait {}", words(pause));
                return Err(self.failed(Advice::Retry(wish), &trouble, &note));
            }
            if attempt >= tries {
                let note = if attempt > 1 { format!("; tried {attempt} times") } else { String::new() };
                return Err(self.failed(Advice::Retry(wish), &trouble, &note));
            }
            let reason = self.secrets.blot(&trouble.reason);
            tracing::debug!(system = self.system, attempt, ?pause, reason, "trying again");
            tokio::time::sleep(pause).await;
            backoff = backoff.saturating_mul(2);
            attempt += 1;
        }
    }

    /// What stands in the way of taking the reply, if anything.
    fn judge(
        &self,
        call: &Call,
        reply: &Reply,
        protocol: &dyn Protocol,
    ) -> Result<Option<Trouble>, RemoteError> {
        if let Some(error) = moved(&self.system, reply) {
            return Err(self.blotted(error));
        }
        match protocol.judge(call, reply) {
            Verdict::Accept => Ok(None),
            Verdict::Refuse(error) => Err(self.blotted(error)),
            Verdict::Again { reason, after, untouched } => {
                Ok(Some(Trouble { reason, help: None, after, busy: untouched, untouched, hopeless: false }))
            }
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        lane: Option<&str>,
        protocol: &dyn Protocol,
        token: Option<&str>,
    ) -> Result<Result<Reply, Broken>, RemoteError> {
        let _slot = self.turn(call, lane).await?;
        let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
        *request.headers_mut() = call.headers.clone();
        if !call.body.is_empty() {
            *request.body_mut() = Some(call.body.clone().into());
        }
        if let (Some(sign_in), Some(token)) = (&self.sign_in, token) {
            sign_in.place(token, &mut request);
        }
        protocol.prepare(&mut request).map_err(|error| self.blotted(error))?;
        let begin = Instant::now();
        let span = tracing::debug_span!(
            "request",
            system = self.system,
            otel.kind = "client",
            http.request.method = call.method.as_str(),
            server.address = call.url.host_str().unwrap_or_default(),
            http.response.status_code = tracing::field::Empty,
        );
        let answer = self.execute(request, &call.url).instrument(span.clone()).await;
        let status = answer.as_ref().ok().map(|reply| reply.status.as_u16());
        if let Some(status) = status {
            span.record("http.response.status_code", status);
        }
        super::watch::tell(&self.system, status, begin.elapsed());
        keep(|| self.exchange(call, &answer, begin.elapsed()));
        Ok(answer)
    }

    /// Waits for the lane's budget, for a slot, and until nobody is asked to wait.
    async fn turn(&self, call: &Call, lane: Option<&str>) -> Result<SemaphorePermit<'_>, RemoteError> {
        let (mut booked, mut spaced) = (false, false);
        loop {
            if let Some(left) = self.pace.held(lane) {
                if left > self.limits.longest_pause {
                    let reason = format!("asked for a pause, which lasts {} more", words(left));
                    return Err(self.error(Advice::Retry(Some(left)), &reason));
                }
                tokio::time::sleep(left).await;
                continue;
            }
            if let (Some((lane, per_minute)), false) = (&call.lane, booked) {
                booked = true;
                self.pace.wait(lane, *per_minute).await;
            }
            if let (Some(spacing), false) = (self.spacing, spaced) {
                spaced = true;
                self.pace.space(spacing).await;
            }
            let Ok(slot) = self.slots.acquire().await else {
                return Err(self.error(Advice::Retry(None), "the session was closed"));
            };
            // A pause may have been asked for while this call waited.
            if self.pace.held(lane).is_none() {
                return Ok(slot);
            }
        }
    }

    fn client(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        choose_cryptography();
        let client = reqwest::Client::builder()
            .user_agent(concat!("weft/", env!("CARGO_PKG_VERSION")))
            // Less than the whole, so that a connection that is never taken is known as such.
            .connect_timeout(Duration::from_secs(15).min(self.limits.timeout.mul_f64(0.75)))
            .timeout(self.limits.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(self.idle)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn execute(&self, request: reqwest::Request, url: &url::Url) -> Result<Reply, Broken> {
        let (timeout, largest) = (self.limits.timeout, self.limits.largest_answer);
        let client = self.client().map_err(|error| Broken::before_answer(&error, url, timeout))?;
        let answer = client.execute(request).await;
        let mut response = answer.map_err(|error| Broken::before_answer(&error, url, timeout))?;
        let promised = response.content_length().unwrap_or_default();
        let promised = usize::try_from(promised).unwrap_or(usize::MAX);
        if promised > largest {
            return Err(Broken::too_large(largest));
        }
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        // Who promises much has not sent it yet.
        let mut body = BytesMut::with_capacity(promised.min(LIKELY));
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > largest => {
                    return Err(Broken::too_large(largest));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Reply { status, headers, body: body.freeze() }),
                Err(error) => return Err(Broken::within_answer(&error, timeout)),
            }
        }
    }

    fn exchange(&self, call: &Call, answer: &Result<Reply, Broken>, took: Duration) -> Exchange {
        let (status, text) = match answer {
            Ok(reply) => (Some(reply.status.as_u16()), self.kept(&reply.body)),
            Err(broken) => (None, self.secrets.blot(&broken.reason)),
        };
        let url = if call.url.password().is_some() {
            let mut url = call.url.clone();
            // Fails only for addresses that cannot carry a password.
            let _ = url.set_password(None);
            self.secrets.blot(url.as_str())
        } else {
            self.secrets.blot(call.url.as_str())
        };
        Exchange {
            method: call.method.to_string(),
            url,
            sent: self.kept(&call.body),
            status,
            answer: text,
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The start of a body. Blotted before it is cut, so that no half of a secret is left.
    fn kept(&self, body: &Bytes) -> String {
        let start = body.get(..body.len().min(KEPT + self.secrets.longest())).unwrap_or_default();
        let text = self.secrets.blot(&String::from_utf8_lossy(start));
        if body.len() <= KEPT {
            return text;
        }
        let end = (0..=KEPT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        format!("{} …", text.get(..end).unwrap_or_default())
    }

    fn failed(&self, advice: Advice, trouble: &Trouble, note: &str) -> RemoteError {
        let mut error = self.error(advice, &format!("{}{note}", trouble.reason));
        error.help = trouble.help.map(str::to_owned);
        error
    }

    fn error(&self, advice: Advice, reason: &str) -> RemoteError {
        RemoteError::new(advice, self.system.clone(), self.secrets.blot(reason))
    }

    fn blotted(&self, mut error: RemoteError) -> RemoteError {
        error.reason = self.secrets.blot(&error.reason);
        error.help = error.help.map(|help| self.secrets.blot(&help));
        error
    }
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        let Broken { reason, help, unsent, hopeless } = broken;
        Self { reason, help, after: None, busy: false, untouched: unsent, hopeless }
    }
}

/// Says nothing of secrets.
impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("system", &self.system).finish_non_exhaustive()
    }
}

/// Once for the whole program, before the first client of any kind that speaks TLS.
pub fn choose_cryptography() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        // Fails only when the program has already chosen, which is fine too.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Between half and the whole of a pause, so that clients do not come back in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
