//! The simulator's door: signatures, limits, rights, and the way to each record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use tokio::time::Instant;

use super::books::{Books, Refusal, int, map, refuse};
use super::lists::{View, parameter};
use super::tables::{TABLES, Table, table};
use super::{effects, hooks, sales};
use crate::ccv_salespos::sign::{self, DATE, HASH, PUBLIC, Signed};
use crate::record::{Map, Value, read_json};

/// Books that requests share.
pub(super) type Shared = Arc<Mutex<Books>>;

const MINUTE: Duration = Duration::from_mins(1);

/// Opens the books, also after a panic elsewhere.
pub(super) fn open(shared: &Shared) -> MutexGuard<'_, Books> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the shop answers before it is put into HTTP.
enum Answer {
    Record(StatusCode, Map),
    Nothing,
}

pub(super) async fn answer(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 32 << 20).await else {
        return Response::new(Body::from("too large"));
    };
    let target = head.uri.path_and_query().map_or("", |target| target.as_str()).to_owned();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(path) = head.uri.path().strip_prefix("/api/rest/v1") else {
        return page_not_found();
    };
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let host = format!("http://{}", text("host"));
    let mut books = open(&shared);
    let host = books.options.link_host.clone().unwrap_or(host);
    let view = View { host: &host, is_salespos: text("accept").contains("salespos"), query: &query };
    let signed = Signed {
        public: text(PUBLIC),
        method: head.method.as_str(),
        target: &target,
        body: &body,
        date: text(DATE),
    };
    let outcome = admit(&mut books, &signed, text(HASH), path)
        .and_then(|()| serve(&mut books, &head.method, path, &body, &view));
    let response = respond(&books, &signed, outcome);
    hooks::deliver(&shared, &mut books);
    response
}

fn page_not_found() -> Response<Body> {
    let mut response = Response::new(Body::from("<html><body><h1>Pagina niet gevonden</h1></body></html>"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Everything that is checked before the request is looked at.
fn admit(books: &mut Books, signed: &Signed<'_>, hash: &str, path: &str) -> Result<(), Refusal> {
    let options = &books.options;
    if signed.public.is_empty() || signed.date.is_empty() || hash.is_empty() {
        return refuse("401.10", "The headers x-public, x-date and x-hash are required.");
    }
    if signed.public != options.public_key {
        return refuse("401.10", "The public key is not known.");
    }
    if hash != signed.hash(&options.secret_key) {
        return refuse("401.10", "The hash is not right.");
    }
    let moment = signed.date.parse::<jiff::Timestamp>().or_else(|_| {
        jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%z", signed.date).and_then(|parts| parts.to_timestamp())
    });
    let Ok(moment) = moment else {
        return refuse("401.10", "The date is not ISO 8601 with an offset.");
    };
    if let Some(skew) = options.clock_skew
        && moment.duration_since(jiff::Timestamp::now()).unsigned_abs() > skew
    {
        return refuse("401.10", "The date is too far off.");
    }
    let resource = crate::ccv_salespos::client::resource_of(path).to_owned();
    count(books, signed.method, &resource)?;
    if let Some((status, code)) = books.refusals.pop_front() {
        return Err(Refusal { status, code, message: "Refused on demand.".to_owned() });
    }
    if books.options.forbidden.contains(&resource) {
        return refuse("403.10", format!("This key has no right to {resource}."));
    }
    Ok(())
}

/// Counts a call against the limits: by verb and kind of record, and all together.
fn count(books: &mut Books, method: &str, resource: &str) -> Result<(), Refusal> {
    *books.calls.entry(format!("{method} {resource}")).or_default() += 1;
    let limits = books.options.limits;
    let own = match (method, resource) {
        ("GET", "productqueries") => limits.queries,
        ("GET", _) => limits.reads,
        _ => limits.writes,
    };
    let now = Instant::now();
    let name = format!("{method} {resource}");
    for (window, limit, code) in [(name.as_str(), own, "429.10"), ("", limits.overall, "429.11")] {
        let Some(limit) = limit else { continue };
        let starts = books.windows.entry(window.to_owned()).or_default();
        while starts.front().is_some_and(|start| *start + MINUTE <= now) {
            starts.pop_front();
        }
        if starts.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return refuse(code, format!("Rate limit exceeded for {method} on resource {resource}."));
        }
        starts.push_back(now);
    }
    Ok(())
}

fn respond(books: &Books, signed: &Signed<'_>, outcome: Result<Answer, Refusal>) -> Response<Body> {
    let (status, body) = match outcome {
        Ok(Answer::Record(status, record)) => (status, Value::Map(record).to_json()),
        Ok(Answer::Nothing) => (StatusCode::NO_CONTENT, Vec::new()),
        Err(refusal) => {
            let body = map([
                ("status", Value::Int(refusal.status.into())),
                ("code", Value::from(refusal.code)),
                ("developermessage", Value::from(refusal.message)),
            ]);
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Value::Map(body).to_json())
        }
    };
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !body.is_empty() {
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    if status.is_success() && books.options.signs {
        let date = sign::date(jiff::Timestamp::now());
        let secret = if books.options.signs_rightly { books.options.secret_key.as_str() } else { "another" };
        let hash = Signed { body: &body, date: &date, ..*signed }.hash(secret);
        for (name, value) in [(DATE, date), (HASH, hash)] {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
    }
    response
}

fn serve(
    books: &mut Books,
    method: &Method,
    path: &str,
    body: &Bytes,
    view: &View<'_>,
) -> Result<Answer, Refusal> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let Some(answer) = special(books, method, &parts, view)? {
        return Ok(answer);
    }
    let Some(name) = parts.first() else { return not_allowed(method, "the root") };
    let Some(found) = table(name) else {
        return refuse("404.20", format!("Resource {name} does not exist."));
    };
    let key = |text: &str| text.parse::<i64>().or_else(|_| refuse("404.10", format!("{text} is not an id.")));
    match parts.as_slice() {
        [_] => whole(books, method, found, body, view),
        [_, one] => single(books, method, found, key(one)?, body, view),
        [_, one, child] => below(books, method, found, key(one)?, child, body, view),
        _ => refuse("404.10", "There is nothing at this address."),
    }
}

fn not_allowed<T>(method: &Method, name: &str) -> Result<T, Refusal> {
    refuse("405.10", format!("Method {method} is not allowed on {name}."))
}

/// Addresses that are no plain kind of record.
fn special(
    books: &Books,
    method: &Method,
    parts: &[&str],
    view: &View<'_>,
) -> Result<Option<Answer>, Refusal> {
    let list = |items: Vec<Value>| {
        map([
            ("start", Value::Int(0)),
            ("size", Value::Int(250)),
            ("previous", Value::Null),
            ("next", Value::Null),
            ("items", Value::List(items)),
        ])
    };
    let record = match parts {
        [] => list(
            TABLES
                .iter()
                .filter(|table| table.allows('L'))
                .map(|table| {
                    let href = format!("{}/api/rest/v1/{}/", view.host, table.name);
                    Value::Map(map([("href", Value::from(href)), ("title", Value::from(table.name))]))
                })
                .collect(),
        ),
        ["categorytree"] => list(tree(books, None)),
        ["currentuser"] => map([("href", Value::from("")), ("username", Value::from("beheerder"))]),
        ["status"] => map([("href", Value::from("")), ("status", Value::from("ok"))]),
        ["productqueries"] => {
            return query_products(books, view).map(|found| Some(Answer::Record(StatusCode::OK, found)));
        }
        ["webshops", _, "settings"] => {
            let mut settings = map([("href", Value::from(""))]);
            books.settings.iter().for_each(|(name, value)| drop(settings.set(name.clone(), value.clone())));
            settings
        }
        ["webshops", _, "geozonecountries"] => {
            list(books.countries.iter().cloned().map(Value::Map).collect())
        }
        ["users" | "usergroups", _, "disabledpaymethods"] if *method == Method::PUT => {
            return Ok(Some(Answer::Nothing));
        }
        ["users" | "usergroups", _, "disabledpaymethods"] => list(Vec::new()),
        _ => return Ok(None),
    };
    if *method != Method::GET {
        return not_allowed(method, parts.last().unwrap_or(&"the root"));
    }
    Ok(Some(Answer::Record(StatusCode::OK, record)))
}

fn tree(books: &Books, parent: Option<i64>) -> Vec<Value> {
    let children = books.rows("categories").filter(|row| int(row, "parentcategory.id") == parent);
    children
        .map(|row| {
            let mut branch = map([
                ("id", row.get("id").cloned().unwrap_or_default()),
                ("name", row.get("name").cloned().unwrap_or_default()),
            ]);
            branch.set("children", tree(books, int(row, "id")));
            Value::Map(branch)
        })
        .collect()
}

/// Bar codes at the till: products, and variants as their product with one combination.
fn query_products(books: &Books, view: &View<'_>) -> Result<Map, Refusal> {
    const WORDS: [(&str, &str, &str); 4] = [
        ("productnumber", "productnumber", "product_number"),
        ("eannumber", "eannumber", "ean_number"),
        ("mpnnumber", "mpnnumber", ""),
        ("skunumber", "", "sku_number"),
    ];
    let given: Vec<_> =
        WORDS.iter().filter_map(|word| Some((word, parameter(view.query, word.0)?))).collect();
    let [((_, of_product, of_variant), text)] = given.as_slice() else {
        return refuse("400.10", "Give exactly one of productnumber, eannumber, mpnnumber and skunumber.");
    };
    let Some(table) = table("products") else { return refuse("404.20", "There are no products.") };
    let products = books.rows("products").filter(|row| row.text(of_product) == Some(text));
    let mut items: Vec<Value> = products.map(|row| Value::Map(view.show(books, table, row))).collect();
    for variant in books.rows("attributecombinations").filter(|row| row.text(of_variant) == Some(text)) {
        let product = int(variant, "product_id").and_then(|key| books.row("products", key));
        if let Some(product) = product {
            let mut shown = view.show(books, table, product);
            let list = map([("collection", Value::List(vec![Value::Map(variant.clone())]))]);
            shown.set("attributecombinations", list);
            items.push(Value::Map(shown));
        }
    }
    Ok(map([("next", Value::Null), ("previous", Value::Null), ("items", Value::List(items))]))
}

fn body_of(body: &Bytes) -> Result<Map, Refusal> {
    match read_json(body) {
        Ok(Value::Map(map)) => Ok(map),
        _ => refuse("400.10", "The body is not a JSON object."),
    }
}

/// A list, or a new record in it.
fn whole(
    books: &mut Books,
    method: &Method,
    table: &'static Table,
    body: &Bytes,
    view: &View<'_>,
) -> Result<Answer, Refusal> {
    match *method {
        Method::GET if table.allows('L') => {
            view.list(books, table, None, table.name).map(|list| Answer::Record(StatusCode::OK, list))
        }
        Method::POST if table.allows('C') && !table.is_made_below() => {
            let key = effects::create(books, table, None, &body_of(body)?)?;
            Ok(created(books, table, key, view))
        }
        _ => not_allowed(method, table.name),
    }
}

fn created(books: &Books, table: &Table, key: i64, view: &View<'_>) -> Answer {
    use super::options::PostAnswer;
    let status = match books.options.post_answer {
        PostAnswer::Created => StatusCode::CREATED,
        PostAnswer::Ok => StatusCode::OK,
        PostAnswer::Empty => return Answer::Nothing,
    };
    match books.row(table.name, key) {
        Some(row) => Answer::Record(status, view.show(books, table, row)),
        None => Answer::Nothing,
    }
}

/// One record.
fn single(
    books: &mut Books,
    method: &Method,
    table: &'static Table,
    key: i64,
    body: &Bytes,
    view: &View<'_>,
) -> Result<Answer, Refusal> {
    if matches!(table.name, "orderrows" | "invoicerows") {
        return own_row(books, method, table, key, body, view);
    }
    let allowed = match *method {
        Method::GET => 'G',
        Method::PATCH => 'P',
        Method::DELETE => 'D',
        _ => return not_allowed(method, table.name),
    };
    if !table.allows(allowed) {
        return not_allowed(method, table.name);
    }
    let Some(row) = books.row(table.name, key) else {
        return refuse("404.10", format!("No {} has the id {key}.", table.name));
    };
    match *method {
        Method::GET => Ok(Answer::Record(StatusCode::OK, view.show(books, table, row))),
        Method::PATCH => {
            let changed = effects::patch(books, table, key, &body_of(body)?)?;
            if !changed && books.options.refuses_no_change {
                return refuse("500.50", "The value is the same.");
            }
            Ok(Answer::Nothing)
        }
        _ => effects::remove(books, table, key).map(|()| Answer::Nothing),
    }
}

fn own_row(
    books: &mut Books,
    method: &Method,
    table: &'static Table,
    key: i64,
    body: &Bytes,
    view: &View<'_>,
) -> Result<Answer, Refusal> {
    match *method {
        Method::GET => match sales::row(books, table.name, key) {
            Some(row) => Ok(Answer::Record(StatusCode::OK, view.show(books, table, &row))),
            None => refuse("404.10", format!("No {} has the id {key}.", table.name)),
        },
        Method::PATCH if table.allows('P') => {
            let body = body_of(body)?;
            super::rules::check(books, table.columns, &body, false)?;
            sales::patch_row(books, key, &body).map(|_| Answer::Nothing)
        }
        _ => not_allowed(method, table.name),
    }
}

/// A list below a record, or a new record in it.
fn below(
    books: &mut Books,
    method: &Method,
    parent: &'static Table,
    key: i64,
    child: &str,
    body: &Bytes,
    view: &View<'_>,
) -> Result<Answer, Refusal> {
    let Some((child, member)) = parent.below.iter().find(|(name, _)| *name == child) else {
        return refuse("404.20", format!("Resource {child} does not exist."));
    };
    let (Some(found), true) = (table(child), books.row(parent.name, key).is_some()) else {
        return refuse("404.10", format!("No {} has the id {key}.", parent.name));
    };
    match *method {
        Method::GET if found.allows('L') || found.allows('B') => {
            let path = format!("{}/{key}/{child}", parent.name);
            view.list(books, found, Some((*member, key)), &path)
                .map(|list| Answer::Record(StatusCode::OK, list))
        }
        Method::POST if found.is_made_below() && found.allows('C') => {
            let made = effects::create(books, found, Some((*member, key)), &body_of(body)?)?;
            Ok(created(books, found, made, view))
        }
        Method::PUT if *child == "orderrows" => {
            let rows = read_json(body).unwrap_or_default();
            let rows = rows.as_map().and_then(|map| map.get("orderrows")).cloned().unwrap_or(rows);
            effects::patch(books, parent, key, &map([("orderrows", rows)])).map(|_| Answer::Nothing)
        }
        _ => not_allowed(method, child),
    }
}
