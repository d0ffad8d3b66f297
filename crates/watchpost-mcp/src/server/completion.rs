//! `completion/complete`.

use super::McpServer;
use crate::{arguments::Reduced, prompts, resources};
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditTarget},
    service::Completable,
};
use watchpost_protocol::{CallError, Completed, CompletionQuery, CompletionRef, Completions, Outcome};

/// What is asked for, in our own words; `None` if there is no such prompt, template or argument.
fn meant(query: &CompletionQuery<'_>) -> Option<(&'static str, &'static str, Completable)> {
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
        const WHAT: &str = "completion/complete";
        let meant = meant(query);
        let found = match meant {
            None => Ok(None),
            Some((_, _, completes)) => self
                .watchpost
                .complete(scope, completes, &query.value)
                .await
                .map(Some),
        };
        let outcome = match &found {
            Ok(Some(_)) => AuditOutcome::Ok,
            Ok(None) => AuditOutcome::NotFound,
            Err(_) => AuditOutcome::Error,
        };
        let mut reduced = Reduced::new(&self.audit_key);
        if let Some((of, argument, _)) = meant {
            reduced.word("of", of);
            reduced.word("argument", argument);
        }
        reduced.secret("value", &query.value);
        let recorded = self
            .record_request(
                scope,
                ("completion", WHAT),
                AuditTarget::default(),
                outcome,
                reduced,
            )
            .await;
        if let Err(error) = recorded {
            return Outcome::Error(error);
        }
        match found {
            Ok(Some(found)) => Outcome::Complete(Completed::Completion(Completions {
                values: found.values,
                total: found.total.map(|total| u32::try_from(total).unwrap_or(u32::MAX)),
                has_more: found.more,
            })),
            Ok(None) => Outcome::Error(CallError::UnknownCompletion),
            Err(error) => self.incident(WHAT, &error),
        }
    }
}
