//! HTTP header values as the protocol sees them. The transport finds the headers; what they must say is
//! decided here.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::borrow::Cow;

/// One routing header of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header<'a> {
    /// It isn't there.
    #[default]
    Absent,
    /// It's there once, with this raw value.
    One(&'a [u8]),
    /// It's there more than once, which no routing header may be.
    Repeated,
}

impl<'a> Header<'a> {
    /// From all values that a message has under one name.
    pub fn from_values(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::One(value),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }

    /// The value without surrounding white space, if there's exactly one and it's UTF-8.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::One(value) => std::str::from_utf8(value)
                .ok()
                .map(|text| text.trim_matches([' ', '\t'])),
            Self::Absent | Self::Repeated => None,
        }
    }

    /// The value of `Mcp-Name`: plain, or `=?base64?…?=` around the UTF-8 text (mcp.md 7.2). `None` also for a
    /// sentinel whose inside isn't base64 or isn't UTF-8.
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
