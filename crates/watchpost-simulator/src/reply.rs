//! Requests to vendors, responses before they are encoded, and paging.

use crate::{fault::Vendor, ids::mix, when::iso};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};

/// A request to one vendor.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path below the vendor's prefix, with a leading slash, percent-encoded.
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) authorization: Option<String>,
    /// The `Accept` header, or an empty text.
    pub(crate) accept: String,
    /// The `Prefer` header, or an empty text.
    pub(crate) prefer: String,
    pub(crate) body: Bytes,
    /// The address of the request, with the query.
    pub(crate) url: String,
}

impl Request {
    /// Returns the non-empty segments of the path.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// Returns the decoded value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.raw_query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// Percent-decodes a segment of a path. Returns it unchanged if the result isn't UTF-8.
pub(crate) fn percent_decoded(part: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(part.len()), part.as_bytes());
    while let Some((&first, tail)) = rest.split_first() {
        let escape = (first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() {
            tail.get(2..).unwrap_or_default()
        } else {
            tail
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

/// The context of a request that the handler of a route uses.
pub(crate) struct Context {
    pub(crate) world: std::sync::Arc<crate::world::World>,
    pub(crate) clock_ms: i64,
    /// The permissions or scopes that the caller lacks.
    pub(crate) denied: std::collections::BTreeSet<String>,
    /// The APIs for which the tenant has no premium license.
    pub(crate) unlicensed: std::collections::BTreeSet<Vendor>,
    /// The application's secret that is valid now.
    pub(crate) client_secret: String,
    pub(crate) request_id: String,
    /// The roles at Okta.
    pub(crate) okta_role: crate::okta::OktaRole,
    /// The state of the bucket at Okta, if its rate limits are simulated.
    pub(crate) okta_rate: Option<crate::okta::OktaRate>,
}

impl Context {
    /// Whether the tenant has no premium license for the API.
    pub(crate) fn lacks_license(&self, vendor: Vendor) -> bool {
        self.unlicensed.contains(&vendor)
    }
}

/// A response before it is encoded.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    /// The absolute address of the next page.
    pub(crate) next: Option<String>,
    pub(crate) shape: Shape,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Json(Value),
    BrokenJson(String),
    Html(&'static str),
    Empty,
}

/// The format of a list: the position of its rows and of its next link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Not a list.
    Single,
    /// `value` and `@odata.nextLink`.
    Graph,
    /// A bare array and `Link` headers.
    Okta,
    /// `value` and `_links.next`, and `Link` headers.
    OktaValue,
    /// `value` and `nextLink`.
    Arm,
    /// `tenantSettings` and `continuationUri`.
    Fabric,
}

impl Reply {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(value),
            next: None,
            shape: Shape::Single,
        }
    }

    pub(crate) fn graph_error(
        status: u16,
        code: &str,
        message: &str,
        clock_ms: i64,
        request_id: &str,
    ) -> Self {
        let date = iso(clock_ms);
        Self::json(
            status,
            json!({ "error": { "code": code, "message": message, "innerError": {
                "date": date.trim_end_matches('Z'), "request-id": request_id, "client-request-id": request_id } } }),
        )
    }

    pub(crate) fn okta_error(status: u16, code: &str, summary: &str, request_id: &str) -> Self {
        Self::json(
            status,
            json!({ "errorCode": code, "errorSummary": summary, "errorLink": code,
                "errorId": format!("oae{request_id}"), "errorCauses": [] }),
        )
    }

    /// Returns Okta's response to an invalid token, with a challenge if it is an OAuth token.
    pub(crate) fn okta_bad_token(request_id: &str, oauth: bool) -> Self {
        let mut reply = Self::okta_error(401, "E0000011", "Invalid token provided", request_id);
        if oauth {
            reply.headers.push((
                "www-authenticate",
                "Bearer error=\"invalid_token\", error_description=\"The access token is invalid or has expired.\""
                    .to_owned(),
            ));
        }
        reply
    }

    /// Returns the rows, if this is a list.
    pub(crate) fn rows_mut(&mut self) -> Option<&mut Vec<Value>> {
        match (&mut self.body, self.shape) {
            (Body::Json(Value::Array(rows)), Shape::Okta) => Some(rows),
            (Body::Json(Value::Object(body)), Shape::Graph | Shape::OktaValue | Shape::Arm) => {
                body.get_mut("value").and_then(Value::as_array_mut)
            }
            (Body::Json(Value::Object(body)), Shape::Fabric) => {
                body.get_mut("tenantSettings").and_then(Value::as_array_mut)
            }
            _ => None,
        }
    }
}

/// A position in a list. Positions count the underlying objects, some of which have no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cursor {
    position: u64,
    /// Whether an empty page comes first, as it sometimes does in vendors' responses.
    gap: bool,
}

impl Cursor {
    /// Returns the opaque text of a cursor, which is valid only for one path.
    fn encode(self, path: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!(
            "{:x}.{}.{}",
            path_tag(path),
            self.position,
            u8::from(self.gap)
        ))
    }

    /// Decodes a text made by [`Cursor::encode`] for the same path. The cursors of an endless list start from the beginning.
    pub(crate) fn decode(text: &str, path: &str) -> Option<Self> {
        if text.starts_with("endless-") {
            return Some(Self::default());
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = text.split('.');
        let tag = u64::from_str_radix(parts.next()?, 16).ok()?;
        let position = parts.next()?.parse().ok()?;
        let gap = parts.next()? == "1";
        (tag == path_tag(path) && parts.next().is_none()).then_some(Self { position, gap })
    }
}

fn path_tag(path: &str) -> u64 {
    path.bytes().fold(0, |tag, byte| mix(tag, 1, u64::from(byte))) >> 32
}

/// Collects up to `limit` rows from the cursor on. `row` is called for the positions below `total` in order. Returns the
/// rows, and the start of the next page or `None` after the last row. With `gap` an empty page follows the first page.
pub(crate) fn collect(
    cursor: Cursor,
    total: u64,
    limit: usize,
    gap: bool,
    mut row: impl FnMut(u64) -> Option<Value>,
) -> (Vec<Value>, Option<Cursor>) {
    if cursor.gap {
        return (Vec::new(), Some(Cursor { gap: false, ..cursor }));
    }
    let mut rows = Vec::new();
    for position in cursor.position..total {
        if let Some(value) = row(position) {
            if rows.len() == limit {
                return (
                    rows,
                    Some(Cursor {
                        position,
                        gap: gap && cursor.position == 0,
                    }),
                );
            }
            rows.push(value);
        }
    }
    (rows, None)
}

/// Returns the address of another page of the same list.
pub(crate) fn next_url(request: &Request, parameter: &str, cursor: Cursor) -> String {
    let path = request
        .url
        .split_once('?')
        .map_or(request.url.as_str(), |(path, _)| path);
    let kept = without_parameter(&request.raw_query, parameter);
    let join = if kept.is_empty() { "" } else { "&" };
    format!("{path}?{kept}{join}{parameter}={}", cursor.encode(&request.path))
}

/// Returns the address of the page after the last, which is empty.
pub(crate) fn end_of_list(request: &Request, parameter: &str, total: u64) -> String {
    next_url(
        request,
        parameter,
        Cursor {
            position: total,
            gap: false,
        },
    )
}

/// Removes one parameter from a raw query. The rest is unchanged.
pub(crate) fn without_parameter(query: &str, parameter: &str) -> String {
    query
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && name.replace("%24", "$") != parameter
        })
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_paths_are_percent_decoded() {
        assert_eq!(percent_decoded("a%40b%23c"), "a@b#c");
        for odd in ["a%", "a%4", "a%zz", "%ff", "é"] {
            assert_eq!(percent_decoded(odd), odd);
        }
    }

    #[test]
    fn a_list_has_an_empty_page_after_the_first_and_no_next_page_after_the_last() {
        let rows = |n: u64| n.is_multiple_of(2).then(|| json!(n));
        let (mut cursor, mut pages) = (Some(Cursor::default()), Vec::new());
        while let Some(at) = cursor {
            let (page, next) = collect(at, 11, 2, true, rows);
            pages.push(page.len());
            cursor = next.map(|next| Cursor::decode(&next.encode("/a"), "/a").unwrap());
        }
        assert_eq!(pages, [2, 0, 2, 2]);
        assert_eq!(Cursor::decode(&Cursor::default().encode("/a"), "/b"), None);
        assert_eq!(Cursor::decode("nonsense", "/a"), None);
    }
}
