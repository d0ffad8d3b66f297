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
    /// The value of the header `Prefer` of all requests to the main API.
    const PREFER: Option<&'static str> = None;
    /// The headers in which the vendor reports its rate limit.
    const RATE_LIMIT: Option<&'static RateLimitHeaders> = None;
    /// The maximum number of concurrent requests to one tenant.
    const AT_ONCE: usize;
    /// Requests that check the permissions and datasets of a sync: at least one for each dataset. The response to the first one names the tenant.
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

    /// Returns the advice on a missing permission or role.
    fn hint(&self, permission: &str) -> String;

    /// Returns the id of the client through which the vendor is read, if it is one of the tenant's apps.
    fn own_client(&self) -> Option<&str>;

    /// Returns the role without which the vendor answers with an empty list of accounts or apps; `None` if there is no
    /// such role.
    fn role_for_lists(&self) -> Option<&'static str>;

    /// Converts the error of a request that needs `role`. A vendor that can't tell a missing permission from a missing role
    /// returns the error unchanged.
    fn role_error(&self, error: ApiError, role: &'static str) -> ApiError;
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
    /// The role that the request needs in addition to the permission.
    pub(crate) role: Option<&'static str>,
    /// The path. `{first}` stands for the id of the first row in the response to `list`.
    pub(crate) path: &'static str,
    pub(crate) query: Option<&'static str>,
    pub(crate) datasets: &'static [Dataset],
    /// The path of an earlier probe, on whose first row this one depends.
    pub(crate) list: Option<&'static str>,
    pub(crate) expects: Expected,
}

/// The rows that a probe's response must have for the datasets to count as readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Any number.
    Any,
    /// At least one.
    Some,
    /// Several accounts.
    Accounts,
    /// An app other than the own client.
    Apps,
}

impl Probe {
    /// Creates a probe without a role, whose response may have any number of rows.
    pub(crate) const fn new(
        permission: &'static str,
        path: &'static str,
        query: Option<&'static str>,
        datasets: &'static [Dataset],
    ) -> Self {
        Self {
            permission,
            role: None,
            path,
            query,
            datasets,
            list: None,
            expects: Expected::Any,
        }
    }

    /// Adds a role.
    pub(crate) const fn with_role(mut self, role: &'static str) -> Self {
        self.role = Some(role);
        self
    }

    /// Makes `{first}` in the path stand for the id of the first row of an earlier probe.
    pub(crate) const fn for_first_of(mut self, list: &'static str) -> Self {
        self.list = Some(list);
        self
    }

    /// Sets the rows that the response must have.
    pub(crate) const fn expecting(mut self, expects: Expected) -> Self {
        self.expects = expects;
        self
    }
}
