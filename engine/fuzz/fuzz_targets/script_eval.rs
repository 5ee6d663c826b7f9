//! Any text as an expression over one record: no panic, no fault, an end within the limits.
//!
//! `cargo +nightly fuzz run script_eval -- -max_total_time=60`, in the folder `engine`.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use connectors::record::read_json;
use engine::script::{Bindings, Limits, Mistake, RecordBudget, ScriptHost, with_room};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: engine::memory::Allocator = engine::memory::Allocator;

const ORDER: &[u8] =
    br#"{"number": "0042", "total": 12.10, "paid": true, "lines": [{"sku": "a", "price": 1.10}]}"#;

static HOST: LazyLock<ScriptHost> = LazyLock::new(|| {
    engine::memory::watch_scripts();
    // Every text is worth a try, none a long one.
    ScriptHost::load(Limits::default().with_time(Duration::from_millis(20)), &[], &[]).expect("no scripts")
});

fuzz_target!(|text: &str| {
    let mut bindings = Bindings::new();
    bindings.set("order", read_json(&bytes::Bytes::from_static(ORDER)).expect("JSON"));
    let budget = RecordBudget::new();
    bindings.draw_from(budget.clone());
    let given = with_room(|| {
        HOST.compile_text(text).and_then(|compiled| HOST.evaluate(&compiled, &bindings))
    })
    .expect("a thread");
    if let Err(error) = given {
        assert!(!matches!(error.mistake, Mistake::Fault { .. }), "{error}");
    }
    assert!(budget.operations() <= HOST.limits().operations);
    assert!(budget.peak() <= HOST.limits().memory);
});
