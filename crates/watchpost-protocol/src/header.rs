//! HTTP header values as the protocol reads them. The transport finds the headers; this crate decides what they
//! must contain.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::borrow::Cow;

/// One routing header of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header<'a> {
    /// The request doesn't have the header.
    #[default]
    Absent,
    /// The request has the header once, with this raw value.
    One(&'a [u8]),
    /// The request has the header more than once, which is invalid for a routing header.
    Repeated,
}

impl<'a> Header<'a> {
    /// Creates a header from all values that a request has under one name.
    pub fn from_values(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::One(value),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }

    /// Returns the value without surrounding white space, if there is exactly one and it is UTF-8.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::One(value) => std::str::from_utf8(value)
                .ok()
                .map(|text| text.trim_matches([' ', '\t'])),
            Self::Absent | Self::Repeated => None,
        }
    }

    /// Returns the decoded value of `Mcp-Name` or `Mcp-Param-*`: plain text, or `=?base64?…?=` around UTF-8
    /// text (MCP 2026-07-28, Streamable HTTP > Value Encoding). Also returns `None` if the encoded part isn't
    /// base64 or isn't UTF-8.
    pub(crate) fn decoded(self) -> Option<Cow<'a, str>> {
        let text = self.text()?;
        let Some(inner) = text
            .strip_prefix("=?base64?")
            .and_then(|rest| rest.strip_suffix("?="))
        else {
            return Some(Cow::Borrowed(text));
        };
        String::from_utf8(STANDARD.decode(inner).ok()?)
            .ok()
            .map(Cow::Owned)
    }
}
