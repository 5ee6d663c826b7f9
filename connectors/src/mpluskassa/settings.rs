//! What a connection was told, typed; the secret has no way to be printed.

use std::fmt;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, RemoteError};
use crate::http::{Secrets, Url};
use crate::manifest::Answers;

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
        let ident = required(answers, "ident")?;
        let secret = required(answers, "secret")?;
        let mut url = address(required(answers, "address")?)?;
        url.query_pairs_mut().clear().append_pair("ident", ident).append_pair("secret", secret);
        let divisor = required(answers, "vat_divisor")?;
        let zone = required(answers, "time_zone")?;
        Ok(Self {
            url,
            secrets: Secrets::of([secret]),
            branch_number: number(answers, "branch_number")?,
            workplace_number: number(answers, "workplace_number")?,
            employee_number: number(answers, "employee_number")?,
            payments: match required(answers, "payments")? {
                "deposit" => Payments::Deposit,
                "finish" => Payments::Finish,
                "ignore" => Payments::Ignore,
                other => return Err(refused("payments", other, "deposit, finish or ignore")),
            },
            vat_divisor: divisor
                .parse()
                .ok()
                .filter(|divisor: &Decimal| *divisor >= Decimal::ONE)
                .ok_or_else(|| refused("vat_divisor", divisor, "a number from 1, usually 100"))?,
            zone: TimeZone::get(zone)
                .map_err(|_| refused("time_zone", zone, "the name of a time zone, as Europe/Amsterdam"))?,
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

/// Host and port, with or without `https://`.
fn address(told: &str) -> Result<Url, RemoteError> {
    let text = if told.contains("://") { told.to_owned() } else { format!("https://{told}") };
    let bad = || refused("address", told, "host and port, as api.mpluskassa.nl:34562");
    let mut url = Url::parse(&text).map_err(|_| bad())?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none_or(str::is_empty) {
        return Err(bad());
    }
    url.set_path("/");
    url.set_fragment(None);
    url.set_query(None);
    Ok(url)
}

fn required<'a>(answers: &'a Answers, name: &str) -> Result<&'a str, RemoteError> {
    let answer = answers.get(&MANIFEST, name).map(str::trim).filter(|answer| !answer.is_empty());
    answer
        .ok_or_else(|| RemoteError::new(Advice::StopFlow, TITLE, format!("the setting `{name}` is missing")))
}

fn number(answers: &Answers, name: &str) -> Result<String, RemoteError> {
    let told = required(answers, name)?;
    match told.parse::<u32>() {
        Ok(number) if number > 0 => Ok(number.to_string()),
        _ => Err(refused(name, told, "a number from 1")),
    }
}

fn refused(name: &str, told: &str, wanted: &str) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, format!("the setting `{name}` is `{told}`"))
        .with_help(format!("it must be {wanted}"))
}
