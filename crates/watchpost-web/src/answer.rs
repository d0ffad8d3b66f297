//! The answers of operations, and the replies in which they are sent.

use crate::failure::{Failure, PROBLEM};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use watchpost_core::{access::ChangeReceipt, audit::AuditTarget};

pub(crate) const JSON: &str = "application/json";

/// The answer of an operation, already serialized.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    pub(crate) media_type: &'static str,
    /// The target in the audit entry.
    pub(crate) target: AuditTarget,
    /// The receipt of the audit entry that the use case has stored; `None` if it has yet to be stored.
    pub(crate) receipt: Option<ChangeReceipt>,
}

impl Answer {
    /// Creates an answer in JSON.
    pub(crate) fn json(output: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(output).map_err(Failure::unwritable)?;
        Ok(Self::bytes(JSON, body))
    }
    /// Creates an answer from bytes.
    pub(crate) fn bytes(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            media_type,
            target: AuditTarget::default(),
            receipt: None,
        }
    }
    /// Sets the target of the audit entry.
    pub(crate) fn about(mut self, target: AuditTarget) -> Self {
        self.target = target;
        self
    }
    /// Sets the receipt of the audit entry that the use case has stored.
    pub(crate) const fn of_change(mut self, receipt: ChangeReceipt) -> Self {
        self.receipt = Some(receipt);
        self
    }
}

/// The reply to a request.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) media_type: &'static str,
    pub(crate) body: Body,
    /// The time after which a client may repeat the request, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// The name under which a browser stores the body.
    pub(crate) file: Option<String>,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Self {
        Self {
            status,
            media_type,
            body: body.into(),
            retry_after: None,
            file: None,
        }
    }
    pub(crate) fn problem(status: StatusCode, body: Bytes) -> Self {
        Self::new(status, PROBLEM, body)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if let Some(seconds) = self.retry_after {
            headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(file) = self.file
            && let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{file}\""))
        {
            headers.insert(http::header::CONTENT_DISPOSITION, value);
        }
        response
    }
}
