//! One binary for all integration tests.

#[cfg(target_os = "linux")]
mod forbidden;
mod run;
mod script;
mod soup;

/// As in the program, so that what scripts take is counted here too.
#[global_allocator]
static MEMORY: engine::memory::Allocator = engine::memory::Allocator;
