//! Signing in: consent in a browser, codes that work once, refresh tokens that work once, access
//! tokens that run out.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use url::Url;

/// The application that is registered.
pub(super) const CLIENT: &str = "weft-demo";
/// Its secret.
pub(super) const SECRET: &str = "av/s3cret+1=";
/// Where its browser comes back to, unless another address was registered.
const REDIRECT: &str = "http://localhost:8914/callback";
/// Rights that may be asked for.
const SCOPES: [&str; 3] = ["readaccountviewdata", "updateaccountviewdata", "deleteaccountviewdata"];

/// What was handed out.
#[derive(Debug)]
pub(super) struct Doors {
    made: usize,
    /// Where the browser comes back to, letter for letter as registered.
    pub(super) redirect: String,
    /// Codes that nobody has used yet, with their scopes.
    codes: HashMap<String, String>,
    refresh: HashMap<String, String>,
    access: HashMap<String, (String, Instant)>,
    /// How long an access token lasts.
    pub(super) lifetime: Duration,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            made: 0,
            redirect: REDIRECT.to_owned(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            lifetime: Duration::from_hours(1),
        }
    }
}

/// What the token endpoint answers.
pub(super) struct Handed {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) lasts: u64,
}

impl Doors {
    /// A person consents; gives where the browser goes, or why it does not.
    pub(super) fn consent(&mut self, asked: &HashMap<String, String>) -> Result<String, String> {
        let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        if get("client_id") != CLIENT {
            return Err("unknown client_id".to_owned());
        }
        if get("redirect_uri") != self.redirect {
            return Err("redirect_uri is not the one that was registered".to_owned());
        }
        if get("response_type") != "code" {
            return Err("response_type must be code".to_owned());
        }
        let scopes: Vec<&str> = get("scope").split_whitespace().collect();
        if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(scope)) {
            return Err("unknown scope".to_owned());
        }
        self.made += 1;
        // Needs decoding on its way back.
        let code = format!("c0de/{}+{}==", self.made, self.made * 7919);
        self.codes.insert(code.clone(), scopes.join(" "));
        let mut back = Url::parse(&self.redirect).map_err(|error| error.to_string())?;
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", get("state"));
        Ok(back.into())
    }

    /// Hands out tokens for a code or for a refresh token; the error is OAuth's word for it.
    pub(super) fn exchange(&mut self, form: &HashMap<String, String>) -> Result<Handed, &'static str> {
        let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if get("client_id") != CLIENT || get("client_secret") != SECRET {
            return Err("invalid_client");
        }
        let scope = match get("grant_type") {
            "authorization_code" if get("redirect_uri") != self.redirect => return Err("invalid_grant"),
            "authorization_code" => self.codes.remove(get("code")).ok_or("invalid_grant")?,
            "refresh_token" => self.refresh.remove(get("refresh_token")).ok_or("invalid_grant")?,
            _ => return Err("unsupported_grant_type"),
        };
        Ok(self.hand_out(scope))
    }

    /// Tokens as a person's consent leaves them, with these rights.
    pub(super) fn hand_out(&mut self, scope: String) -> Handed {
        self.made += 1;
        let (access, refresh) = (
            format!("at-{}-{}", self.made, self.made * 7919),
            format!("rt-{}-{}", self.made, self.made * 6337),
        );
        let until = Instant::now() + self.lifetime;
        self.access.insert(access.clone(), (scope.clone(), until));
        self.refresh.insert(refresh.clone(), scope);
        Handed { access, refresh, lasts: self.lifetime.as_secs() }
    }

    /// Rights of an access token that has not run out.
    pub(super) fn rights(&self, header: Option<&str>) -> Option<HashSet<String>> {
        let token = header?.strip_prefix("Bearer ").or_else(|| header?.strip_prefix("bearer "))?;
        let (scope, until) = self.access.get(token)?;
        (Instant::now() < *until).then(|| scope.split_whitespace().map(str::to_owned).collect())
    }

    /// Every access token runs out now; refresh tokens go on.
    pub(super) fn expire(&mut self) {
        self.access.clear();
    }

    /// The consent is withdrawn.
    pub(super) fn withdraw(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }
}
