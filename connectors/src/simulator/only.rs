//! Picking the requests that a fault is meant for.

use std::fmt;
use std::sync::Arc;

use axum::http::request::Parts;

type Test = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

/// Some requests: all that pass every condition.
#[derive(Clone, Default)]
pub struct Only {
    method: Option<String>,
    path: Option<String>,
    test: Option<Test>,
}

impl Only {
    /// All requests.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Those with that method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_uppercase());
        self
    }

    /// Those whose path begins so.
    #[must_use]
    pub fn path(mut self, beginning: &str) -> Self {
        self.path = Some(beginning.to_owned());
        self
    }

    /// Those that pass a test, over a header for instance.
    #[must_use]
    pub fn when(mut self, test: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.test = Some(Arc::new(test));
        self
    }

    /// `POST`, `/orders`, `POST/orders`, or nothing for all.
    pub(super) fn read(text: &str) -> Self {
        let at = text.find('/').unwrap_or(text.len());
        let (method, path) = text.split_at(at);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self { method: some(method).map(|method| method.trim().to_uppercase()), path: some(path), test: None }
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, request: &Parts) -> bool {
        self.method.as_ref().is_none_or(|method| request.method.as_str() == method)
            && self.path.as_ref().is_none_or(|path| request.uri.path().starts_with(path.as_str()))
            && self.test.as_ref().is_none_or(|test| test(request))
    }

    /// Whether both pick the same requests, as far as can be told.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_test = match (&self.test, &other.test) {
            (None, None) => true,
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => false,
        };
        self.method == other.method && self.path == other.path && same_test
    }
}

impl fmt::Debug for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Only").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}
