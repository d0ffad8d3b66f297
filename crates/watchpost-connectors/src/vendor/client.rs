//! A client that adds access tokens to requests and reads lists page by page.

use super::{
    definition::{ListPage, Vendor},
    error::ApiError,
};
use crate::{paging::Pagination, rate::Budgets, run::ReadError, session::Session};
use serde_json::value::RawValue;
use std::sync::Arc;
use url::Url;
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::{HeaderName, HeaderValue, Request, Response};

/// A client for one tenant of a vendor, for the duration of a sync, a collection or a verification.
pub(crate) struct Client<V> {
    pub(crate) session: Session,
    pub(crate) vendor: V,
    budgets: Arc<Budgets>,
}

impl<V: Vendor> Client<V> {
    /// Creates a client that shares `budgets` with the tenant's other clients. Sends nothing.
    pub(crate) const fn new(session: Session, vendor: V, budgets: Arc<Budgets>) -> Self {
        Self {
            session,
            vendor,
            budgets,
        }
    }

    /// Returns the address of a path of the vendor's main API.
    pub(crate) fn url(&self, path: &str, query: Option<&str>) -> Url {
        self.vendor.url(path, query)
    }

    /// Fetches a token if there is none yet. This checks the credentials.
    ///
    /// # Errors
    /// Returns an error if the vendor rejects the credentials or can't be reached.
    pub(crate) async fn sign_in(&self) -> Result<(), ConnectorError> {
        let service = self.vendor.service();
        self.vendor.bearer(&self.session, service, None).await.map(drop)
    }

    /// Sends a request to a service. If the token is rejected, sends it again with a new one. Returns the response, whatever
    /// its status.
    pub(crate) async fn request(
        &self,
        service: &V::Service,
        mut request: Request,
    ) -> Result<Response, ApiError> {
        let (session, vendor) = (&self.session, &self.vendor);
        let bearer = vendor.bearer(session, service, None).await?;
        request.authorize(bearer.header);
        let mut response = session.send(&request).await?;
        if response.status == 401 && V::rejects_token(&response) {
            let bearer = vendor.bearer(session, service, Some(bearer.serial)).await?;
            request.authorize(bearer.header);
            response = session.send(&request).await?;
        }
        Ok(response)
    }

    /// Sends a request to the main API. A response with an error status is an error.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, ApiError> {
        self.send_concurrent(request, 1).await
    }

    /// Sends a GET request to the main API. A response with an error status is an error.
    pub(crate) async fn get(&self, url: Url) -> Result<Response, ApiError> {
        self.send(Request::get(url)).await
    }

    /// Does the same as [`Client::send`], when `concurrency` callers send requests at the same time.
    async fn send_concurrent(&self, request: Request, concurrency: u32) -> Result<Response, ApiError> {
        let request = match V::RATE_LIMIT {
            Some(headers) => request.limited_by(headers),
            None => request,
        };
        let request = match V::PREFER {
            Some(value) => {
                request.with_headers(&[(HeaderName::from_static("prefer"), HeaderValue::from_static(value))])
            }
            None => request,
        };
        let bucket = V::bucket(request.path());
        let reservation = self.budgets.reserve(&self.session, bucket).await?;
        let response = self.request(self.vendor.service(), request).await?;
        drop(reservation);
        if let Some(told) = V::RATE_LIMIT.and_then(|limit| limit.told(&response.headers, self.session.now()))
        {
            self.budgets.learn(&self.session, bucket, &told);
        }
        if let Some(pause) = V::pause(&self.session, &response, concurrency) {
            tracing::debug!(
                pause_ms = pause.as_millis(),
                "pausing: close to the vendor's rate limit"
            );
            self.session.pause(pause).await;
        }
        if response.is_success() {
            Ok(response)
        } else {
            Err(self.vendor.error(&response))
        }
    }

    /// Starts reading a list.
    pub(crate) fn list(&self, path: &str, query: Option<&str>) -> List<'_, V> {
        self.list_concurrent(path, query, 1)
    }

    /// Starts reading a list, when `concurrency` lists are read at the same time.
    pub(crate) fn list_concurrent(&self, path: &str, query: Option<&str>, concurrency: u32) -> List<'_, V> {
        let first = self.url(path, query);
        let pagination = self.session.pagination(&first);
        List {
            client: self,
            next: Some(Ok(first)),
            pages: 0,
            pagination,
            concurrency,
        }
    }
}

/// A list that is being read page by page.
pub(crate) struct List<'c, V> {
    client: &'c Client<V>,
    /// The next page, or the reason why it can't be read.
    next: Option<Result<Url, ReadError>>,
    /// The number of pages read.
    pages: u32,
    pagination: Pagination,
    concurrency: u32,
}

impl<V: Vendor> List<'_, V> {
    /// Returns the rows of the next page, which may be empty; `None` after the last page. A bad link to the next page is the
    /// error of that page, so that the rows that came with the link aren't lost.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<Box<RawValue>>>, ApiError> {
        let Some(url) = self.next.take() else {
            return Ok(None);
        };
        let response = match self
            .client
            .send_concurrent(Request::get(url?), self.concurrency)
            .await
        {
            // The list exists, so it isn't that its owner is gone.
            Err(ApiError::NotFound) if self.pages > 0 => return Err(ApiError::Status(404)),
            result => result?,
        };
        self.pages = self.pages.saturating_add(1);
        let ListPage { rows, next } = V::page(&response)?;
        if let Some(link) = next {
            self.next = Some(self.pagination.follow(&link, rows.len()));
        }
        Ok(Some(rows))
    }
}
