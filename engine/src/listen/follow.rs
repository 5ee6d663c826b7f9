//! Listens where the project says, also after that has changed.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Listener, start};
use crate::serve::{Around, Seam};
use crate::store::Store;
use crate::trouble::Trouble;

/// Listens until it is stopped.
#[derive(Debug)]
pub struct Following {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Following {
    /// Takes no more requests, and lets those under way end.
    pub async fn stop(self) {
        // Nobody hears it only where nothing listens any more.
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// Begins where the project says. Whether it can be listened there is known at once; a change
/// that cannot be followed later is logged, and what listened before goes on.
pub async fn follow(seam: Seam, store: Arc<dyn Store>) -> Result<Following, Trouble> {
    let mut post = Post { now: None, seam, store };
    if let Some(place) = wanted(&post.seam.around.borrow()) {
        post.now = Some((place, start(place, post.seam.clone(), Arc::clone(&post.store)).await?));
    }
    let (stop, stopped) = watch::channel(false);
    Ok(Following { stop, task: tokio::spawn(post.keep(stopped)) })
}

fn wanted(around: &Around) -> Option<SocketAddr> {
    around.listen.as_ref().map(|listen| listen.address)
}

struct Post {
    /// As it was asked for, and what listens there.
    now: Option<(SocketAddr, Listener)>,
    seam: Seam,
    store: Arc<dyn Store>,
}

impl Post {
    async fn keep(mut self, mut stopped: watch::Receiver<bool>) {
        let mut around = self.seam.around.clone();
        loop {
            tokio::select! {
                changed = around.changed() => if changed.is_err() { break },
                _ = stopped.changed() => break,
            }
            let place = wanted(&around.borrow_and_update());
            if place != self.place() {
                self.move_to(place).await;
            }
        }
        self.leave().await;
    }

    fn place(&self) -> Option<SocketAddr> {
        self.now.as_ref().map(|(place, _)| *place)
    }

    async fn leave(&mut self) {
        if let Some((_, listener)) = self.now.take() {
            listener.stop().await;
        }
    }

    async fn move_to(&mut self, place: Option<SocketAddr>) {
        let before = self.place();
        // Two cannot have one port, whatever the rest of their addresses.
        let in_the_way = before.zip(place).is_some_and(|(before, place)| before.port() == place.port());
        if place.is_none() || in_the_way {
            self.leave().await;
        }
        let Some(place) = place else {
            return tracing::info!("nothing listens any more");
        };
        match self.open(place).await {
            Ok(listener) => {
                self.leave().await;
                self.now = Some((place, listener));
            }
            Err(trouble) => {
                tracing::error!(%trouble, "the address before is kept");
                if let Some(before) = before.filter(|_| in_the_way) {
                    self.now = self.open(before).await.ok().map(|listener| (before, listener));
                }
            }
        }
    }

    async fn open(&self, place: SocketAddr) -> Result<Listener, Trouble> {
        start(place, self.seam.clone(), Arc::clone(&self.store)).await
    }
}
