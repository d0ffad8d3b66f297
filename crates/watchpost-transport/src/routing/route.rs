//! One row of the table of routes: a path, methods, and who may use them.

use crate::gate::Credential;
use http::{HeaderMap, HeaderName, Method};

/// Bytes that the body of a request may have unless its route says otherwise.
pub(crate) const BODY_BYTES_MAX: usize = 256 << 10;

/// Whose requests a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Everybody's; a credential isn't looked at.
    Public,
    /// Those with an API key.
    Key,
    /// Those of a person who has signed in. No credential of a person exists yet, so such a route answers 401 to
    /// everybody.
    Member,
    /// Those with an API key, and those of a person who has signed in.
    Either,
}

impl Access {
    /// Whether a credential of this kind counts here. One that doesn't count is as good as none.
    pub(crate) fn takes(self, credential: &Credential<'_>) -> bool {
        match credential {
            Credential::Key(_) => matches!(self, Self::Key | Self::Either),
        }
    }
}

/// A path, or all paths that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    Exact(&'static str),
    Prefix(&'static str),
}

impl Pattern {
    pub(crate) fn matches(self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path.starts_with(prefix),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Methods {
    /// Those that no other row of the same path has.
    Any,
    Only(Vec<Method>),
}

impl Methods {
    /// A method that both have.
    pub(crate) fn overlap(&self, other: &Self) -> Option<&Method> {
        match (self, other) {
            (Self::Only(these), Self::Only(those)) => these.iter().find(|method| those.contains(method)),
            _ => None,
        }
    }
}

/// A path with its methods and who may use them: what a [`Mount`](crate::Mount) declares and admission enforces.
///
/// Paths are compared byte by byte, without decoding, so each has one spelling; a trailing slash makes another path.
/// A longer prefix wins over a shorter one, and an exact path over any prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub(crate) pattern: Pattern,
    pub(crate) methods: Methods,
    pub(crate) access: Access,
    pub(crate) header: Option<HeaderName>,
    pub(crate) body_bytes: usize,
}

impl Route {
    /// One path.
    pub fn new(path: &'static str, methods: impl IntoIterator<Item = Method>, access: Access) -> Self {
        Self::with(
            Pattern::Exact(path),
            Methods::Only(methods.into_iter().collect()),
            access,
        )
    }

    /// Every path that begins with `prefix`, which usually ends in a slash.
    pub fn prefix(prefix: &'static str, methods: impl IntoIterator<Item = Method>, access: Access) -> Self {
        Self::with(
            Pattern::Prefix(prefix),
            Methods::Only(methods.into_iter().collect()),
            access,
        )
    }

    fn with(pattern: Pattern, methods: Methods, access: Access) -> Self {
        Self {
            pattern,
            methods,
            access,
            header: None,
            body_bytes: BODY_BYTES_MAX,
        }
    }

    /// For every method that no other row of the same path has. Such a path never answers 405.
    #[must_use]
    pub(crate) fn any_method(mut self) -> Self {
        self.methods = Methods::Any;
        self
    }

    /// Counts only for requests with this header; they see this row instead of those without the condition.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName) -> Self {
        self.header = Some(name);
        self
    }

    /// Bytes that the body of a request may have; 256 KiB if nothing is said.
    #[must_use]
    pub fn body_bytes(mut self, max: usize) -> Self {
        self.body_bytes = max;
        self
    }

    /// The path, or what the paths begin with.
    pub fn path(&self) -> &'static str {
        match self.pattern {
            Pattern::Exact(path) | Pattern::Prefix(path) => path,
        }
    }

    /// Whether it stands for all paths that begin with [`Route::path`].
    pub fn is_prefix(&self) -> bool {
        matches!(self.pattern, Pattern::Prefix(_))
    }

    /// The methods; `None` is every method that no other row of the same path has.
    pub fn methods(&self) -> Option<&[Method]> {
        match &self.methods {
            Methods::Any => None,
            Methods::Only(methods) => Some(methods),
        }
    }

    /// Who may use it.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The header that a request must have for this row to count.
    pub fn header(&self) -> Option<&HeaderName> {
        self.header.as_ref()
    }

    /// Whether both are about the same requests but for their methods.
    pub(crate) fn has_same_target(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.header == other.header
    }

    pub(crate) fn matches(&self, path: &str, headers: &HeaderMap) -> bool {
        self.pattern.matches(path) && self.header.as_ref().is_none_or(|name| headers.contains_key(name))
    }
}
