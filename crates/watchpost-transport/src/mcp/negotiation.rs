//! Content negotiation.

use http::{
    HeaderMap, HeaderName,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};

/// Whether the client accepts `kind/subtype`. A request without an `Accept` header accepts everything (RFC
/// 9110, 12.5.1).
pub(crate) fn accepts(headers: &HeaderMap, kind: &str, subtype: &str) -> bool {
    let mut has_header = false;
    for value in headers.get_all(ACCEPT) {
        has_header = true;
        let Ok(value) = value.to_str() else { continue };
        if value.split(',').any(|range| matches_range(range, kind, subtype)) {
            return true;
        }
    }
    !has_header
}

/// The forms of a response to a POST that the client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// JSON or an event stream, as the call needs.
    Both,
    /// One JSON document, without the notifications of the call.
    Json,
    /// An event stream, with one event if the call has no notifications.
    Events,
}

/// Returns the forms that the client accepts, or `None` if it accepts neither. The specification requires clients to accept
/// both, and many list one of them.
pub(crate) fn accepted(headers: &HeaderMap) -> Option<Accepted> {
    let json = accepts(headers, "application", "json");
    match (json, accepts(headers, "text", "event-stream")) {
        (true, true) => Some(Accepted::Both),
        (true, false) => Some(Accepted::Json),
        (false, true) => Some(Accepted::Events),
        (false, false) => None,
    }
}

fn matches_range(range: &str, kind: &str, subtype: &str) -> bool {
    let mut parts = range.split(';');
    let media = parts.next().unwrap_or_default().trim();
    let Some((range_kind, range_subtype)) = media.split_once('/') else {
        return false;
    };
    let matches = (range_kind == "*" && range_subtype == "*")
        || (range_kind.eq_ignore_ascii_case(kind)
            && (range_subtype == "*" || range_subtype.eq_ignore_ascii_case(subtype)));
    matches && !parts.any(is_zero_weight)
}

/// Whether the parameter is a weight of zero, such as `q=0` or `q=0.0`, which excludes the media type.
fn is_zero_weight(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0)
}

/// Whether the content type is `application/json`, with any parameters.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = single(headers, &CONTENT_TYPE) else {
        return false;
    };
    let media = value.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

/// Whether the request has a content coding other than `identity`.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Returns the value of a header, or `None` if the header is absent, repeated, or not visible ASCII.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(accept: &[&'static str], json: bool, events: bool) {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        assert_eq!(accepts(&headers, "application", "json"), json, "{accept:?}");
        assert_eq!(accepts(&headers, "text", "event-stream"), events, "{accept:?}");
    }

    #[test]
    fn accept_is_read_as_http_specifies() {
        check(&[], true, true);
        check(&["application/json, text/event-stream"], true, true);
        check(&["application/json", "text/event-stream"], true, true);
        check(&["Application/JSON;q=0.9,TEXT/Event-Stream"], true, true);
        check(&["*/*"], true, true);
        check(&["application/*, text/*;q=0.1"], true, true);
        check(&["application/json"], true, false);
        check(&["text/event-stream"], false, true);
        check(&["application/json, text/event-stream;q=0"], true, false);
        check(&["text/html"], false, false);
        check(&[""], false, false);
        check(&["*"], false, false);
    }

    #[test]
    fn only_application_json_is_json() {
        let check = |value: &'static str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(is_json(&headers), expected, "{value}");
        };
        check("application/json", true);
        check("APPLICATION/JSON; charset=utf-8", true);
        check("text/plain", false);
        check("application/jsonp", false);
        check("application/json-rpc", false);
        check("", false);
        assert!(!is_json(&HeaderMap::new()));
    }
}
