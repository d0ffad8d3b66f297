//! The URL of a server, and the URLs below it.

use std::fmt;
use url::Url;

/// The paths at which a server answers clients. People copy URLs with one of them at the end.
const ENDPOINTS: [&str; 2] = ["/mcp", "/sse"];

/// The URL at which clients reach a server: scheme, host, port, and the path under which a proxy serves it, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// The whole URL. Its path is `/` or has no slash at the end.
    url: Url,
}

impl ServerUrl {
    /// Reads any URL of the server. A slash or an endpoint (`/mcp`, `/sse`) at the end of its path isn't part of the path under
    /// which the server is reached; the rest of the path is.
    ///
    /// # Errors
    /// If the text isn't an absolute `http` or `https` URL, or has a user, a query or a fragment, which no request would have.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let wrong = || InvalidUrl(text.to_owned());
        let mut url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
            return Err(wrong());
        }
        let path = url.path().trim_end_matches('/');
        let base = ENDPOINTS
            .iter()
            .find_map(|endpoint| path.strip_suffix(endpoint))
            .unwrap_or(path)
            .trim_end_matches('/')
            .to_owned();
        url.set_path(&base);
        Ok(Self { url })
    }

    /// The path under which the server is reached, such as `/watchpost`. Empty at the root.
    pub fn base_path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The URL of Streamable HTTP.
    pub fn mcp(&self) -> String {
        format!("{self}/mcp")
    }

    /// The URL of HTTP+SSE.
    pub fn sse(&self) -> String {
        format!("{self}/sse")
    }

    /// Whether requests travel unencrypted.
    pub fn is_unencrypted(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The URL as a value, for its host and origin.
    pub fn as_url(&self) -> &Url {
        &self.url
    }
}

/// Without a slash at the end.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

/// A text that isn't the URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` isn't the URL of a server: use one such as https://watchpost.example.com or https://example.com/watchpost, without a query"
)]
pub struct InvalidUrl(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_proxy_is_kept_and_an_endpoint_is_not() {
        let check = |text: &str, expected: &str| {
            let url = ServerUrl::parse(text).unwrap();
            assert_eq!(url.mcp(), expected, "{text}");
            let base = expected.strip_suffix("/mcp").unwrap();
            assert_eq!(
                (url.to_string(), url.sse()),
                (base.to_owned(), format!("{base}/sse"))
            );
            assert!(url.mcp().ends_with(&format!("{}/mcp", url.base_path())), "{text}");
        };
        for end in ["", "/", "/mcp", "/mcp/", "/sse", "/sse/", "//", "/mcp//"] {
            check(
                &format!("https://watchpost.example{end}"),
                "https://watchpost.example/mcp",
            );
            check(
                &format!("https://it.example/tools/watchpost{end}"),
                "https://it.example/tools/watchpost/mcp",
            );
            check(&format!("http://[::1]:8787{end}"), "http://[::1]:8787/mcp");
        }
        check("https://it.example:443/a/../b", "https://it.example/b/mcp");
        check("HTTPS://IT.example:8443/B", "https://it.example:8443/B/mcp");
        check(" https://it.example/b\n", "https://it.example/b/mcp");
        check("https://it.example/mcpx", "https://it.example/mcpx/mcp");
        check("https://it.example/a b", "https://it.example/a%20b/mcp");
    }

    #[test]
    fn only_the_url_of_a_server_is_accepted() {
        for wrong in [
            "",
            "watchpost.example",
            "watchpost.example/mcp",
            "ftp://watchpost.example",
            "/mcp",
            "https://",
            "https://watchpost.example/mcp?key=x",
            "https://watchpost.example/?",
            "https://watchpost.example/#x",
            "https://user@watchpost.example",
            "https://user:word@watchpost.example",
            "unix:///run/watchpost.sock",
        ] {
            assert!(ServerUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
