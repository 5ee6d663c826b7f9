//! Names that expressions read from outside, by number.
//!
//! The expressions of a flow read the same few names for every record. A name is compared with
//! those that are bound once a record, and found by its number from then on.

use std::sync::{PoisonError, RwLock};

/// The names of a host, in the order in which they were first met.
#[derive(Debug, Default)]
pub(in crate::script) struct Names(RwLock<Vec<String>>);

/// A name from outside.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) number: usize,
}

impl Names {
    /// A name with its number, new or known.
    pub(super) fn input(&self, name: &str) -> Input {
        let number = self.known(name).unwrap_or_else(|| {
            let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
            names.push(name.to_owned());
            names.len() - 1
        });
        Input { name: name.to_owned(), number }
    }

    /// The number of a name that some expression reads.
    pub(super) fn known(&self, name: &str) -> Option<usize> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.iter().position(|known| known == name)
    }
}
