//! Signing in where an account hands out tokens: they run out, they are exchanged one at a
//! time, and each new one is on disk before it is used.
//!
//! A connector describes how tokens come about ([`OAuth`], or a [`TokenSource`] of its own) and
//! gives a [`SignIn`] to its [`crate::http::Http`], which puts the token on every try and, when
//! the server says that it has run out, exchanges it and sends the call again. A flow sees
//! nothing of it.

mod oauth;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::contract::{Advice, RemoteError};
use crate::http::Secrets;
pub use oauth::{ClientAuth, Grant, OAuth};
pub use store::{TokenLock, TokenStore, Tokens};

/// A token that has less than this left counts as run out: it has to last for a request.
const LEAST: Duration = Duration::from_secs(30);

/// What signing in gave.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What calls carry.
    pub access: String,
    /// What it is exchanged for the next one with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// When it runs out, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Token {
    fn is_fresh(&self) -> bool {
        let left = |at: Timestamp| at.duration_since(Timestamp::now());
        self.expires_at.is_none_or(|at| Duration::try_from(left(at)).is_ok_and(|left| left > LEAST))
    }
}

/// Says nothing of secrets.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// How tokens come about.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A new token, in exchange for the old one where there is one.
    async fn renew(&self, old: Option<&Token>) -> Result<Token, RemoteError>;

    /// Puts the token on a request; as a bearer unless the system has another way.
    fn place(&self, token: &str, request: &mut reqwest::Request) {
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}")) {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
    }
}

/// The sign-in of one connection.
pub struct SignIn {
    system: String,
    source: Arc<dyn TokenSource>,
    tokens: Tokens,
    secrets: Secrets,
    /// One exchange at a time; whoever waits finds the new token.
    current: tokio::sync::Mutex<Current>,
}

#[derive(Default)]
struct Current {
    token: Option<Token>,
    /// The store does not have it yet, so that nobody may use it.
    unsaved: bool,
}

impl SignIn {
    /// A sign-in whose tokens come from there and lie there. `secrets` are those of the client
    /// that uses it; every token is added to them.
    #[must_use]
    pub fn new(
        system: impl Into<String>,
        source: Arc<dyn TokenSource>,
        tokens: Tokens,
        secrets: Secrets,
    ) -> Self {
        let current = tokio::sync::Mutex::default();
        Self { system: system.into(), source, tokens, secrets, current }
    }

    /// A token that is good for a request. `refused` is one that the server has just turned
    /// down, whatever its age.
    pub async fn token(&self, refused: Option<&str>) -> Result<String, RemoteError> {
        let mut current = self.current.lock().await;
        if current.token.is_none() {
            current.token = self.load().await?;
        }
        if current.unsaved {
            self.save(&mut current).await?;
        }
        let is_good = |token: &Token| token.is_fresh() && Some(token.access.as_str()) != refused;
        if let Some(token) = current.token.as_ref().filter(|token| is_good(token)) {
            return Ok(token.access.clone());
        }
        // Other processes share the account: one of them may have exchanged it meanwhile.
        let _lock = self.tokens.lock().await.map_err(|reason| self.store_failed(&reason))?;
        let stored = self.load().await?;
        if let Some(token) = stored.as_ref().filter(|token| is_good(token)) {
            let access = token.access.clone();
            current.token = stored;
            return Ok(access);
        }
        let token = self.source.renew(stored.as_ref().or(current.token.as_ref())).await?;
        self.hide(&token);
        let access = token.access.clone();
        *current = Current { token: Some(token), unsaved: true };
        self.save(&mut current).await?;
        Ok(access)
    }

    /// Puts a token on a request.
    pub fn place(&self, token: &str, request: &mut reqwest::Request) {
        self.source.place(token, request);
    }

    async fn load(&self) -> Result<Option<Token>, RemoteError> {
        let token = self.tokens.load().await.map_err(|reason| self.store_failed(&reason))?;
        if let Some(token) = &token {
            self.hide(token);
        }
        Ok(token)
    }

    async fn save(&self, current: &mut Current) -> Result<(), RemoteError> {
        if let Some(token) = &current.token {
            self.tokens.save(token).await.map_err(|reason| self.store_failed(&reason))?;
        }
        current.unsaved = false;
        Ok(())
    }

    fn hide(&self, token: &Token) {
        self.secrets.add([Some(token.access.as_str()), token.refresh.as_deref()].into_iter().flatten());
    }

    fn store_failed(&self, reason: &str) -> RemoteError {
        let reason = format!("the tokens of the connection cannot be kept: {reason}");
        RemoteError::new(Advice::Retry(None), self.system.clone(), reason)
            .with_help("see that the project's folder can be written and the disk has room")
    }
}

/// Says nothing of secrets.
impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("system", &self.system).finish_non_exhaustive()
    }
}
