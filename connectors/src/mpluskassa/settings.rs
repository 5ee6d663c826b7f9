//! What a connection was told, typed; the secret has no way to be printed.

use std::fmt;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::MANIFEST;
use crate::contract::RemoteError;
use crate::http::{Secrets, Url};
use crate::manifest::Answers;
use crate::told::Told;

/// Answers to the settings of the manifest.
#[derive(Clone)]
pub(super) struct Settings {
    /// Address with ident and secret in its query.
    pub(super) url: Url,
    /// What must not be printed.
    pub(super) secrets: Secrets,
    pub(super) branch_number: String,
    pub(super) workplace_number: String,
    pub(super) employee_number: String,
    pub(super) payments: Payments,
    pub(super) vat_divisor: Decimal,
    pub(super) zone: TimeZone,
}

/// What happens with payments on a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payments {
    /// A deposit; the order stays open.
    Deposit,
    /// The order becomes a sale.
    Finish,
    /// They are not sent.
    Ignore,
}

impl Settings {
    pub(super) fn read(answers: &Answers) -> Result<Self, RemoteError> {
        let told = Told::new(&MANIFEST, answers);
        let (ident, secret) = (told.needed("ident")?, told.needed("secret")?);
        let mut url = told.address("address", &[])?;
        url.query_pairs_mut().clear().append_pair("ident", ident).append_pair("secret", secret);
        let divisor = told.needed("vat_divisor")?.parse().ok().filter(|divisor| *divisor >= Decimal::ONE);
        let number = |name: &str| told.number(name).map(|number| number.to_string());
        Ok(Self {
            url,
            secrets: Secrets::of([secret]),
            branch_number: number("branch_number")?,
            workplace_number: number("workplace_number")?,
            employee_number: number("employee_number")?,
            payments: match told.text("payments") {
                "deposit" => Payments::Deposit,
                "finish" => Payments::Finish,
                "ignore" => Payments::Ignore,
                _ => return Err(told.wrong("payments", "it must be deposit, finish or ignore")),
            },
            vat_divisor: divisor
                .ok_or_else(|| told.wrong("vat_divisor", "not a number from 1, usually 100"))?,
            zone: told.zone("time_zone")?,
        })
    }
}

/// Everything but the secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.url.host_str())
            .field("branch_number", &self.branch_number)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, String> {
        let standard = [("address", "api.mpluskassa.nl:34562"), ("ident", "weft"), ("secret", "geheim")];
        let answers =
            standard.iter().chain(changes).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::read(&answers).map_err(|error| error.reason)
    }

    #[test]
    fn an_address_is_taken_as_people_paste_it() {
        for text in ["api.mpluskassa.nl:34562", "https://api.mpluskassa.nl:34562/?wsdl"] {
            let url = read(&[("address", text)]).unwrap_or_else(|reason| panic!("{reason}")).url;
            assert_eq!(url.as_str(), "https://api.mpluskassa.nl:34562/?ident=weft&secret=geheim");
        }
    }

    #[test]
    fn the_secret_travels_in_the_clear_only_to_this_computer() {
        assert!(read(&[("address", "http://127.0.0.1:8080")]).is_ok());
        let reason = read(&[("address", "http://api.mpluskassa.nl:34562")]).unwrap_err();
        assert!(reason.contains("https://") && !reason.contains("geheim"), "{reason}");
    }

    #[test]
    fn malformed_answers_are_refused_by_name() {
        for (name, text) in [
            ("ident", ""),
            ("secret", " "),
            ("branch_number", "0"),
            ("employee_number", "Ann"),
            ("payments", "perhaps"),
            ("vat_divisor", "0.5"),
            ("time_zone", "Amsterdam"),
        ] {
            let Err(reason) = read(&[(name, text)]) else { panic!("{name} = {text} was taken") };
            assert!(reason.contains(name), "{reason}");
        }
    }
}
