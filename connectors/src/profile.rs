//! Systems by declaration: a REST system described in one TOML file needs no Rust.
//!
//! A profile is a manifest with, beside it, how the system speaks: address, sign-in, paging,
//! where records and ids stand in replies, what refusals mean. It is checked as a flow is, with
//! every problem in one pass, and compiled once; nothing of it is interpreted per record.

mod body;
mod dialect;
mod entries;
mod fields;
pub(crate) mod form;
mod formats;
mod load;
mod paging;
pub(crate) mod path;
mod problem;
mod reader;
mod resource;
mod session;
pub(crate) mod shape;
mod sign_in;
mod speaker;
mod template;
mod tokens;
mod writing;

use std::sync::Arc;

use crate::contract::{Connector, Host, Limits, RemoteError, Session};
use crate::manifest::{Answers, Manifest};
use crate::sign_in::OAuth;

use dialect::{Dialect, SignIn};
pub use problem::{Code, Problem, ProfileReport, Span};

/// A system that a profile describes.
#[derive(Clone, Debug)]
pub struct Profile {
    manifest: Manifest,
    dialect: Arc<Dialect>,
}

impl Profile {
    /// Reads a profile; the error carries everything that is wrong with it.
    pub fn load(file_name: &str, text: &str) -> Result<Self, ProfileReport> {
        let (manifest, dialect) = load::load(file_name, text)?;
        Ok(Self { manifest, dialect: Arc::new(dialect) })
    }
}

impl Connector for Profile {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let session = session::Conversation::open(&self.manifest, &self.dialect, answers, host)?;
        Ok(Arc::new(session))
    }

    fn consent(&self, answers: &Answers) -> Option<Result<OAuth, RemoteError>> {
        let SignIn::OAuth(way) = &self.dialect.sign_in else { return None };
        way.authorize_address.as_ref()?;
        let setting = |name: &str| answers.get(&self.manifest, name).unwrap_or_default().trim().to_owned();
        Some(way.client(&self.manifest.title, &setting, &Limits::default()))
    }
}
