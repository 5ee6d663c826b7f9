//! The program `weft`: starts things, and turns how they ended into an exit code.

use std::process::ExitCode;

/// Counts what each thread takes, so that scripts can be held to their memory limit.
#[global_allocator]
static MEMORY: engine::memory::Allocator = engine::memory::Allocator;

fn main() -> ExitCode {
    engine::cli::main()
}
