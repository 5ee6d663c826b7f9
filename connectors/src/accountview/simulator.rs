//! A stand-in for AccountView.Net and the installation behind it, over books of its own.
//!
//! It signs people in as the front door does, answers by tables and columns, refuses what the
//! dictionary and the program refuse, and shows on demand the ways in which installations differ.

mod books;
mod dictionary;
mod doors;
mod reading;
mod rules;
mod sample;
mod writing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;

use crate::manifest::Answers;
use crate::record::{Map, Record, Value, read_json};
use crate::sign_in::Token;
use crate::simulator::Simulator;
use books::Company;
use doors::Doors;

/// A service with two companies, in memory.
#[derive(Clone)]
pub struct AccountViewSimulator {
    state: Arc<Mutex<Books>>,
}

struct Books {
    doors: Doors,
    companies: Vec<Company>,
    switches: Switches,
}

/// How this installation differs from the plain one.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Clone, Debug)]
pub struct Switches {
    /// Refusals come with status 200 instead of 400.
    pub errors_are_200: bool,
    /// A question without an answer is a 404.
    pub nothing_is_404: bool,
    /// A single row comes as an object, not as a list of one.
    pub one_is_an_object: bool,
    /// A text equals all texts that begin with it.
    pub equal_is_begins_with: bool,
    /// The front door answers, the computer behind it does not.
    pub far_end_is_off: bool,
    /// Answers to writes leave out the record number.
    pub writes_tell_no_key: bool,
    /// Days of the open book years.
    pub open: (Date, Date),
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            errors_are_200: false,
            nothing_is_404: false,
            one_is_an_object: false,
            equal_is_begins_with: false,
            far_end_is_off: false,
            writes_tell_no_key: false,
            open: (Date::constant(2020, 1, 1), Date::constant(2039, 12, 31)),
        }
    }
}

/// Why the far end does not do it.
#[derive(Debug)]
struct Refused {
    kind: &'static str,
    message: String,
    status: Option<StatusCode>,
}

impl Refused {
    fn new(message: String) -> Self {
        Self { kind: "AccountViewError", message, status: None }
    }

    fn answered(&self, switches: &Switches) -> Response {
        let mut body = Map::new();
        body.set("ErrorType", self.kind);
        body.set("ErrorNumbers", Value::Null);
        body.set("ErrorMessage", self.message.as_str());
        let usual = if switches.errors_are_200 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        json(self.status.unwrap_or(usual), &body.into())
    }
}

fn json(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], value.to_json()).into_response()
}

impl Default for AccountViewSimulator {
    fn default() -> Self {
        Self::new()
    }
}

impl AccountViewSimulator {
    /// Two companies with ledger, VAT codes and journals, and without customers and articles.
    #[must_use]
    pub fn new() -> Self {
        let mut companies = vec![
            Company::new("5f0c7a10-0001-4a51-9d0b-5c0c8a3b2f10", "DEMO", "Demo BV"),
            Company::new("5f0c7a10-0002-4a51-9d0b-5c0c8a3b2f10", "ANDER", "Andere Holding BV"),
        ];
        for company in &mut companies {
            sample::set_up(company);
        }
        let books = Books { doors: Doors::default(), companies, switches: Switches::default() };
        Self { state: Arc::new(Mutex::new(books)) }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how the installation behaves from now on.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.lock().switches);
    }

    /// How long new access tokens last.
    pub fn tokens_last(&self, lifetime: Duration) {
        self.lock().doors.lifetime = lifetime;
    }

    /// Every access token runs out now.
    pub fn expire_tokens(&self) {
        self.lock().doors.expire();
    }

    /// The consent is withdrawn: no token works any more.
    pub fn withdraw_consent(&self) {
        self.lock().doors.withdraw();
    }

    /// Tokens of a consent to these scopes.
    #[must_use]
    pub fn token_for(&self, scope: &str) -> Token {
        let handed = self.lock().doors.hand_out(scope.to_owned());
        Token { access: handed.access, refresh: Some(handed.refresh), expires_at: None }
    }

    /// Adds rows to a table of the first company, as people at the screen do: columns and values.
    pub fn add(&self, table: &str, rows: impl IntoIterator<Item = Record>) {
        if let Some(company) = self.lock().companies.first_mut() {
            for row in rows {
                company.insert(table, row);
            }
        }
    }

    /// Changes columns of the row with that key, as people at the screen do.
    pub fn change_row(&self, table: &str, key: &str, changes: &Record) {
        if let Some(company) = self.lock().companies.first_mut() {
            let column = dictionary::key_of(table);
            let Some(mut row) = company.row(table, column, key).cloned() else { return };
            for (name, value) in changes.iter() {
                row.set(name.clone(), value.clone());
            }
            company.stamp(&mut row);
            if let Some(there) = company.row_mut(table, column, key) {
                *there = row;
            }
        }
    }

    /// The rows of a table of a company, by its code.
    #[must_use]
    pub fn rows(&self, company: &str, table: &str) -> Vec<Record> {
        let books = self.lock();
        let found = books.companies.iter().find(|known| known.code == company);
        found.map(|company| company.rows(table).to_vec()).unwrap_or_default()
    }

    /// The orders of the first company, each with its `lines`.
    #[must_use]
    pub fn orders(&self) -> Vec<Record> {
        self.with_details("SO_HDR", "SO_LINE")
    }

    /// The journal pages of the first company, each with its `lines`.
    #[must_use]
    pub fn journal_pages(&self) -> Vec<Record> {
        self.with_details("DJ_PAGE", "DJ_LINE")
    }

    fn with_details(&self, table: &str, detail: &str) -> Vec<Record> {
        let books = self.lock();
        let Some(company) = books.companies.first() else { return Vec::new() };
        let whole = |row: &Map| {
            let mut row = row.clone();
            let lines: Vec<Value> = company.details(detail, &row).into_iter().cloned().map(Value::from).collect();
            row.set("lines", lines);
            row
        };
        company.rows(table).iter().map(whole).collect()
    }

    fn answer(&self, request: &Request<()>, body: &Bytes) -> Response {
        let path = request.uri().path().to_ascii_lowercase();
        let query = request.uri().query().unwrap_or_default();
        let asked = |text: &str| -> HashMap<String, String> {
            let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
            pairs.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
        };
        let mut books = self.lock();
        match path.as_str() {
            "/ams/authorize.aspx" => return consent(&mut books.doors, &asked(query)),
            "/api/v3/token" => return token(&mut books.doors, request, &asked(&String::from_utf8_lossy(body))),
            _ => {}
        }
        let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(rights) = books.doors.rights(bearer) else {
            return (StatusCode::UNAUTHORIZED, "Authorization has been denied for this request.").into_response();
        };
        if path == "/api/v3/companies" {
            let list: Vec<Value> = books.companies.iter().map(listed).collect();
            return json(StatusCode::OK, &list.into());
        }
        let switches = books.switches.clone();
        if switches.far_end_is_off {
            let message = "De AccountView.Net-service van de klant is niet bereikbaar".to_owned();
            let status = Some(StatusCode::BAD_GATEWAY);
            return Refused { kind: "RelayError", message, status }.answered(&switches);
        }
        let writes = request.method() != Method::GET;
        if writes && !rights.contains("updateaccountviewdata") {
            let message = "Geen recht om gegevens te wijzigen (scope)".to_owned();
            let status = Some(StatusCode::FORBIDDEN);
            return Refused { kind: "AuthorizationError", message, status }.answered(&switches);
        }
        let id = request.headers().get("x-company").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(company) = books.companies.iter_mut().find(|company| company.id == id) else {
            return Refused::new(format!("x-company {id} ontbreekt of is onbekend")).answered(&switches);
        };
        let answer = match (path.as_str(), writes) {
            ("/api/v3/accountviewdata", true) => written(company, request.method(), body, &switches),
            ("/api/v3/accountviewdata", false) => read(company, &asked(query), &switches),
            ("/api/v3/accountviewsystemdata", false) => system(company, &asked(query), &switches),
            ("/api/v3/accountviewsystembusinessobjects", false) => {
                let list = dictionary::OBJECTS.iter().map(|object| -> Value {
                    let fields = [
                        ("Code", Value::from(object.code)),
                        ("Description", object.description.into()),
                        ("InsertAllowed", object.insert.into()),
                        ("UpdateAllowed", object.update.into()),
                        ("DeleteAllowed", false.into()),
                    ];
                    fields.into_iter().collect::<Map>().into()
                });
                Ok(Some(list.collect::<Vec<_>>().into()))
            }
            _ => return (StatusCode::NOT_FOUND, "<html><body>404</body></html>").into_response(),
        };
        match answer {
            Ok(Some(value)) => json(StatusCode::OK, &value),
            Ok(None) => StatusCode::NOT_FOUND.into_response(),
            Err(refused) => refused.answered(&switches),
        }
    }
}

fn listed(company: &Company) -> Value {
    let fields = [
        ("Id", Value::from(company.id.as_str())),
        ("Description", company.description.as_str().into()),
        ("Code", company.code.as_str().into()),
    ];
    fields.into_iter().collect::<Map>().into()
}

fn consent(doors: &mut Doors, asked: &HashMap<String, String>) -> Response {
    match doors.consent(asked) {
        Ok(back) => (StatusCode::FOUND, [(header::LOCATION, back)]).into_response(),
        Err(reason) => (StatusCode::BAD_REQUEST, reason).into_response(),
    }
}

fn token(doors: &mut Doors, request: &Request<()>, form: &HashMap<String, String>) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let basic = request.headers().contains_key(header::AUTHORIZATION);
    if request.method() != Method::POST || !is_form || basic {
        return oauth_error("invalid_request");
    }
    match doors.exchange(form) {
        Ok(handed) => {
            let fields = [
                ("access_token", Value::from(handed.access)),
                ("refresh_token", handed.refresh.into()),
                ("token_type", "bearer".into()),
                ("expires_in", i64::try_from(handed.lasts).unwrap_or(3600).into()),
            ];
            json(StatusCode::OK, &fields.into_iter().collect::<Map>().into())
        }
        Err(word) => oauth_error(word),
    }
}

fn oauth_error(word: &str) -> Response {
    json(StatusCode::BAD_REQUEST, &[("error", Value::from(word))].into_iter().collect::<Map>().into())
}

fn object(asked: &HashMap<String, String>) -> Result<&'static dictionary::Object, Refused> {
    let code = asked.get("businessobject").map(String::as_str).unwrap_or_default();
    let known = dictionary::object_of(code).filter(|object| !object.table.is_empty());
    known.ok_or_else(|| Refused::new(format!("Business object {code} bestaat niet")))
}

/// A day within the open book years.
fn in_open_year(text: &str, switches: &Switches) -> Result<(), Refused> {
    let day: Option<Date> = text.get(..10).and_then(|day| day.parse().ok());
    match day {
        Some(day) if (switches.open.0..=switches.open.1).contains(&day) => Ok(()),
        _ => Err(Refused::new(format!("Boekdatum {text} valt niet in een geopend boekjaar"))),
    }
}

fn read(
    company: &Company,
    asked: &HashMap<String, String>,
    switches: &Switches,
) -> Result<Option<Value>, Refused> {
    let object = object(asked)?;
    if let Some(day) = asked.get("bookdate") {
        in_open_year(day, switches)?;
    }
    let rows = reading::rows_of(company, object);
    Ok(reading::answer(company, object, rows, asked, switches)?.map(Value::from))
}

fn system(
    company: &Company,
    asked: &HashMap<String, String>,
    switches: &Switches,
) -> Result<Option<Value>, Refused> {
    let code = asked.get("businessobject").map(|code| code.to_ascii_lowercase()).unwrap_or_default();
    let (code, table) = match code.as_str() {
        "fld" => ("fld", "DCT_FLD"),
        "dbf" => ("dbf", "DCT_FILE"),
        other => return Err(Refused::new(format!("Business object {other} bestaat niet"))),
    };
    let object =
        dictionary::Object { code, description: "", table, detail: None, insert: false, update: false };
    let rows = reading::dictionary_rows(table);
    Ok(reading::answer(company, &object, rows, asked, switches)?.map(Value::from))
}

fn written(
    company: &mut Company,
    method: &Method,
    body: &Bytes,
    switches: &Switches,
) -> Result<Option<Value>, Refused> {
    let Ok(Value::Map(body)) = read_json(body) else {
        return Err(Refused::new("De gegevens zijn geen JSON".into()));
    };
    let updates = match *method {
        Method::POST => false,
        Method::PUT => true,
        _ => return Err(Refused::new("Deze bewerking is niet toegestaan".into())),
    };
    let code = writing::member(&body, "BusinessObject").and_then(Value::as_str).unwrap_or_default().to_owned();
    let object = object(&[("businessobject".to_owned(), code)].into())?;
    in_open_year(writing::member(&body, "BookDate").and_then(Value::as_str).unwrap_or_default(), switches)?;
    let rows = writing::write(company, object, &body, updates)?;
    let mut fields = reading::fields(object, &HashMap::new())?;
    if switches.writes_tell_no_key {
        fields.retain(|(_, column)| column.name != "REC_ID");
    }
    // What was written comes back as a list, however few.
    let switches = Switches { one_is_an_object: false, ..switches.clone() };
    Ok(Some(reading::tables(company, object, &rows, &fields, &switches).into()))
}

async fn serve(State(service): State<AccountViewSimulator>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 64 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    service.answer(&Request::from_parts(head, ()), &body)
}

impl Simulator for AccountViewSimulator {
    fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    fn answers(&self, address: &str) -> Answers {
        let answers = [
            ("address", address),
            ("client_id", doors::CLIENT),
            ("client_secret", doors::SECRET),
            ("redirect_address", doors::REDIRECT),
            ("company", "DEMO"),
            ("article_columns", "K1_PROD, K1_COLOUR, K1_SIZE, K1_ORIGIN, K1_DAYS"),
            ("debtor_columns", "K1_LOYAL"),
        ];
        answers.into_iter().map(|(name, answer)| (name.to_owned(), answer.to_owned())).collect()
    }

    fn fill(&self) {
        let mut books = self.lock();
        for (at, company) in books.companies.iter_mut().enumerate() {
            sample::fill(company, at);
        }
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        sample::record_of(resource, number)
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        sample::change(resource, number)
    }

    fn books(&self) -> serde_json::Value {
        let books = self.lock();
        let first = books.companies.first().map(sample::as_json).unwrap_or_default();
        serde_json::from_slice(&Value::from(first).to_json()).unwrap_or_default()
    }

    fn known(&self, resource: &str) -> Vec<Record> {
        if resource != "companies" {
            return Vec::new();
        }
        let record = |company: &Company| {
            let fields = [("id", &company.id), ("code", &company.code), ("description", &company.description)];
            fields.into_iter().map(|(name, text)| (name, Value::from(text.as_str()))).collect()
        };
        self.lock().companies.iter().map(record).collect()
    }

    /// The access token has just run out, so that each session exchanges it first.
    fn token(&self) -> Option<Token> {
        let mut books = self.lock();
        let lifetime = std::mem::replace(&mut books.doors.lifetime, Duration::ZERO);
        let handed = books.doors.hand_out("readaccountviewdata updateaccountviewdata".to_owned());
        books.doors.lifetime = lifetime;
        Some(Token { access: handed.access, refresh: Some(handed.refresh), expires_at: None })
    }
}
