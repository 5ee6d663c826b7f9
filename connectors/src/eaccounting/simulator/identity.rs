//! The service where people sign in: consent, tokens, rotation.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};

use super::options::Options;

/// The application that is registered.
pub(super) const CLIENT: &str = "weftdemo";
pub(super) const SECRET: &str = "Kt7-geheim/van_de.app1";

/// How long a code can be redeemed.
const CODE_SECONDS: i64 = 300;

/// What the demo asks for.
pub(super) const SCOPE: &str = "ea:api offline_access ea:sales ea:accounting_readonly ea:purchase_readonly";

/// Codes and tokens that were handed out.
#[derive(Debug, Default)]
pub(super) struct Identity {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Access>,
    /// Refresh tokens and their rights.
    refresh: BTreeMap<String, String>,
    issued: u64,
    /// Seconds that the clock is ahead, for tests.
    pub(super) ahead: i64,
}

#[derive(Debug)]
struct Code {
    redirect: String,
    scope: String,
    until: Timestamp,
}

#[derive(Debug)]
struct Access {
    scope: String,
    until: Timestamp,
}

/// Status and body of an answer.
pub(super) type Answer = (u16, String);

impl Identity {
    fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(SignedDuration::from_secs(self.ahead)).unwrap_or(Timestamp::MAX)
    }

    fn name(&mut self, kind: &str) -> String {
        self.issued += 1;
        let high = xxhash_rust::xxh3::xxh3_64_with_seed(kind.as_bytes(), self.issued);
        format!("{kind}{high:016x}")
    }

    /// A person consents at once: where the browser goes then, or why it does not.
    pub(super) fn authorize(&mut self, query: &[(String, String)]) -> Result<String, Answer> {
        let get = |name: &str| query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        let refuse = |error: &str| Err((400, format!("{{\"error\":\"{error}\"}}")));
        if get("client_id") != CLIENT {
            return refuse("unauthorized_client");
        }
        if get("response_type") != "code" {
            return refuse("unsupported_response_type");
        }
        let redirect = get("redirect_uri").to_owned();
        let Ok(mut back) = url::Url::parse(&redirect) else { return refuse("invalid_request") };
        if !get("scope").split(' ').any(|scope| scope == "ea:api") {
            back.query_pairs_mut().append_pair("error", "invalid_scope").append_pair("state", get("state"));
            return Ok(back.into());
        }
        let code = self.name("code");
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", get("state"));
        let until =
            self.now().saturating_add(SignedDuration::from_secs(CODE_SECONDS)).unwrap_or(Timestamp::MAX);
        self.codes.insert(code, Code { redirect, scope: get("scope").to_owned(), until });
        Ok(back.into())
    }

    /// The token endpoint.
    pub(super) fn token(
        &mut self,
        authorization: &str,
        form: &[(String, String)],
        options: &Options,
    ) -> Answer {
        let get = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        let refuse = |error: &str| (400, format!("{{\"error\":\"{error}\"}}"));
        let by_header = is_client(authorization);
        let by_body = get("client_id") == CLIENT && get("client_secret") == SECRET;
        if !by_header && !by_body {
            return refuse("invalid_client");
        }
        match get("grant_type") {
            "authorization_code" => {
                // One use, whether it succeeds or not.
                let Some(code) = self.codes.remove(get("code")) else { return refuse("invalid_grant") };
                if code.redirect != get("redirect_uri") || code.until < self.now() {
                    return refuse("invalid_grant");
                }
                self.issue(&code.scope, None, options)
            }
            "refresh_token" => {
                let Some(scope) = self.refresh.get(get("refresh_token")).cloned() else {
                    return refuse("invalid_grant");
                };
                let old = get("refresh_token").to_owned();
                if options.rotates {
                    self.refresh.remove(&old);
                }
                self.issue(&scope, (!options.rotates).then_some(old), options)
            }
            _ => refuse("unsupported_grant_type"),
        }
    }

    /// The revocation endpoint.
    pub(super) fn revoke(&mut self, authorization: &str, form: &[(String, String)]) -> Answer {
        if !is_client(authorization) {
            return (400, "{\"error\":\"invalid_client\"}".to_owned());
        }
        if let Some((_, token)) = form.iter().find(|(name, _)| name == "token") {
            self.refresh.remove(token);
        }
        (200, String::new())
    }

    fn issue(&mut self, scope: &str, kept: Option<String>, options: &Options) -> Answer {
        let (access, refresh, lasts) = self.grant(scope, kept, options);
        let refresh = refresh.map_or_else(String::new, |refresh| format!("\"refresh_token\":\"{refresh}\","));
        (
            200,
            format!(
                "{{\"access_token\":\"{access}\",{refresh}\"token_type\":\"bearer\",\"expires_in\":{lasts}}}"
            ),
        )
    }

    /// A pair of tokens, as a consent gives them.
    pub(super) fn grant(
        &mut self,
        scope: &str,
        kept: Option<String>,
        options: &Options,
    ) -> (String, Option<String>, i64) {
        let access = self.name("at");
        let until = self
            .now()
            .saturating_add(SignedDuration::from_secs(options.token_seconds))
            .unwrap_or(Timestamp::MAX);
        self.access.insert(access.clone(), Access { scope: scope.to_owned(), until });
        let refresh = scope.split(' ').any(|scope| scope == "offline_access").then(|| {
            let refresh = kept.unwrap_or_else(|| self.name("rt"));
            self.refresh.insert(refresh.clone(), scope.to_owned());
            refresh
        });
        (access, refresh, options.token_seconds)
    }

    /// Rights of a bearer; `None` when the token is worth nothing.
    pub(super) fn scopes(&self, authorization: &str) -> Option<&str> {
        let token = authorization.strip_prefix("Bearer ")?;
        self.access.get(token).filter(|access| access.until > self.now()).map(|access| access.scope.as_str())
    }

    /// Every access token is worth nothing from now on.
    pub(super) fn expire(&mut self) {
        self.access.clear();
    }

    /// The person withdraws the consent.
    pub(super) fn withdraw(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }
}

fn is_client(authorization: &str) -> bool {
    let Some(pair) = authorization.strip_prefix("Basic ").and_then(|text| BASE64.decode(text).ok()) else {
        return false;
    };
    let Some((id, secret)) = String::from_utf8(pair)
        .ok()
        .and_then(|pair| pair.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned())))
    else {
        return false;
    };
    let plain = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
    };
    // Both ways to write the pair are met: as it is, and form-encoded first.
    (id == CLIENT && secret == SECRET) || (plain(&id) == CLIENT && plain(&secret) == SECRET)
}
