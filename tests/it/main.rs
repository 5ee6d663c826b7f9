//! One binary for all integration tests.

mod dsl;
mod files;
mod flows;
mod profiles;
mod run;
mod script;
mod tidy;
mod wsdl;
