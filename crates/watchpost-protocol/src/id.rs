//! Request ids and progress tokens. A string and an integer are never equal.

use crate::json::{RawJson, push_integer, push_string};
use std::borrow::Cow;

/// The maximum length of a string id or progress token, in bytes. They are bounded because responses repeat
/// them.
const TEXT_MAX: usize = 1024;

/// The id of a JSON-RPC request. `92` and `"92"` are different ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestId<'a> {
    /// A 64-bit signed integer.
    Number(i64),
    /// A string of at most 1,024 bytes.
    Text(Cow<'a, str>),
}

impl<'a> RequestId<'a> {
    /// Reads an id. Returns `None` for `null`, fractions, exponents, integers beyond 64 bits, and other types.
    pub(crate) fn read(value: RawJson<'a>) -> Option<Self> {
        if value.is_string() {
            return value
                .string()
                .filter(|text| text.len() <= TEXT_MAX)
                .map(Self::Text);
        }
        // Parsing an `i64` fails for fractions and exponents, so `1.0` and `1e3` are rejected here. JSON has no
        // leading `+`, and the scanner has already rejected leading zeros.
        value.as_str().parse().ok().map(Self::Number)
    }

    /// Returns the same id without a borrow, for tables of requests in progress.
    pub fn into_owned(self) -> RequestId<'static> {
        match self {
            Self::Number(number) => RequestId::Number(number),
            Self::Text(text) => RequestId::Text(Cow::Owned(text.into_owned())),
        }
    }

    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => push_integer(out, *number),
            Self::Text(text) => push_string(out, text),
        }
    }
}

/// Formats the id as in JSON: `92`, `"92"`.
impl std::fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        self.push(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// The token of a request's progress notifications. It has the shape of a request id.
pub type ProgressToken<'a> = RequestId<'a>;
