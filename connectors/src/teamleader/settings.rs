//! What a connection is told, checked. Secrets have no way to be printed.

use url::Url;

use super::MANIFEST;
use crate::contract::RemoteError;
use crate::manifest::Answers;
use crate::told::Told;

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
        let told = Told::new(&MANIFEST, answers);
        let department = told.filled("department_id").map(str::to_owned);
        if department.as_deref().is_some_and(|id| !is_uuid(id)) {
            return Err(told.wrong("department_id", "not an identifier (UUID)"));
        }
        Ok(Self {
            address: told.address("address", &[])?,
            sign_in: told.address("sign_in_address", &[])?,
            client_id: told.needed("client_id")?.to_owned(),
            client_secret: told.needed("client_secret")?.to_owned(),
            redirect: told.needed("redirect_address")?.to_owned(),
            department,
            per_minute: told.number("calls_per_minute")?,
        })
    }
}

/// Identifiers in Teamleader are UUIDs.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
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
