//! The HTTP layer against servers that misbehave.

mod answers;
mod connections;
mod pauses;
mod secrecy;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::contract::Limits;

/// Bounds in milliseconds, so that tests are.
fn tiny() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        tries: 3,
        backoff: Duration::from_millis(2),
        longest_pause: Duration::from_secs(3),
        largest_answer: 10_000,
    }
}

fn client(limits: &Limits) -> Http {
    Http::new("Shop", limits, 4, Secrets::of(["s3cret"])).unwrap()
}

/// Judges by status and counts tries.
#[derive(Default)]
struct Plain {
    tries: AtomicU32,
}

impl Plain {
    fn tries(&self) -> u32 {
        self.tries.load(Ordering::Relaxed)
    }
}

impl Protocol for Plain {
    fn prepare(&self, _: &mut reqwest::Request) -> Result<(), RemoteError> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn judge(&self, _: &Call, reply: &Reply) -> Verdict {
        judge_status("Shop", reply)
    }
}

/// A server that does with each connection, counted from 0, what it is told.
struct Raw {
    url: Url,
    connections: Arc<AtomicU32>,
}

impl Raw {
    async fn start<F, W>(handle: F) -> Self
    where
        F: Fn(u32, TcpStream) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(counted.fetch_add(1, Ordering::Relaxed), stream));
            }
        });
        Self { url, connections }
    }

    /// Answers every request on every connection with the same bytes, then closes when told.
    async fn saying(answer: impl Into<Vec<u8>>, close: bool) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |_, mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                while request(&mut stream).await.is_some() {
                    let _ = stream.write_all(&answer).await;
                    if close {
                        break;
                    }
                }
            }
        })
        .await
    }

    fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    fn read(&self) -> Call {
        Call::get(self.url.clone())
    }

    fn write(&self) -> Call {
        Call::write(Method::POST, self.url.clone(), "application/json", "{}")
    }
}

/// One request, whole; `None` when the client is gone.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        text.extend_from_slice(&buffer[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let promised = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned))
            .map_or(0, |length| length.trim().parse::<usize>().unwrap());
        if body.len() >= promised {
            return Some(so_far);
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[track_caller]
fn fails(result: Result<Reply, RemoteError>, advice: Advice, words: &str) -> RemoteError {
    let error = result.expect_err("the call must fail");
    assert_eq!(error.advice, advice, "{error}");
    assert!(error.reason.contains(words), "`{}` does not say `{words}`", error.reason);
    error
}
