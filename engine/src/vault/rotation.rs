//! A new key for everything that is sealed.
//!
//! The new key is on disk before anything is sealed with it, everything is sealed anew in one
//! transaction, and only then does the new key take the place of the old one. Killed in between,
//! one of the two files holds the key that fits, and both are looked at.

use super::key::Key;
use super::{Current, MARK, MARK_PLACE, Source, Vault, damaged, restless, unsealable};
use crate::store::{Kept, Resealed, Store};
use crate::trouble::{Kind, Trouble};

/// What a change of the key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Secrets that were sealed anew.
    pub secrets: u64,
    /// Where the new key is, when the operator has to put it into the place of the old one.
    pub to_do: Option<String>,
}

impl Vault {
    /// Seals everything with a new key.
    pub async fn rotate(&self) -> Result<Rotated, Trouble> {
        self.rotate_to(Source::next()).await
    }

    pub(super) async fn rotate_to(&self, next: Option<Source>) -> Result<Rotated, Trouble> {
        let store = self.store()?;
        let guard = self.guard("key of the secrets").await?;
        let done = self.change(&*store, next).await;
        guard.end().await?;
        done
    }

    async fn change(&self, store: &dyn Store, next: Option<Source>) -> Result<Rotated, Trouble> {
        self.reread().await;
        if store.key_mark().await?.is_none() {
            return Err(Trouble::new("R085", "nothing is sealed yet")
                .help("`weft secret set CONNECTION SETTING` keeps a first secret, and makes the key"));
        }
        let old = self.current(store).await?;
        self.finish(&old)?;
        let (key, source, to_do) = self.next(next)?;
        let mark = key.seal(MARK_PLACE, MARK).map_err(|reason| unsealable(&reason))?;
        let each = |kept: &Kept| {
            let place = (kept.connection.as_str(), kept.name.as_str());
            key.seal(place, &old.key.open(place, &kept.sealed).ok()?).ok()
        };
        let discard = || source.iter().for_each(Source::discard);
        match store.reseal(&old.mark, &mark, &each).await? {
            Resealed::Done(secrets) => {
                *self.0.current.lock().await = Some(Current { key: key.into(), mark: mark.into() });
                if source.is_some() {
                    self.0.source.take_over()?;
                }
                Ok(Rotated { secrets, to_do })
            }
            Resealed::OtherKey => {
                discard();
                Err(restless())
            }
            Resealed::Unreadable { connection, name } => {
                discard();
                Err(damaged(&connection, &name))
            }
        }
    }

    /// Brings a change to its end that was cut short after everything was sealed anew.
    fn finish(&self, current: &Current) -> Result<(), Trouble> {
        let Some(waiting) = self.0.source.waiting() else { return Ok(()) };
        match waiting.load() {
            Ok(Some(key)) if key.name() == current.key.name() => self.0.source.take_over(),
            _ => Ok(()),
        }
    }

    /// The key that follows; the file where it waits for its place, or what the operator has to
    /// do with it.
    fn next(&self, next: Option<Source>) -> Result<(Key, Option<Source>, Option<String>), Trouble> {
        let Some(waiting) = self.0.source.waiting() else {
            let Some(next) = next else {
                let place = self.0.source.in_words();
                return Err(Trouble::new("R085", format!("the key comes from {place}, and there is no new one"))
                    .help("put the new key into `WEFT_NEW_KEY` or `WEFT_NEW_KEY_FILE`; `openssl rand -base64 32` makes one"));
            };
            let key = next.load()?.ok_or_else(|| {
                Trouble::new("R085", format!("{} holds no key", next.in_words())).kind(Kind::Store)
            })?;
            let to_do = format!(
                "put the key of {} in the place of that in {}",
                next.in_words(),
                self.0.source.in_words()
            );
            return Ok((key, None, Some(to_do)));
        };
        let key = match next {
            Some(next) => next.load()?.ok_or_else(restless)?,
            None => Key::random().map_err(|reason| unsealable(&reason))?,
        };
        waiting.put(&key)?;
        Ok((key, Some(waiting), None))
    }
}
