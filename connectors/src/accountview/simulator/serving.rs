//! Answering: who may come in, which question is asked, and how a refusal is worded.

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;

use super::books::Company;
use super::doors::Doors;
use super::{AccountViewSimulator, Switches, dictionary, reading, writing};
use crate::record::{Map, Value, read_json};

/// Why the far end does not do it.
#[derive(Debug)]
pub(super) struct Refused {
    kind: &'static str,
    message: String,
    status: Option<StatusCode>,
}

impl Refused {
    pub(super) fn new(message: String) -> Self {
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

impl AccountViewSimulator {
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
            "/api/v3/token" => {
                return token(&mut books.doors, request, &asked(&String::from_utf8_lossy(body)));
            }
            _ => {}
        }
        let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(rights) = books.doors.rights(bearer) else {
            return (StatusCode::UNAUTHORIZED, "Authorization has been denied for this request.")
                .into_response();
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
        if request.method() != Method::GET && !rights.contains("updateaccountviewdata") {
            let message = "Geen recht om gegevens te wijzigen (scope)".to_owned();
            let status = Some(StatusCode::FORBIDDEN);
            return Refused { kind: "AuthorizationError", message, status }.answered(&switches);
        }
        let id = request.headers().get("x-company").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(company) = books.companies.iter_mut().find(|company| company.id == id) else {
            return Refused::new(format!("x-company {id} ontbreekt of is onbekend")).answered(&switches);
        };
        data(company, request.method(), &path, &asked(query), body, &switches)
    }
}

/// The answer of the installation behind the front door.
fn data(
    company: &mut Company,
    method: &Method,
    path: &str,
    asked: &HashMap<String, String>,
    body: &Bytes,
    switches: &Switches,
) -> Response {
    let answer = match (path, method != Method::GET) {
        ("/api/v3/accountviewdata", true) => written(company, method, body, switches),
        ("/api/v3/accountviewdata", false) => read(company, asked, switches),
        ("/api/v3/accountviewsystemdata", false) => system(company, asked, switches),
        ("/api/v3/accountviewsystembusinessobjects", false) => {
            Ok(Some(dictionary::OBJECTS.iter().map(offered).collect::<Vec<_>>().into()))
        }
        _ => return (StatusCode::NOT_FOUND, "<html><body>404</body></html>").into_response(),
    };
    match answer {
        Ok(Some(value)) => json(StatusCode::OK, &value),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(refused) => refused.answered(switches),
    }
}

fn offered(object: &dictionary::Object) -> Value {
    let fields = [
        ("Code", Value::from(object.code)),
        ("Description", object.description.into()),
        ("InsertAllowed", object.insert.into()),
        ("UpdateAllowed", object.update.into()),
        ("DeleteAllowed", false.into()),
    ];
    fields.into_iter().collect::<Map>().into()
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
    let code =
        writing::member(&body, "BusinessObject").and_then(Value::as_str).unwrap_or_default().to_owned();
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

/// Every request there is.
pub(super) async fn serve(State(service): State<AccountViewSimulator>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 64 << 20).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    service.answer(&Request::from_parts(head, ()), &body)
}
