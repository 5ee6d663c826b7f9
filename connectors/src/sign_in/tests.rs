//! Tokens against a server that gives each one out once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};

use super::*;
use crate::contract::Limits;
use crate::http::{Call, Http, Protocol, Reply, Url, Verdict, judge_status};

/// A server whose access tokens are `access-1`, `access-2` …; only the latest works, and a
/// refresh token works once.
#[derive(Default)]
struct Server {
    exchanges: AtomicUsize,
    calls: AtomicUsize,
    revoked: std::sync::atomic::AtomicBool,
    lasts: AtomicUsize,
    forms: Mutex<Vec<String>>,
}

async fn token(State(server): State<Arc<Server>>, body: String) -> (StatusCode, String) {
    server.forms.lock().unwrap().push(body.clone());
    let number = server.exchanges.load(Ordering::SeqCst);
    let is_known = body.contains("grant_type=client_credentials")
        || body.contains("code=good")
        || body.contains(&format!("refresh_token=refresh-{number}&"));
    if !is_known || server.revoked.load(Ordering::SeqCst) {
        return (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#.to_owned());
    }
    let next = server.exchanges.fetch_add(1, Ordering::SeqCst) + 1;
    let lasts = server.lasts.load(Ordering::SeqCst);
    let answer = format!(
        r#"{{"access_token":"access-{next}","refresh_token":"refresh-{next}","expires_in":"{lasts}"}}"#
    );
    (StatusCode::OK, answer)
}

async fn me(State(server): State<Arc<Server>>, headers: HeaderMap) -> StatusCode {
    server.calls.fetch_add(1, Ordering::SeqCst);
    let latest = format!("Bearer access-{}", server.exchanges.load(Ordering::SeqCst));
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    if given == Some(&latest) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

/// Keeps tokens in memory, notes the order of events, and fails when it is told to.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<(Option<Token>, bool)>>);

#[async_trait]
impl TokenStore for Shelf {
    async fn lock(&self) -> Result<TokenLock, String> {
        Ok(Box::new(()))
    }

    async fn load(&self) -> Result<Option<Token>, String> {
        Ok(self.0.lock().unwrap().0.clone())
    }

    async fn save(&self, token: &Token) -> Result<(), String> {
        let mut shelf = self.0.lock().unwrap();
        if shelf.1 {
            return Err("the disk is full".to_owned());
        }
        shelf.0 = Some(token.clone());
        Ok(())
    }
}

struct Plain;

impl Protocol for Plain {
    fn prepare(&self, _: &mut reqwest::Request) -> Result<(), RemoteError> {
        Ok(())
    }

    fn judge(&self, _: &Call, reply: &Reply) -> Verdict {
        judge_status("Toy", reply)
    }
}

struct Stage {
    server: Arc<Server>,
    shelf: Shelf,
    url: String,
}

impl Stage {
    async fn new() -> Self {
        let server = Arc::new(Server { lasts: 3600.into(), ..Server::default() });
        let router = axum::Router::new()
            .route("/token", post(token))
            .route("/me", get(me))
            .route("/write", post(me))
            .with_state(Arc::clone(&server));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { server, shelf: Shelf::default(), url }
    }

    fn oauth(&self, grant: Grant) -> OAuth {
        OAuth {
            system: "Toy".to_owned(),
            token_url: Url::parse(&format!("{}/token", self.url)).unwrap(),
            client_id: "weft".to_owned(),
            client_secret: "s3cret".to_owned(),
            scope: Some("read write".to_owned()),
            client_auth: ClientAuth::Body,
            grant,
            limits: Limits { backoff: Duration::from_millis(1), ..Limits::default() },
        }
    }

    fn code(&self) -> OAuth {
        self.oauth(Grant::Code {
            authorize_url: Url::parse("https://toy.example/authorize?tenant=1").unwrap(),
            redirect: "http://127.0.0.1:8914/callback".to_owned(),
            extra: vec![("prompt".to_owned(), "login".to_owned())],
        })
    }

    /// A client that somebody has signed in.
    async fn client(&self) -> Http {
        let token = self.code().redeem("good").await.unwrap();
        self.shelf.save(&token).await.unwrap();
        self.stranger()
    }

    /// A client as another process would make it.
    fn stranger(&self) -> Http {
        let limits = Limits { backoff: Duration::from_millis(1), ..Limits::default() };
        let http = Http::new("Toy", &limits, 8, Secrets::none()).unwrap();
        let tokens = Tokens::new(self.shelf.clone());
        let sign_in = SignIn::new("Toy", Arc::new(self.code()), tokens, http.secrets().clone());
        http.signed_in(sign_in)
    }

    fn call(&self) -> Call {
        Call::get(Url::parse(&format!("{}/me", self.url)).unwrap())
    }

    fn stored(&self) -> String {
        self.shelf.0.lock().unwrap().0.clone().unwrap().access
    }

    fn age(&self) {
        self.shelf.0.lock().unwrap().0.as_mut().unwrap().expires_at = Some(Timestamp::now());
    }

    fn exchanges(&self) -> usize {
        self.server.exchanges.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn the_address_of_consent_has_what_the_system_asks() {
    let address = Stage::new().await.code().consent_address("st4te").unwrap();
    assert_eq!(
        address.as_str(),
        "https://toy.example/authorize?tenant=1&response_type=code&client_id=weft&redirect_uri=http%3A%2F%2F127.0.0.1%3A8914%2Fcallback&scope=read+write&state=st4te&prompt=login"
    );
}

#[tokio::test]
async fn a_token_that_has_run_out_is_exchanged_once_however_many_wait() {
    let stage = Stage::new().await;
    let http = stage.client().await;
    stage.age();
    let call = stage.call();
    let calls = (0..8).map(|_| http.send(&call, &Plain));
    for reply in futures::future::join_all(calls).await {
        reply.unwrap();
    }
    assert_eq!(stage.exchanges(), 2, "the first one, and one exchange");
    assert_eq!(stage.stored(), "access-2");
    assert_eq!(stage.server.calls.load(Ordering::SeqCst), 8, "no call went out with an old token");
}

#[tokio::test]
async fn a_refused_token_is_exchanged_within_the_call_even_of_a_write() {
    let stage = Stage::new().await;
    let http = stage.client().await;
    http.send(&stage.call(), &Plain).await.unwrap();
    // Somebody else has exchanged it behind our back, and did not say so.
    stage.server.exchanges.fetch_add(1, Ordering::SeqCst);
    stage.shelf.0.lock().unwrap().0.as_mut().unwrap().refresh = Some("refresh-2".to_owned());
    let write = Call::write(
        reqwest::Method::POST,
        Url::parse(&format!("{}/write", stage.url)).unwrap(),
        "application/json",
        "{}",
    );
    http.send(&write, &Plain).await.unwrap();
    assert_eq!(stage.stored(), "access-3");
}

#[tokio::test]
async fn another_process_may_have_exchanged_it() {
    let stage = Stage::new().await;
    let first = stage.client().await;
    let second = stage.stranger();
    first.send(&stage.call(), &Plain).await.unwrap();
    second.send(&stage.call(), &Plain).await.unwrap();
    stage.age();
    let fresh = stage.stranger();
    fresh.send(&stage.call(), &Plain).await.unwrap();
    assert_eq!(stage.exchanges(), 2);
    // The others are refused, look into the store, and find the new one there.
    first.send(&stage.call(), &Plain).await.unwrap();
    second.send(&stage.call(), &Plain).await.unwrap();
    assert_eq!(stage.exchanges(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_kept_is_not_used_and_not_lost() {
    let stage = Stage::new().await;
    let http = stage.client().await;
    stage.age();
    stage.shelf.0.lock().unwrap().1 = true;
    let error = http.send(&stage.call(), &Plain).await.unwrap_err();
    assert_eq!(error.advice, Advice::Retry(None));
    assert_eq!(error.reason, "the tokens of the connection cannot be kept: the disk is full");
    assert_eq!(stage.server.calls.load(Ordering::SeqCst), 0);
    stage.shelf.0.lock().unwrap().1 = false;
    http.send(&stage.call(), &Plain).await.unwrap();
    assert_eq!((stage.exchanges(), stage.stored().as_str()), (2, "access-2"));
}

#[tokio::test]
async fn nobody_has_signed_in_or_the_consent_was_withdrawn() {
    let stage = Stage::new().await;
    let error = stage.stranger().send(&stage.call(), &Plain).await.unwrap_err();
    assert_eq!(error.advice, Advice::Reconnect);
    assert_eq!(error.reason, "nobody has signed in to this account yet");
    assert!(error.help.unwrap().contains("`weft connect NAME`"));

    let http = stage.client().await;
    stage.server.revoked.store(true, Ordering::SeqCst);
    stage.age();
    let error = http.send(&stage.call(), &Plain).await.unwrap_err();
    assert_eq!(error.advice, Advice::Reconnect);
    assert_eq!(error.reason, "the sign-in is refused: invalid_grant");
}

#[tokio::test]
async fn a_client_may_act_in_its_own_right_and_name_itself_in_a_header() {
    let stage = Stage::new().await;
    let oauth = OAuth { client_auth: ClientAuth::Basic, ..stage.oauth(Grant::ClientCredentials) };
    let token = oauth.renew(None).await.unwrap();
    assert_eq!(token.access, "access-1");
    let forms = stage.server.forms.lock().unwrap().clone();
    assert_eq!(forms, ["grant_type=client_credentials&scope=read+write"]);
}

#[tokio::test]
async fn tokens_are_blotted_out_of_everything() {
    let stage = Stage::new().await;
    let http = stage.client().await;
    http.send(&stage.call(), &Plain).await.unwrap();
    assert_eq!(http.secrets().blot("access-1 refresh-1"), "••• •••");
    let token = stage.shelf.0.lock().unwrap().0.clone().unwrap();
    assert!(!format!("{token:?} {:?}", stage.code()).contains("ess-1"));
}
