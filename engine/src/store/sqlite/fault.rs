//! What SQLite's errors mean for the people who run the store.

use super::super::StoreError;

/// The error in the store's own terms.
pub(super) fn fault(place: &str, error: &rusqlite::Error) -> StoreError {
    let place = place.to_owned();
    match error {
        rusqlite::Error::SqliteFailure(failure, told) => {
            let cause = told.clone().unwrap_or_else(|| failure.to_string());
            by_code(place, failure.extended_code, cause)
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => by_code(place, error.extended_code, msg.clone()),
        rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::Utf8Error(..) => {
            StoreError::Unreadable { what: error.to_string() }
        }
        _ => StoreError::Refused { place, cause: error.to_string() },
    }
}

/// The error of a store that could be opened once, and so may be again.
pub(super) fn again(error: StoreError) -> StoreError {
    match error {
        StoreError::CannotOpen { place, cause, .. } => StoreError::Disk { place, cause },
        other => other,
    }
}

/// SQLite's result code, of which the low byte is the kind and the rest a refinement.
fn by_code(place: String, code: i32, cause: String) -> StoreError {
    match code & 0xff {
        // PERM, READONLY
        3 | 8 => StoreError::ReadOnly { place, cause },
        // BUSY, LOCKED
        5 | 6 => StoreError::Busy { place, cause },
        // IOERR
        10 => StoreError::Disk { place, cause: format!("{cause} (code {code})") },
        // CORRUPT
        11 => StoreError::Corrupt { place, cause },
        // FULL
        13 => StoreError::Full { place, cause },
        // CANTOPEN
        14 => StoreError::CannotOpen {
            place,
            cause,
            help: "see that the folder is there and that the user who runs weft may write it: \
                   two more files stand beside the store",
        },
        // NOTADB
        26 => StoreError::NotAStore { place, cause },
        _ => StoreError::Refused { place, cause: format!("{cause} (code {code})") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refinements_are_told_by_their_kind() {
        let told = |code| by_code("weft.db".to_owned(), code, "said".to_owned());
        assert!(matches!(told(8 + 256), StoreError::ReadOnly { .. }));
        assert!(matches!(told(5 + 512), StoreError::Busy { .. }));
        assert!(matches!(told(10 + 1024), StoreError::Disk { .. }));
        assert!(matches!(told(11 + 256), StoreError::Corrupt { .. }));
        assert!(matches!(told(13), StoreError::Full { .. }));
        assert!(matches!(told(26), StoreError::NotAStore { .. }));
        assert!(matches!(told(1), StoreError::Refused { .. }));
    }
}
