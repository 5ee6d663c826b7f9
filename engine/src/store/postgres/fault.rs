//! What PostgreSQL's errors mean for the people who run the store.

use super::super::StoreError;

/// The error in the store's own terms.
pub(super) fn fault(place: &str, error: &sqlx::Error) -> StoreError {
    let place = place.to_owned();
    match error {
        sqlx::Error::Database(told) => {
            by_code(place, &told.code().unwrap_or_default(), told.message().to_owned())
        }
        sqlx::Error::Io(error) => StoreError::Unreachable { place, cause: in_words(error) },
        sqlx::Error::Tls(error) => StoreError::CannotOpen {
            place,
            cause: error.to_string(),
            help: "see that `sslmode` and `sslrootcert` of the address fit the server's certificate",
        },
        sqlx::Error::Configuration(error) => StoreError::CannotOpen {
            place,
            cause: error.to_string(),
            help: "correct the address of the store",
        },
        sqlx::Error::ColumnDecode { .. } => StoreError::Unreadable { what: error.to_string() },
        _ => StoreError::Refused { place, cause: error.to_string() },
    }
}

/// Without the system's number for it.
fn in_words(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof,
    };
    match error.kind() {
        ConnectionRefused => "nothing listens there".to_owned(),
        NotFound => "there is no such socket".to_owned(),
        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof => {
            "the server closed the connection".to_owned()
        }
        _ => error.to_string(),
    }
}

/// By SQLSTATE, of which the first two letters are the class.
fn by_code(place: String, code: &str, cause: String) -> StoreError {
    let class = code.get(..2).unwrap_or_default();
    match (class, code) {
        // admin_shutdown, crash_shutdown, cannot_connect_now; the time to be idle in a
        // transaction is over; no more writes: what was the primary is a standby now
        (_, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006") | ("08", _) => {
            StoreError::Unreachable { place, cause }
        }
        (_, "28P01" | "28000") => StoreError::CannotOpen {
            place,
            cause,
            help: "see that user and password of the address are right, and that `pg_hba.conf` of the server lets them in from this machine",
        },
        (_, "3D000") => StoreError::CannotOpen {
            place,
            cause,
            help: "make the database first: `createdb --encoding UTF8 --owner USER NAME`",
        },
        (_, "42501") => StoreError::CannotOpen {
            place,
            cause,
            help: "make this user the owner of the database, so that it may make tables there",
        },
        // disk_full; the limit of a tablespace is told the same way
        (_, "53100") => StoreError::Full { place, cause },
        // query_canceled: it took too long; object_in_use, lock_not_available; serialization
        // failure and deadlock; too many connections, out of memory
        (_, "57014" | "55006" | "55P03") | ("40" | "53", _) => StoreError::Busy { place, cause },
        // io_error
        (_, "58030") => StoreError::Disk { place, cause },
        // data_corrupted, index_corrupted
        ("XX", "XX001" | "XX002") => StoreError::Corrupt { place, cause },
        _ => StoreError::Refused { place, cause: format!("{cause} (code {code})") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_what_to_do_about_them() {
        let told = |code| by_code("db".to_owned(), code, "said".to_owned());
        assert!(matches!(told("53100"), StoreError::Full { .. }));
        assert!(matches!(told("53300"), StoreError::Busy { .. }));
        assert!(matches!(told("40P01"), StoreError::Busy { .. }));
        assert!(matches!(told("08006"), StoreError::Unreachable { .. }));
        assert!(matches!(told("57P03"), StoreError::Unreachable { .. }));
        assert!(matches!(told("28P01"), StoreError::CannotOpen { .. }));
        assert!(matches!(told("XX001"), StoreError::Corrupt { .. }));
        assert!(matches!(told("42703"), StoreError::Refused { .. }));
    }
}
