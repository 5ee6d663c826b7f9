//! CCV SalesPOS and CCV Shop: the till and the web shop share one REST API.

use std::sync::LazyLock;

use crate::manifest::Manifest;

/// What the system offers.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
pub(crate) static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::from_toml(include_str!("system.toml")).expect("system.toml is a manifest"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_reads() {
        assert_eq!(MANIFEST.name, "ccv_salespos");
        for (name, resource) in MANIFEST.resources.iter() {
            assert!(resource.fields.get(&resource.key).is_some(), "{name} has its key");
            for find in &resource.find {
                for field in &find.by {
                    assert!(resource.fields.get(field).is_some(), "{name}.{field}");
                }
            }
            for field in resource.fetch.iter().flat_map(|f| f.filters.iter().chain(&f.since).chain(&f.detail))
            {
                assert!(resource.fields.get(field).is_some(), "{name}.{field}");
            }
        }
    }
}
