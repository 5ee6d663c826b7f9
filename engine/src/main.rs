//! The program `weft`: starts things, and turns how they ended into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    engine::cli::main()
}
