//! What a connection is told, read and checked the same way for every system.
//!
//! Whatever is missing or malformed is refused by the name of its setting. Secrets are read here
//! and nowhere printed.

use jiff::tz::TimeZone;
use url::{Host, Url};

use crate::contract::{Advice, RemoteError};
use crate::manifest::{Answers, Manifest};

/// The answers to a manifest's settings.
pub(crate) struct Told<'a> {
    manifest: &'a Manifest,
    answers: &'a Answers,
}

impl<'a> Told<'a> {
    pub(crate) const fn new(manifest: &'a Manifest, answers: &'a Answers) -> Self {
        Self { manifest, answers }
    }

    /// An answer, or the default, without the blanks around it.
    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.answers.get(self.manifest, name).unwrap_or_default().trim()
    }

    /// The same, unless it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&'a str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The same, refused when it is empty.
    pub(crate) fn needed(&self, name: &str) -> Result<&'a str, RemoteError> {
        self.filled(name).ok_or_else(|| self.refuse(format!("the setting `{name}` is empty")))
    }

    /// A whole number above 0.
    pub(crate) fn number(&self, name: &str) -> Result<u32, RemoteError> {
        let number = self.text(name).parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| self.wrong(name, "not a number above 0"))
    }

    /// Yes or no.
    pub(crate) fn yes(&self, name: &str) -> Result<bool, RemoteError> {
        match self.text(name).to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" => Ok(true),
            "no" | "false" | "0" => Ok(false),
            _ => Err(self.wrong(name, "it must be `yes` or `no`")),
        }
    }

    /// A time zone.
    pub(crate) fn zone(&self, name: &str) -> Result<TimeZone, RemoteError> {
        TimeZone::get(self.needed(name)?).map_err(|_| self.wrong(name, "not a zone such as Europe/Amsterdam"))
    }

    /// The root of a service; people may paste it with one of these paths behind it. Requests
    /// travel in the clear only to this computer.
    pub(crate) fn address(&self, name: &str, paths: &[&str]) -> Result<Url, RemoteError> {
        let text = self.needed(name)?;
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url = Url::parse(&with_scheme)
            .map_err(|error| self.wrong(name, &format!("not a web address: {error}")))?;
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.refuse(format!("the setting `{name}` holds a user name; leave it out")));
        }
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
            return Err(self.wrong(name, "it must start with https://"));
        }
        let path = url.path().trim_end_matches('/');
        if !path.is_empty() && !paths.contains(&path) {
            return Err(self.wrong(name, "leave out everything after the host"));
        }
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        Ok(url)
    }

    /// A setting says something that it cannot mean.
    pub(crate) fn wrong(&self, name: &str, why: &str) -> RemoteError {
        self.refuse(format!("the setting `{name}` is `{}`; {why}", self.text(name)))
    }

    /// Settings that make no sense.
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> RemoteError {
        RemoteError::new(Advice::StopFlow, self.manifest.title.clone(), reason)
            .with_help("correct the settings of the connection")
    }
}
