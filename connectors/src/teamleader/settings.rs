//! What a connection is told, checked. Secrets have no way to be printed.

use url::{Host, Url};

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, RemoteError};
use crate::manifest::Answers;

/// Everything that a session needs to know about an account.
pub(super) struct Settings {
    pub(super) address: Url,
    pub(super) sign_in: Url,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) redirect: String,
    pub(super) department: Option<String>,
    pub(super) per_minute: u32,
}

impl Settings {
    /// Reads the answers; those that are missing or malformed are refused by name.
    pub(super) fn read(answers: &Answers) -> Result<Self, RemoteError> {
        let text = |name: &str| answers.get(&MANIFEST, name).unwrap_or_default().trim().to_owned();
        let needed = |name: &str| match text(name) {
            empty if empty.is_empty() => Err(refuse(format!("the setting `{name}` is empty"))),
            given => Ok(given),
        };
        let per_minute = text("calls_per_minute");
        let per_minute = match per_minute.parse::<u32>() {
            Ok(number) if number > 0 => number,
            _ => {
                let reason = format!("the setting `calls_per_minute` is `{per_minute}`, not a number above 0");
                return Err(refuse(reason));
            }
        };
        let department = Some(text("department_id")).filter(|text| !text.is_empty());
        if let Some(id) = department.as_deref().filter(|id| !is_uuid(id)) {
            return Err(refuse(format!("the setting `department_id` is `{id}`, not an identifier (UUID)")));
        }
        Ok(Self {
            address: address("address", &needed("address")?)?,
            sign_in: address("sign_in_address", &needed("sign_in_address")?)?,
            client_id: needed("client_id")?,
            client_secret: needed("client_secret")?,
            redirect: needed("redirect_address")?,
            department,
            per_minute,
        })
    }
}

/// Identifiers in Teamleader are UUIDs.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn refuse(reason: String) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, reason).with_help("correct the settings of the connection")
}

/// A server's root. Requests travel in the clear only to this computer.
fn address(name: &str, text: &str) -> Result<Url, RemoteError> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&with_scheme)
        .map_err(|error| refuse(format!("the setting `{name}` is `{text}`, not a web address: {error}")))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err(refuse(format!("the setting `{name}` is `{text}`; it must start with https://"))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse(format!("the setting `{name}` holds a user name; leave it out")));
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, String> {
        let standard = [("client_id", "9f1c"), ("client_secret", "s3cr3t")];
        let answers =
            standard.iter().chain(changes).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::read(&answers).map_err(|error| error.reason)
    }

    #[test]
    fn standard_answers_reach_the_real_service() {
        let settings = read(&[]).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(settings.address.as_str(), "https://api.focus.teamleader.eu/");
        assert_eq!(settings.sign_in.as_str(), "https://focus.teamleader.eu/");
        assert_eq!(settings.per_minute, 200);
    }

    #[test]
    fn malformed_answers_are_refused_by_name() {
        for (name, text) in [
            ("client_id", ""),
            ("client_secret", " "),
            ("department_id", "main"),
            ("calls_per_minute", "0"),
            ("address", "http://api.example.com"),
            ("sign_in_address", "https://me:pw@example.com"),
        ] {
            let Err(reason) = read(&[(name, text)]) else { panic!("{name} = {text} was taken") };
            assert!(reason.contains(name), "{reason}");
        }
    }
}
