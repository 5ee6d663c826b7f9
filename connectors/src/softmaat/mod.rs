//! Softmaat: a profile that comes with Weft, over a contract that is assumed.
//!
//! Nothing of it is Rust but the simulator, which enforces the same assumptions. A customer whose
//! system differs copies the profile into the project's `systems/` and corrects it there.

pub mod simulator;
#[cfg(test)]
mod tests;

use crate::profile::{Profile, ProfileReport};

/// The profile's text.
pub const PROFILE: &str = include_str!("profile.toml");

/// The system.
pub fn system() -> Result<Profile, ProfileReport> {
    Profile::load("softmaat.toml", PROFILE)
}
