//! Where the key comes from: the project's own file, or the environment.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::Key;
use crate::trouble::{Kind, Trouble, why};

/// Variables of the environment that hold keys; no program that Weft starts may see them.
pub const VARIABLES: [&str; 4] = ["WEFT_KEY", "WEFT_KEY_FILE", "WEFT_NEW_KEY", "WEFT_NEW_KEY_FILE"];

/// Where a key is to be found.
#[derive(Clone)]
pub(super) enum Source {
    /// In the project's folder, made at first use.
    Own(PathBuf),
    /// In a file that somebody else looks after.
    File(PathBuf),
    /// In that variable of the environment.
    Variable(&'static str, Zeroizing<String>),
}

impl Source {
    /// The key of the project in `root`.
    pub(super) fn of(root: &Path) -> Self {
        Self::named("WEFT_KEY", "WEFT_KEY_FILE").unwrap_or_else(|| Self::Own(root.join(".weft").join("key")))
    }

    /// The key that follows, where the environment has it.
    pub(super) fn next() -> Option<Self> {
        Self::named("WEFT_NEW_KEY", "WEFT_NEW_KEY_FILE")
    }

    fn named(variable: &'static str, file: &str) -> Option<Self> {
        if let Ok(text) = std::env::var(variable)
            && !text.is_empty()
        {
            return Some(Self::Variable(variable, Zeroizing::new(text)));
        }
        std::env::var_os(file).filter(|path| !path.is_empty()).map(|path| Self::File(path.into()))
    }

    /// For people.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Own(path) | Self::File(path) => format!("`{}`", path.display()),
            Self::Variable(name, _) => format!("the environment variable `{name}`"),
        }
    }

    /// The key; `None`: there is none yet, and one may be made.
    pub(super) fn load(&self) -> Result<Option<Key>, Trouble> {
        let text = match self {
            Self::Variable(_, text) => text.clone(),
            Self::Own(path) | Self::File(path) => match std::fs::read(path) {
                Ok(bytes) => {
                    let bytes = Zeroizing::new(bytes);
                    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
                }
                Err(error) if error.kind() == ErrorKind::NotFound && matches!(self, Self::Own(_)) => {
                    return Ok(None);
                }
                Err(error) => {
                    return Err(trouble(format!(
                        "cannot read the key in {}: {}",
                        self.in_words(),
                        why(&error)
                    ))
                    .help("correct the path, or give the user who runs weft the right to read it"));
                }
            },
        };
        Key::parse(&text).map(Some).ok_or_else(|| {
            trouble(format!("{} holds no key", self.in_words())).help(
                "a key is 32 bytes in base64 or as 64 hexadecimal digits; `openssl rand -base64 32` makes one",
            )
        })
    }

    /// The file beside the project's own that a new key waits in until everything is sealed
    /// with it.
    pub(super) fn waiting(&self) -> Option<Self> {
        match self {
            Self::Own(path) => Some(Self::Own(path.with_extension("new"))),
            Self::File(_) | Self::Variable(..) => None,
        }
    }

    /// A new key in the project's own file, unless another process was quicker: then its key.
    pub(super) fn make(&self) -> Result<Key, Trouble> {
        let key = Key::random().map_err(trouble)?;
        let Self::Own(path) = self else { return Ok(key) };
        let fresh = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
        let made = write(&fresh, &key).and_then(|()| {
            // A link is made whole or not at all, and never in the place of another key.
            let made = std::fs::hard_link(&fresh, path);
            let _ = std::fs::remove_file(&fresh);
            made
        });
        match made {
            Ok(()) => {
                sync_folder(path).map_err(|error| self.cannot_write(&error))?;
                Ok(key)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.load()?.ok_or_else(|| trouble("the key was there and is gone"))
            }
            Err(error) => Err(self.cannot_write(&error)),
        }
    }

    /// Puts a key into the file, whatever was in it.
    pub(super) fn put(&self, key: &Key) -> Result<(), Trouble> {
        let Self::Own(path) = self else { return Ok(()) };
        let done = remove(path).and_then(|()| write(path, key)).and_then(|()| sync_folder(path));
        done.map_err(|error| self.cannot_write(&error))
    }

    /// The key that waited becomes the project's own.
    pub(super) fn take_over(&self) -> Result<(), Trouble> {
        let (Self::Own(path), Some(Self::Own(waiting))) = (self, self.waiting()) else { return Ok(()) };
        let done = std::fs::rename(waiting, path).and_then(|()| sync_folder(path));
        done.map_err(|error| self.cannot_write(&error))
    }

    /// Removes the file of a key that nothing is sealed with.
    pub(super) fn discard(&self) {
        if let Self::Own(path) = self
            && let Err(error) = remove(path)
        {
            tracing::warn!(reason = why(&error), "a key that is not used stays behind");
        }
    }

    fn cannot_write(&self, error: &std::io::Error) -> Trouble {
        trouble(format!("cannot write the key into {}: {}", self.in_words(), why(error)))
            .help("give the user who runs weft the right to write in the project's folder, or put a key into `WEFT_KEY`")
    }
}

fn trouble(message: impl Into<String>) -> Trouble {
    Trouble::new("R081", message).kind(Kind::Store)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A new file that only its owner reads, on disk when this returns.
fn write(path: &Path, key: &Key) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.to_text().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// The name is on disk when the folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
