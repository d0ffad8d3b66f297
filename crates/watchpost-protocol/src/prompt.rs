//! Prompts: texts that a person picks from a menu and hands to the model.

use crate::{cache::CacheHint, content::ContentBlock, json::push_string, revision::Revision};
use std::sync::Arc;

/// One prompt as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptDefinition {
    /// The programmatic name, unique in its list.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it's for.
    pub description: String,
    /// What the person fills in.
    pub arguments: Vec<PromptArgument>,
}

/// One argument of a prompt. Values are strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptArgument {
    /// The programmatic name.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What to fill in.
    pub description: String,
    /// Whether it has to be filled in. A handler still checks: [`CallError::MissingArgument`](crate::CallError).
    pub required: bool,
}

/// One page of prompts.
#[derive(Debug, Clone)]
pub struct PromptPage {
    /// What is on this page.
    pub prompts: Arc<[PromptDefinition]>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// How long it holds; the same scope on every page.
    pub cache: CacheHint,
}

/// Who says a message of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message of a prompt: one block, said by one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// What.
    pub content: ContentBlock,
}

/// A filled-in prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptResult {
    /// What it's for.
    pub description: Option<String>,
    /// The messages, in order.
    pub messages: Vec<PromptMessage>,
}

impl PromptDefinition {
    fn push(&self, out: &mut Vec<u8>, revision: Revision) {
        out.extend_from_slice(b"{\"name\":");
        push_string(out, &self.name);
        push_labels(out, self.title.as_deref(), &self.description, revision);
        if !self.arguments.is_empty() {
            out.extend_from_slice(b",\"arguments\":[");
            for (index, argument) in self.arguments.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(b"{\"name\":");
                push_string(out, &argument.name);
                push_labels(out, argument.title.as_deref(), &argument.description, revision);
                out.extend_from_slice(if argument.required {
                    b",\"required\":true}".as_slice()
                } else {
                    b",\"required\":false}"
                });
            }
            out.push(b']');
        }
        out.push(b'}');
    }
}

fn push_labels(out: &mut Vec<u8>, title: Option<&str>, description: &str, revision: Revision) {
    if let Some(title) = title.filter(|_| revision.has_titles()) {
        out.extend_from_slice(b",\"title\":");
        push_string(out, title);
    }
    out.extend_from_slice(b",\"description\":");
    push_string(out, description);
}

impl PromptPage {
    pub(crate) fn push(&self, out: &mut Vec<u8>, revision: Revision) {
        out.extend_from_slice(b"\"prompts\":[");
        for (index, prompt) in self.prompts.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            prompt.push(out, revision);
        }
        out.push(b']');
        if let Some(cursor) = &self.next_cursor {
            out.extend_from_slice(b",\"nextCursor\":");
            push_string(out, cursor);
        }
    }
}

impl PromptResult {
    pub(crate) fn push(&self, out: &mut Vec<u8>, revision: Revision) {
        if let Some(description) = &self.description {
            out.extend_from_slice(b"\"description\":");
            push_string(out, description);
            out.push(b',');
        }
        out.extend_from_slice(b"\"messages\":[");
        for (index, message) in self.messages.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(match message.role {
                Role::User => b"{\"role\":\"user\",\"content\":".as_slice(),
                Role::Assistant => b"{\"role\":\"assistant\",\"content\":",
            });
            message.content.push(out, revision);
            out.push(b'}');
        }
        out.push(b']');
    }
}
