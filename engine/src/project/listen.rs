//! `[listen]` in `weft.toml`: where the daemon takes webhooks and answers questions.

use std::net::SocketAddr;

use url::Url;

use super::file::{Entries, Reader};
use crate::trouble::did_you_mean;

/// Where the daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Address and port on this machine.
    pub address: SocketAddr,
    /// How the same is reached from outside, without a slash at its end.
    pub public_url: Option<String>,
}

/// Nobody outside this machine reaches it.
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8787);

const NAMES: [&str; 2] = ["address", "public_url"];

impl Reader<'_> {
    /// `None` where the section is not there: nothing listens.
    pub(super) fn listen(&mut self, entries: Option<&Entries>) -> Option<Listen> {
        let mut listen = Listen { address: LOOPBACK, public_url: None };
        for (key, value) in entries? {
            let text = value.get_ref().as_str();
            let wrong = match key.get_ref().as_str() {
                "address" => {
                    let address = text.and_then(|text| text.parse().ok());
                    listen.address = address.unwrap_or(listen.address);
                    address.is_none().then_some("an address of this machine with a port: \"127.0.0.1:8787\"")
                }
                "public_url" => {
                    listen.public_url = text.and_then(public);
                    listen.public_url.is_none().then_some(
                        "the address under which systems reach it: \"https://weft.example.com\", with a path if there is one",
                    )
                }
                name => {
                    let help = did_you_mean(name, NAMES)
                        .unwrap_or_else(|| format!("there are {}", NAMES.join(" and ")));
                    let message = format!("`[listen]` has no setting `{name}`");
                    self.trouble("R100", message, key.span(), "not a setting of [listen]", Some(help));
                    continue;
                }
            };
            if let Some(right) = wrong {
                let message = format!("`{}` cannot be read", key.get_ref());
                self.trouble("R101", message, value.span(), "not an address", Some(format!("write {right}")));
            }
        }
        Some(listen)
    }
}

/// Systems are given addresses below this one, so it is kept as it was written.
fn public(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let is_web = matches!(url.scheme(), "https" | "http") && url.has_host();
    (is_plain && is_web).then(|| text.trim_end_matches('/').to_owned())
}
