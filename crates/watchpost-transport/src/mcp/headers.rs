//! The headers of Streamable HTTP.

use http::{HeaderMap, HeaderName, HeaderValue};
use watchpost_protocol::{Header, ParameterSource};

pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
pub(crate) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(crate) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
pub(crate) const NAME: HeaderName = HeaderName::from_static("mcp-name");
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Header<'a> {
    Header::from_values(headers.get_all(name).iter().map(HeaderValue::as_bytes))
}

/// The `Mcp-Param-*` headers of a request.
#[derive(Debug)]
pub(crate) struct Parameters<'a>(pub(crate) &'a HeaderMap);

impl ParameterSource for Parameters<'_> {
    fn parameter(&self, name: &str) -> Header<'_> {
        match HeaderName::try_from(format!("mcp-param-{name}")) {
            Ok(name) => header(self.0, &name),
            Err(_) => Header::Absent,
        }
    }
}
