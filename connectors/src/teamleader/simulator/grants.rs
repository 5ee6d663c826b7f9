//! Who may in: codes, access tokens that run out, refresh tokens that work once.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::books::Books;

/// How long the code of a consent counts.
const CODE: Duration = Duration::from_mins(10);

/// What has been granted.
#[derive(Debug, Default)]
pub(super) struct Grants {
    codes: HashMap<String, Instant>,
    access: HashMap<String, Instant>,
    refresh: HashMap<String, bool>,
    given: u64,
}

/// An answer of the sign-in.
pub(super) enum Answer {
    Redirect(String),
    Token(Value),
    Refused(Value),
}

impl Grants {
    fn text(&mut self, kind: &str) -> String {
        self.given += 1;
        format!("{kind}{:016x}{:08x}", fastrand::u64(..), self.given)
    }

    /// Whether a token lets in.
    pub(super) fn admits(&self, token: &str) -> bool {
        self.access.get(token).is_some_and(|until| *until > Instant::now())
    }

    /// All access tokens run out at once.
    pub(super) fn expire(&mut self) {
        self.access.clear();
    }

    /// All tokens are worth nothing, as after an uninstall.
    pub(super) fn revoke(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }

    /// A new pair: access, refresh.
    pub(super) fn issue(&mut self, seconds: u64) -> (String, String) {
        let (access, refresh) = (self.text("eyJ0eXAi"), self.text("def502"));
        self.access.insert(access.clone(), Instant::now() + Duration::from_secs(seconds));
        self.refresh.insert(refresh.clone(), true);
        (access, refresh)
    }

    /// Codes that were given count as that old.
    pub(super) fn age_codes(&mut self, by: Duration) {
        for issued in self.codes.values_mut() {
            *issued = issued.checked_sub(by).unwrap_or(*issued);
        }
    }
}

/// What the sign-in page does, once the person has decided.
pub(super) fn authorize(books: &mut Books, query: &[(String, String)]) -> Answer {
    let get = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if get("scope").is_some() {
        return Answer::Refused(json!({"error": "invalid_scope", "message": "The requested scope is invalid"}));
    }
    let options = &books.options;
    if get("client_id") != Some(&options.client_id) || get("response_type") != Some("code") {
        return Answer::Refused(json!({"error": "invalid_client"}));
    }
    let redirect = options.redirect.clone();
    if get("redirect_uri") != Some(&redirect) {
        return Answer::Refused(json!({"error": "invalid_request", "message": "redirect_uri is not whitelisted"}));
    }
    let state = get("state").unwrap_or_default().to_owned();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if options.consent_denied {
        query.append_pair("error", "access_denied");
    } else {
        let code = books.grants.text("c0de");
        query.append_pair("code", &code);
        books.grants.codes.insert(code, Instant::now());
    }
    query.append_pair("state", &state);
    Answer::Redirect(format!("{redirect}?{}", query.finish()))
}

/// Exchanges a code or a refresh token for a new pair.
pub(super) fn token(books: &mut Books, form: &[(String, String)]) -> Answer {
    let get = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let refuse = |hint: &str| {
        let title = "The request is missing a required parameter, or a parameter is wrong.";
        Answer::Refused(json!({"errors": [{"code": 0, "title": title, "status": 400, "meta": {"hint": hint}}]}))
    };
    let options = &books.options;
    if get("client_id") != options.client_id || get("client_secret") != options.client_secret {
        return refuse("Client authentication failed");
    }
    let seconds = options.token_seconds;
    match get("grant_type") {
        "authorization_code" => {
            if get("redirect_uri") != options.redirect {
                return refuse("Check the redirect_uri parameter");
            }
            // Taken out: a code works once.
            match books.grants.codes.remove(get("code")) {
                Some(issued) if issued.elapsed() < CODE => {}
                _ => return refuse("Authorization code has been revoked or has expired"),
            }
        }
        "refresh_token" => match books.grants.refresh.get_mut(get("refresh_token")) {
            Some(unused) if *unused => *unused = false,
            Some(_) => return refuse("Token has been revoked"),
            None => return refuse("Token is not linked to client"),
        },
        _ => return refuse("Check the grant_type parameter"),
    }
    let (access, refresh) = books.grants.issue(seconds);
    Answer::Token(json!({
        "token_type": "Bearer", "expires_in": seconds, "access_token": access, "refresh_token": refresh,
    }))
}
