//! Mail, against a small server that speaks as much of the protocol as there is to get wrong.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

use super::*;

/// `user weft, password geheim`, as AUTH PLAIN sends it.
const LOGIN: &str = "AHdlZnQAZ2VoZWlt";

/// A mail server with a certificate of its own.
struct Server {
    port: u16,
    pem: Vec<u8>,
    mails: Arc<Mutex<Vec<String>>>,
}

trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

impl Server {
    async fn new(is_wrapped: bool) -> Self {
        connectors::http::choose_cryptography();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let mails: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let (acceptor, kept) = (acceptor.clone(), Arc::clone(&kept));
                tokio::spawn(async move {
                    if is_wrapped {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        let _ = talk(Box::new(stream), None, &kept, true).await;
                    } else {
                        let _ = talk(Box::new(stream), Some(acceptor), &kept, true).await;
                    }
                });
            }
        });
        Self { port, pem: pem(made.cert.der()), mails }
    }

    fn channel(&self, tls: Protection, password: &str) -> Mail {
        Mail {
            server: "localhost".to_owned(),
            port: self.port,
            tls,
            login: Some(("weft".to_owned(), password.to_owned())),
            from: "Weft <weft@koffiehuis.example>".parse().unwrap(),
            to: vec!["nacht@koffiehuis.example".parse().unwrap()],
            certificates: Some(self.pem.clone()),
        }
    }
}

fn pem(der: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes()
}

/// One conversation; `tls` is offered while the line is in the clear.
async fn talk(
    line: Box<dyn Line>,
    tls: Option<TlsAcceptor>,
    mails: &Mutex<Vec<String>>,
    greet: bool,
) -> std::io::Result<()> {
    let mut line = BufStream::new(line);
    if greet {
        say(&mut line, "220 mail.koffiehuis.example").await?;
    }
    loop {
        let mut said = String::new();
        if line.read_line(&mut said).await? == 0 {
            return Ok(());
        }
        let said = said.trim_end();
        match said.split(' ').next().unwrap_or_default() {
            "EHLO" if tls.is_some() => say(&mut line, "250-mail\r\n250 STARTTLS").await?,
            "EHLO" => say(&mut line, "250-mail\r\n250 AUTH PLAIN").await?,
            "STARTTLS" => {
                say(&mut line, "220 go on").await?;
                let Some(tls) = tls else { return Ok(()) };
                let protected = tls.accept(line.into_inner()).await?;
                return Box::pin(talk(Box::new(protected), None, mails, false)).await;
            }
            "AUTH" if said.ends_with(LOGIN) => say(&mut line, "235 welcome").await?,
            "AUTH" => say(&mut line, "535 5.7.8 authentication failed").await?,
            "RCPT" if said.contains("nobody@") => say(&mut line, "550 5.1.1 no such mailbox").await?,
            "DATA" => {
                say(&mut line, "354 go on").await?;
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") && line.read_line(&mut mail).await? > 0 {}
                mails.lock().unwrap().push(mail);
                say(&mut line, "250 taken").await?;
            }
            "QUIT" => {
                say(&mut line, "221 bye").await?;
                return Ok(());
            }
            _ => say(&mut line, "250 well").await?,
        }
    }
}

async fn say(line: &mut BufStream<Box<dyn Line>>, text: &str) -> std::io::Result<()> {
    line.write_all(format!("{text}\r\n").as_bytes()).await?;
    line.flush().await
}

async fn send(mail: Mail) -> Result<(), Undelivered> {
    let (channel, messages) = (Channel::Mail(Box::new(mail)), examples());
    tokio::time::timeout(Duration::from_secs(20), channel.send(&messages[4])).await.unwrap()
}

#[tokio::test]
async fn mail_goes_over_a_protected_line() {
    for (is_wrapped, tls) in [(true, Protection::Tls), (false, Protection::StartTls)] {
        let server = Server::new(is_wrapped).await;
        send(server.channel(tls, "geheim")).await.unwrap();
        let mail = server.mails.lock().unwrap()[0].clone();
        assert!(mail.contains("Subject: [weft] Koffiehuis: flow orders has refused records"), "{mail}");
        assert!(mail.contains("To: nacht@koffiehuis.example"), "{mail}");
        assert!(mail.contains("2026-1002: the customer has no e-mail address"), "{mail}");
    }
}

#[tokio::test]
async fn mail_that_is_not_taken_says_why() {
    let server = Server::new(false).await;
    let place = format!("localhost:{}", server.port);
    let wrong = send(server.channel(Protection::StartTls, "wrong-7f3a")).await.unwrap_err();
    assert!(wrong.reason.starts_with(&format!("{place} refuses name or password")), "{wrong:?}");
    assert!(!wrong.may_pass && !format!("{wrong:?}").contains("wrong-7f3a"));
    let nobody = vec!["nobody@koffiehuis.example".parse().unwrap()];
    let refused =
        send(Mail { to: nobody, ..server.channel(Protection::StartTls, "geheim") }).await.unwrap_err();
    assert!(refused.reason.contains("no such mailbox") && !refused.may_pass, "{refused:?}");
    let stranger = Server::new(false).await;
    let other = Mail { certificates: Some(stranger.pem), ..server.channel(Protection::StartTls, "geheim") };
    let untrusted = send(other).await.unwrap_err();
    assert!(untrusted.reason.starts_with(&format!("no protected line to {place}")), "{untrusted:?}");
    let away = send(Mail { port: 1, ..server.channel(Protection::StartTls, "geheim") }).await.unwrap_err();
    assert!(away.may_pass && away.reason.starts_with("localhost:1 does not answer"), "{away:?}");
    assert!(server.mails.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_line_that_cannot_be_protected_is_not_used() {
    // It never offers STARTTLS.
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let mails: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&mails);
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let _ = talk(Box::new(stream), None, &kept, true).await;
        }
    });
    let server = Server::new(false).await;
    let mail = Mail { port, ..server.channel(Protection::StartTls, "geheim") };
    assert!(send(mail).await.is_err());
    assert!(mails.lock().unwrap().is_empty());
}
