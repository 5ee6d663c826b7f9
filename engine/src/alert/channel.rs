//! How a message reaches people: by mail, or posted to an address.

use std::fmt;
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{AsyncTransport as _, Tokio1Executor};

use super::message::Message;

/// How long a channel may take to take a message.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where messages go. What is secret of it has no printable form.
#[derive(Clone)]
pub enum Channel {
    /// By mail.
    Mail(Box<Mail>),
    /// To an address, as JSON.
    Post(Post),
}

/// A mail server, and who writes to whom.
#[derive(Clone)]
pub struct Mail {
    /// Host name of the server; its certificate must name it.
    pub server: String,
    /// Port.
    pub port: u16,
    /// How the line is protected.
    pub tls: Protection,
    /// Name and password, where the server wants them.
    pub login: Option<(String, String)>,
    /// Who writes.
    pub from: Mailbox,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// Trust these certificates, as PEM, and no others; `None`: those of this machine.
    pub certificates: Option<Vec<u8>>,
}

/// How a line to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// From the first byte on.
    Tls,
    /// After a few words in the clear; never without.
    StartTls,
    /// Not at all: for a server on this machine.
    None,
}

/// An address that takes messages.
#[derive(Clone)]
pub struct Post {
    /// The address; whoever knows it may write there.
    pub url: url::Url,
    /// What it takes.
    pub shape: Shape,
}

/// What an address takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Our own JSON.
    Plain,
    /// A message of Slack.
    Slack,
    /// A card of Microsoft Teams.
    Teams,
}

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// In plain words, without secrets.
    pub reason: String,
    /// What to do about it.
    pub help: Option<&'static str>,
    /// Trying again may help.
    pub may_pass: bool,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail(mail) => write!(f, "mail by {}:{}", mail.server, mail.port),
            Self::Post(post) => write!(f, "{:?} at {}", post.shape, post.url.host_str().unwrap_or_default()),
        }
    }
}

impl Channel {
    /// Delivers a message.
    pub async fn send(&self, message: &Message) -> Result<(), Undelivered> {
        match self {
            Self::Mail(mail) => mail.send(message).await,
            Self::Post(post) => post.send(message).await,
        }
    }
}

impl Mail {
    async fn send(&self, message: &Message) -> Result<(), Undelivered> {
        let wrong = |reason: String| Undelivered { reason, help: None, may_pass: false };
        let mut mail = lettre::Message::builder()
            .from(self.from.clone())
            .subject(format!("[weft] {}", message.subject()))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let mail = mail.body(message.text()).map_err(|error| wrong(error.to_string()))?;
        let transport = self.transport().map_err(|error| self.undelivered(&error))?;
        transport.send(mail).await.map(drop).map_err(|error| self.undelivered(&error))
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, smtp::Error> {
        connectors::http::choose_cryptography();
        let mut tls = TlsParameters::builder(self.server.clone());
        if let Some(pem) = &self.certificates {
            tls = tls.certificate_store(CertificateStore::None);
            tls = tls.add_root_certificate(Certificate::from_pem(pem)?);
        }
        let tls = match self.tls {
            Protection::Tls => Tls::Wrapper(tls.build_rustls()?),
            Protection::StartTls => Tls::Required(tls.build_rustls()?),
            Protection::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(self.server.as_str())
            .port(self.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((name, password)) = &self.login {
            builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
        }
        Ok(builder.build())
    }

    fn undelivered(&self, error: &smtp::Error) -> Undelivered {
        let place = format!("{}:{}", self.server, self.port);
        let told = chain(error);
        let refused_login = error.status().is_some_and(|code| code.to_string().starts_with("53"));
        let (reason, help, may_pass) = if refused_login {
            let help = "correct `user` and `password` of the channel";
            (format!("{place} refuses name or password: {told}"), Some(help), false)
        } else if error.is_permanent() {
            let help = "the server names the reason: often a sender or recipient that it does not accept";
            (format!("{place} refuses the mail: {told}"), Some(help), false)
        } else if error.is_transient() {
            (format!("{place} takes no mail now: {told}"), None, true)
        } else if error.is_tls() || told.contains("certificate") {
            let help = "check `server`, `port` and `tls` of the channel; a certificate of your own goes into `certificates`";
            (format!("no protected line to {place}: {told}"), Some(help), false)
        } else {
            let help = "check `server`, `port` and `tls` of the channel, and that this machine may reach it";
            (format!("{place} does not answer as a mail server: {told}"), Some(help), true)
        };
        Undelivered { reason, help, may_pass }
    }
}

impl Post {
    async fn send(&self, message: &Message) -> Result<(), Undelivered> {
        connectors::http::choose_cryptography();
        let body = match self.shape {
            Shape::Plain => message.json(),
            Shape::Slack => message.slack(),
            Shape::Teams => message.teams(),
        };
        let host = self.url.host_str().unwrap_or_default();
        let broken = |error: reqwest::Error| Undelivered {
            // The address itself is secret.
            reason: format!("{host} does not answer: {}", chain(&error.without_url())),
            help: Some("check `url` of the channel, and that this machine may reach it"),
            may_pass: true,
        };
        let client = reqwest::Client::builder()
            .user_agent(concat!("weft/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(broken)?;
        let request = client.post(self.url.clone()).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.map_err(broken)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let said: String = response.text().await.unwrap_or_default().chars().take(200).collect();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = if said.is_empty() { said } else { format!(": {said}") };
        Err(Undelivered {
            reason: format!("{host} answered with status {}{said}", status.as_u16()),
            help: Some("check `url` and `kind` of the channel"),
            may_pass: status.is_server_error() || status.as_u16() == 429,
        })
    }
}

/// An error and what was behind it, once each.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let text = inner.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        source = inner.source();
    }
    told
}
