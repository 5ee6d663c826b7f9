//! Putting a simulator on a loopback port, with faults in front of it.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

use super::{Fault, Faults, Simulator, Wording};

/// Requests that the log goes back.
const LOGGED: usize = 10_000;

/// How long requests under way may take after [`Running::stop`].
const LAST_CALLS: Duration = Duration::from_secs(5);

/// A simulator that answers; stops when dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its switches.
    pub faults: Arc<Faults>,
    seen: Arc<Mutex<Log>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Verb.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// What struck it.
    pub fault: Option<Fault>,
    /// Status of the answer; `None` when none was sent.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
struct Log {
    total: u64,
    counts: BTreeMap<String, u64>,
    last: VecDeque<Seen>,
}

/// What every connection needs.
#[derive(Clone)]
struct Shared {
    router: Router,
    faults: Arc<Faults>,
    wording: Option<Wording>,
    seen: Arc<Mutex<Log>>,
}

impl Running {
    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests seen so far, those struck by faults among them.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.lock().total
    }

    /// Requests seen so far by method and path without query: `POST /orders`.
    #[must_use]
    pub fn requests_by(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    /// The last requests that were answered or dropped, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Seen> {
        self.lock().last.iter().cloned().collect()
    }

    /// Takes no more requests, lets those under way end, and is gone.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(LAST_CALLS, &mut self.task).await;
    }

    /// Runs until the server stops by itself, which it does not.
    pub async fn wait(mut self) {
        let _ = (&mut self.task).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a simulator on a loopback port; port 0 takes a free one.
pub async fn start(simulator: &dyn Simulator, port: u16, faults: Faults) -> io::Result<Running> {
    serve_worded(simulator.router(), port, faults, simulator.wording()).await
}

/// Serves a router on a loopback port, with faults in plain words; port 0 takes a free one.
pub async fn serve(router: Router, port: u16, faults: Faults) -> io::Result<Running> {
    serve_worded(router, port, faults, None).await
}

/// The same, with faults in the system's own words.
pub async fn serve_worded(
    router: Router,
    port: u16,
    faults: Faults,
    wording: Option<Wording>,
) -> io::Result<Running> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let (faults, seen) = (Arc::new(faults), Arc::default());
    let shared = Shared { router, faults: Arc::clone(&faults), wording, seen: Arc::clone(&seen) };
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(listen(listener, shared, stopped));
    Ok(Running { address, faults, seen, stop, task })
}

async fn listen(listener: TcpListener, shared: Shared, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles: some connection has to end first.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        connections.spawn(converse(stream, shared.clone(), stopped.clone()));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection, to its end. An error is a fault that we made ourselves, or a client that
/// left.
async fn converse(stream: TcpStream, shared: Shared, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(|request: Request<hyper::body::Incoming>| answer(shared.clone(), request.map(Body::new)));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// An error instead of a response makes the server close the connection without a word.
async fn answer(shared: Shared, request: Request<Body>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let drawn = shared.faults.draw(&head);
    let mut seen = Seen {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map_or_else(|| head.uri.to_string(), ToString::to_string),
        fault: drawn.fault,
        status: None,
    };
    count(&shared.seen, &seen);
    if drawn.fault == Some(Fault::Slow) {
        tokio::time::sleep(drawn.delay).await;
    }
    let worded = drawn.fault.and_then(|fault| {
        let own = shared.wording.as_ref().filter(|_| fault.is_answer())?;
        own(fault, &head)
    });
    let response = match (worded, drawn.fault.and_then(|fault| plain(fault, drawn.retry_after))) {
        (Some(response), _) | (None, Some(response)) => Ok(response),
        (None, None) if drawn.fault == Some(Fault::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
        (None, None) => {
            let Ok(response) = shared.router.oneshot(Request::from_parts(head, body)).await;
            match drawn.fault {
                Some(Fault::Lost) => Err(io::ErrorKind::ConnectionReset.into()),
                Some(Fault::Cut) => cut(response).await,
                _ => Ok(response),
            }
        }
    };
    seen.status = response.as_ref().ok().map(|response| response.status().as_u16());
    let mut log = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if log.last.len() == LOGGED {
        log.last.pop_front();
    }
    log.last.push_back(seen);
    response
}

fn count(log: &Mutex<Log>, seen: &Seen) {
    let path = seen.path.split('?').next().unwrap_or_default();
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.total += 1;
    *log.counts.entry(format!("{} {path}", seen.method)).or_default() += 1;
}

/// A fault that is an answer, in the kit's words.
fn plain(fault: Fault, retry_after: Option<u64>) -> Option<Response<Body>> {
    let (status, text) = match fault {
        Fault::Busy => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
        Fault::Down => (StatusCode::SERVICE_UNAVAILABLE, "down for a moment"),
        Fault::Html => (StatusCode::BAD_GATEWAY, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
        Fault::Expired => (StatusCode::UNAUTHORIZED, "token expired"),
        _ => return None,
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    if let (Fault::Busy, Some(seconds)) = (fault, retry_after) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Some(response)
}

/// The first half of the answer, under a length that promises all of it.
async fn cut(response: Response<Body>) -> io::Result<Response<Body>> {
    let (mut head, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.map_err(io::Error::other)?;
    if whole.len() < 2 {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    head.headers.insert(header::CONTENT_LENGTH, whole.len().into());
    let half: io::Result<Bytes> = Ok(whole.slice(..whole.len() / 2));
    let end: io::Result<Bytes> = Err(io::ErrorKind::ConnectionReset.into());
    // The pause lets the first half leave before the connection closes.
    let rest = futures::stream::once(async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        end
    });
    let halves = futures::StreamExt::chain(futures::stream::iter([half]), rest);
    Ok(Response::from_parts(head, Body::from_stream(halves)))
}
