//! What was asked and answered while a piece of work was done, for a record's history.

use std::cell::RefCell;
use std::future::Future;

/// One try of a call, without secrets.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Exchange {
    /// Verb.
    pub method: String,
    /// Address, secrets blotted out.
    pub url: String,
    /// Body that was sent, cut to a reasonable length.
    pub sent: String,
    /// Status, when an answer came.
    pub status: Option<u16>,
    /// Body that came back, cut, or why none came.
    pub answer: String,
    /// From start to end.
    pub millis: u64,
}

tokio::task_local! {
    static RECORDING: RefCell<Vec<Exchange>>;
}

/// Runs `work` and gives, with its result, every exchange made within it on this task, in the
/// order in which they ended.
///
/// Futures that `work` joins or selects are on this task; what it spawns is not and has to be
/// recorded where it runs. A recording inside another one takes its exchanges for itself. A
/// call that is dropped halfway leaves no exchange.
pub async fn recorded<F: Future>(work: F) -> (F::Output, Vec<Exchange>) {
    RECORDING
        .scope(RefCell::new(Vec::new()), async {
            let output = work.await;
            (output, RECORDING.with(RefCell::take))
        })
        .await
}

/// Keeps an exchange when somebody records.
pub(super) fn keep(exchange: impl FnOnce() -> Exchange) {
    let _ = RECORDING.try_with(|recording| recording.borrow_mut().push(exchange()));
}
