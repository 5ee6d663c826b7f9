//! A flow as it is written at one time: all the files that decide what it does. Kept with its runs,
//! so that a record can be run again as it was then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The texts that a flow is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Edition {
    /// The flow's file.
    pub text: String,
    /// Scripts that it uses, by path.
    pub scripts: BTreeMap<String, String>,
    /// The file of its answers; empty: there is none.
    pub answers: String,
}

impl Edition {
    /// As it is kept.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Texts by name are always JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// As it was kept.
    #[must_use]
    pub fn from_json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }
}
