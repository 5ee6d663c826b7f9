//! The simulator's door: sign-in, limits, rights, and the way to each record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use tokio::time::Instant;

use super::books::{Area, Books, KINDS, Kind, Recorded, Refusal, known, refuse};
use super::goods::{article, customer, price, with_stock};
use super::lists::page;
use super::rules::taken;
use super::sales;
use crate::eaccounting::client::json;
use crate::record::{Map, Value, read_json};

/// Books that requests share.
pub(super) type Shared = Arc<Mutex<Books>>;

const MINUTE: Duration = Duration::from_mins(1);

/// Opens the books, also after a panic elsewhere.
pub(super) fn open(shared: &Shared) -> MutexGuard<'_, Books> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the service answers before it is put into HTTP: nothing, or a record.
type Answer = (u16, Option<Map>);

/// A request, taken apart.
struct Asked<'a> {
    method: &'a Method,
    /// Parts of the path below `/v2`, the first in small letters.
    path: Vec<&'a str>,
    query: Vec<(String, String)>,
    body: &'a Bytes,
}

pub(super) async fn answer(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 32 << 20).await else {
        return plain(413, "too large");
    };
    let path = head.uri.path().to_owned();
    let query = pairs(head.uri.query().unwrap_or_default().as_bytes());
    let authorization =
        head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut books = open(&shared);
    if let Some(rest) = path.strip_prefix("/connect/") {
        return identity(&mut books, rest, authorization, &query, &body);
    }
    let lower = path.to_lowercase();
    let Some(below) = lower.strip_prefix("/v2/") else {
        return plain(404, "<html><body>Not found</body></html>");
    };
    let parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    let asked = Asked { method: &head.method, path: parts, query, body: &body };
    let outcome = admit(&mut books, authorization, &asked).and_then(|()| serve(&mut books, &asked));
    let (status, text, seconds) = worded(&mut books, outcome);
    if let Some(recorded) = &mut books.recorded {
        recorded.push(Recorded {
            method: head.method.to_string(),
            path: head
                .uri
                .path_and_query()
                .map_or("", |target| target.as_str())
                .trim_start_matches("/v2")
                .to_owned(),
            request: String::from_utf8_lossy(&body).into_owned(),
            status,
            reply: text.clone(),
        });
    }
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=utf-8"));
    if let Some(seconds) = seconds.filter(|_| books.options.says_retry_after) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn plain(status: u16, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn identity(
    books: &mut Books,
    rest: &str,
    authorization: &str,
    query: &[(String, String)],
    body: &Bytes,
) -> Response<Body> {
    let options = books.options.clone();
    let (status, text) = match rest {
        "authorize" => match books.identity.authorize(query) {
            Ok(back) => {
                let mut response = plain(302, "");
                if let Ok(back) = header::HeaderValue::from_str(&back) {
                    response.headers_mut().insert(header::LOCATION, back);
                }
                return response;
            }
            Err(refused) => refused,
        },
        "token" => books.identity.token(authorization, &pairs(body), &options),
        "revocation" => books.identity.revoke(authorization, &pairs(body)),
        _ => (404, String::new()),
    };
    let mut response = plain(status, &text);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// Sign-in, the next refusals on demand, the limit, and the rights, in this order.
fn admit(books: &mut Books, authorization: &str, asked: &Asked<'_>) -> Result<(), Refusal> {
    let scopes: Vec<String> = books
        .identity
        .scopes(authorization)
        .map(|scopes| scopes.split(' ').map(str::to_owned).collect())
        .ok_or_else(|| refuse(401, 4005, "Authorization has been denied for this request."))?;
    let first = asked.path.first().copied().unwrap_or_default();
    limit(books, first)?;
    if let Some((status, code)) = books.refusals.pop_front() {
        return Err(refuse(status, code, "refused on demand"));
    }
    let area = KINDS.iter().find(|kind| kind.path == first).map_or(Area::Sales, |kind| kind.area);
    let reads = *asked.method == Method::GET;
    let (whole, only) = match area {
        Area::Sales => ("ea:sales", "ea:sales_readonly"),
        Area::Accounting => ("ea:accounting", "ea:accounting_readonly"),
        Area::Purchase => ("ea:purchase", "ea:purchase_readonly"),
        Area::Shared => ("ea:", "ea:"),
    };
    let is_right = |scope: &String| match area {
        Area::Shared => scope.starts_with("ea:") && scope != "ea:api",
        _ => scope == whole || (reads && scope == only),
    };
    let may = scopes.iter().any(|scope| scope == "ea:api") && scopes.iter().any(is_right);
    if may { Ok(()) } else { Err(refuse(403, 4006, "The scope does not allow this request")) }
}

fn limit(books: &mut Books, first: &str) -> Result<(), Refusal> {
    let Some(most) = books.options.calls_per_minute else { return Ok(()) };
    let now = Instant::now();
    let calls = books.calls.entry(first.to_owned()).or_default();
    while calls.front().is_some_and(|start| *start + MINUTE <= now) {
        calls.pop_front();
    }
    if calls.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
        let left = calls.front().map_or(MINUTE, |first| (*first + MINUTE).saturating_duration_since(now));
        let seconds = left.as_secs().max(1);
        let message = format!(
            "API calls quota exceeded! maximum admitted {most} per Minute. Try again in {seconds} seconds."
        );
        return Err(Refusal { seconds: Some(seconds), ..refuse(429, 4010, &message) });
    }
    calls.push_back(now);
    Ok(())
}

fn body(asked: &Asked<'_>) -> Result<Map, Refusal> {
    if asked.body.is_empty() {
        return Ok(Map::new());
    }
    match read_json(asked.body) {
        Ok(Value::Map(map)) => Ok(map),
        _ => Err(refuse(400, 2000, "The body is not a JSON object")),
    }
}

fn serve(books: &mut Books, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let parts = asked.path.clone();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["companysettings"]) => Ok((200, Some(books.settings.clone()))),
        (_, ["salespricelists", ..])
            if books.settings.get("ProductVariant").and_then(Value::as_int) != Some(5) =>
        {
            Err(refuse(403, 4009, "The product variant does not include price lists"))
        }
        ("GET", ["salespricelists", "prices", rest @ ..]) => prices(books, asked, rest),
        ("PUT", ["salespricelists", list, "prices"]) => put_prices(books, asked, list),
        ("POST", ["orders", id, step]) => sales::step(books, "orders", id, step).map(|row| (200, row)),
        ("PUT", ["quotes", id, "accept"]) => sales::step(books, "quotes", id, "accept").map(|row| (200, row)),
        ("POST", ["quotes", id, step]) => sales::step(books, "quotes", id, step).map(|row| (200, row)),
        ("POST", ["customerinvoicedrafts", id, "convert"]) => {
            let check = body(asked)?;
            let keeps =
                asked.query.iter().any(|(name, value)| name == "keepOriginalDraftDate" && value == "true");
            sales::convert(books, id, &check, keeps).map(|row| (201, Some(row)))
        }
        ("POST", ["customerinvoices", id, "payments"]) => {
            let payment = taken("InvoicePaymentApi", &body(asked)?, &books.options.clone())?;
            sales::pay(books, id, payment).map(|row| (201, Some(row)))
        }
        ("GET", ["accounts", year, rest @ ..]) => accounts(books, asked, year, rest),
        (method, [path]) => {
            let kind = known(path).ok_or_else(|| books.absence())?;
            match method {
                "GET" if kind.verbs.contains('L') => list(books, kind, asked),
                "POST" if kind.verbs.contains('C') => create(books, kind, &body(asked)?),
                _ => Err(not_allowed()),
            }
        }
        (method, [path, id]) => {
            let kind = known(path).ok_or_else(|| books.absence())?;
            match method {
                "GET" if kind.verbs.contains('G') => {
                    let row = books.row(path, id).cloned().ok_or_else(|| books.absence())?;
                    Ok((200, Some(shown(books, kind, row))))
                }
                "PUT" if kind.verbs.contains('U') => replace(books, kind, id, &body(asked)?),
                "DELETE" if kind.verbs.contains('D') => remove(books, kind, id),
                _ => Err(not_allowed()),
            }
        }
        _ => Err(books.absence()),
    }
}

fn not_allowed() -> Refusal {
    refuse(405, 0, "The requested resource does not support this method.")
}

/// The record as it is shown.
fn shown(books: &Books, kind: &Kind, row: Map) -> Map {
    if kind.path == "articles" { with_stock(books, row) } else { row }
}

fn list(books: &mut Books, kind: &Kind, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let rows: Vec<Map> = books.rows(kind.path).to_vec();
    let mut rows: Vec<Map> = rows.into_iter().map(|row| shown(books, kind, row)).collect();
    if let Some((_, since)) =
        asked.query.iter().find(|(name, _)| name == "modifiedSinceUtc" && kind.path == "customerinvoices")
    {
        let least = crate::eaccounting::wire::moment(since)
            .ok_or_else(|| refuse(400, 6001, "modifiedSinceUtc is no date"))?;
        rows.retain(|row| {
            row.text("ModifiedUtc").and_then(crate::eaccounting::wire::moment).is_some_and(|at| at >= least)
        });
    }
    Ok((200, Some(page(books, kind, rows, &asked.query)?)))
}

fn create(books: &mut Books, kind: &'static Kind, body: &Map) -> Result<Answer, Refusal> {
    let row = taken(kind.entity, body, &books.options.clone())?;
    let row = match kind.path {
        "articles" => article(books, body, row, None)?,
        "customers" => customer(books, row, None)?,
        "orders" | "quotes" | "customerinvoicedrafts" => sales::document(books, kind, row, None)?,
        "customerinvoices" => {
            if let Some(draft) = body.text("CreatedFromDraftId") {
                return sales::convert(books, draft, &Map::new(), true).map(|row| (201, Some(row)));
            }
            let row = sales::document(books, kind, row, None)?;
            return sales::book(books, kind, row, true).map(|row| (201, Some(row)));
        }
        "salespricelists" => price_list(books, row, None),
        _ => row,
    };
    let row = books.insert(kind, row);
    let status = if kind.path.starts_with("delivery") { 200 } else { 201 };
    Ok((status, Some(shown(books, kind, row))))
}

fn price_list(books: &mut Books, mut row: Map, old: Option<&Map>) -> Map {
    if let Some(old) = old {
        for kept in ["Id", "Number", "IsStandard"] {
            row.set(kept, old.get(kept).cloned());
        }
    } else {
        let number = i64::try_from(books.rows("salespricelists").len()).unwrap_or(0) + 1;
        row.set("Number", number);
    }
    if row.text("CurrencyCode").is_none_or(str::is_empty) {
        row.set("CurrencyCode", books.settings.get("CurrencyCode").cloned());
    }
    row
}

fn replace(books: &mut Books, kind: &'static Kind, id: &str, body: &Map) -> Result<Answer, Refusal> {
    let old = books.row(kind.path, id).cloned().ok_or_else(|| books.absence())?;
    let row = taken(kind.entity, body, &books.options.clone())?;
    let row = match kind.path {
        "articles" => article(books, body, row, Some(&old))?,
        "customers" => customer(books, row, Some(&old))?,
        "orders" | "quotes" | "customerinvoicedrafts" => sales::document(books, kind, row, Some(&old))?,
        "salespricelists" => price_list(books, row, Some(&old)),
        _ => {
            let mut row = row;
            row.set("Id", old.get("Id").cloned());
            row
        }
    };
    let row = books.replace(kind, row);
    Ok((200, Some(shown(books, kind, row))))
}

fn remove(books: &mut Books, kind: &Kind, id: &str) -> Result<Answer, Refusal> {
    let row = books.row(kind.path, id).cloned().ok_or_else(|| books.absence())?;
    let status = row.get("Status").and_then(Value::as_int).unwrap_or(0);
    let has_sales = || {
        ["orders", "quotes", "customerinvoicedrafts", "customerinvoices"]
            .iter()
            .any(|path| books.rows(path).iter().any(|sale| sale.text("CustomerId") == row.text("Id")))
    };
    match kind.path {
        "customers" if has_sales() => return Err(refuse(400, 4001, "The customer has transactions")),
        "orders" if status > 2 => return Err(refuse(400, 4002, "The order is shipped or invoiced")),
        _ => {}
    }
    let id = row.text("Id").unwrap_or_default().to_owned();
    books.remove(kind.path, &id);
    Ok((200, None))
}

fn prices(books: &mut Books, asked: &Asked<'_>, rest: &[&str]) -> Result<Answer, Refusal> {
    let kind = known("prices").ok_or_else(|| books.absence())?;
    let has = |row: &Map, member: &str, id: Option<&&str>| id.is_none_or(|id| row.text(member) == Some(*id));
    let rows: Vec<Map> = books
        .rows("prices")
        .iter()
        .filter(|row| has(row, "SalesPriceListId", rest.first()) && has(row, "ArticleId", rest.get(1)))
        .cloned()
        .collect();
    if rest.len() == 2 {
        return rows.into_iter().next().map(|row| (200, Some(row))).ok_or_else(|| books.absence());
    }
    Ok((200, Some(page(books, kind, rows, &asked.query)?)))
}

fn put_prices(books: &mut Books, asked: &Asked<'_>, list: &str) -> Result<Answer, Refusal> {
    let kind = known("prices").ok_or_else(|| books.absence())?;
    let list = books.row("salespricelists", list).cloned().ok_or_else(|| books.absence())?;
    let Ok(Value::List(entries)) = read_json(asked.body) else {
        return Err(refuse(400, 2000, "The body is not a list"));
    };
    if entries.len() > 1000 {
        return Err(refuse(400, 2000, "At most 1000 prices"));
    }
    let mut done = Vec::new();
    for entry in entries.iter().filter_map(Value::as_map) {
        let mut row = price(books, &list, entry)?;
        let now = books.now();
        row.set("ChangedUtc", now.to_string());
        let table = books.tables.entry(kind.path).or_default();
        let same = |old: &&mut Map| {
            old.text("SalesPriceListId") == row.text("SalesPriceListId")
                && old.text("ArticleId") == row.text("ArticleId")
        };
        match table.iter_mut().find(same) {
            Some(old) => *old = row.clone(),
            None => table.push(row.clone()),
        }
        done.push(row);
    }
    Ok((200, Some(page(books, kind, done, &[])?)))
}

fn accounts(books: &mut Books, asked: &Asked<'_>, year: &str, rest: &[&str]) -> Result<Answer, Refusal> {
    let kind = known("accounts").ok_or_else(|| books.absence())?;
    let rows: Vec<Map> =
        books.rows("accounts").iter().filter(|row| row.text("FiscalYearId") == Some(year)).cloned().collect();
    match rest.first() {
        Some(number) => {
            let row = rows.into_iter().find(|row| row.text("Number") == Some(*number));
            row.map(|row| (200, Some(row))).ok_or_else(|| books.absence())
        }
        None => Ok((200, Some(page(books, kind, rows, &asked.query)?))),
    }
}

/// Status, body, and the seconds that a busy service asks for.
fn worded(books: &mut Books, outcome: Result<Answer, Refusal>) -> (u16, String, Option<u64>) {
    let text = |map: &Map| String::from_utf8_lossy(&json(map)).into_owned();
    match outcome {
        Ok((status, Some(row))) => (status, text(&row), None),
        Ok((status, None)) => (status, String::new(), None),
        Err(refusal) => {
            let errors: Vec<Value> = refusal
                .errors
                .iter()
                .map(|(field, code, message)| {
                    [
                        ("Field", Value::from(field.as_str())),
                        ("ErrorCode", code.as_str().into()),
                        ("Message", message.as_str().into()),
                        ("Key", Value::Null),
                    ]
                    .into_iter()
                    .collect::<Map>()
                    .into()
                })
                .collect();
            let body: Map = [
                ("ErrorCode", Value::Int(refusal.code)),
                ("DeveloperErrorMessage", refusal.message.into()),
                ("ErrorId", books.guid().into()),
                ("Errors", if errors.is_empty() { Value::Null } else { errors.into() }),
            ]
            .into_iter()
            .collect();
            (refusal.status, text(&body), refusal.seconds)
        }
    }
}
