//! What each vendor says of itself.

use super::refusal::{Api, Refusal};
use crate::{run::Trouble, session::Session, token::Bearer};
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::text::ForeignText,
};
use watchpost_outbound::{RateLimitHeaders, Response};

/// What is a vendor's own.
pub(crate) trait Vendor: Send + Sync {
    /// What our sentences say of its API.
    const API: Api;
    /// The headers by which it tells how many requests it still takes.
    const RATE_LIMIT: Option<&'static RateLimitHeaders> = None;
    /// The permissions that a sync needs, and how each is tried out. The first one's response names the tenant.
    const PROBES: &'static [Probe];

    /// One of its APIs, with an address and tokens of its own.
    type Service: Send + Sync;

    /// The API that lists, probes and documents are read from.
    fn service(&self) -> &Self::Service;

    /// An address of that API. `path` starts with a slash; identifiers in it went through [`crate::value::id`].
    fn url(&self, path: &str, query: Option<&str>) -> Url;

    /// A token for the API; a new one if that with the serial `refused` was refused.
    ///
    /// # Errors
    /// If the vendor doesn't give one.
    fn bearer(
        &self,
        session: &Session,
        service: &Self::Service,
        refused: Option<u64>,
    ) -> impl Future<Output = Result<Bearer, ConnectorError>> + Send;

    /// Whether a response says that the token is no good (any more).
    fn refuses_token(response: &Response) -> bool {
        response.status == 401
    }

    /// The pause that the vendor wants after a response; `callers` ask at the same time.
    fn pause(session: &Session, response: &Response, callers: u32) -> Option<Duration>;

    /// What a response means that isn't a success.
    fn refusal(&self, response: &Response) -> Refusal;

    /// A list's page.
    ///
    /// # Errors
    /// If it isn't what the vendor sends.
    fn page(response: &Response) -> Result<ListPage, Trouble>;

    /// The tenant's id and name in the response to the first probe; `None` if it isn't what the vendor sends.
    fn tenant(body: &[u8]) -> Option<(String, ForeignText)>;

    /// What the tenant is called where the first probe was denied.
    fn tenant_label(&self) -> &str;

    /// The settings that can't be read without a permission.
    fn settings_of(permission: &str) -> Vec<&'static str>;

    /// What to do about a missing permission.
    fn hint(&self, permission: &str) -> String;
}

/// A page of a list.
pub(crate) struct ListPage {
    /// Its rows, perhaps none.
    pub(crate) rows: Vec<Box<RawValue>>,
    /// The address of the next page.
    pub(crate) next: Option<String>,
}

/// How a permission is tried out, and what it serves.
pub(crate) struct Probe {
    pub(crate) permission: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: Option<&'static str>,
    pub(crate) datasets: &'static [Dataset],
}
