//! What it costs to carry orders from one system to another: the program `weft` beside a program
//! written by hand, on the same server.
//!
//! `cargo bench -p benches --bench sync` measures everything at sizes that take some minutes;
//! `-- small` tries it in seconds, `-- orders=1000000` adds the row for a million. See
//! `docs/performance.md`.
#![allow(missing_docs, reason = "a program for measuring")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a program for measuring"
)]

mod gauge;
mod hand;
mod orders;
mod server;
mod work;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve"] => server::serve(),
        ["gauge", ..] => gauge::gauge(&arguments[1..]),
        ["hand", address] => hand::run(address, false),
        ["hand-stream", address] => hand::run(address, true),
        _ => work::measure(&words),
    }
}
