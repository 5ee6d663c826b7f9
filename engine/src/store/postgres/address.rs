//! The address of a PostgreSQL database, as people write it: one server, or several of which
//! one takes writes.

use std::fmt;
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// What may stand behind the `?`. Anything else is refused, for the driver would say it aloud,
/// value and all.
const PARAMETERS: [&str; 11] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "application_name",
    "options",
];

/// Said by libpq's users of several servers; it is what is done anyway.
const WRITES: &str = "target_session_attrs";

/// Statements that a connection keeps prepared: each of those for many rows in all its lengths.
const STATEMENTS: usize = 200;

/// The address of a database. It is printed without its password.
#[derive(Clone)]
pub struct Address {
    /// The servers, in the order in which they are tried.
    pub(super) servers: Vec<PgConnectOptions>,
    shown: String,
}

impl Address {
    /// Reads an address; else says what is wrong, without repeating any of it.
    pub(in super::super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let rest = rest.ok_or("an address begins with `postgres://`")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), authority),
        };
        let mut servers = Vec::new();
        for host in hosts.split(',') {
            // A folder of sockets is told by `host=` behind the `?`, with nothing in its place.
            let host = if host.is_empty() { "localhost" } else { host };
            servers.push(server(&format!("postgres://{user}{host}{path}"))?);
        }
        let shown = shown(&servers);
        Ok(Self { servers, shown })
    }
}

/// One server of the address.
fn server(text: &str) -> Result<PgConnectOptions, String> {
    let mut url = url::Url::from_str(text).map_err(|error| format!("it is no address: {error}"))?;
    let mut kept = Vec::new();
    for (key, value) in url.query_pairs() {
        let known = PARAMETERS.contains(&key.as_ref()) || key.starts_with("options[");
        if key == WRITES && matches!(value.as_ref(), "read-write" | "primary" | "any") {
            continue;
        }
        if !known {
            return Err(format!("it has an unknown parameter `{key}`; known are {}", PARAMETERS.join(", ")));
        }
        kept.push((key.into_owned(), value.into_owned()));
    }
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    let mut options =
        PgConnectOptions::from_url(&url).map_err(|error| format!("it cannot be used: {error}"))?;
    if options.get_application_name().is_none() {
        options = options.application_name("weft");
    }
    Ok(options.statement_cache_capacity(STATEMENTS).disable_statement_logging())
}

/// The address without password and parameters, as the tools of PostgreSQL take it too.
fn shown(servers: &[PgConnectOptions]) -> String {
    let Some(first) = servers.first() else { return String::new() };
    let user = first.get_username();
    let database = first.get_database().unwrap_or(user);
    if let ([_], Some(socket)) = (servers, first.get_socket()) {
        return format!("postgres://{user}@/{database}?host={}", socket.display());
    }
    let hosts: Vec<String> = servers
        .iter()
        .map(|server| match server.get_socket() {
            Some(socket) => socket.display().to_string().replace('/', "%2F"),
            None => format!("{}:{}", server.get_host(), server.get_port()),
        })
        .collect();
    format!("postgres://{user}@{}/{database}", hosts.join(","))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://weft:hunter2@db.example/books",
            "postgresql://weft:hunter2@db.example:5432/books?sslmode=verify-full",
            "postgres://weft@db.example/books?password=hunter2&application_name=till",
        ] {
            let address = Address::read(text).expect("address");
            assert_eq!(address.to_string(), "postgres://weft@db.example:5432/books");
            assert!(!format!("{address:?}").contains("hunter2"));
        }
        for text in [
            "mysql://weft:hunter2@db.example/books",
            "postgres://weft:hunter2@db.example:port/books",
            "postgres://weft@db.example/books?passwd=hunter2",
            "postgres://weft:hunter2@db.example/books?sslmode=perhaps",
            "postgres://weft:hunter2@[db/books",
        ] {
            let error = Address::read(text).expect_err("refused");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn several_servers_are_tried_in_their_order() {
        let text = "postgres://weft@one.example:5433,two.example/books?target_session_attrs=read-write";
        let address = Address::read(text).expect("address");
        assert_eq!(address.servers.len(), 2);
        assert_eq!(address.to_string(), "postgres://weft@one.example:5433,two.example:5432/books");
        let socket = Address::read("postgres://weft@/books?host=/run/pg").expect("address");
        assert_eq!(socket.to_string(), "postgres://weft@/books?host=/run/pg");
    }
}
