//! Tokens of systems that a profile describes: by OAuth, or by a call that logs in.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{HeaderName, HeaderValue};

use super::body::Body;
use super::dialect::Dialect;
use super::form::plain;
use super::path::Path;
use super::template::Template;
use crate::contract::{Advice, Limits, RemoteError};
use crate::http::{Call, Http, Method, Protocol, Reply, Secrets, Url, Verdict, judge_status, recorded};
use crate::record::{Map, Value, read_json};
use crate::sign_in::{ClientAuth, Grant, OAuth, Token, TokenSource};

/// An OAuth client, before it knows its account.
#[derive(Clone, Debug)]
pub(super) struct OAuthWay {
    pub(super) token_address: Template,
    /// Where a person consents; none: the client has rights of its own.
    pub(super) authorize_address: Option<Template>,
    pub(super) redirect: Template,
    pub(super) extra: Vec<(String, Template)>,
    pub(super) client_id: Template,
    pub(super) client_secret: Template,
    pub(super) scope: Option<Template>,
    pub(super) client_auth: ClientAuth,
}

/// A call that logs in.
#[derive(Clone, Debug)]
pub(super) struct LoginWay {
    pub(super) path: Template,
    pub(super) body: Body,
    /// Sent as a form, not as JSON.
    pub(super) is_form: bool,
    pub(super) token: Path,
    pub(super) expiry: Expiry,
    pub(super) header: HeaderName,
    pub(super) prefix: String,
}

/// When a token runs out.
#[derive(Clone, Debug)]
pub(super) enum Expiry {
    /// When the system says so.
    Unknown,
    /// After so many seconds as the answer says.
    In(Path),
    /// At the moment that the answer says.
    At(Path),
    /// After that long.
    After(Duration),
}

fn fill(template: &Template, setting: &dyn Fn(&str) -> String) -> String {
    template.settle(setting).fill(&|_| String::new())
}

impl OAuthWay {
    /// The client of an account.
    pub(super) fn client(
        &self,
        title: &str,
        setting: &dyn Fn(&str) -> String,
        limits: &Limits,
    ) -> Result<OAuth, RemoteError> {
        let address = |template: &Template| {
            let text = fill(template, setting);
            Url::parse(&text).map_err(|_| {
                RemoteError::new(
                    Advice::Reconnect,
                    title,
                    format!("`{text}` is not an address to sign in at"),
                )
                .with_help("correct the settings of the connection that it is made of")
            })
        };
        let grant = match &self.authorize_address {
            None => Grant::ClientCredentials,
            Some(template) => Grant::Code {
                authorize_url: address(template)?,
                redirect: fill(&self.redirect, setting),
                extra: self.extra.iter().map(|(name, value)| (name.clone(), fill(value, setting))).collect(),
            },
        };
        Ok(OAuth {
            system: title.to_owned(),
            token_url: address(&self.token_address)?,
            client_id: fill(&self.client_id, setting),
            client_secret: fill(&self.client_secret, setting),
            scope: self.scope.as_ref().map(|scope| fill(scope, setting)),
            client_auth: self.client_auth,
            grant,
            limits: limits.clone(),
        })
    }
}

/// A login of one account.
pub(super) struct Login {
    system: String,
    http: Http,
    call: Call,
    way: LoginWay,
    reason: Vec<Path>,
}

impl LoginWay {
    /// The login of an account.
    pub(super) fn client(
        &self,
        title: &str,
        base: &str,
        dialect: &Dialect,
        setting: &dyn Fn(&str) -> String,
        http: &Http,
        limits: &Limits,
    ) -> Result<Login, RemoteError> {
        let path = fill(&self.path, setting);
        let url = Url::parse(&format!("{base}{path}")).map_err(|_| {
            RemoteError::new(
                Advice::Reconnect,
                title,
                format!("`{base}{path}` is not an address to log in at"),
            )
        })?;
        let mut body = self.body.clone();
        body.settle(setting);
        let body = body.fill(&|_| Value::Null);
        let (content, text) = if self.is_form {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in body.as_map().into_iter().flat_map(Map::iter) {
                form.append_pair(name, &plain(value));
            }
            ("application/x-www-form-urlencoded", form.finish())
        } else {
            ("application/json", body.to_string())
        };
        let mut call = Call::write(Method::POST, url, content, text).repeatable();
        for (name, value) in &dialect.headers {
            call = call.header(name.clone(), &fill(value, setting));
        }
        let secrets: Secrets = http.secrets().clone();
        Ok(Login {
            system: title.to_owned(),
            http: Http::new(title, limits, 1, secrets)?,
            call,
            way: self.clone(),
            reason: dialect.reason.clone(),
        })
    }
}

impl Login {
    fn refused(&self, reason: &str) -> RemoteError {
        RemoteError::new(Advice::Reconnect, self.system.clone(), format!("the login is refused: {reason}"))
            .with_help("fill in the credentials of this connection again")
    }

    fn reason(&self, reply: &Reply) -> String {
        let body = read_json(&reply.body).unwrap_or_default();
        let parts = self.reason.iter().filter_map(|at| at.pick(&body)).map(plain);
        let told = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
        match told {
            told if !told.is_empty() => told,
            _ => format!("status {}", reply.status.as_u16()),
        }
    }

    fn expires_at(&self, body: &Value) -> Option<Timestamp> {
        match &self.way.expiry {
            Expiry::Unknown => None,
            Expiry::After(lasts) => Timestamp::now().checked_add(*lasts).ok(),
            Expiry::In(at) => {
                let lasts = plain(at.pick(body)?).parse().ok()?;
                Timestamp::now().checked_add(Duration::from_secs(lasts)).ok()
            }
            Expiry::At(at) => {
                let text = plain(at.pick(body)?);
                let unix = || Timestamp::from_second(text.parse().ok()?).ok();
                text.parse().ok().or_else(unix)
            }
        }
    }
}

#[async_trait]
impl TokenSource for Login {
    async fn renew(&self, _: Option<&Token>) -> Result<Token, RemoteError> {
        // The answer holds the token: it belongs in nobody's history.
        let (reply, _) = recorded(self.http.send(&self.call, self)).await;
        let reply = reply?;
        let body = read_json(&reply.body).map_err(|_| {
            // The answer may hold half a token and is not repeated.
            RemoteError::new(Advice::Retry(None), self.system.clone(), "the answer to the login is not JSON")
        })?;
        let access = self.way.token.pick(&body).map(plain).filter(|token| !token.is_empty());
        let access = access.ok_or_else(|| self.refused(&self.reason(&reply)))?;
        Ok(Token { access, refresh: None, expires_at: self.expires_at(&body) })
    }

    fn place(&self, token: &str, request: &mut reqwest::Request) {
        if let Ok(mut value) = HeaderValue::from_str(&format!("{}{token}", self.way.prefix)) {
            value.set_sensitive(true);
            request.headers_mut().insert(self.way.header.clone(), value);
        }
    }
}

impl Protocol for Login {
    fn prepare(&self, _: &mut reqwest::Request) -> Result<(), RemoteError> {
        Ok(())
    }

    fn judge(&self, _: &Call, reply: &Reply) -> Verdict {
        if !reply.status.is_client_error() || matches!(reply.status.as_u16(), 408 | 425 | 429) {
            return judge_status(&self.system, reply);
        }
        Verdict::Refuse(self.refused(&self.reason(reply)))
    }
}
