//! Where reading stands between two pages, as text that outlives the process.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use crate::profile::dialect::{Paging, PagingKind};
use crate::record::Value;

/// Where reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// What the paging parameter says, where pages or records are counted; where they have
    /// names, one more than at first once reading has begun anew.
    pub(super) at: u64,
    pub(super) size: u64,
    /// Pages read so far.
    pub(super) read: u64,
    /// Fingerprint of the last page that held records.
    pub(super) seen: u64,
    /// What names the next page, where it has a name: token, last key or address.
    pub(super) token: String,
}

impl Turn {
    pub(super) fn first(paging: &Paging, size: usize) -> Self {
        // A system that cannot be told how long pages are has its own idea of it.
        let wished =
            paging.size_parameter.as_ref().and_then(|_| u64::try_from(size).ok()).filter(|size| *size > 0);
        Self {
            at: paging.first,
            size: wished.map_or(paging.size, |size| size.min(paging.size)),
            read: 0,
            seen: 0,
            token: String::new(),
        }
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let _ = write!(text, "{} {} {} {:x} {}", self.at, self.size, self.read, self.seen, self.token);
        text
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, ' ');
        let mut number = || parts.next()?.parse().ok();
        let (at, size, read) = (number()?, number()?, number()?);
        let seen = u64::from_str_radix(parts.next()?, 16).ok()?;
        Some(Self { at, size, read, seen, token: parts.next().unwrap_or_default().to_owned() })
    }

    /// The first page once more, when the name of this one may have run out while nobody read:
    /// reading twice does no harm, and never reading on would. Once; then it is not the name.
    pub(super) fn anew(&self, paging: &Paging) -> Option<Self> {
        let is_named =
            matches!(paging.kind, PagingKind::Cursor(_) | PagingKind::NextUrl(_) | PagingKind::LinkHeader);
        let first = || Self { at: paging.first + 1, size: self.size, read: 0, seen: 0, token: String::new() };
        (is_named && !self.token.is_empty() && self.at == paging.first).then(first)
    }

    /// What the paging parameter carries; nothing on a first page that has no name yet.
    pub(super) fn said(&self, kind: &PagingKind) -> Option<Value> {
        match kind {
            PagingKind::Page | PagingKind::Offset => Some(i64::try_from(self.at).unwrap_or(i64::MAX).into()),
            PagingKind::Cursor(_) | PagingKind::Keyset(_) if !self.token.is_empty() => {
                Some(Value::from(self.token.as_str()))
            }
            _ => None,
        }
    }

    /// The address of this page, where addresses lead from page to page.
    pub(super) fn address(&self, kind: &PagingKind) -> Option<&str> {
        let leads = matches!(kind, PagingKind::NextUrl(_) | PagingKind::LinkHeader);
        (leads && !self.token.is_empty()).then_some(&*self.token)
    }
}

/// Pages are alike when they hold as many records, and the first and last ones are alike.
pub(super) fn fingerprint(records: &[Value]) -> u64 {
    let mut out = records.len().to_le_bytes().to_vec();
    for record in records.first().into_iter().chain(records.last()) {
        record.write_json(&mut out);
    }
    xxh3_64(&out) | 1
}
