//! Requests: the permission, the parameters, the operation, and the answer, which is sent only after the audit entry is
//! committed.

use crate::{
    answer::{Answer, Reply},
    context::{Call, Context, record},
    failure::{Code, Failure, error_body},
    fields::Fields,
    operation::{Declaration, Endpoint, Form, Method},
    position::PositionKey,
    text,
};
use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use std::{fmt::Write as _, sync::Arc};
use watchpost_core::{
    access::{ChangeReceipt, WorkspaceScope},
    audit::{AuditKey, AuditOutcome, AuditTarget, ReadRecord, Reduced},
    error::{Error, StoreError},
    log_sample::LogSample,
    service::{Unrecorded, Watchpost},
};

/// The audit action of a request that changes nothing.
pub(crate) const CALLED: &str = "api.called";

/// The time after which a client may repeat a request that wasn't answered because of an outage, in seconds.
const RETRY_SECONDS: u64 = 2;

/// The state of the server, for the public health route.
#[async_trait]
pub trait Health: Send + Sync + 'static {
    /// Returns whether the server can answer requests; otherwise the reason, in a few words without secrets.
    async fn check(&self) -> Result<(), String>;
}

/// What operations need.
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

/// Serves a request to an operation.
pub(crate) async fn serve<E: Endpoint>(call: Call<'_>) -> Reply {
    let declaration = &E::DECLARATION;
    let web = call.web;
    let parsed = call
        .request
        .source(declaration.method)
        .and_then(|source| source.read::<E::Input>());
    let mut reduced = Reduced::new(&web.audit_key);
    let mut selection = Reduced::new(&web.audit_key);
    if let Ok(input) = &parsed {
        input.reduce(&mut reduced);
        input.reduce_selection(&mut selection);
    }
    let selection = selection.request();
    let finished = Unrecorded::gather(async |reader| {
        permit(call.scope, declaration)?;
        let context = Context::new(call, reader, declaration.name, &reduced, &selection);
        E::run(&context, parsed?).await
    })
    .await;
    web.settle(call.scope, declaration, &reduced, finished, E::STATUS)
        .await
}

/// Requires the permission of an operation.
pub(crate) fn permit(scope: &WorkspaceScope, declaration: &Declaration) -> Result<(), Failure> {
    let Some(permission) = declaration.permission else {
        return Ok(());
    };
    scope
        .require(permission)
        .map_err(|denied| Error::from(denied).into())
}

impl Web {
    /// Returns the reply once the audit entry is stored, by the use case or here.
    async fn settle(
        &self,
        scope: &WorkspaceScope,
        declaration: &Declaration,
        reduced: &Reduced<'_>,
        finished: Unrecorded<Result<Answer, Failure>>,
        status: u16,
    ) -> Reply {
        let has_key = reduced.has_idempotency_key();
        let finished = finished.map(|result| result.map_err(|failure| self.logged(declaration, failure)));
        let receipt = |result: &Result<Answer, Failure>| -> Option<ChangeReceipt> {
            match result {
                Ok(answer) => answer.receipt,
                Err(failure) => failure.receipt,
            }
        };
        let recorded = match finished.open_with(receipt) {
            Ok(result) => Ok(result),
            Err(unrecorded) => {
                let describe = |result: &Result<Answer, Failure>| {
                    let (target, outcome) = match result {
                        Ok(answer) => (answer.target.clone(), AuditOutcome::Ok),
                        Err(failure) => (failure.target.clone(), failure.outcome),
                    };
                    entry(CALLED, declaration, reduced, target, outcome)
                };
                self.watchpost.record(scope, unrecorded, describe).await
            }
        };
        let result = recorded.unwrap_or_else(|error| Err(self.unrecorded(declaration, &error)));
        match result {
            Ok(answer) => Reply::new(
                StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
                answer.media_type,
                answer.body,
            ),
            Err(failure) => self.refuse(declaration, &failure, has_key),
        }
    }

    /// Returns the reply of a failure, in the form of its operation.
    pub(crate) fn refuse(&self, declaration: &Declaration, failure: &Failure, has_key: bool) -> Reply {
        let status = failure.code.status();
        let retry = failure
            .retry(has_key)
            .filter(|_| declaration.method == Method::Post);
        let mut reply = match declaration.form {
            Form::Own => Reply::problem(status, failure.problem(retry)),
            Form::Reproduced => Reply::new(status, crate::answer::JSON, error_body(&failure.detail)),
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

/// Returns the audit entry of a request that changed nothing.
pub(crate) fn entry(
    action: &'static str,
    declaration: &Declaration,
    reduced: &Reduced<'_>,
    target: AuditTarget,
    outcome: AuditOutcome,
) -> ReadRecord {
    let mut call = record(declaration.name, reduced);
    // A request that changed nothing spends no token.
    call.once.clear();
    ReadRecord {
        action,
        target,
        outcome,
        call,
    }
}
