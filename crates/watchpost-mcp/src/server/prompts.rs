//! `prompts/list` and `prompts/get`.

use super::McpServer;
use crate::{
    arguments::Reduced,
    prompts::{self, FillError, PROMPTS, Prompt},
    text,
};
use std::{collections::BTreeMap, sync::Arc};
use watchpost_core::{access::WorkspaceScope, audit::AuditOutcome};
use watchpost_protocol::{
    CacheHint, CacheScope, CallError, Completed, ContentBlock, Outcome, PromptArgument, PromptDefinition,
    PromptMessage, PromptPage, PromptResult, Role,
};

/// The cache hint of the list, which never changes within a version.
const CACHED_FOR_AN_HOUR: CacheHint = CacheHint {
    ttl_ms: 3_600_000,
    scope: CacheScope::Public,
};

/// Returns the prompts as `prompts/list` shows them.
pub(super) fn definitions() -> Arc<[PromptDefinition]> {
    PROMPTS
        .iter()
        .map(|prompt| PromptDefinition {
            name: prompt.name.into(),
            title: Some(prompt.title.into()),
            description: prompt.description.into(),
            arguments: prompt
                .arguments
                .iter()
                .map(|argument| PromptArgument {
                    name: argument.name.into(),
                    title: Some(argument.title.into()),
                    description: argument.description.into(),
                    required: argument.required,
                })
                .collect(),
        })
        .collect()
}

impl McpServer {
    pub(super) fn list_prompts(&self) -> Outcome {
        Outcome::Complete(Completed::Prompts(PromptPage {
            prompts: Arc::clone(&self.prompts),
            next_cursor: None,
            cache: CACHED_FOR_AN_HOUR,
        }))
    }

    /// Returns the text of a prompt. It contains no data of the workspace, but its use is audited.
    pub(super) async fn get_prompt(
        &self,
        scope: &WorkspaceScope,
        name: &str,
        given: &BTreeMap<String, String>,
    ) -> Outcome {
        let prompt = prompts::find(name);
        let filled = prompt
            .ok_or(FillError::Unknown)
            .and_then(|prompt| prompt.fill(given));
        let outcome = match (&filled, prompt) {
            (Ok(_), _) => AuditOutcome::Ok,
            (Err(_), None) => AuditOutcome::NotFound,
            (Err(_), Some(_)) => AuditOutcome::Invalid,
        };
        let mut reduced = Reduced::new(&self.audit_key);
        match prompt {
            Some(prompt) => {
                reduced.word("prompt", prompt.name);
                for argument in prompt.arguments {
                    if let Some(value) = given.get(argument.name) {
                        reduced.address(argument.name, value);
                    }
                }
            }
            None => reduced.secret("prompt", name),
        }
        let recorded = self
            .record_outcome(scope, ("prompt.get", "prompts/get"), reduced, outcome)
            .await;
        match (recorded, filled, prompt) {
            (Err(error), ..) => Outcome::Error(error),
            (Ok(()), Ok(filled), Some(Prompt { description, .. })) => {
                Outcome::Complete(Completed::Prompt(PromptResult {
                    description: Some((*description).to_owned()),
                    messages: vec![PromptMessage {
                        role: Role::User,
                        content: ContentBlock::text(filled),
                    }],
                }))
            }
            (Ok(()), _, None) => Outcome::Error(CallError::UnknownPrompt),
            (Ok(()), Err(FillError::Missing(name)), _) => {
                Outcome::Error(CallError::MissingArgument(name.into()))
            }
            (Ok(()), Err(FillError::Invalid(message)), _) => {
                Outcome::Error(CallError::InvalidParams(message.into()))
            }
            (Ok(()), _, Some(prompt)) => {
                let names: Vec<&str> = prompt.arguments.iter().map(|argument| argument.name).collect();
                let message = text::arguments::unknown_prompt_argument(prompt.name, &names);
                Outcome::Error(CallError::InvalidParams(message.into()))
            }
        }
    }
}
