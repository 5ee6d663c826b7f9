//! One binary for all integration tests.

mod dsl;
mod run;
mod script;
mod files;
mod profiles;
mod wsdl;
