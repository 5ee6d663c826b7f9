//! The HTTP server itself: bounded in connections, in patience and in what it waits for at its
//! end, for it may stand behind nothing but a proxy.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// Connections that are open at the same time; others wait to be taken.
const CONNECTIONS: usize = 256;

/// How long the head of a request may take to arrive, and how long a connection may lie idle.
const HEAD: Duration = Duration::from_secs(30);

/// How long requests under way may take once the daemon stops.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Serves until it is told to stop.
pub(super) async fn listen(socket: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let accepted = tokio::select! {
            _ = stopped.changed() => break,
            accepted = socket.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles: some connection has to end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (router, stopped) = (router.clone(), stopped.clone());
        connections.spawn(async move {
            converse(stream, router, stopped).await;
            drop(slot);
        });
    }
    drop(socket);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_CALLS, all).await;
}

/// One connection, to its end. An error is a client that left.
async fn converse(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(|request: Request<hyper::body::Incoming>| router.clone().oneshot(request.map(Body::new)));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
