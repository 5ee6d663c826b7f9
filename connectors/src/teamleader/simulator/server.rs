//! The simulator's door: tokens, the limit of calls, rights, and the way to each action.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::books::{Books, Refusal, invalid, missing, set, text};
use super::grants::{self, Answer};
use super::lists::{self, listed};
use super::{crm, hooks, sales};

/// Books that requests share.
pub(super) type Shared = Arc<Mutex<Books>>;

const MINUTE: Duration = Duration::from_mins(1);

/// Opens the books, also after a panic elsewhere.
pub(super) fn open(shared: &Shared) -> MutexGuard<'_, Books> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an action came to.
enum Done {
    Data(Value),
    Made(&'static str, String),
    Nothing,
}

pub(super) async fn answer(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 32 << 20).await else {
        return Response::new(Body::from("too large"));
    };
    let pairs =
        |bytes: &[u8]| -> Vec<(String, String)> { url::form_urlencoded::parse(bytes).into_owned().collect() };
    let mut books = open(&shared);
    match head.uri.path() {
        "/oauth2/authorize" => {
            let query = pairs(head.uri.query().unwrap_or_default().as_bytes());
            return signed(grants::authorize(&mut books, &query));
        }
        "/oauth2/access_token" => {
            let form = match serde_json::from_slice::<Map<String, Value>>(&body) {
                Ok(map) => map.into_iter().filter_map(|(k, v)| Some((k, v.as_str()?.to_owned()))).collect(),
                Err(_) => pairs(&body),
            };
            return signed(grants::token(&mut books, &form));
        }
        _ => {}
    }
    let action = head.uri.path().trim_start_matches('/').to_owned();
    if !is_known(&action) {
        return written(404, &json!({"errors": [{"title": "Not Found", "status": 404}]}));
    }
    let version = head.headers.get("x-api-version").and_then(|value| value.to_str().ok());
    let version = version.unwrap_or("2023-09-26").to_owned();
    let token = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|token| token.strip_prefix("Bearer ")).unwrap_or_default();
    let room = count(&mut books);
    let outcome = admit(&books, room.is_some(), token, &action, &head.method)
        .and_then(|()| read(&body))
        .and_then(|body| serve(&mut books, &action, &body));
    let mut response = match outcome {
        Ok(Done::Data(data)) => written(200, &data),
        Ok(Done::Made(kind, id)) => written(201, &json!({"data": {"type": kind, "id": id}})),
        Ok(Done::Nothing) => empty(204),
        Err(refusal) => refused(&books, &refusal),
    };
    let headers = response.headers_mut();
    for (name, value) in [("x-api-version", version.as_str()), ("x-ratelimit-limit", "200")] {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    if let Some(limit) = books.options.limit {
        let left = usize::try_from(limit).unwrap_or_default().saturating_sub(books.calls.len());
        headers.insert("x-ratelimit-remaining", left.into());
        let first = books.calls.front().map_or(MINUTE, |first| MINUTE.saturating_sub(first.elapsed()));
        let reset = jiff::Timestamp::now() + first;
        if let Ok(value) = reset.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string().parse() {
            headers.insert("x-ratelimit-reset", value);
        }
    }
    hooks::deliver(&shared, &mut books);
    response
}

/// Counts a call; none when the minute is full. What is refused counts too.
fn count(books: &mut Books) -> Option<()> {
    let limit = books.options.limit;
    while books.calls.front().is_some_and(|first| first.elapsed() >= MINUTE) {
        books.calls.pop_front();
    }
    let is_full =
        limit.is_some_and(|limit| books.calls.len() >= usize::try_from(limit).unwrap_or(usize::MAX));
    if limit.is_some() && !is_full {
        books.calls.push_back(Instant::now());
    }
    (!is_full).then_some(())
}

fn admit(books: &Books, room: bool, token: &str, action: &str, method: &Method) -> Result<(), Refusal> {
    let refuse = |status: u16, title: &str| {
        Err(Refusal { status, code: u32::from(status) * 1000, title: title.to_owned(), field: None })
    };
    if !room {
        return refuse(429, "Too many requests, you are being rate limited");
    }
    if !books.grants.admits(token) {
        return refuse(401, "The access token is missing, invalid or has expired");
    }
    if *method != Method::POST {
        return refuse(405, "Method not allowed");
    }
    let area = action.split('.').next().unwrap_or_default();
    let scope = match area {
        "quotations" => "deals",
        "creditNotes" => "invoices",
        known @ ("companies" | "contacts" | "deals" | "orders" | "invoices" | "products" | "departments") => {
            known
        }
        _ => return Ok(()),
    };
    if books.options.scopes.iter().any(|known| known == scope) {
        return Ok(());
    }
    refuse(403, "The integration is not allowed to do this")
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        _ => invalid("", "The body of the request is not valid JSON"),
    }
}

/// Actions that have a route.
fn is_known(action: &str) -> bool {
    const OTHERS: [&str; 39] = [
        "users.me",
        "companies.info",
        "companies.add",
        "companies.update",
        "companies.delete",
        "companies.tag",
        "companies.untag",
        "contacts.info",
        "contacts.add",
        "contacts.update",
        "contacts.delete",
        "contacts.tag",
        "contacts.untag",
        "contacts.linkToCompany",
        "contacts.updateCompanyLink",
        "contacts.unlinkFromCompany",
        "products.info",
        "products.add",
        "products.update",
        "products.delete",
        "deals.info",
        "deals.create",
        "deals.update",
        "deals.move",
        "deals.win",
        "deals.lose",
        "deals.delete",
        "quotations.info",
        "quotations.create",
        "quotations.update",
        "quotations.accept",
        "quotations.delete",
        "orders.info",
        "invoices.info",
        "departments.info",
        "creditNotes.info",
        "webhooks.list",
        "webhooks.register",
        "webhooks.unregister",
    ];
    const INVOICES: [&str; 8] =
        ["draft", "update", "updateBooked", "book", "delete", "registerPayment", "removePayments", "credit"];
    let listed = action.strip_suffix(".list").is_some_and(|area| listed(area).is_some());
    listed
        || OTHERS.contains(&action)
        || action.strip_prefix("invoices.").is_some_and(|verb| INVOICES.contains(&verb))
}

fn serve(books: &mut Books, action: &str, body: &Map<String, Value>) -> Result<Done, Refusal> {
    if let Some(list) = action.strip_suffix(".list").and_then(listed) {
        return lists::answer(books, &list, body).map(Done::Data);
    }
    let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
    let made = |kind, id: Result<String, Refusal>| id.map(|id| Done::Made(kind, id));
    let nothing = |done: Result<(), Refusal>| done.map(|()| Done::Nothing);
    match action {
        "users.me" => Ok(Done::Data(me(books))),
        "companies.add" => made("company", crm::add_party(books, "companies", body)),
        "contacts.add" => made("contact", crm::add_party(books, "contacts", body)),
        "products.add" => made("product", crm::add_product(books, body)),
        "companies.update" => nothing(crm::update(books, "companies", id, body)),
        "contacts.update" => nothing(crm::update(books, "contacts", id, body)),
        "products.update" => nothing(crm::update(books, "products", id, body)),
        "contacts.linkToCompany" => nothing(crm::link(books, body, true)),
        "contacts.updateCompanyLink" => nothing(crm::link(books, body, false)),
        "contacts.unlinkFromCompany" => nothing(crm::unlink(books, body)),
        "companies.tag" | "contacts.tag" => nothing(tag(books, action, id, body, true)),
        "companies.untag" | "contacts.untag" => nothing(tag(books, action, id, body, false)),
        "deals.create" => made("deal", sales::create_deal(books, body)),
        "deals.update" => nothing(sales::update_deal(books, id, body)),
        "deals.move" => nothing(sales::move_deal(books, id, body)),
        "deals.win" => nothing(sales::close_deal(books, id, "won")),
        "deals.lose" => nothing(sales::close_deal(books, id, "lost")),
        "quotations.create" => made("quotation", sales::create_quotation(books, body)),
        "quotations.update" => nothing(sales::update_quotation(books, id, body)),
        "quotations.accept" => nothing(sales::accept(books, id)),
        "invoices.draft" => made("invoice", sales::draft(books, body)),
        "invoices.update" => nothing(sales::update_invoice(books, id, body, false)),
        "invoices.updateBooked" => nothing(sales::update_invoice(books, id, body, true)),
        "invoices.book" => nothing(sales::book(books, id, body)),
        "invoices.delete" => nothing(sales::delete_invoice(books, id)),
        "invoices.registerPayment" => nothing(sales::pay(books, id, body)),
        "invoices.credit" => made("creditNote", sales::credit(books, id, body)),
        "webhooks.list" => Ok(Done::Data(hooks::list(books))),
        "webhooks.register" => nothing(hooks::register(books, body)),
        "webhooks.unregister" => nothing(hooks::unregister(books, body)),
        _ => other(books, action, id, body),
    }
}

/// `info` and `delete`, which are alike everywhere.
fn other(books: &mut Books, action: &str, id: &str, body: &Map<String, Value>) -> Result<Done, Refusal> {
    let (area, verb) = action.split_once('.').unwrap_or((action, ""));
    let table = listed(area).map_or("", |list| list.table);
    let Some(row) = books.row(table, id).cloned() else {
        if uuid::Uuid::try_parse(id).is_err() {
            return invalid("id", "id must be a valid UUID");
        }
        return Err(missing(action, id));
    };
    if verb == "delete" {
        books.remove(table, id);
        if let "companies" | "contacts" | "products" | "deals" = table {
            let kind = crm::kind_of(table);
            books.tell(&format!("{kind}.deleted"), kind, id);
        }
        return Ok(Done::Nothing);
    }
    if verb != "info" {
        return Err(missing(action, id));
    }
    let includes = body.get("includes").and_then(Value::as_str).unwrap_or_default();
    let mut data = info(books, table, row, includes);
    if table == "credit_notes" && books.options.credit_note_as_list {
        data = json!([data]);
    }
    Ok(Done::Data(json!({"data": data})))
}

fn info(books: &Books, table: &str, mut row: Value, includes: &str) -> Value {
    let id = text(&row, "id").unwrap_or_default().to_owned();
    match table {
        "companies" if includes.contains("related_contacts") => {
            let contacts = crm::contacts_of(books, &id);
            set(&mut row, "related_contacts", contacts);
        }
        "contacts" => {
            let companies = crm::companies_of(books, &id);
            set(&mut row, "companies", companies);
        }
        "invoices" => {
            let payments = sales::payments_of(books, &id);
            set(&mut row, "payments", payments);
        }
        "orders" if !includes.contains("custom_fields") => {
            if let Some(row) = row.as_object_mut() {
                row.remove("custom_fields");
            }
        }
        _ => {}
    }
    if let Some(row) = row.as_object_mut()
        && matches!(table, "companies" | "contacts")
    {
        row.remove("price_list");
    }
    row
}

fn me(books: &Books) -> Value {
    let mut user =
        books.rows("users").first().cloned().unwrap_or_else(|| json!({"id": "none", "first_name": "Nobody"}));
    if let Some(user) = user.as_object_mut() {
        user.remove("status");
        user.remove("teams");
    }
    set(&mut user, "time_zone", json!("Europe/Brussels"));
    json!({"data": user})
}

fn tag(
    books: &mut Books,
    action: &str,
    id: &str,
    body: &Map<String, Value>,
    add: bool,
) -> Result<(), Refusal> {
    let table = if action.starts_with("companies") { "companies" } else { "contacts" };
    let given = body.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(Value::Array(tags)) = books.row_mut(table, id).and_then(|row| row.get_mut("tags")) else {
        return Err(missing(action, id));
    };
    tags.retain(|tag| !given.contains(tag));
    if add {
        tags.extend(given);
    }
    books.touch(table, id);
    Ok(())
}

fn signed(answer: Answer) -> Response<Body> {
    match answer {
        Answer::Token(token) => written(200, &token),
        Answer::Refused(body) => written(400, &body),
        Answer::Redirect(to) => {
            let mut response = empty(302);
            if let Ok(to) = to.parse() {
                response.headers_mut().insert(header::LOCATION, to);
            }
            response
        }
    }
}

fn refused(books: &Books, refusal: &Refusal) -> Response<Body> {
    let mut error = json!({"code": refusal.code, "title": refusal.title, "status": refusal.status});
    if let Some(field) = &refusal.field {
        set(&mut error, "meta", json!({"field": field}));
    }
    let status = if books.options.errors_as_success && refusal.status == 400 { 200 } else { refusal.status };
    written(status, &json!({"errors": [error]}))
}

/// A refusal as the service words it.
pub(super) fn fault(status: u16, title: &str) -> Response<Body> {
    written(status, &json!({"errors": [{"code": 0, "title": title, "status": status}]}))
}

fn empty(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn written(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// Does an action without a door in front of it; gives the identifier of what was made.
pub(super) fn act(
    books: &mut Books,
    action: &str,
    body: &Map<String, Value>,
) -> Result<Option<String>, Refusal> {
    Ok(match serve(books, action, body)? {
        Done::Made(_, id) => Some(id),
        Done::Data(_) | Done::Nothing => None,
    })
}
