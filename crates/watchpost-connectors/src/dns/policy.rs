//! The MTA-STS policies of mail domains (RFC 8461).

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;
use watchpost_outbound::{Outbound, Request};

/// The maximum size of a policy, in bytes (RFC 8461, section 3.3).
const POLICY_BYTES_MAX: usize = 64 * 1024;

/// Fetches MTA-STS policies.
#[async_trait]
pub trait MtaStsSource: Send + Sync {
    /// Fetches `https://mta-sts.{domain}/.well-known/mta-sts.txt`. Returns `None` if it can't be fetched by `deadline`, over a
    /// connection with a valid certificate and without redirects, as RFC 8461, section 3.3 requires.
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
