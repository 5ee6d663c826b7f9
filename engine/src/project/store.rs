//! `[store]` in `weft.toml`: where Weft keeps what it knows.

use std::path::Path;

use super::MAIN_FILE;
use super::file::{Entries, Reader};
use crate::store::Place;
use crate::trouble::did_you_mean;

const NAMES: [&str; 2] = ["path", "url"];

const SECRET: &str = "put the address into an environment variable and write `url = { env = \"NAME\" }`, or into a file: `{ file = \"PATH\" }`";

const FORM: &str = "write it as `postgres://USER:PASSWORD@HOST/DATABASE`; docs/operating.md shows more";

/// Where the store is when nothing is said.
pub(super) fn standard(root: &Path) -> Place {
    Place::File(root.join(".weft").join("store.db"))
}

impl Reader<'_> {
    pub(super) fn store(&mut self, entries: &Entries) -> Place {
        let mut place = None;
        for (key, value) in entries {
            let name = key.get_ref().as_str();
            if !NAMES.contains(&name) {
                let help = did_you_mean(name, NAMES).unwrap_or_else(|| {
                    "there are `path`, a file, and `url`, a PostgreSQL database".to_owned()
                });
                let message = format!("`[store]` has no `{name}`");
                self.trouble("R075", message, key.span(), "not known here", Some(help));
                continue;
            }
            if place.is_some() {
                let message = "the store is in a file or in a database, not in both".to_owned();
                let help = "leave out `path` or `url`".to_owned();
                self.trouble("R075", message, key.span(), "the second one", Some(help));
                continue;
            }
            let text = match self.answer(value.get_ref()) {
                Ok(text) => text,
                Err((message, help)) => {
                    self.trouble("R012", message, value.span(), "no value from here", Some(help));
                    continue;
                }
            };
            if name == "path" {
                place = Some(Place::File(self.root.join(text)));
                continue;
            }
            let (line, is_plain) = (self.line(&value.span()), value.get_ref().is_str());
            match Place::server(&text) {
                // An address without a password may be seen by anybody.
                Ok(_) if is_plain && has_password(&text) => {
                    let message = format!(
                        "the address of the store has a password, which must not stand in {MAIN_FILE}"
                    );
                    self.unshown("R011", &message, line, SECRET);
                }
                Ok(server) => place = Some(server),
                Err(reason) => {
                    let message = format!("this is no address of a store: {reason}");
                    self.unshown("R076", &message, line, FORM);
                }
            }
        }
        place.unwrap_or_else(|| standard(self.root))
    }
}

fn has_password(address: &str) -> bool {
    url::Url::parse(address)
        .map_or(true, |url| url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password"))
}
