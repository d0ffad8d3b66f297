//! A route: a path, its methods and the access that it requires.

use crate::gate::Credential;
use http::{HeaderMap, HeaderName, Method};

/// The default maximum size of a request body, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 256 << 10;

/// The access that a route requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// No credential. If there is one, it isn't checked.
    Public,
    /// An API key.
    Key,
    /// A signed-in user. There are no credentials of users yet, so such a route always answers 401.
    Member,
    /// An API key or a signed-in user.
    Either,
}

impl Access {
    /// Whether a credential of this kind grants access. Other credentials are treated as missing.
    pub(crate) fn takes(self, credential: &Credential<'_>) -> bool {
        match credential {
            Credential::Key(_) => matches!(self, Self::Key | Self::Either),
        }
    }
}

/// A path, a path with variable segments, or all paths with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    Exact(&'static str),
    Template(&'static str),
    Prefix(&'static str),
}

impl Pattern {
    pub(crate) fn matches(self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Template(template) => matches_template(template, path),
            Self::Prefix(prefix) => path.starts_with(prefix),
        }
    }
}

/// Whether each segment of a path is the template's, or stands for one of its names in braces. No name stands for an empty
/// segment.
fn matches_template(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let fits = template.split('/').all(|expected| {
        let is_name = expected.starts_with('{') && expected.ends_with('}');
        segments
            .next()
            .is_some_and(|segment| segment == expected || (is_name && !segment.is_empty()))
    });
    fits && segments.next().is_none()
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Methods {
    /// All methods that no other route of the same path has.
    Any,
    Only(Vec<Method>),
}

impl Methods {
    /// Returns a method that both have.
    pub(crate) fn overlap(&self, other: &Self) -> Option<&Method> {
        match (self, other) {
            (Self::Only(these), Self::Only(those)) => these.iter().find(|method| those.contains(method)),
            _ => None,
        }
    }
}

/// A path with its methods and required access. A [`Mount`](crate::Mount) declares it and admission enforces
/// it.
///
/// Paths are compared byte by byte without decoding. A trailing slash makes a different path. An exact path
/// takes precedence over one with variable segments, this over a prefix, and a longer prefix over a shorter one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub(crate) pattern: Pattern,
    pub(crate) methods: Methods,
    pub(crate) access: Access,
    pub(crate) header: Option<HeaderName>,
    pub(crate) body_bytes: usize,
}

impl Route {
    /// Creates a route for one path.
    pub fn new(path: &'static str, methods: impl IntoIterator<Item = Method>, access: Access) -> Self {
        Self::with(
            Pattern::Exact(path),
            Methods::Only(methods.into_iter().collect()),
            access,
        )
    }

    /// Creates a route for paths with variable segments, written as names in braces: `/findings/{id}/snooze`. Among
    /// templates, the one with fewer names takes precedence.
    pub fn template(
        template: &'static str,
        methods: impl IntoIterator<Item = Method>,
        access: Access,
    ) -> Self {
        Self::with(
            Pattern::Template(template),
            Methods::Only(methods.into_iter().collect()),
            access,
        )
    }

    /// Creates a route for every path that starts with `prefix`, which usually ends in a slash.
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

    /// Makes the route match every method that no other route of the same path has. Such a path never answers
    /// 405.
    #[must_use]
    pub(crate) fn any_method(mut self) -> Self {
        self.methods = Methods::Any;
        self
    }

    /// Restricts the route to requests with this header. Routes of the same path without the header don't apply
    /// to such requests.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName) -> Self {
        self.header = Some(name);
        self
    }

    /// Sets the maximum size of a request body in bytes. The default is 256 KiB.
    #[must_use]
    pub fn body_bytes(mut self, max: usize) -> Self {
        self.body_bytes = max;
        self
    }

    /// Returns the path, the template, or the prefix of the paths.
    pub fn path(&self) -> &'static str {
        match self.pattern {
            Pattern::Exact(path) | Pattern::Template(path) | Pattern::Prefix(path) => path,
        }
    }

    /// Whether the route matches all paths that start with [`Route::path`].
    pub fn is_prefix(&self) -> bool {
        matches!(self.pattern, Pattern::Prefix(_))
    }

    /// Returns the methods. `None` means every method that no other route of the same path has.
    pub fn methods(&self) -> Option<&[Method]> {
        match &self.methods {
            Methods::Any => None,
            Methods::Only(methods) => Some(methods),
        }
    }

    /// Returns the access that the route requires.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns the header that a request must have for the route to apply.
    pub fn header(&self) -> Option<&HeaderName> {
        self.header.as_ref()
    }

    /// Whether both routes match the same requests, apart from the method.
    pub(crate) fn has_same_target(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.header == other.header
    }

    pub(crate) fn matches(&self, path: &str, headers: &HeaderMap) -> bool {
        self.pattern.matches(path) && self.header.as_ref().is_none_or(|name| headers.contains_key(name))
    }
}
