//! The declaration of an operation.

use watchpost_core::access::Permission;

/// The method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Changes something.
    Post,
}

impl Method {
    /// Returns the method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The origin of an operation, which determines the form of its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An operation of this API: errors are problems.
    Own,
    /// A compatible route, with field names of its own: errors are `{"error":"…"}`, and there is no `operationId`.
    Compatible,
}

/// The declaration of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// The method.
    pub method: Method,
    /// The path, with the names of its variable segments in braces.
    pub path: &'static str,
    /// The name in the audit log, and the `operationId`. If a tool does the same over the Model Context Protocol, it is
    /// the tool's name.
    pub name: &'static str,
    /// The group in the documentation.
    pub group: &'static str,
    /// The effect of the operation, in one sentence.
    pub summary: &'static str,
    /// The permission that the caller needs. `None` for a public operation, which returns no data.
    pub permission: Option<Permission>,
    /// The origin.
    pub form: Form,
}
