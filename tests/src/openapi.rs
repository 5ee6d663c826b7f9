//! Checks what goes over the wire against a vendor's OpenAPI document, in this process.
//!
//! A [`Tap`] in front of a simulator hears what is asked and answered; [`OpenApi::check`] says
//! what of it the document does not allow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Largest body that is listened to.
const LARGEST: usize = 64 << 20;

/// A vendor's description of an interface.
pub struct OpenApi {
    document: Value,
    /// Path below which the interface lives on the server: `/v2`, or nothing.
    root: String,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// What was asked and answered once.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: String,
    pub request_type: Option<String>,
    pub request: Bytes,
    pub status: u16,
    pub reply_type: Option<String>,
    pub reply: Bytes,
}

/// Hears what a server is asked and what it answers.
#[derive(Clone, Default)]
pub struct Tap(Arc<Mutex<Vec<Exchange>>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Reply,
}

impl Tap {
    /// The router, overheard.
    pub fn on(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), overhear))
    }

    /// Everything so far, oldest first; forgotten with this.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

async fn overhear(State(tap): State<Tap>, request: Request, next: Next) -> Response {
    let kind = |headers: &axum::http::HeaderMap| {
        headers.get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (head, body) = request.into_parts();
    let asked = axum::body::to_bytes(body, LARGEST).await.unwrap_or_default();
    let response = next.run(Request::from_parts(head.clone(), Body::from(asked.clone()))).await;
    let (answer, body) = response.into_parts();
    let answered = axum::body::to_bytes(body, LARGEST).await.unwrap_or_default();
    tap.0.lock().unwrap().push(Exchange {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        request_type: kind(&head.headers),
        request: asked,
        status: answer.status.as_u16(),
        reply_type: kind(&answer.headers),
        reply: answered.clone(),
    });
    Response::from_parts(answer, Body::from(answered))
}

impl OpenApi {
    /// The document of that file name, where it is at hand. `root` is the path below which the
    /// interface lives on the server.
    #[must_use]
    pub fn load(file: &str, root: &str) -> Option<Self> {
        let text = crate::specs::text(file)?;
        Some(Self::new(serde_json::from_str(&text).expect("the document is JSON"), root))
    }

    /// A document.
    #[must_use]
    pub fn new(document: Value, root: &str) -> Self {
        Self { document, root: root.to_owned(), validators: Mutex::default() }
    }

    /// What the document does not allow in an exchange; empty when all is well.
    #[must_use]
    pub fn check(&self, exchange: &Exchange) -> Vec<String> {
        let place = format!("{} {}", exchange.method, exchange.path);
        let Some((template, operation)) = self.operation(&exchange.method, &exchange.path) else {
            // A route that is not described may be asked for and missing.
            let is_refused = exchange.status == 404;
            return if is_refused { Vec::new() } else { vec![format!("{place}: is not in the document")] };
        };
        let mut problems = self.check_query(template, operation, &exchange.query);
        let name = format!("{} {template}", exchange.method);
        problems.extend(self.check_request(&name, operation, exchange));
        problems.extend(self.check_reply(&name, operation, exchange));
        problems.into_iter().map(|problem| format!("{place}: {problem}")).collect()
    }

    /// The operation that answers a path, with its template.
    #[must_use]
    pub fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let path = path.strip_prefix(self.root.as_str())?;
        let paths = self.document.get("paths")?.as_object()?;
        let fits = |template: &str| {
            let (ours, theirs): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
            ours.len() == theirs.len()
                && ours.iter().zip(&theirs).all(|(ours, theirs)| {
                    (theirs.starts_with('{') && !ours.is_empty()) || ours.eq_ignore_ascii_case(theirs)
                })
        };
        // A path without a placeholder counts before one with.
        let exact = paths.iter().filter(|(template, _)| !template.contains('{'));
        let open = paths.iter().filter(|(template, _)| template.contains('{'));
        exact.chain(open).filter(|(template, _)| fits(template)).find_map(|(template, item)| {
            item.get(method.to_ascii_lowercase()).map(|operation| (template.as_str(), operation))
        })
    }

    fn check_query(&self, template: &str, operation: &Value, query: &str) -> Vec<String> {
        let shared = self.document["paths"][template].get("parameters");
        let lists = [shared, operation.get("parameters")].into_iter().flatten().filter_map(Value::as_array);
        let parameters: Vec<&Value> =
            lists.flatten().map(|one| self.resolved(one)).filter(|one| one["in"] == "query").collect();
        let mut problems = Vec::new();
        let given: Vec<(String, String)> = pairs(query);
        for (name, _) in &given {
            if !parameters.iter().any(|one| one["name"].as_str() == Some(name)) {
                problems.push(format!("the query has `{name}`, which is not described"));
            }
        }
        for one in parameters.iter().filter(|one| one["required"] == true) {
            let name = one["name"].as_str().unwrap_or_default();
            if !given.iter().any(|(known, _)| known == name) {
                problems.push(format!("the query lacks `{name}`"));
            }
        }
        problems
    }

    fn check_request(&self, name: &str, operation: &Value, exchange: &Exchange) -> Vec<String> {
        let Some(described) = operation.get("requestBody").map(|body| self.resolved(body)) else {
            let is_empty = exchange.request.is_empty() || exchange.request.as_ref() == b"{}";
            return if is_empty { Vec::new() } else { vec!["takes no body".to_owned()] };
        };
        if exchange.request.is_empty() {
            let needed = described["required"] == true;
            return if needed { vec!["lacks a body".to_owned()] } else { Vec::new() };
        }
        self.check_body(
            &format!("{name} request"),
            Way::Request,
            described,
            &exchange.request,
            &exchange.request_type,
        )
    }

    fn check_reply(&self, name: &str, operation: &Value, exchange: &Exchange) -> Vec<String> {
        let status = exchange.status.to_string();
        let range = format!("{}XX", &status[..1]);
        let responses = &operation["responses"];
        let described =
            [status.as_str(), range.as_str(), "default"].iter().find_map(|key| responses.get(*key));
        let Some(described) = described.map(|response| self.resolved(response)) else {
            // Every server may fail.
            let is_failure = exchange.status >= 500;
            return if is_failure { Vec::new() } else { vec![format!("status {status} is not described")] };
        };
        if described.get("content").and_then(Value::as_object).is_none_or(Map::is_empty) {
            let is_empty = exchange.reply.is_empty();
            return if is_empty { Vec::new() } else { vec![format!("status {status} has no body")] };
        }
        let place = format!("{name} {status}");
        self.check_body(&place, Way::Reply, described, &exchange.reply, &exchange.reply_type)
    }

    fn check_body(
        &self,
        place: &str,
        way: Way,
        described: &Value,
        body: &[u8],
        kind: &Option<String>,
    ) -> Vec<String> {
        let essence = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let content = described["content"].as_object().cloned().unwrap_or_default();
        let given = kind.as_deref().map(essence).unwrap_or_default();
        let found = content.iter().find(|(known, _)| essence(known) == given || known.as_str() == "*/*");
        let Some((known, media)) = found else {
            let kinds: Vec<_> = content.keys().map(String::as_str).collect();
            return vec![format!("the body is `{given}`, not {}", kinds.join(" or "))];
        };
        let Some(schema) = media.get("schema") else { return Vec::new() };
        if !essence(known).ends_with("json") {
            return Vec::new();
        }
        let body: Value = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => return vec![format!("the body is not JSON: {error}")],
        };
        let validator = self.validator(place, way, schema);
        validator
            .iter_errors(&body)
            .map(|error| {
                let side = if way == Way::Request { "request" } else { "reply" };
                format!("{side} {}: {error}", error.instance_path())
            })
            .collect()
    }

    fn validator(&self, place: &str, way: Way, schema: &Value) -> Arc<Validator> {
        if let Some(known) = self.validators.lock().unwrap().get(place) {
            return Arc::clone(known);
        }
        let is_old = self.document["openapi"].as_str().is_some_and(|version| version.starts_with("3.0"));
        let mut whole = plain(schema, way, is_old);
        if has_reference(&whole)
            && let (Some(whole), Some(parts)) = (whole.as_object_mut(), self.document.get("components"))
        {
            whole.insert("components".to_owned(), plain(parts, way, is_old));
        }
        let built = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&whole);
        let validator = Arc::new(built.unwrap_or_else(|error| panic!("the schema of {place}: {error}")));
        self.validators.lock().unwrap().insert(place.to_owned(), Arc::clone(&validator));
        validator
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value.get("$ref").and_then(Value::as_str).and_then(|link| link.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{query}")).expect("a query");
    url.query_pairs().into_owned().collect()
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$ref") || map.values().any(has_reference),
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// A schema in the words of JSON Schema: what OpenAPI 3.0 says with `nullable`, and properties
/// that go one way only.
fn plain(schema: &Value, way: Way, is_old: bool) -> Value {
    let inner = |value: &Value| plain(value, way, is_old);
    let Value::Object(map) = schema else {
        return match schema {
            Value::Array(items) => Value::Array(items.iter().map(inner).collect()),
            other => other.clone(),
        };
    };
    let mut out: Map<String, Value> = Map::new();
    for (name, value) in map {
        match name.as_str() {
            // Data, not schemas.
            "example" | "examples" | "default" => {}
            "enum" | "const" | "required" => drop(out.insert(name.clone(), value.clone())),
            "properties" => drop(out.insert(name.clone(), properties(value, way, is_old))),
            "nullable" | "discriminator" | "xml" | "externalDocs" | "exclusiveMinimum"
            | "exclusiveMaximum"
                if is_old => {}
            _ => drop(out.insert(name.clone(), inner(value))),
        }
    }
    let stray = if way == Way::Request { "readOnly" } else { "writeOnly" };
    if let (Some(Value::Array(required)), Some(properties)) = (out.get_mut("required"), map.get("properties"))
    {
        required.retain(|name| name.as_str().is_none_or(|name| properties[name][stray] != true));
    }
    if is_old && map.get("nullable") == Some(&json!(true)) {
        if let Some(Value::Array(values)) = out.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        return match out.get("type").cloned() {
            Some(Value::String(kind)) if !out.contains_key("oneOf") => {
                out.insert("type".to_owned(), json!([kind, "null"]));
                Value::Object(out)
            }
            _ => json!({ "anyOf": [{ "type": "null" }, Value::Object(out)] }),
        };
    }
    Value::Object(out)
}

fn properties(value: &Value, way: Way, is_old: bool) -> Value {
    let stray = if way == Way::Request { "readOnly" } else { "writeOnly" };
    let entries = value.as_object().into_iter().flatten().map(|(name, property)| {
        let kept = if property[stray] == true { json!(false) } else { plain(property, way, is_old) };
        (name.clone(), kept)
    });
    Value::Object(entries.collect())
}
