//! The names that an expression reads, handed to Rhai when it asks for them.
//!
//! They are not variables in Rhai's scope: a callback that reads `order` would turn the variable
//! into a shared, locked cell, and in `order.lines.map(|line| line.price * order.rate)` it is
//! already locked when the callback comes to read it. Handed out, they are values.

use std::cell::RefCell;

use rhai::{Dynamic, Engine};

type Names = Vec<(String, Dynamic)>;

thread_local! {
    static INPUTS: RefCell<Names> = const { RefCell::new(Vec::new()) };
}

/// Inputs in force; those before them come back when this is dropped.
pub(super) struct Given {
    outer: Names,
}

/// Puts inputs in force on this thread.
pub(super) fn give(names: Names) -> Given {
    Given { outer: INPUTS.replace(names) }
}

impl Drop for Given {
    fn drop(&mut self) {
        drop(INPUTS.replace(std::mem::take(&mut self.outer)));
    }
}

/// Lets scripts read the inputs: names that are no variables of their own.
#[expect(deprecated, reason = "Rhai marks the call as one that may change, not as one to avoid")]
pub(super) fn connect(engine: &mut Engine) {
    engine.on_var(|name, local, _| {
        if local != 0 {
            return Ok(None);
        }
        let found =
            |inputs: &Names| inputs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        Ok(INPUTS.with_borrow(found))
    });
}
