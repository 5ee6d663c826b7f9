//! What a connection is told, checked. Secrets have no way to be printed.

use url::{Host as At, Url};

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, Limits, RemoteError};
use crate::manifest::Answers;
use crate::sign_in::{ClientAuth, Grant, OAuth};

/// Everything that a session needs to know about an account.
pub(super) struct Settings {
    pub(super) address: Url,
    identity: Url,
    client_id: String,
    pub(super) client_secret: String,
    redirect: String,
    scope: String,
    pub(super) calls: u32,
    pub(super) reference_days: u32,
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
        let redirect = needed("redirect_address")?;
        if Url::parse(&redirect).is_err() {
            return Err(refuse(format!("the setting `redirect_address` is `{redirect}`, not a web address")));
        }
        Ok(Self {
            address: address("address", &needed("address")?)?,
            identity: address("identity_address", &needed("identity_address")?)?,
            client_id: needed("client_id")?,
            client_secret: needed("client_secret")?,
            redirect,
            scope: needed("scope")?,
            calls: number("calls_per_minute")?,
            reference_days: number("reference_days")?,
        })
    }

    /// How a person lets Weft into the account.
    pub(super) fn oauth(&self, limits: &Limits) -> Result<OAuth, RemoteError> {
        let join =
            |path: &str| self.identity.join(path).map_err(|error| refuse(format!("`{path}`: {error}")));
        Ok(OAuth {
            system: TITLE.to_owned(),
            token_url: join("connect/token")?,
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            scope: Some(self.scope.clone()),
            client_auth: ClientAuth::Basic,
            grant: Grant::Code {
                authorize_url: join("connect/authorize")?,
                redirect: self.redirect.clone(),
                extra: vec![("prompt".to_owned(), "select_account".to_owned())],
            },
            limits: limits.clone(),
        })
    }
}

fn refuse(reason: String) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, reason).with_help("correct the settings of the connection")
}

/// The root of a service. Requests travel in the clear only to this computer.
fn address(name: &str, text: &str) -> Result<Url, RemoteError> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&with_scheme)
        .map_err(|error| refuse(format!("the setting `{name}` is `{text}`, not a web address: {error}")))?;
    let is_loopback = match url.host() {
        Some(At::Domain(domain)) => domain == "localhost",
        Some(At::Ipv4(ip)) => ip.is_loopback(),
        Some(At::Ipv6(ip)) => ip.is_loopback(),
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
    if !matches!(url.path().trim_end_matches('/'), "" | "/v2") {
        return Err(refuse(format!("the setting `{name}` is `{text}`; leave out everything after the host")));
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
        let standard = [("client_id", "weft"), ("client_secret", "geheim")];
        let answers =
            standard.iter().chain(changes).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::read(&answers).map_err(|error| error.reason)
    }

    #[test]
    fn addresses_are_taken_as_people_paste_them() {
        for text in ["eaccountingapi.vismaonline.com", "https://eaccountingapi.vismaonline.com/v2/"] {
            let settings = read(&[("address", text)]).map_err(|e| panic!("{text}: {e}")).unwrap();
            assert_eq!(settings.address.as_str(), "https://eaccountingapi.vismaonline.com/");
        }
        assert!(read(&[("address", "http://127.0.0.1:8080")]).is_ok());
    }

    #[test]
    fn wrong_answers_are_refused_by_name() {
        for (name, value) in [
            ("client_id", ""),
            ("client_secret", " "),
            ("address", "http://example.com"),
            ("identity_address", "https://identity.vismaonline.com/connect"),
            ("redirect_address", "callback"),
            ("calls_per_minute", "many"),
            ("reference_days", "0"),
        ] {
            let Err(error) = read(&[(name, value)]) else { panic!("{name} = {value}") };
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn people_are_sent_where_they_choose_an_account() {
        let oauth = read(&[]).unwrap().oauth(&Limits::default()).unwrap();
        let address = oauth.consent_address("s").unwrap();
        assert!(address.as_str().starts_with("https://identity.vismaonline.com/connect/authorize?"));
        assert!(
            address.query_pairs().any(|(name, value)| name == "scope" && value.contains("offline_access"))
        );
    }
}
