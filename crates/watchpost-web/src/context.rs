//! A request, and the context of a running operation.

use crate::{
    declaration::Method,
    failure::{Code, Failure},
    fields::{After, Source},
    position::PositionKey,
    text,
    web::Web,
    wire::AsOf,
};
use bytes::Bytes;
use http::HeaderMap;
use std::sync::Arc;
use watchpost_core::{
    access::{ChangeReceipt, WorkspaceScope},
    audit::{CallRecord, Reduced},
    posture::Freshness,
    service::{Reader, Unrecorded, Watchpost},
    value::time::Timestamp,
};

/// The parts of a request that operations use. There is no credential among them.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The variable segments of the path, decoded.
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    /// Returns the raw values of the fields.
    pub(crate) fn source(&self, method: Method) -> Result<Source<'_>, Failure> {
        match method {
            Method::Get => Source::of_query(&self.path, &self.headers, &self.query),
            Method::Post if !self.query.is_empty() => {
                let query = Source::of_query(&self.path, &self.headers, &self.query)?;
                // A change takes its fields from the body alone.
                query.check_names(std::iter::empty())?;
                Source::of_body(&self.path, &self.headers, &self.body)
            }
            Method::Post => Source::of_body(&self.path, &self.headers, &self.body),
        }
    }
}

/// A request of a principal.
#[derive(Clone, Copy)]
pub(crate) struct Call<'c> {
    pub(crate) web: &'c Web,
    pub(crate) scope: &'c Arc<WorkspaceScope>,
    pub(crate) request: &'c Incoming,
}

/// The context of a running operation.
pub(crate) struct Context<'c> {
    reader: &'c Reader,
    pub(crate) watchpost: &'c Watchpost,
    pub(crate) scope: &'c WorkspaceScope,
    pub(crate) version: &'c str,
    /// The time at which the request began.
    pub(crate) now: Timestamp,
    /// The name of the operation.
    name: &'static str,
    reduced: &'c Reduced<'c>,
    positions: &'c PositionKey,
    /// The canonical text of the filters.
    selection: &'c str,
}

impl<'c> Context<'c> {
    pub(crate) fn new(
        call: Call<'c>,
        reader: &'c Reader,
        name: &'static str,
        reduced: &'c Reduced<'c>,
        selection: &'c str,
    ) -> Self {
        let web = call.web;
        Self {
            reader,
            watchpost: &web.watchpost,
            scope: call.scope,
            version: web.version,
            now: web.watchpost.clock().now(),
            name,
            reduced,
            positions: &web.positions,
            selection,
        }
    }

    /// Returns the data that was read, for use in the answer.
    pub(crate) fn open<T>(&self, read: Unrecorded<T>) -> T {
        self.reader.open(read)
    }

    /// Returns the record of the request, which the use case stores with its change.
    pub(crate) fn record(&self) -> CallRecord {
        record(self.name, self.reduced)
    }

    /// Returns the time of the first request, if this one repeats it.
    pub(crate) const fn repeat_of(&self, receipt: ChangeReceipt) -> Option<Timestamp> {
        receipt.earlier
    }

    /// Returns the text of a position in the list of this operation.
    pub(crate) fn position(&self, position: &str) -> String {
        self.positions
            .seal(self.scope, self.name, self.selection, position)
    }

    /// Returns the position that a request begins after.
    pub(crate) fn begin(&self, after: Option<&After>) -> Result<Option<String>, Failure> {
        let Some(after) = after else { return Ok(None) };
        let opened = self
            .positions
            .open(self.scope, self.name, self.selection, after.as_str());
        opened.map(Some).ok_or_else(wrong_position)
    }

    /// Returns the age and the completeness of the data, for the answer to a change. The change has already been made, so
    /// a failed read doesn't fail the request.
    pub(crate) async fn as_of(&self) -> AsOf {
        let freshness = self.open(self.watchpost.freshness(self.scope).await);
        let freshness = freshness.unwrap_or_else(|error| {
            tracing::warn!(%error, "the age of the data could not be read for an answer");
            Freshness {
                as_of: None,
                sources: Vec::new(),
            }
        });
        AsOf::new(&freshness, self.now)
    }
}

/// Returns the record of a request.
pub(crate) fn record(name: &'static str, reduced: &Reduced<'_>) -> CallRecord {
    let call = CallRecord::new("rest", name, reduced.clone().text());
    match reduced.idempotency_token(name) {
        Some(token) => call.once(token),
        None => call,
    }
}

/// The position wasn't made for this list.
pub(crate) fn wrong_position() -> Failure {
    Failure::invalid(Code::InvalidPosition, text::WRONG_POSITION.to_owned()).with_parameter("after")
}
