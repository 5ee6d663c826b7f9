//! Vendors' own descriptions of their interfaces.
//!
//! They are not ours to carry along. They are looked for in the folder that `WEFT_SPECS` names,
//! or in `../shared/specs` beside the checkout; where one is absent the tests that need it say
//! so and check nothing.

use std::path::PathBuf;

/// The text of the description of that file name, where it is at hand.
#[must_use]
pub fn text(file: &str) -> Option<String> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs");
    let folders = std::env::var_os("WEFT_SPECS").map(PathBuf::from).into_iter().chain([beside]);
    let found = folders.map(|folder| folder.join(file)).find_map(|path| std::fs::read_to_string(path).ok());
    if found.is_none() {
        eprintln!("skipped: {file} is not here; set WEFT_SPECS to the folder that holds it");
    }
    found
}
