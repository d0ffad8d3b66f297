//! Requests: the permission, the parameters, the operation, and the answer, which is sent only after the audit entry is
//! committed.

use crate::{
    answer::{Answer, Reply},
    context::{Call, Context, record},
    declaration::Declaration,
    endpoint::Endpoint,
    failure::Failure,
    fields::Fields,
    web::Web,
};
use http::StatusCode;
use watchpost_core::{
    access::{ChangeReceipt, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget, ReadRecord, Reduced},
    error::Error,
    service::Unrecorded,
};

/// The audit action of a request that changes nothing.
const CALLED: &str = "api.called";

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
    settle(web, call.scope, declaration, &reduced, finished, E::STATUS).await
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

/// Returns the reply once the audit entry is stored, by the use case or here.
async fn settle(
    web: &Web,
    scope: &WorkspaceScope,
    declaration: &Declaration,
    reduced: &Reduced<'_>,
    finished: Unrecorded<Result<Answer, Failure>>,
    status: u16,
) -> Reply {
    let has_key = reduced.has_idempotency_key();
    let finished = finished.map(|result| result.map_err(|failure| web.logged(declaration, failure)));
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
                    Err(failure) => (AuditTarget::clone(&failure.target), failure.outcome),
                };
                entry(CALLED, declaration, reduced, target, outcome)
            };
            web.watchpost.record(scope, unrecorded, describe).await
        }
    };
    let result = recorded.unwrap_or_else(|error| Err(web.unrecorded(declaration, &error)));
    match result {
        Ok(answer) => Reply::new(
            StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            answer.media_type,
            answer.body,
        ),
        Err(failure) => web.refuse(declaration, &failure, has_key),
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
