//! Reads how calls prove who they come from.

use super::body::Body;
use super::dialect::SignIn;
use super::fields::path;
use super::load::{Known, header, span};
use super::problem::{Code, Problem};
use super::reader::{Table, Word};
use super::template::Template;
use super::tokens::{Expiry, LoginWay, OAuthWay};
use crate::sign_in::ClientAuth;

/// Where browsers come back to, unless the profile says otherwise.
const REDIRECT: &str = "http://127.0.0.1:8914/callback";

/// The table `sign_in`.
pub(super) fn read(table: Table<'_, '_>, known: &Known<'_>) -> SignIn {
    table.need(
        "kind",
        "one of `api_key`, `bearer`, `basic`, `login`, `oauth2_client_credentials`, `oauth2_authorization_code`, `none`",
    );
    let kinds = [
        ("api_key", 'k'),
        ("bearer", 'b'),
        ("basic", 'u'),
        ("login", 'l'),
        ("oauth2_client_credentials", 'c'),
        ("oauth2_authorization_code", 'a'),
        ("none", 'n'),
    ];
    let way = match table.choice("kind", &kinds) {
        Some('k') => api_key(&table, known),
        Some('b') => {
            let token = need_secret(&table, "token", known);
            SignIn::Header(reqwest::header::AUTHORIZATION, Template::before("Bearer ", token))
        }
        Some('u') => {
            let user = need(&table, "user", "as in `user = \"{settings.user}\"`", known);
            SignIn::Basic { user, password: need_secret(&table, "password", known) }
        }
        Some('l') => login(&table, known),
        Some('c') => SignIn::OAuth(Box::new(oauth(&table, known, false))),
        Some('a') => SignIn::OAuth(Box::new(oauth(&table, known, true))),
        Some(_) => SignIn::None,
        None => return SignIn::None,
    };
    table.finish();
    way
}

fn need(table: &Table<'_, '_>, key: &'static str, help: &str, known: &Known<'_>) -> Template {
    let word = table.need_text(key, help);
    word.map(|word| Template::read(table.reader, &word, &known.settings, &[])).unwrap_or_default()
}

fn need_secret(table: &Table<'_, '_>, key: &'static str, known: &Known<'_>) -> Template {
    let help = format!("name the setting that holds it: `{key} = \"{{settings.{key}}}\"`");
    let word = table.need_text(key, &help);
    word.map(|word| secret(table, key, &word, known)).unwrap_or_default()
}

fn api_key(table: &Table<'_, '_>, known: &Known<'_>) -> SignIn {
    let value = need_secret(table, "value", known);
    match (table.text("header"), table.text("parameter")) {
        (Some(name), None) => header(table, &name).map_or(SignIn::None, |name| SignIn::Header(name, value)),
        (None, Some(name)) => SignIn::Parameter(name.text.to_owned(), value),
        (Some(_), Some(_)) => {
            table.reader.report(
                Problem::new(
                    Code::MisplacedTrait,
                    table.key_span("parameter"),
                    "an API key goes into a header or into a parameter, not both",
                )
                .label("one of the two has to go"),
            );
            SignIn::None
        }
        (None, None) => {
            table.need("header", "as in `header = \"X-Api-Key\"`, or `parameter = \"key\"`");
            SignIn::None
        }
    }
}

/// Credentials are sent once, and what comes back is put on every call.
fn login(table: &Table<'_, '_>, known: &Known<'_>) -> SignIn {
    let at = need(table, "path", "where credentials are sent: `path = \"/login\"`", known);
    table.need(
        "body",
        "what is sent: `body = { user = \"{settings.user}\", password = \"{settings.password}\" }`",
    );
    let body = Body::read(table, "body", &known.settings, &[]).unwrap_or(Body::empty());
    let token = table.need_text("token", "where the answer has the token: `token = \"$.token\"`");
    let token = token.map(|word| path(table, &word));
    let at_path = |key: &'static str| table.text(key).map(|word| path(table, &word));
    let expiry = match (at_path("expires_in"), at_path("expires_at"), span(table, "lasts")) {
        (Some(at), None, None) => Expiry::In(at),
        (None, Some(at), None) => Expiry::At(at),
        (None, None, Some(lasts)) => Expiry::After(lasts),
        (None, None, None) => Expiry::Unknown,
        _ => {
            table.reader.report(
                Problem::new(
                    Code::MisplacedTrait,
                    table.at.clone(),
                    "when the token runs out is told in more than one way",
                )
                .label("says more than one of `expires_in`, `expires_at` and `lasts`"),
            );
            Expiry::Unknown
        }
    };
    let name = table.text("header").and_then(|word| header(table, &word));
    let standard = if name.is_some() { "" } else { "Bearer " };
    SignIn::Login(Box::new(LoginWay {
        path: at,
        body,
        is_form: table.choice("sends", &[("json", false), ("form", true)]).unwrap_or_default(),
        token: token.unwrap_or_else(|| super::path::Path::Plain([].into())),
        expiry,
        header: name.unwrap_or(reqwest::header::AUTHORIZATION),
        prefix: table.text("prefix").map_or(standard, |word| word.text).to_owned(),
    }))
}

fn oauth(table: &Table<'_, '_>, known: &Known<'_>, by_consent: bool) -> OAuthWay {
    let template = |word: Word<'_>| Template::read(table.reader, &word, &known.settings, &[]);
    let token_address = need(
        table,
        "token_address",
        "as in `token_address = \"https://login.example.com/oauth2/token\"`",
        known,
    );
    let authorize_address = by_consent.then(|| {
        need(
            table,
            "authorize_address",
            "where a person consents: `authorize_address = \"https://login.example.com/oauth2/authorize\"`",
            known,
        )
    });
    let extra = if by_consent {
        let inner = table.table("extra").map(|inner| inner.named_texts()).unwrap_or_default();
        inner.into_iter().map(|(name, value)| (name.text.to_owned(), template(value))).collect()
    } else {
        Vec::new()
    };
    let redirect = if by_consent { table.text("redirect").map(template) } else { None };
    OAuthWay {
        token_address,
        authorize_address,
        redirect: redirect.unwrap_or_else(|| Template::before(REDIRECT, Template::empty())),
        extra,
        client_id: need(table, "client_id", "as in `client_id = \"{settings.client_id}\"`", known),
        client_secret: need_secret(table, "client_secret", known),
        scope: table.text("scope").map(template),
        client_auth: table
            .choice("client_auth", &[("body", ClientAuth::Body), ("basic", ClientAuth::Basic)])
            .unwrap_or_default(),
    }
}

/// A secret comes from a setting that is never shown.
fn secret(table: &Table<'_, '_>, key: &str, word: &Word<'_>, known: &Known<'_>) -> Template {
    let template = Template::read(table.reader, word, &known.settings, &[]);
    let mut names = template.settings().peekable();
    if names.peek().is_none() && !word.text.contains('{') {
        table.reader.report(
            Problem::new(Code::BareSecret, word.at.clone(), format!("`{key}` stands in the file"))
                .label("whoever reads this file reads the secret")
                .help(format!(
                    "declare a setting with `secret = true` and write `{key} = \"{{settings.{key}}}\"`"
                )),
        );
    }
    for name in names.filter(|name| !known.secret.contains(name)) {
        let hole = format!("settings.{name}");
        let start = word.text.find(&hole).unwrap_or_default();
        table.reader.report(
            Problem::new(
                Code::BareSecret,
                table.reader.within(word, start..start + hole.len()),
                format!("the setting `{name}` would be shown"),
            )
            .label("holds a secret, but is not marked as one")
            .help(format!("add `secret = true` to `[settings.{name}]`")),
        );
    }
    template
}
