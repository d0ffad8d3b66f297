//! The definition of a vendor's API.

use super::error::{Api, ApiError};
use crate::{rate::Bucket, run::ReadError, session::Session, token::Bearer};
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::text::ForeignText,
};
use watchpost_outbound::{RateLimitHeaders, Response};

/// A vendor's API: addresses, tokens, paging, errors and permissions.
pub(crate) trait Vendor: Send + Sync {
    /// The API's description for messages.
    const API: Api;
    /// The headers in which the vendor reports its rate limit.
    const RATE_LIMIT: Option<&'static RateLimitHeaders> = None;
    /// The maximum number of concurrent requests to one tenant.
    const AT_ONCE: usize;
    /// The permissions that a sync needs, each with a request that checks it. The response to the first one names the tenant.
    const PROBES: &'static [Probe];

    /// One of the vendor's APIs, with its own address and tokens.
    type Service: Send + Sync;

    /// Returns the main API, from which lists, probes and documents are read.
    fn service(&self) -> &Self::Service;

    /// Returns an address of the main API. `path` starts with a slash; identifiers in it are checked by [`crate::value::id`].
    fn url(&self, path: &str, query: Option<&str>) -> Url;

    /// Returns the bucket of a path of the main API, which may begin with the path of the configured address.
    fn bucket(path: &str) -> &'static Bucket;

    /// Returns a token for an API. It is a new one if the current token's serial number is `rejected`.
    ///
    /// # Errors
    /// Returns an error if the vendor doesn't issue a token.
    fn bearer(
        &self,
        session: &Session,
        service: &Self::Service,
        rejected: Option<u64>,
    ) -> impl Future<Output = Result<Bearer, ConnectorError>> + Send;

    /// Whether a response means that the token is invalid or expired.
    fn rejects_token(response: &Response) -> bool {
        response.status == 401
    }

    /// Returns the pause to make after a response, when `concurrency` callers send requests at the same time.
    fn pause(session: &Session, response: &Response, concurrency: u32) -> Option<Duration>;

    /// Converts a response with an error status.
    fn error(&self, response: &Response) -> ApiError;

    /// Parses a page of a list.
    ///
    /// # Errors
    /// Returns an error if the response isn't in the vendor's format.
    fn page(response: &Response) -> Result<ListPage, ReadError>;

    /// Parses the tenant's id and name in the response to the first probe. Returns `None` if the response isn't in the
    /// vendor's format.
    fn tenant(body: &[u8]) -> Option<(String, ForeignText)>;

    /// Returns the tenant's name for use when the first probe was denied.
    fn tenant_label(&self) -> &str;

    /// Returns the paths of the settings that can't be read without a permission.
    fn settings_of(permission: &str) -> Vec<&'static str>;

    /// Returns the advice on a missing permission.
    fn hint(&self, permission: &str) -> String;
}

/// A page of a list.
pub(crate) struct ListPage {
    /// The rows; may be empty.
    pub(crate) rows: Vec<Box<RawValue>>,
    /// The address of the next page; `None` on the last page.
    pub(crate) next: Option<String>,
}

/// A request that checks a permission, and the datasets that need the permission.
pub(crate) struct Probe {
    pub(crate) permission: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: Option<&'static str>,
    pub(crate) datasets: &'static [Dataset],
}
