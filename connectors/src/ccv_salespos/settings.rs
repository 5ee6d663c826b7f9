//! What a connection is told, checked. Secrets have no way to be printed.

use url::Url;

use super::MANIFEST;
use crate::contract::RemoteError;
use crate::manifest::Answers;
use crate::told::Told;

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
        let told = Told::new(&MANIFEST, answers);
        let package = told.filled("package_id");
        if package.is_some_and(|package| package.parse::<u64>().is_err()) {
            return Err(told.wrong("package_id", "not a key of digits"));
        }
        let language = told.filled("language").map(str::to_ascii_lowercase);
        let is_code =
            |text: &String| text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic());
        if !language.as_ref().is_none_or(is_code) {
            return Err(told.wrong("language", "it must be two letters, such as nl"));
        }
        Ok(Self {
            address: told.address("address", &["/api", "/api/rest", "/api/rest/v1"])?,
            public: told.needed("public_key")?.to_owned(),
            secret: told.needed("secret_key")?.to_owned(),
            accept: match told.text("accept") {
                "webshop" => "application/vnd.verto.webshop+json",
                "salespos" => "application/vnd.verto.salespos+json",
                _ => return Err(told.wrong("accept", "it must be `webshop` or `salespos`")),
            },
            language,
            package: package.map(str::to_owned),
            reads: told.number("reads_per_minute")?,
            writes: told.number("writes_per_minute")?,
            reservation_days: told.number("reservation_days")?,
            verifies: told.yes("verify_answers")?,
        })
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
