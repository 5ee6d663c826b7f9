//! OAuth 2: a person's consent in a browser (authorization code), or a client's own rights
//! (client credentials).

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use serde::Deserialize;

use super::{Token, TokenSource};
use crate::contract::{Advice, Limits, RemoteError};
use crate::http::{Call, Http, Method, Protocol, Reply, Secrets, Url, Verdict, judge_status, recorded};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// An OAuth 2 client of one account.
#[derive(Clone)]
pub struct OAuth {
    /// Title of the system, for errors.
    pub system: String,
    /// Where tokens are handed out.
    pub token_url: Url,
    /// Name of the client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Rights to ask for, as the system writes them; `None` sends none.
    pub scope: Option<String>,
    /// How the client identifies itself.
    pub client_auth: ClientAuth,
    /// What a token is given for.
    pub grant: Grant,
    /// Bounds of the calls for tokens.
    pub limits: Limits,
}

/// How a client identifies itself when it asks for a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Name and secret among the form's fields.
    #[default]
    Body,
    /// Name and secret in an `Authorization: Basic` header.
    Basic,
}

/// What a token is given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The client's own rights.
    ClientCredentials,
    /// A person's consent, given once in a browser and kept alive by exchange.
    Code {
        /// Where the person goes.
        authorize_url: Url,
        /// Where the browser comes back to, letter for letter as registered.
        redirect: String,
        /// Further fields of the address.
        extra: Vec<(String, String)>,
    },
}

/// What a token endpoint answers.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    refresh_token: Option<String>,
    /// Seconds; some write them as text.
    expires_in: Option<serde_json::Value>,
}

impl OAuth {
    /// The address that a person opens to consent; the answer to `state` must be the same.
    #[must_use]
    pub fn consent_address(&self, state: &str) -> Option<Url> {
        let Grant::Code { authorize_url, redirect, extra } = &self.grant else { return None };
        let mut url = authorize_url.clone();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("response_type", "code").append_pair("client_id", &self.client_id);
            query.append_pair("redirect_uri", redirect);
            if let Some(scope) = &self.scope {
                query.append_pair("scope", scope);
            }
            query.append_pair("state", state);
            query.extend_pairs(extra);
        }
        Some(url)
    }

    /// Where the browser comes back to.
    #[must_use]
    pub fn redirect(&self) -> Option<&str> {
        match &self.grant {
            Grant::Code { redirect, .. } => Some(redirect),
            Grant::ClientCredentials => None,
        }
    }

    /// Exchanges the code of a consent for the first token.
    pub async fn redeem(&self, code: &str) -> Result<Token, RemoteError> {
        let redirect = self.redirect().unwrap_or_default();
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect)];
        self.ask(&form, &[code], false).await
    }

    async fn ask(
        &self,
        form: &[(&str, &str)],
        secrets: &[&str],
        repeatable: bool,
    ) -> Result<Token, RemoteError> {
        let hidden = Secrets::of(secrets.iter().copied().chain([self.client_secret.as_str()]));
        let http = Http::new(&self.system, &self.limits, 1, hidden)?;
        let mut call =
            Call::write(Method::POST, self.token_url.clone(), FORM, self.form(form)).header(ACCEPT, JSON);
        call.repeatable = repeatable;
        // The answer holds the token: it belongs in nobody's history.
        let (reply, _) = recorded(http.send(&call, self)).await;
        let reply = reply?;
        let now = Timestamp::now();
        let answer: Answer = serde_json::from_slice(&reply.body).map_err(|_| {
            // The answer may hold half a token and is not repeated.
            self.refused("the answer to the request for a token cannot be read".to_owned())
        })?;
        let lasts = answer
            .expires_in
            .as_ref()
            .and_then(|value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()));
        let expires_at = lasts.and_then(|lasts| now.checked_add(Duration::from_secs(lasts)).ok());
        Ok(Token { access: answer.access_token, refresh: answer.refresh_token, expires_at })
    }

    fn form(&self, fields: &[(&str, &str)]) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        if self.client_auth == ClientAuth::Body {
            body.append_pair("client_id", &self.client_id);
            body.append_pair("client_secret", &self.client_secret);
        }
        body.finish()
    }

    fn refused(&self, reason: String) -> RemoteError {
        RemoteError::new(Advice::Reconnect, self.system.clone(), reason)
            .with_help("run `weft connect NAME` with the connection's name to sign in")
    }
}

#[async_trait]
impl TokenSource for OAuth {
    async fn renew(&self, old: Option<&Token>) -> Result<Token, RemoteError> {
        if self.grant == Grant::ClientCredentials {
            let mut form = vec![("grant_type", "client_credentials")];
            form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
            return self.ask(&form, &[], true).await;
        }
        let Some(refresh) = old.and_then(|old| old.refresh.as_deref()) else {
            let reason = match old {
                None => "nobody has signed in to this account yet",
                Some(_) => "the sign-in has run out and cannot be renewed",
            };
            return Err(self.refused(reason.to_owned()));
        };
        // Repeatable although such a token may work once only: when the answer is lost, asking
        // again is all that is left before a person has to.
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let mut token = self.ask(&form, &[refresh], true).await?;
        // Systems that do not rotate leave it out.
        token.refresh.get_or_insert_with(|| refresh.to_owned());
        Ok(token)
    }
}

impl Protocol for OAuth {
    fn prepare(&self, request: &mut reqwest::Request) -> Result<(), RemoteError> {
        if self.client_auth == ClientAuth::Basic {
            let encoded =
                |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(&self.client_id), encoded(&self.client_secret));
            let value = HeaderValue::from_str(&format!("Basic {}", BASE64.encode(pair)))
                .map_err(|_| self.refused("the client's name or secret cannot be sent".to_owned()))?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(())
    }

    fn judge(&self, _: &Call, reply: &Reply) -> Verdict {
        if !reply.status.is_client_error() || matches!(reply.status.as_u16(), 408 | 425 | 429) {
            return judge_status(&self.system, reply);
        }
        let said = reason(&reply.body).unwrap_or_else(|| format!("status {}", reply.status.as_u16()));
        Verdict::Refuse(self.refused(format!("the sign-in is refused: {said}")))
    }
}

/// What a refusal says, in the two shapes that are met: OAuth's own, and a list of errors.
fn reason(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let first = answer.get("errors").and_then(|errors| errors.get(0));
    let text = |value: Option<&serde_json::Value>| value?.as_str().map(str::to_owned);
    text(answer.get("error_description"))
        .or_else(|| text(first?.get("title")))
        .or_else(|| text(answer.get("error")))
        .or_else(|| text(answer.get("message")))
}

/// Says nothing of secrets.
impl std::fmt::Debug for OAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OAuth").field("system", &self.system).finish_non_exhaustive()
    }
}
