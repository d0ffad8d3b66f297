//! The one file that mail domains publish over HTTPS.

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;
use watchpost_outbound::{Outbound, Request};

/// Bytes of a policy file (RFC 8461 allows as many).
const POLICY_BYTES_MAX: usize = 64 * 1024;

/// Fetches MTA-STS policies.
#[async_trait]
pub trait MtaStsSource: Send + Sync {
    /// The text at `https://mta-sts.{domain}/.well-known/mta-sts.txt`; `None` if it can't be had by `deadline`, over a
    /// connection with a valid certificate and without redirects, as RFC 8461 demands.
    async fn policy(&self, domain: &str, deadline: Instant) -> Option<String>;
}

#[async_trait]
impl MtaStsSource for Outbound {
    async fn policy(&self, domain: &str, deadline: Instant) -> Option<String> {
        let url = Url::parse(&format!("https://mta-sts.{domain}/.well-known/mta-sts.txt")).ok()?;
        let request = Request::get(url).accepting("text/plain");
        let response = self.send(&request, deadline).await.ok()?;
        if response.status != 200 || response.body.len() > POLICY_BYTES_MAX {
            return None;
        }
        String::from_utf8(response.body.to_vec()).ok()
    }
}
