//! What a connection is told, checked. Secrets have no way to be printed.

use url::{Host, Url};

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, RemoteError};
use crate::manifest::Answers;

/// Everything that a session needs to know about an account.
pub(super) struct Settings {
    pub(super) address: Url,
    pub(super) public: String,
    pub(super) secret: String,
    pub(super) accept: &'static str,
    pub(super) language: Option<String>,
    pub(super) package: Option<String>,
    pub(super) reads: u32,
    pub(super) writes: u32,
    pub(super) reservation_days: u32,
    pub(super) verifies: bool,
}

impl Settings {
    /// Reads the answers; those that are missing or malformed are refused by name.
    pub(super) fn read(answers: &Answers) -> Result<Self, RemoteError> {
        let text = |name: &str| answers.get(&MANIFEST, name).unwrap_or_default().trim().to_owned();
        let needed = |name: &str| match text(name) {
            empty if empty.is_empty() => Err(refuse(format!("the setting `{name}` is empty"))),
            given => Ok(given),
        };
        let number = |name: &str| match text(name).parse::<u32>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(refuse(format!("the setting `{name}` is `{}`, not a number above 0", text(name)))),
        };
        let filled = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
        if let Some(package) = filled("package_id")
            && package.parse::<u64>().is_err()
        {
            return Err(refuse(format!("the setting `package_id` is `{package}`, not a key of digits")));
        }
        Ok(Self {
            address: address(&needed("address")?)?,
            public: needed("public_key")?,
            secret: needed("secret_key")?,
            accept: accept(&text("accept"))?,
            language: filled("language").map(|text| language(&text)).transpose()?,
            package: filled("package_id"),
            reads: number("reads_per_minute")?,
            writes: number("writes_per_minute")?,
            reservation_days: number("reservation_days")?,
            verifies: yes("verify_answers", &text("verify_answers"))?,
        })
    }
}

fn refuse(reason: String) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, reason).with_help("correct the settings of the connection")
}

/// The shop's root. Requests travel in the clear only to this computer.
fn address(text: &str) -> Result<Url, RemoteError> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&with_scheme)
        .map_err(|error| refuse(format!("the setting `address` is `{text}`, not a web address: {error}")))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err(refuse(format!("the setting `address` is `{text}`; it must start with https://"))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("the setting `address` holds a user name; leave it out".to_owned()));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if !matches!(path.as_str(), "" | "/api" | "/api/rest" | "/api/rest/v1") {
        return Err(refuse(format!(
            "the setting `address` is `{text}`; leave out everything after the host"
        )));
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn accept(text: &str) -> Result<&'static str, RemoteError> {
    match text {
        "webshop" => Ok("application/vnd.verto.webshop+json"),
        "salespos" => Ok("application/vnd.verto.salespos+json"),
        _ => Err(refuse(format!("the setting `accept` is `{text}`; it must be `webshop` or `salespos`"))),
    }
}

fn language(text: &str) -> Result<String, RemoteError> {
    if text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(refuse(format!("the setting `language` is `{text}`; it must be two letters, such as nl")))
}

fn yes(name: &str, text: &str) -> Result<bool, RemoteError> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(refuse(format!("the setting `{name}` is `{text}`; it must be `yes` or `no`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, String> {
        let standard =
            [("address", "https://koffiehuis.ccvshop.nl"), ("public_key", "pk"), ("secret_key", "sk")];
        let answers =
            standard.iter().chain(changes).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::read(&answers).map_err(|error| error.reason)
    }

    #[test]
    fn addresses_are_taken_as_people_paste_them() {
        for text in [
            "koffiehuis.ccvshop.nl",
            "https://koffiehuis.ccvshop.nl/",
            "https://koffiehuis.ccvshop.nl/api/rest/v1/",
        ] {
            let settings = read(&[("address", text)]).map_err(|e| panic!("{text}: {e}")).unwrap();
            assert_eq!(settings.address.as_str(), "https://koffiehuis.ccvshop.nl/");
        }
        assert!(read(&[("address", "http://127.0.0.1:8080")]).is_ok());
    }

    #[test]
    fn malformed_answers_are_refused_by_name() {
        for (name, text) in [
            ("address", ""),
            ("address", "http://koffiehuis.ccvshop.nl"),
            ("address", "https://me:pw@koffiehuis.ccvshop.nl"),
            ("address", "https://koffiehuis.ccvshop.nl/admin/keys"),
            ("public_key", " "),
            ("secret_key", ""),
            ("accept", "json"),
            ("language", "dutch"),
            ("package_id", "box"),
            ("reads_per_minute", "0"),
            ("writes_per_minute", "many"),
            ("reservation_days", "-1"),
            ("verify_answers", "perhaps"),
        ] {
            let Err(reason) = read(&[(name, text)]) else { panic!("{name} = {text} was taken") };
            assert!(reason.contains(name) || reason.contains("address"), "{reason}");
        }
    }
}
