//! Requests with tokens, and lists.

use super::{
    own::{ListPage, Vendor},
    refusal::Refusal,
};
use crate::{paging::Trail, session::Session};
use serde_json::value::RawValue;
use url::Url;
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::{Request, Response};

/// One tenant of a vendor, for the length of a sync, a collection or a verification.
pub(crate) struct Client<V> {
    pub(crate) session: Session,
    pub(crate) vendor: V,
}

impl<V: Vendor> Client<V> {
    /// Speaks to nobody yet.
    pub(crate) const fn new(session: Session, vendor: V) -> Self {
        Self { session, vendor }
    }

    /// An address of the vendor's.
    pub(crate) fn url(&self, path: &str, query: Option<&str>) -> Url {
        self.vendor.url(path, query)
    }

    /// Gets a token if there is none yet: shows whether the credentials are good.
    ///
    /// # Errors
    /// If they aren't.
    pub(crate) async fn sign_in(&self) -> Result<(), ConnectorError> {
        let service = self.vendor.service();
        self.vendor.bearer(&self.session, service, None).await.map(drop)
    }

    /// Sends a request to a service, with a new token and one more try if the token is refused. Gives any response,
    /// good or bad.
    pub(crate) async fn ask(&self, service: &V::Service, mut request: Request) -> Result<Response, Refusal> {
        let (session, vendor) = (&self.session, &self.vendor);
        let bearer = vendor.bearer(session, service, None).await?;
        request.authorize(bearer.header);
        let mut response = session.send(&request).await?;
        if response.status == 401 && V::refuses_token(&response) {
            let bearer = vendor.bearer(session, service, Some(bearer.serial)).await?;
            request.authorize(bearer.header);
            response = session.send(&request).await?;
        }
        Ok(response)
    }

    /// Sends a request. Gives good responses only.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, Refusal> {
        self.send_among(request, 1).await
    }

    /// A GET.
    pub(crate) async fn get(&self, url: Url) -> Result<Response, Refusal> {
        self.send(Request::get(url)).await
    }

    /// [`Client::send`], where `callers` ask at the same time.
    async fn send_among(&self, request: Request, callers: u32) -> Result<Response, Refusal> {
        let request = match V::RATE_LIMIT {
            Some(headers) => request.limited_by(headers),
            None => request,
        };
        let response = self.ask(self.vendor.service(), request).await?;
        if let Some(pause) = V::pause(&self.session, &response, callers) {
            tracing::debug!(
                pause_ms = pause.as_millis(),
                "little of the vendor's limit is left"
            );
            self.session.pause(pause).await;
        }
        if response.is_success() {
            Ok(response)
        } else {
            Err(self.vendor.refusal(&response))
        }
    }

    /// A list, page by page.
    pub(crate) fn list(&self, path: &str, query: Option<&str>) -> List<'_, V> {
        self.list_among(path, query, 1)
    }

    /// A list that is one of `callers` that are read at the same time.
    pub(crate) fn list_among(&self, path: &str, query: Option<&str>, callers: u32) -> List<'_, V> {
        let first = self.url(path, query);
        let trail = self.session.trail(&first);
        List {
            client: self,
            next: Some(first),
            trail,
            callers,
        }
    }
}

/// A list being read.
pub(crate) struct List<'c, V> {
    client: &'c Client<V>,
    next: Option<Url>,
    trail: Trail,
    callers: u32,
}

impl<V: Vendor> List<'_, V> {
    /// The rows of the next page, perhaps none; `None` after the last page.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Refusal> {
        let Some(url) = self.next.take() else {
            return Ok(None);
        };
        let response = self.client.send_among(Request::get(url), self.callers).await?;
        let ListPage { rows, next } = V::page(&response)?;
        if let Some(link) = next {
            self.next = Some(self.trail.follow(&link, rows.len())?);
        }
        Ok(Some(rows))
    }
}
