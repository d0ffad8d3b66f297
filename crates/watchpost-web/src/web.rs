//! The state that operations share, and the replies of failures.

use crate::{
    answer::Reply,
    declaration::{Declaration, Form, Method},
    failure::{Code, Failure, error_body},
    position::PositionKey,
    text,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::{fmt::Write as _, sync::Arc};
use watchpost_core::{
    audit::{AuditKey, AuditOutcome},
    error::StoreError,
    log_sample::LogSample,
    service::Watchpost,
};

/// The time after which a client may repeat a request that wasn't answered because of an outage, in seconds.
const RETRY_SECONDS: u64 = 2;

/// The state of the server, for the public health route.
#[async_trait]
pub trait Health: Send + Sync + 'static {
    /// Returns whether the server can answer requests; otherwise the reason, in a few words without secrets.
    async fn check(&self) -> Result<(), String>;
}

/// The state that operations share.
pub(crate) struct Web {
    pub(crate) watchpost: Watchpost,
    pub(crate) positions: PositionKey,
    pub(crate) audit_key: AuditKey,
    pub(crate) version: &'static str,
    pub(crate) health: Arc<dyn Health>,
    pub(crate) outages: LogSample,
    /// The OpenAPI document.
    pub(crate) document: Bytes,
}

impl Web {
    /// Returns the reply of a failure, in the form of its operation.
    pub(crate) fn refuse(&self, declaration: &Declaration, failure: &Failure, has_key: bool) -> Reply {
        let status = failure.code.status();
        let retry = failure
            .retry(has_key)
            .filter(|_| declaration.method == Method::Post);
        let mut reply = match declaration.form {
            Form::Own => Reply::problem(status, failure.problem(retry)),
            Form::Compatible => Reply::new(status, crate::answer::JSON, error_body(&failure.detail)),
        };
        if failure.code == Code::Unavailable {
            reply.retry_after = Some(RETRY_SECONDS);
        }
        reply
    }

    /// Logs the cause of an internal error or an outage. The message of an internal error then has the incident's id.
    pub(crate) fn logged(&self, declaration: &Declaration, mut failure: Failure) -> Failure {
        let Some(source) = failure.source.take() else {
            return failure;
        };
        let operation = declaration.name;
        let is_outage = failure.code == Code::Unavailable
            || matches!(source.downcast_ref(), Some(StoreError::OutcomeUnknown(_)));
        let source: &(dyn std::error::Error + 'static) = source.as_ref();
        if is_outage {
            self.log_outage(operation, source);
        } else {
            let incident = self.incident();
            tracing::error!(
                operation,
                incident,
                error = source,
                "a request hit an internal error"
            );
            failure.detail = text::internal_error(&incident);
        }
        failure
    }

    /// The failure of a request whose audit entry can't be stored.
    pub(crate) fn unrecorded(&self, declaration: &Declaration, error: &StoreError) -> Failure {
        self.log_outage(declaration.name, error);
        Failure::new(
            Code::Unavailable,
            AuditOutcome::Error,
            text::AUDIT_UNAVAILABLE.to_owned(),
        )
    }

    /// Logs a sample of the requests that are not answered because the store can't be used: each request fails then, and
    /// the log must not fill the disk.
    fn log_outage(&self, operation: &'static str, source: &(dyn std::error::Error + 'static)) {
        if let Some(left_out) = self.outages.take(self.watchpost.clock().now()) {
            tracing::error!(
                operation,
                left_out,
                error = source,
                "the store can't be used; requests are not answered"
            );
        }
    }

    fn incident(&self) -> String {
        let mut bytes = [0_u8; 8];
        self.watchpost.random().fill(&mut bytes);
        let mut text = String::with_capacity(16);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
