//! One binary for all integration tests.

mod arrivals;
mod book;
mod cases;
mod dead;
mod deleted;
mod details;
mod dsl;
mod eaccounting;
mod examples;
mod files;
mod flows;
#[cfg(target_os = "linux")]
mod forbidden;
mod format;
mod lowering;
mod pipeline;
mod planted;
mod privacy;
mod profiles;
mod ready_scripts;
mod requirements;
mod results;
mod run;
mod script;
mod soup;
mod teamleader_openapi;
mod tidy;
mod unfinished;
mod vendors;
mod wsdl;

/// As in the program, so that what scripts take is counted here too.
#[global_allocator]
static MEMORY: engine::memory::Allocator = engine::memory::Allocator;
