//! The tokens of connections, in the vault: durable before anybody uses them, and exchanged by
//! one process at a time.
//!
//! Earlier programs kept each token in a file of its own; such a file moves into the vault when
//! its token is first asked for, and is removed once it is there.

use std::io::ErrorKind;
use std::path::PathBuf;

use async_trait::async_trait;
use connectors::sign_in::{Token, TokenLock, TokenStore, Tokens};
use zeroize::Zeroizing;

use crate::trouble::{Trouble, why};
use crate::vault::Vault;

/// What the vault calls a token; no setting has this name.
pub const NAME: &str = "sign-in";

/// Token of one connection.
struct Kept {
    vault: Vault,
    connection: String,
}

impl Vault {
    /// The token of a connection.
    #[must_use]
    pub fn tokens(&self, connection: &str) -> Tokens {
        Tokens::new(Kept { vault: self.clone(), connection: connection.to_owned() })
    }
}

/// Trouble in one line, its next step included.
fn in_words(trouble: &Trouble) -> String {
    match miette::Diagnostic::help(trouble) {
        Some(help) => format!("{trouble}; {help}"),
        None => trouble.to_string(),
    }
}

impl Kept {
    /// Where an earlier program kept the token.
    fn file(&self) -> PathBuf {
        self.vault.root().join(".weft").join("tokens").join(format!("{}.json", self.connection))
    }

    /// Moves the token of an earlier program into the vault; the file goes once it is there.
    async fn move_in(&self) -> Result<(), String> {
        let path = self.file();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(());
            }
            Err(error) => return Err(format!("cannot read `{}`: {}", path.display(), why(&error))),
        };
        if serde_json::from_slice::<Token>(&bytes).is_err() {
            return Err(format!("`{}` is damaged; remove it and sign in again", path.display()));
        }
        // One that is there already is younger: the file stayed behind when a process died.
        let moved = self.vault.put_first(&self.connection, NAME, &bytes).await;
        moved.map_err(|trouble| in_words(&trouble))?;
        self.clear(&path);
        Ok(())
    }

    fn clear(&self, path: &std::path::Path) {
        let gone = |path: &std::path::Path| match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        if let Err(error) = gone(path).and_then(|()| gone(&path.with_extension("lock"))) {
            let (connection, reason) = (&self.connection, why(&error));
            tracing::warn!(connection, reason, "an old file of a token cannot be removed; remove it by hand");
        }
        // Fails while other connections have files there.
        if let Some(folder) = path.parent() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[async_trait]
impl TokenStore for Kept {
    async fn lock(&self) -> Result<TokenLock, String> {
        let guard = self.vault.guard(&format!("sign-in of {}", self.connection)).await;
        guard.map(|guard| Box::new(guard) as TokenLock).map_err(|trouble| in_words(&trouble))
    }

    async fn load(&self) -> Result<Option<Token>, String> {
        self.move_in().await?;
        let kept = self.vault.get(&self.connection, NAME).await.map_err(|trouble| in_words(&trouble))?;
        kept.map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|_| "the token in the store cannot be read; sign in again".to_owned())
    }

    async fn save(&self, token: &Token) -> Result<(), String> {
        let bytes = Zeroizing::new(serde_json::to_vec(token).map_err(|error| error.to_string())?);
        self.vault.put(&self.connection, NAME, &bytes).await.map_err(|trouble| in_words(&trouble))?;
        // What an earlier program kept is out of date now.
        self.clear(&self.file());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Vault;

    struct Bench {
        folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        /// A vault as another process would have it.
        async fn vault(&self) -> Vault {
            let vault = Vault::of(self.folder.path());
            vault.attach(&crate::store::open(&self.folder.path().join("store.db")).await.unwrap());
            vault
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join(".weft/tokens/crm.json")
        }

        fn old_file(&self, text: &str) {
            std::fs::create_dir_all(self.file().parent().unwrap()).unwrap();
            std::fs::write(self.file(), text).unwrap();
        }
    }

    fn token(access: &str) -> Token {
        Token { access: access.to_owned(), refresh: Some("next".to_owned()), expires_at: None }
    }

    #[tokio::test]
    async fn a_token_outlives_the_process() {
        let bench = Bench::new();
        let tokens = bench.vault().await.tokens("crm");
        assert_eq!(tokens.load().await, Ok(None));
        tokens.save(&token("one")).await.unwrap();
        tokens.save(&token("two")).await.unwrap();
        assert_eq!(bench.vault().await.tokens("crm").load().await, Ok(Some(token("two"))));
        assert_eq!(bench.vault().await.tokens("other").load().await, Ok(None));
    }

    #[tokio::test]
    async fn one_process_at_a_time_exchanges_it() {
        let bench = Bench::new();
        let (one, two) = (bench.vault().await.tokens("crm"), bench.vault().await.tokens("crm"));
        let held = one.lock().await.unwrap();
        let other = bench.vault().await.tokens("other").lock().await.unwrap();
        let waiting = tokio::spawn(async move { two.lock().await.map(|_| ()) });
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(!waiting.is_finished());
        drop((held, other));
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn the_token_of_an_earlier_program_moves_in_and_its_file_goes() {
        let bench = Bench::new();
        bench.old_file(r#"{"access":"old","refresh":"next"}"#);
        let tokens = bench.vault().await.tokens("crm");
        assert_eq!(tokens.load().await, Ok(Some(token("old"))));
        assert!(!bench.file().parent().unwrap().exists());
        tokens.save(&token("new")).await.unwrap();
        // Killed between the commit and the removal of the file.
        bench.old_file(r#"{"access":"old","refresh":"next"}"#);
        assert_eq!(bench.vault().await.tokens("crm").load().await, Ok(Some(token("new"))));
        assert!(!bench.file().exists());
    }

    #[tokio::test]
    async fn a_damaged_file_says_what_to_do() {
        let bench = Bench::new();
        bench.old_file("{\"access\":");
        let said = bench.vault().await.tokens("crm").load().await.unwrap_err();
        assert_eq!(said, format!("`{}` is damaged; remove it and sign in again", bench.file().display()));
        assert!(bench.file().exists());
    }
}
