//! Measurements, each a program of its own: `cargo bench -p benches --bench mapping`.
