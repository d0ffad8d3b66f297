//! Request ids and progress tokens: strings or integers, and never one for the other.

use crate::json::{RawJson, push_integer, push_string};
use std::borrow::Cow;

/// The longest string that is taken as an id or progress token, in bytes. We echo them, so they're bounded.
const MAX_TEXT: usize = 1024;

/// The id of a JSON-RPC request. `92` and `"92"` are different ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestId<'a> {
    /// An integer within 64 bits.
    Number(i64),
    /// A string of at most 1,024 bytes.
    Text(Cow<'a, str>),
}

impl<'a> RequestId<'a> {
    /// Reads an id; `None` for `null`, fractions, exponents, integers beyond 64 bits, and other types.
    pub(crate) fn read(value: RawJson<'a>) -> Option<Self> {
        if value.is_string() {
            return value
                .string()
                .filter(|text| text.len() <= MAX_TEXT)
                .map(Self::Text);
        }
        // `i64` parses no fraction and no exponent, so `1.0` and `1e3` fall out here. JSON has no leading `+`,
        // and the scanner has refused leading zeros.
        value.as_str().parse().ok().map(Self::Number)
    }

    /// The same id without a borrow, for tables of requests in flight.
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

/// The id as it stands in JSON: `92`, `"92"`.
impl std::fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        self.push(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// The token under which a client wants to hear of a request's progress: the same shape as an id.
pub type ProgressToken<'a> = RequestId<'a>;
