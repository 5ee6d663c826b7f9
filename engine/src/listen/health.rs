//! `/healthz` and `/readyz`: whether the daemon is alive, and whether it can work.
//!
//! Both are for machines that ask often: plain answers, no names of customers, no contents.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Desk;
use crate::serve::{FlowState, Health, Stage};

/// A daemon that has not looked around for so long hangs; it looks every few seconds.
const HANGS: SignedDuration = SignedDuration::from_mins(2);

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Alive: the process answers, and its loop turns.
pub(super) async fn alive(State(desk): State<Desk>) -> (StatusCode, Json<Value>) {
    let health = desk.seam.health.borrow().clone();
    answer(
        is_alive(&health, Timestamp::now()),
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "stage": stage(&health),
            "started_at": health.started_at.to_string(),
            "looked_at": health.looked_at.to_string(),
        }),
    )
}

/// Ready: flows are loaded, the store can be used, and nobody has said stop.
pub(super) async fn ready(State(desk): State<Desk>) -> (StatusCode, Json<Value>) {
    let health = desk.seam.health.borrow().clone();
    let answers = tokio::time::timeout(PATIENCE, desk.store.now()).await;
    let store = match answers {
        Ok(Ok(_)) => health.store.clone(),
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("the store does not answer within {PATIENCE:?}")),
    };
    let is_ready = health.stage == Stage::Serving && store.is_none();
    let count = |word: &str| health.flows.iter().filter(|flow| flow.state.as_str() == word).count();
    let on = health.flows.iter().filter(|flow| flow.state != FlowState::Off).count();
    answer(
        is_ready,
        json!({
            "stage": stage(&health),
            "store": store,
            "files": health.files,
            "flows": {
                "on": on,
                "running": count("running"),
                "waiting": count("waiting"),
                "reconnect_needed": count("reconnect needed"),
            },
        }),
    )
}

fn is_alive(health: &Health, now: Timestamp) -> bool {
    now.duration_since(health.looked_at) < HANGS
}

const fn stage(health: &Health) -> &'static str {
    match health.stage {
        Stage::Starting => "starting",
        Stage::Serving => "serving",
        Stage::Stopping => "stopping",
    }
}

fn answer(is_well: bool, mut body: Value) -> (StatusCode, Json<Value>) {
    if let Some(body) = body.as_object_mut() {
        body.shift_insert(0, "ok".to_owned(), json!(is_well));
    }
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body))
}
