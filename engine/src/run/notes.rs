//! What must outlive the process before a record is settled, kept together.
//!
//! The records of a page are walked side by side. While one commit is under way the notes of the
//! others gather, and the next commit keeps all of them: a few commits a page, not one a record.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use super::Run;
use crate::store::{StoreError, Written};

/// Whether a note is kept.
type Kept = Result<(), Arc<StoreError>>;

/// What makes notes durable.
type Commit<'c> = BoxFuture<'c, Result<(), StoreError>>;

/// Keeps what must outlive the process before a record is settled.
pub(super) trait Notes: Send + Sync {
    /// Durable when it returns.
    fn note<'n>(&'n self, key: &'n str, written: &'n Written) -> BoxFuture<'n, Kept>;
}

impl Notes for Run<'_> {
    fn note<'n>(&'n self, key: &'n str, written: &'n Written) -> BoxFuture<'n, Kept> {
        let commit = move |writes: Vec<(String, Written)>| -> Commit<'n> {
            Box::pin(async move { self.store.note_writes(&self.lease, &self.id, &writes).await })
        };
        Box::pin(async move { self.notebook.keep(key, written, &commit).await })
    }
}

/// Notes that are to be kept.
#[derive(Default)]
pub(super) struct Notebook {
    waiting: Mutex<Vec<Waiting>>,
    /// Whoever commits.
    turn: AsyncMutex<()>,
}

struct Waiting {
    note: (String, Written),
    answer: oneshot::Sender<Kept>,
}

impl Notebook {
    /// Keeps a note along with those that wait; `commit` makes them durable.
    async fn keep<'c>(
        &self,
        key: &str,
        written: &Written,
        commit: &(dyn Fn(Vec<(String, Written)>) -> Commit<'c> + Sync),
    ) -> Kept {
        loop {
            let (answer, mut answered) = oneshot::channel();
            let note = (key.to_owned(), written.clone());
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { note, answer });
            let _turn = self.turn.lock().await;
            match answered.try_recv() {
                // Whoever had the turn before has kept it.
                Ok(kept) => return kept,
                Err(oneshot::error::TryRecvError::Empty) => {}
                // Whoever took it has been given up.
                Err(oneshot::error::TryRecvError::Closed) => continue,
            }
            let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            let (notes, answers): (Vec<_>, Vec<_>) =
                waiting.into_iter().map(|one| (one.note, one.answer)).unzip();
            let kept = commit(notes).await.map_err(Arc::new);
            for answer in answers {
                // Nobody may be waiting any more.
                let _ = answer.send(kept.clone());
            }
            return kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::store::Fingerprint;

    fn written(number: usize) -> Written {
        Written {
            write_id: "create orders".into(),
            item: String::new(),
            target_key: number.to_string(),
            sent_print: Fingerprint::default(),
            sent: None,
        }
    }

    #[tokio::test]
    async fn notes_gather_while_others_are_kept() {
        let (book, commits) = (Notebook::default(), AtomicUsize::new(0));
        let durable = Mutex::new(Vec::new());
        let commit = |notes: Vec<(String, Written)>| -> Commit<'_> {
            Box::pin(async {
                commits.fetch_add(1, Ordering::Relaxed);
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                durable.lock().unwrap().extend(notes.into_iter().map(|(key, _)| key));
                Ok(())
            })
        };
        let keep = async |number: usize| {
            let key = number.to_string();
            book.keep(&key, &written(number), &commit).await.unwrap();
            assert!(durable.lock().unwrap().contains(&key), "{key} is not durable");
        };
        join_all((0..100).map(keep)).await;
        assert_eq!(durable.lock().unwrap().len(), 100, "each once");
        assert!(commits.load(Ordering::Relaxed) <= 3);
    }

    #[tokio::test]
    async fn all_are_told_that_nothing_was_kept() {
        let book = Notebook::default();
        let commit = |_: Vec<(String, Written)>| -> Commit<'_> {
            Box::pin(async { Err(StoreError::Fenced { flow: "orders".into(), epoch: 1 }) })
        };
        let keep = async |number: usize| book.keep("1", &written(number), &commit).await.is_err();
        assert_eq!(join_all((0..5).map(keep)).await, [true; 5]);
    }

    #[tokio::test]
    async fn a_note_whose_keeper_was_given_up_is_kept_by_the_next() {
        let book = Notebook::default();
        let never = |_: Vec<(String, Written)>| -> Commit<'_> { Box::pin(std::future::pending()) };
        let count = AtomicUsize::new(0);
        let commit = |notes: Vec<(String, Written)>| -> Commit<'_> {
            count.fetch_add(notes.len(), Ordering::Relaxed);
            Box::pin(async { Ok(()) })
        };
        let (one, other) = (written(1), written(2));
        let mut second = Box::pin(book.keep("2", &other, &commit));
        {
            let mut first = Box::pin(book.keep("1", &one, &never));
            assert!(futures::poll!(&mut first).is_pending());
            assert!(futures::poll!(&mut second).is_pending());
        }
        second.await.unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
