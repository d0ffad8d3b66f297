//! `prompts/list` and `prompts/get`.

use super::McpServer;
use crate::{
    arguments::Reduced,
    prompts::{self, FillError, PROMPTS, Prompt},
};
use std::{collections::BTreeMap, sync::Arc};
use watchpost_core::{access::WorkspaceScope, audit::AuditOutcome};
use watchpost_protocol::{
    CacheHint, CacheScope, CallError, Completed, ContentBlock, Outcome, PromptArgument, PromptDefinition,
    PromptMessage, PromptPage, PromptResult, Role,
};

/// The prompts never change within a version.
const STEADY: CacheHint = CacheHint {
    ttl_ms: 3_600_000,
    scope: CacheScope::Public,
};

/// The prompts as lists show them.
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
            cache: STEADY,
        }))
    }

    /// The text of a prompt. It shows nothing of the workspace; that somebody took it is still told in the trail.
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
            (Ok(()), Ok(text), Some(Prompt { description, .. })) => {
                Outcome::Complete(Completed::Prompt(PromptResult {
                    description: Some((*description).to_owned()),
                    messages: vec![PromptMessage {
                        role: Role::User,
                        content: ContentBlock::text(text),
                    }],
                }))
            }
            (Ok(()), _, None) => Outcome::Error(CallError::UnknownPrompt),
            (Ok(()), Err(FillError::Missing(name)), _) => {
                Outcome::Error(CallError::MissingArgument(name.into()))
            }
            (Ok(()), Err(FillError::Wrong(text)), _) => Outcome::Error(CallError::InvalidParams(text.into())),
            (Ok(()), _, Some(prompt)) => {
                let names: Vec<&str> = prompt.arguments.iter().map(|argument| argument.name).collect();
                let takes = if names.is_empty() {
                    "no arguments".to_owned()
                } else {
                    names.join(", ")
                };
                let text = format!("unknown argument: `{}` takes {takes}", prompt.name);
                Outcome::Error(CallError::InvalidParams(text.into()))
            }
        }
    }
}
