//! What a connection is told, checked. Secrets have no way to be printed.

use url::Url;

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, Limits, RemoteError};
use crate::manifest::Answers;
use crate::sign_in::{ClientAuth, Grant, OAuth};
use crate::told::Told;

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
        let told = Told::new(&MANIFEST, answers);
        let redirect = told.needed("redirect_address")?.to_owned();
        if Url::parse(&redirect).is_err() {
            return Err(told.wrong("redirect_address", "not a web address"));
        }
        Ok(Self {
            address: told.address("address", &["/v2"])?,
            identity: told.address("identity_address", &["/v2"])?,
            client_id: told.needed("client_id")?.to_owned(),
            client_secret: told.needed("client_secret")?.to_owned(),
            redirect,
            scope: told.needed("scope")?.to_owned(),
            calls: told.number("calls_per_minute")?,
            reference_days: told.number("reference_days")?,
        })
    }

    /// How a person lets Weft into the account.
    pub(super) fn oauth(&self, limits: &Limits) -> Result<OAuth, RemoteError> {
        let join = |path: &str| self.identity.join(path).map_err(unusable);
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

fn unusable(error: url::ParseError) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, format!("the setting `identity_address` is of no use: {error}"))
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
