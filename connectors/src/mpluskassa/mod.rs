//! MplusKASSA: a Dutch point of sale, spoken to over SOAP.

use std::sync::LazyLock;

use crate::manifest::Manifest;

/// What the system offers.
#[expect(clippy::expect_used, reason = "the text is ours, and every test reads it")]
pub static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::from_toml(include_str!("system.toml")).expect("system.toml is a manifest"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_reads() {
        assert_eq!(MANIFEST.name, "mpluskassa");
        for (name, resource) in MANIFEST.resources.iter() {
            assert!(resource.fields.get(&resource.key).is_some(), "{name}: no key field");
            for field in resource.find.iter().flat_map(|find| &find.by) {
                assert!(resource.fields.get(field).is_some(), "{name}: no field {field}");
            }
        }
    }
}
