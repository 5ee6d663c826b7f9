//! The tokens of connections, one file each in the project's own folder: readable by its owner
//! only, replaced as a whole, on disk before anybody uses them.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use connectors::sign_in::{Token, TokenLock, TokenStore, Tokens};

use crate::trouble::why;

/// Tokens of one connection, in a file.
struct TokenFile {
    path: PathBuf,
}

/// Where the token of a connection lies.
#[must_use]
pub fn tokens(root: &Path, connection: &str) -> Tokens {
    Tokens::new(TokenFile { path: root.join(".weft").join("tokens").join(format!("{connection}.json")) })
}

impl TokenFile {
    fn told(&self, verb: &str, error: &std::io::Error) -> String {
        format!("cannot {verb} `{}`: {}", self.path.display(), why(error))
    }

    fn folder(&self) -> std::io::Result<&Path> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        Ok(folder)
    }

    fn write(&self, token: &Token) -> std::io::Result<()> {
        let folder = self.folder()?;
        let fresh = self.path.with_extension("new");
        // A rest of a process that died: its rights may be wrong.
        let _ = std::fs::remove_file(&fresh);
        let mut file = private(&fresh)?;
        file.write_all(&serde_json::to_vec(token)?)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        // The name is on disk when the folder is.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = folder;
        Ok(())
    }
}

/// A new file that only its owner reads.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[async_trait]
impl TokenStore for TokenFile {
    async fn lock(&self) -> Result<TokenLock, String> {
        let path = self.path.with_extension("lock");
        self.folder().map_err(|error| self.told("make the folder of", &error))?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| self.told("lock", &error))?;
        // Waiting for another process blocks the thread; the lock goes with the handle.
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
        match locked {
            Ok(Ok(file)) => Ok(Box::new(file)),
            Ok(Err(error)) => Err(self.told("lock", &error)),
            Err(_) => Err("the process is about to stop".to_owned()),
        }
    }

    async fn load(&self) -> Result<Option<Token>, String> {
        match std::fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|_| format!("`{}` is damaged; remove it and sign in again", self.path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.told("read", &error)),
        }
    }

    async fn save(&self, token: &Token) -> Result<(), String> {
        self.write(token).map_err(|error| self.told("write", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(access: &str) -> Token {
        Token { access: access.to_owned(), refresh: Some("next".to_owned()), expires_at: None }
    }

    #[tokio::test]
    async fn a_token_outlives_the_process_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let store = tokens(folder.path(), "crm");
        assert_eq!(store.load().await, Ok(None));
        store.save(&token("one")).await.unwrap();
        store.save(&token("two")).await.unwrap();
        assert_eq!(tokens(folder.path(), "crm").load().await, Ok(Some(token("two"))));
        assert_eq!(tokens(folder.path(), "other").load().await, Ok(None));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = folder.path().join(".weft/tokens/crm.json");
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn one_process_at_a_time_exchanges_it() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (tokens(folder.path(), "crm"), tokens(folder.path(), "crm"));
        let held = one.lock().await.unwrap();
        let waiting = tokio::spawn(async move { two.lock().await.map(|_| ()) });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_damaged_file_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let store = tokens(folder.path(), "crm");
        store.save(&token("one")).await.unwrap();
        let path = folder.path().join(".weft/tokens/crm.json");
        std::fs::write(&path, "{\"access\":").unwrap();
        let said = store.load().await.unwrap_err();
        assert_eq!(said, format!("`{}` is damaged; remove it and sign in again", path.display()));
    }
}
