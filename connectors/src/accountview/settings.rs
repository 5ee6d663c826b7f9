//! What a connection is told, checked. Secrets have no way to be printed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use url::Url;

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, Limits, RemoteError};
use crate::manifest::Answers;
use crate::sign_in::{ClientAuth, Grant, OAuth};
use crate::told::Told;

/// Most rows that one answer may hold.
const MOST_ROWS: usize = 1000;

/// Everything that a session needs to know about an account.
pub(super) struct Settings {
    /// Root of the service, ending in a slash.
    pub(super) address: Url,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) redirect: String,
    pub(super) scope: String,
    /// Id or code; empty for the only one.
    pub(super) company: String,
    pub(super) zone: TimeZone,
    /// `None` for today.
    pub(super) book_date: Option<Date>,
    pub(super) prices_include_vat: bool,
    pub(super) page_size: usize,
    pub(super) names: Names,
}

/// Columns and objects that installations name differently.
pub(super) struct Names {
    pub(super) ean: String,
    pub(super) vat: String,
    pub(super) stock: String,
    pub(super) article_columns: Vec<String>,
    pub(super) debtor_columns: Vec<String>,
    pub(super) order_reference: String,
    pub(super) order_number: String,
    pub(super) price_object: String,
    pub(super) price_table: String,
    /// List, article, quantity from, price, first day, last day.
    pub(super) price_columns: [String; 6],
}

impl Settings {
    /// Reads the answers; those that are missing or malformed are refused by name.
    pub(super) fn read(answers: &Answers) -> Result<Self, RemoteError> {
        let told = Told::new(&MANIFEST, answers);
        let day = told.filled("book_date").map(str::parse).transpose();
        let rows = told.text("page_size").parse().ok().filter(|rows| (1..=MOST_ROWS).contains(rows));
        Ok(Self {
            address: told.address("address", &["/api", "/api/v3"])?,
            client_id: told.needed("client_id")?.to_owned(),
            client_secret: told.needed("client_secret")?.to_owned(),
            redirect: told.needed("redirect_address")?.to_owned(),
            scope: told.needed("scope")?.to_owned(),
            company: told.text("company").to_owned(),
            zone: told.zone("time_zone")?,
            book_date: day.map_err(|_| told.wrong("book_date", "not a day such as 2026-01-01"))?,
            prices_include_vat: told.yes("prices_include_vat")?,
            page_size: rows
                .ok_or_else(|| told.wrong("page_size", &format!("not a number from 1 to {MOST_ROWS}")))?,
            names: Names::read(&told)?,
        })
    }
}

impl Settings {
    /// How a person lets us in, and how that is kept alive.
    pub(super) fn oauth(&self, limits: &Limits) -> Result<OAuth, RemoteError> {
        let place = |path: &str| self.address.join(path).map_err(unusable);
        Ok(OAuth {
            system: TITLE.to_owned(),
            token_url: place("api/v3/token")?,
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            scope: Some(self.scope.clone()),
            // The service takes no header here.
            client_auth: ClientAuth::Body,
            grant: Grant::Code {
                authorize_url: place("ams/authorize.aspx")?,
                redirect: self.redirect.clone(),
                extra: Vec::new(),
            },
            limits: limits.clone(),
        })
    }
}

impl Names {
    fn read(told: &Told<'_>) -> Result<Self, RemoteError> {
        let column = |name: &str, text: &str| {
            let column = is_name(text).then(|| text.to_ascii_uppercase());
            column.ok_or_else(|| {
                told.refuse(format!(
                    "the setting `{name}` has `{text}`, which is no name of letters, digits and underscores"
                ))
            })
        };
        let one = |name: &str| told.filled(name).map_or_else(|| Ok(String::new()), |text| column(name, text));
        let needed = |name: &str| column(name, told.needed(name)?);
        let list = |name: &str| {
            let parts = told.text(name).split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| column(name, part)).collect::<Result<Vec<_>, _>>()
        };
        let price_columns: [String; 6] = list("price_columns")?.try_into().map_err(|columns: Vec<_>| {
            told.refuse(format!("the setting `price_columns` names {} columns, not 6", columns.len()))
        })?;
        Ok(Self {
            ean: one("ean_column")?,
            vat: one("vat_column")?,
            stock: one("stock_column")?,
            article_columns: list("article_columns")?,
            debtor_columns: list("debtor_columns")?,
            order_reference: needed("order_reference_column")?,
            order_number: one("order_number_column")?,
            price_object: needed("price_object")?,
            price_table: needed("price_table")?,
            price_columns,
        })
    }
}

/// The name of a column, table or object: what a query may safely carry.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(plain)
}

fn unusable(error: url::ParseError) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, format!("the setting `address` is of no use: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, String> {
        let standard = [("client_id", "key"), ("client_secret", "secret")];
        let answers =
            standard.iter().chain(changes).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::read(&answers).map_err(|error| error.reason)
    }

    #[test]
    fn answers_are_taken_as_people_type_them() {
        let settings = read(&[
            ("address", "accountview.net/api/v3/"),
            ("article_columns", " k1_colour, K1_Size ,"),
            ("prices_include_vat", "Yes"),
            ("book_date", "2026-01-01"),
        ]);
        let settings = settings.unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(settings.address.as_str(), "https://accountview.net/");
        assert_eq!(settings.names.article_columns, ["K1_COLOUR", "K1_SIZE"]);
        assert!(settings.prices_include_vat && settings.book_date.is_some());
        assert!(read(&[("ean_column", ""), ("order_number_column", "")]).is_ok());
    }

    #[test]
    fn malformed_answers_are_refused_by_name() {
        for (name, text) in [
            ("address", "http://accountview.net"),
            ("address", "https://me:pw@accountview.net"),
            ("address", "https://accountview.net/ams/authorize.aspx"),
            ("client_id", " "),
            ("client_secret", ""),
            ("time_zone", "Amsterdam"),
            ("book_date", "1-1-2026"),
            ("prices_include_vat", "perhaps"),
            ("page_size", "0"),
            ("page_size", "1001"),
            ("article_columns", "K1_COLOUR; K1_SIZE"),
            ("order_reference_column", ""),
            ("price_columns", "A, B"),
            ("ean_column", "EAN&Fields=*"),
        ] {
            let Err(reason) = read(&[(name, text)]) else { panic!("{name} = {text} was taken") };
            assert!(reason.contains(name), "{reason}");
        }
    }
}
