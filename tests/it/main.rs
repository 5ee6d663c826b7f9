//! One binary for all integration tests.

mod files;
mod profiles;
