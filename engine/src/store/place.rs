//! Where a store is: a file, or a PostgreSQL server. What is printed of it holds no password.

use std::fmt;
use std::path::{Path, PathBuf};

use super::postgres::Address;

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Server(Address),
}

impl Place {
    /// The place that an address tells: `postgres://USER@HOST/DATABASE`. The reason for which
    /// it cannot be one never repeats the address, for that may hold a password.
    pub fn server(address: &str) -> Result<Self, String> {
        Address::read(address).map(Self::Server)
    }

    /// The file of the store, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(address) => write!(f, "{address}"),
        }
    }
}
