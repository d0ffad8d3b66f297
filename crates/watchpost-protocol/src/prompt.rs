//! Prompts: message templates that a user chooses and fills in.

use crate::{cache::CacheHint, content::ContentBlock, json::push_string, revision::Revision};
use std::sync::Arc;

/// The definition of a prompt, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptDefinition {
    /// The programmatic name, unique in its list.
    pub name: String,
    /// The display name.
    pub title: Option<String>,
    /// The purpose of the prompt.
    pub description: String,
    /// The arguments that the user fills in.
    pub arguments: Vec<PromptArgument>,
}

/// An argument of a prompt. Its value is a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptArgument {
    /// The programmatic name.
    pub name: String,
    /// The display name.
    pub title: Option<String>,
    /// An explanation of the value to fill in.
    pub description: String,
    /// Whether the argument is required. The handler must check it and return
    /// [`CallError::MissingArgument`](crate::CallError).
    pub required: bool,
}

/// One page of prompts.
#[derive(Debug, Clone)]
pub struct PromptPage {
    /// The prompts of this page.
    pub prompts: Arc<[PromptDefinition]>,
    /// The cursor of the next page. `None` on the last page.
    pub next_cursor: Option<String>,
    /// The cache hint. Its scope must be the same on every page.
    pub cache: CacheHint,
}

/// The author of a prompt message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// A message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptMessage {
    /// The author of the message.
    pub role: Role,
    /// The content, one block.
    pub content: ContentBlock,
}

/// A prompt with its arguments filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptResult {
    /// The purpose of the prompt.
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
