//! The one table of paths.

use http::Method;

use crate::config::Surface;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Streamable HTTP.
    Mcp,
    /// `/`: POST is streamable HTTP, GET a sentence.
    Root,
    /// GET opens the old stream, POST is streamable HTTP.
    Sse,
    /// Where clients of the old stream post.
    Messages,
    Health,
    Ready,
    Metrics,
    /// Paths that clients probe after a 401; anything but a 404 there makes them start OAuth.
    WellKnown,
    Unknown,
}

/// What answers without a credential. Everything that isn't here is closed, unknown paths included.
pub(crate) const PUBLIC: &[(Route, Method)] = &[
    (Route::Health, Method::GET),
    (Route::Health, Method::HEAD),
    (Route::Ready, Method::GET),
    (Route::Ready, Method::HEAD),
    (Route::Metrics, Method::GET),
    (Route::Metrics, Method::HEAD),
    (Route::WellKnown, Method::GET),
    (Route::WellKnown, Method::HEAD),
    (Route::WellKnown, Method::POST),
    (Route::WellKnown, Method::OPTIONS),
    (Route::Root, Method::GET),
    (Route::Root, Method::HEAD),
];

impl Route {
    /// Exact match: no trailing slashes, no decoding, so there's one spelling of each.
    pub(crate) fn of(path: &str, surface: Surface) -> Self {
        let everything = surface == Surface::Everything;
        match path {
            "/mcp" if everything => Self::Mcp,
            "/" => Self::Root,
            "/sse" => Self::Sse,
            "/messages" => Self::Messages,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            path if is_well_known(path) => Self::WellKnown,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn is_public(self, method: &Method) -> bool {
        PUBLIC
            .iter()
            .any(|(route, allowed)| *route == self && allowed == method)
    }

    /// The value of `Allow`.
    pub(crate) fn allow(self, surface: Surface) -> &'static str {
        match (self, surface) {
            (Self::Mcp, _) => "GET, POST, DELETE, OPTIONS",
            (Self::Root, Surface::Everything) => "GET, HEAD, POST, DELETE, OPTIONS",
            (Self::Sse, Surface::Everything) => "GET, POST, DELETE, OPTIONS",
            (Self::Sse, Surface::HttpSse) => "GET, OPTIONS",
            (Self::Messages, _) => "POST, OPTIONS",
            (Self::Health | Self::Ready | Self::Metrics, _) | (Self::Root, Surface::HttpSse) => {
                "GET, HEAD, OPTIONS"
            }
            (Self::WellKnown | Self::Unknown, _) => "",
        }
    }
}

fn is_well_known(path: &str) -> bool {
    const PROBED: [&str; 2] = ["/.well-known/oauth-", "/.well-known/openid-"];
    let below = path
        .strip_prefix("/mcp")
        .or_else(|| path.strip_prefix("/sse"))
        .unwrap_or(path);
    PROBED.iter().any(|prefix| below.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_one_spelling() {
        let check =
            |path: &str, route: Route| assert_eq!(Route::of(path, Surface::Everything), route, "{path}");
        check("/mcp", Route::Mcp);
        check("/mcp/", Route::Unknown);
        check("/MCP", Route::Unknown);
        check("/%6dcp", Route::Unknown);
        check("//mcp", Route::Unknown);
        check("/sse", Route::Sse);
        check("/.well-known/oauth-protected-resource", Route::WellKnown);
        check("/.well-known/oauth-protected-resource/mcp", Route::WellKnown);
        check("/mcp/.well-known/openid-configuration", Route::WellKnown);
        check("/.well-known/security.txt", Route::Unknown);
        assert_eq!(Route::of("/mcp", Surface::HttpSse), Route::Unknown);
    }
}
