//! `completion/complete`.

use super::McpServer;
use crate::{arguments::Reduced, prompts, resources};
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget},
    error::Error,
    service::{Completable, Unrecorded},
};
use watchpost_protocol::{CallError, Completed, CompletionQuery, CompletionRef, Completions, Outcome};

/// Resolves a query: the name of the prompt or the family of resources, the argument's name, and the kind of values. `None`
/// if there is no such prompt, template or argument.
fn resolve(query: &CompletionQuery<'_>) -> Option<(&'static str, &'static str, Completable)> {
    match &query.reference {
        CompletionRef::Prompt(name) => {
            let prompt = prompts::find(name)?;
            let argument = prompt
                .arguments
                .iter()
                .find(|argument| argument.name == query.argument)?;
            Some((prompt.name, argument.name, argument.completes))
        }
        CompletionRef::Resource(uri) => {
            let (family, variables) = resources::variables(uri)?;
            let (name, completes) = variables.iter().find(|(name, _)| *name == query.argument)?;
            Some((family, name, *completes))
        }
    }
}

impl McpServer {
    pub(super) async fn complete(&self, scope: &WorkspaceScope, query: &CompletionQuery<'_>) -> Outcome {
        const METHOD: &str = "completion/complete";
        let resolved = resolve(query);
        let found = match resolved {
            None => Unrecorded::new(Ok(None)),
            Some((_, _, completes)) => {
                let found = self.watchpost.complete(scope, completes, &query.value).await;
                found.map_ok(Some)
            }
        };
        let mut reduced = Reduced::new(&self.audit_key);
        if let Some((of, argument, _)) = resolved {
            reduced.word("of", of);
            reduced.word("argument", argument);
        }
        reduced.secret("value", &query.value);
        let describe = |found: &Result<Option<_>, Error>| {
            let outcome = match found {
                Ok(Some(_)) => AuditOutcome::Ok,
                Ok(None) => AuditOutcome::NotFound,
                Err(_) => AuditOutcome::Error,
            };
            (AuditTarget::default(), outcome)
        };
        let recorded = self
            .record_request(scope, ("completion", METHOD), reduced, found, describe)
            .await;
        match recorded {
            Err(unrecorded) => Outcome::Error(unrecorded),
            Ok(Ok(Some(found))) => Outcome::Complete(Completed::Completion(Completions {
                values: found.values,
                total: found.total.map(|total| u32::try_from(total).unwrap_or(u32::MAX)),
                has_more: found.more,
            })),
            Ok(Ok(None)) => Outcome::Error(CallError::UnknownCompletion),
            Ok(Err(error)) => self.incident(METHOD, &error),
        }
    }
}
