//! Secrets and tokens of connections, sealed in the store.
//!
//! The vault needs the store to be open ([`Vault::attach`]) and a key only when there is
//! something to seal or to open. A key that does not fit is told, and nothing is destroyed.

mod guard;
mod key;
mod payload;
mod rotation;
mod source;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::store::{Keep, Keeping, Kept, Store};
use crate::trouble::{Kind, Trouble};
pub use guard::Guard;
use key::{Closed, Key};
pub use payload::Sealer;
pub use rotation::Rotated;
use source::Source;
pub use source::VARIABLES;

/// The text that the mark of a key seals.
const MARK: &[u8] = b"weft";

/// Where the mark lies: with no connection.
const MARK_PLACE: (&str, &str) = ("", "key");

/// Times that a secret is sealed anew because the key was changed in the meantime.
const TRIES: usize = 5;

/// The vault of one project; copies are the same vault.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    root: PathBuf,
    source: Source,
    store: RwLock<Option<Arc<dyn Store>>>,
    current: tokio::sync::Mutex<Option<Current>>,
}

/// The key that the store's secrets are sealed with.
#[derive(Clone)]
struct Current {
    key: Arc<Key>,
    mark: Arc<[u8]>,
}

/// Says nothing of secrets.
impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// A secret as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The connection that it belongs to.
    pub connection: String,
    /// The setting, or `sign-in`.
    pub name: String,
    /// When it was last replaced, in the store's milliseconds.
    pub updated_at: i64,
}

impl Vault {
    /// The vault of the project in that folder.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        Self::with(root, Source::of(root))
    }

    fn with(root: &Path, source: Source) -> Self {
        let (store, current) = (RwLock::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { root: root.to_owned(), source, store, current }))
    }

    /// The secrets lie in this store from here on.
    pub fn attach(&self, store: &Arc<dyn Store>) {
        *self.0.store.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(store));
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.0.root
    }

    fn store(&self) -> Result<Arc<dyn Store>, Trouble> {
        let store = self.0.store.read().unwrap_or_else(PoisonError::into_inner).clone();
        store.ok_or_else(|| {
            Trouble::new("R080", "the secrets lie in the store, and it is not open").kind(Kind::Store)
        })
    }

    /// A secret; `None`: there is none of that name.
    pub async fn get(&self, connection: &str, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Trouble> {
        let store = self.store()?;
        for _ in 0..TRIES {
            let Some(sealed) = store.kept(connection, name).await? else { return Ok(None) };
            let current = self.current(&*store).await?;
            match current.key.open((connection, name), &sealed) {
                Ok(text) => return Ok(Some(text)),
                // The key was changed since it was read last.
                Err(Closed::OtherKey) => self.reread().await,
                Err(Closed::Damaged) => return Err(damaged(connection, name)),
            }
        }
        Err(restless())
    }

    /// Keeps a secret in the place of the last one. Durable when it returns.
    pub async fn put(&self, connection: &str, name: &str, text: &[u8]) -> Result<(), Trouble> {
        self.keep(connection, name, text, false).await.map(drop)
    }

    /// Keeps a secret unless there is one; answers whether it was kept.
    pub async fn put_first(&self, connection: &str, name: &str, text: &[u8]) -> Result<bool, Trouble> {
        self.keep(connection, name, text, true).await
    }

    async fn keep(&self, connection: &str, name: &str, text: &[u8], only_new: bool) -> Result<bool, Trouble> {
        let store = self.store()?;
        for _ in 0..TRIES {
            let Current { key, mark } = self.current(&*store).await?;
            let sealed = key.seal((connection, name), text).map_err(|reason| unsealable(&reason))?;
            let secret = Keep { mark: &mark, connection, name, sealed: &sealed, only_new };
            match store.keep(&secret).await? {
                Keeping::Done => return Ok(true),
                Keeping::Present => return Ok(false),
                Keeping::OtherKey => self.reread().await,
            }
        }
        Err(restless())
    }

    /// Removes a secret; answers whether it was there. Needs no key.
    pub async fn remove(&self, connection: &str, name: &str) -> Result<bool, Trouble> {
        self.store()?.drop_kept(connection, name).await.map_err(Trouble::from)
    }

    /// What is kept, by connection and name. Needs no key.
    pub async fn list(&self) -> Result<Vec<Entry>, Trouble> {
        let kept = self.store()?.all_kept().await?;
        // What belongs to no connection is our own.
        let ours = |kept: &Kept| !kept.connection.is_empty();
        Ok(kept.into_iter().filter(ours).map(Entry::from).collect())
    }

    /// Removes everything that is sealed, whatever the key; there may be a new one afterwards.
    pub async fn reset(&self) -> Result<(), Trouble> {
        self.store()?.reset_kept().await?;
        self.reread().await;
        Ok(())
    }

    async fn reread(&self) {
        *self.0.current.lock().await = None;
    }

    /// The key that the store is sealed with, made where nothing is sealed yet.
    async fn current(&self, store: &dyn Store) -> Result<Current, Trouble> {
        let mut slot = self.0.current.lock().await;
        if let Some(current) = &*slot {
            return Ok(current.clone());
        }
        let current = match store.key_mark().await? {
            Some(mark) => self.fitting(mark)?,
            None => self.first()?,
        };
        *slot = Some(current.clone());
        Ok(current)
    }

    /// A key for a store that has no secrets yet.
    fn first(&self) -> Result<Current, Trouble> {
        let source = &self.0.source;
        let key = match source.load()? {
            Some(key) => key,
            None => source.make()?,
        };
        let mark = key.seal(MARK_PLACE, MARK).map_err(|reason| unsealable(&reason))?;
        Ok(Current { key: Arc::new(key), mark: mark.into() })
    }

    /// The key that this mark was made with.
    fn fitting(&self, mark: Vec<u8>) -> Result<Current, Trouble> {
        let source = &self.0.source;
        let mut found = None;
        for place in [Some(source.clone()), source.waiting()].into_iter().flatten() {
            let Some(key) = place.load()? else { continue };
            match key.open(MARK_PLACE, &mark) {
                Ok(_) => return Ok(Current { key: Arc::new(key), mark: mark.into() }),
                Err(Closed::Damaged) => return Err(damaged("", "key")),
                Err(Closed::OtherKey) => found = found.or(Some(key.name())),
            }
        }
        let wanted = key::name_in(&mark).ok_or_else(|| damaged("", "key"))?;
        let place = source.in_words();
        let message = match found {
            Some(found) => format!("the secrets are sealed with key {wanted}, but {place} holds key {found}"),
            None => format!("the secrets are sealed with key {wanted}, and {place} is not there"),
        };
        Err(Trouble::new("R082", message).kind(Kind::Store).help(
            "put the key back, or set `WEFT_KEY` or `WEFT_KEY_FILE`; nothing was changed. When it is lost for good, \
             `weft secret reset` removes what nobody can open any more, and secrets have to be set again",
        ))
    }
}

impl From<Kept> for Entry {
    fn from(Kept { connection, name, updated_at, .. }: Kept) -> Self {
        Self { connection, name, updated_at }
    }
}

fn damaged(connection: &str, name: &str) -> Trouble {
    let what = if connection.is_empty() {
        "what tells the key of the secrets is damaged in the store".to_owned()
    } else {
        format!("`{name}` of connection `{connection}` is damaged in the store")
    };
    let help = match (connection, name) {
        ("", _) => "put back the last backup of the store".to_owned(),
        (_, crate::tokens::NAME) => {
            format!(
                "put back the last backup of the store, or sign in again: `weft connect {connection} --again`"
            )
        }
        _ => format!(
            "put back the last backup of the store, or set it again: `weft secret set {connection} {name}`"
        ),
    };
    Trouble::new("R083", what).kind(Kind::Store).help(help)
}

fn unsealable(reason: &str) -> Trouble {
    Trouble::new("R081", format!("a secret cannot be sealed: {reason}")).kind(Kind::Store)
}

fn restless() -> Trouble {
    Trouble::new("R082", "the key of the secrets is being changed by another process")
        .kind(Kind::Store)
        .help("try again in a moment")
}
