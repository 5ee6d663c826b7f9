//! Where tokens lie between processes.

use std::sync::Arc;

use async_trait::async_trait;

use super::Token;

/// Held while one process exchanges the token of a connection; dropped, another may.
pub type TokenLock = Box<dyn std::any::Any + Send + Sync>;

/// Keeps the token of one connection. Failures are told in words.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Waits until no other process exchanges this token.
    async fn lock(&self) -> Result<TokenLock, String>;

    /// The token as it was last saved.
    async fn load(&self) -> Result<Option<Token>, String>;

    /// Keeps a token in the place of the last one. Durable when it returns.
    async fn save(&self, token: &Token) -> Result<(), String>;
}

/// A token store, shared. By default one that forgets with the process.
#[derive(Clone)]
pub struct Tokens(Arc<dyn TokenStore>);

impl Tokens {
    /// Tokens kept there.
    #[must_use]
    pub fn new(store: impl TokenStore + 'static) -> Self {
        Self(Arc::new(store))
    }

    /// Tokens kept in memory, starting with that one.
    #[must_use]
    pub fn starting_with(token: Token) -> Self {
        Self::new(InMemory(tokio::sync::Mutex::new(Some(token)), Arc::default()))
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new(InMemory(tokio::sync::Mutex::default(), Arc::default()))
    }
}

impl std::ops::Deref for Tokens {
    type Target = dyn TokenStore;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}

/// Says nothing of secrets.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

struct InMemory(tokio::sync::Mutex<Option<Token>>, Arc<tokio::sync::Mutex<()>>);

#[async_trait]
impl TokenStore for InMemory {
    async fn lock(&self) -> Result<TokenLock, String> {
        Ok(Box::new(Arc::clone(&self.1).lock_owned().await))
    }

    async fn load(&self) -> Result<Option<Token>, String> {
        Ok(self.0.lock().await.clone())
    }

    async fn save(&self, token: &Token) -> Result<(), String> {
        *self.0.lock().await = Some(token.clone());
        Ok(())
    }
}
