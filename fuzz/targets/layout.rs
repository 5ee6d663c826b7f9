//! See `fuzz::layout`.
#![no_main]
#![allow(unsafe_code, missing_docs, reason = "made by the macro")]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::layout(bytes));
