//! Putting a simulator on a loopback port, with faults in front of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use super::{Fault, Faults};

/// A simulator that answers; stops when dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its switches.
    pub faults: Arc<Faults>,
    requests: Arc<AtomicU64>,
    task: JoinHandle<()>,
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
        self.requests.load(Ordering::Relaxed)
    }

    /// Runs until the server stops by itself, which it does not.
    pub async fn wait(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a router on a loopback port; port 0 takes a free one.
pub async fn serve(router: Router, port: u16, faults: Faults) -> io::Result<Running> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let (faults, requests) = (Arc::new(faults), Arc::new(AtomicU64::new(0)));
    let shared = (Arc::clone(&faults), Arc::clone(&requests));
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let (router, (faults, requests)) = (router.clone(), shared.clone());
            connections.spawn(async move {
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    requests.fetch_add(1, Ordering::Relaxed);
                    answer(router.clone(), Arc::clone(&faults), request.map(Body::new))
                });
                // An error here is a fault that we made ourselves, or a client that left.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(Running { address, faults, requests, task })
}

/// An error instead of a response makes the server close the connection without a word.
async fn answer(router: Router, faults: Arc<Faults>, request: Request<Body>) -> io::Result<Response<Body>> {
    let (fault, delay) = faults.draw();
    match fault {
        Some(Fault::Busy) => return Ok(plain(StatusCode::TOO_MANY_REQUESTS, "1", "too many requests")),
        Some(Fault::Down) => return Ok(plain(StatusCode::SERVICE_UNAVAILABLE, "0", "down for a moment")),
        Some(Fault::Html) => {
            return Ok(plain(
                StatusCode::BAD_GATEWAY,
                "0",
                "<html><body><h1>502 Bad Gateway</h1></body></html>",
            ));
        }
        Some(Fault::Expired) => return Ok(plain(StatusCode::UNAUTHORIZED, "0", "token expired")),
        Some(Fault::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Slow) => tokio::time::sleep(delay).await,
        Some(Fault::Lost | Fault::Cut) | None => {}
    }
    let Ok(response) = router.oneshot(request).await;
    match fault {
        Some(Fault::Lost) => Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Cut) => cut(response).await,
        _ => Ok(response),
    }
}

fn plain(status: StatusCode, retry_after: &str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    if let (true, Ok(value)) = (retry_after != "0", retry_after.parse()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
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
