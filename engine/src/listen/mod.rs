//! What the daemon hears and says over HTTP: webhooks in, health, readiness and metrics out.
//!
//! Nothing here runs a flow. A delivery is kept in the store, answered, and then the daemon is
//! asked for a run; see [`crate::serve`] for what it is asked by.

pub(crate) mod address;
mod follow;
mod health;
mod hooks;
mod metrics;
mod server;
mod sweep;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::serve::Seam;
use crate::store::Store;
use crate::trouble::{Trouble, why};
pub use follow::{Following, follow};
use metrics::Metrics;

/// What every answer is made of.
#[derive(Clone)]
pub(crate) struct Desk {
    seam: Seam,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    slots: Arc<Semaphore>,
}

/// A daemon that listens, until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Where it listens; of port 0, the one that was free.
    #[cfg(test)]
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    sweep: JoinHandle<()>,
}

/// Listens at that address. What came and was not answered wakes its flows at once.
pub(crate) async fn start(place: SocketAddr, seam: Seam, store: Arc<dyn Store>) -> Result<Listener, Trouble> {
    let taken = |error: std::io::Error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => why(&error),
        };
        Trouble::new("R102", format!("cannot listen on {place}: {reason}"))
            .help("stop the other program, or choose another `address` under [listen] in weft.toml")
    };
    let socket = TcpListener::bind(place).await.map_err(taken)?;
    let address = socket.local_addr().map_err(taken)?;
    let metrics = Arc::new(Metrics::new());
    let slots = Arc::new(Semaphore::new(hooks::AT_ONCE));
    let desk = Desk { seam, store, metrics, slots };
    let (stop, stopped) = watch::channel(false);
    let was_looked = sweep::first(&desk).await;
    let server = tokio::spawn(server::listen(socket, router(desk.clone()), stopped));
    let sweep = tokio::spawn(sweep::sweep(desk, was_looked));
    tracing::info!(%address, "listening");
    Ok(Listener {
        #[cfg(test)]
        address,
        stop,
        server,
        sweep,
    })
}

impl Listener {
    /// Takes no more requests, and lets those under way end.
    pub(crate) async fn stop(mut self) {
        self.sweep.abort();
        let _ = self.stop.send(true);
        let _ = (&mut self.server).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.server.abort();
        self.sweep.abort();
    }
}

fn router(desk: Desk) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::tell))
        .route("/hooks/{connection}/{secret}", post(hooks::plain))
        .route("/hooks/{connection}/{secret}/{*rest}", post(hooks::below))
        .with_state(desk)
}
