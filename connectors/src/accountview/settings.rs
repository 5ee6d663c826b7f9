//! What a connection is told, checked. Secrets have no way to be printed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use url::{Host, Url};

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, Limits, RemoteError};
use crate::manifest::Answers;
use crate::sign_in::{ClientAuth, Grant, OAuth};

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
        let text = |name: &str| answers.get(&MANIFEST, name).unwrap_or_default().trim().to_owned();
        let needed = |name: &str| match text(name) {
            empty if empty.is_empty() => Err(refuse(format!("the setting `{name}` is empty"))),
            given => Ok(given),
        };
        let zone = needed("time_zone")?;
        let rows = text("page_size");
        let day = text("book_date");
        Ok(Self {
            address: address(&needed("address")?)?,
            client_id: needed("client_id")?,
            client_secret: needed("client_secret")?,
            redirect: needed("redirect_address")?,
            scope: needed("scope")?,
            company: text("company"),
            zone: TimeZone::get(&zone).map_err(|_| {
                refuse(format!("the setting `time_zone` is `{zone}`, not a zone such as Europe/Amsterdam"))
            })?,
            book_date: match day.as_str() {
                "" => None,
                day => Some(day.parse().map_err(|_| {
                    refuse(format!("the setting `book_date` is `{day}`, not a day such as 2026-01-01"))
                })?),
            },
            prices_include_vat: yes("prices_include_vat", &text("prices_include_vat"))?,
            page_size: rows.parse().ok().filter(|rows| (1..=MOST_ROWS).contains(rows)).ok_or_else(|| {
                refuse(format!("the setting `page_size` is `{rows}`, not a number from 1 to {MOST_ROWS}"))
            })?,
            names: Names::read(&text)?,
        })
    }
}

impl Settings {
    /// How a person lets us in, and how that is kept alive.
    pub(super) fn oauth(&self, limits: &Limits) -> Result<OAuth, RemoteError> {
        let place = |path: &str| {
            self.address.join(path).map_err(|error| refuse(format!("the address is of no use: {error}")))
        };
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
    fn read(text: &dyn Fn(&str) -> String) -> Result<Self, RemoteError> {
        let one = |name: &str| match text(name) {
            empty if empty.is_empty() => Ok(empty),
            given => column(name, &given),
        };
        let needed = |name: &str| match one(name)? {
            empty if empty.is_empty() => Err(refuse(format!("the setting `{name}` is empty"))),
            given => Ok(given),
        };
        let list = |name: &str| {
            let text = text(name);
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| column(name, part)).collect::<Result<Vec<_>, _>>()
        };
        let price_columns: [String; 6] = list("price_columns")?.try_into().map_err(|columns: Vec<_>| {
            refuse(format!("the setting `price_columns` names {} columns, not 6", columns.len()))
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

fn column(setting: &str, text: &str) -> Result<String, RemoteError> {
    if is_name(text) {
        return Ok(text.to_ascii_uppercase());
    }
    Err(refuse(format!(
        "the setting `{setting}` has `{text}`, which is no name of letters, digits and underscores"
    )))
}

fn refuse(reason: String) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, reason).with_help("correct the settings of the connection")
}

/// The root of the service. Requests travel in the clear only to this computer.
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
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return Err(refuse(format!("the setting `address` is `{text}`; it must start with https://")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("the setting `address` holds a user name; leave it out".to_owned()));
    }
    if !matches!(url.path().trim_end_matches('/'), "" | "/api" | "/api/v3") {
        return Err(refuse(format!(
            "the setting `address` is `{text}`; leave out everything after the host"
        )));
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
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
