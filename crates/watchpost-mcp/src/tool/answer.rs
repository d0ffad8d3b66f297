//! What a tool answers.

use crate::{error::Failure, fence, tool::FollowUp};
use bytes::Bytes;
use serde::Serialize;
use watchpost_core::{
    access::ChangeReceipt, audit::AuditTarget, port::Random, posture::Freshness, value::time::Timestamp,
};
use watchpost_protocol::{ContentBlock, ResourceDefinition, ToolResult};

/// A tool's answer: a sentence of our own words and numbers, and the structured part as finished bytes.
pub(crate) struct Answer {
    pub(crate) sentence: String,
    pub(crate) structured: Bytes,
    /// What the audit entry is about.
    pub(crate) target: AuditTarget,
    /// The proof that a change's own entry is stored; `None`: the call's entry is still to be stored.
    pub(crate) made: Option<ChangeReceipt>,
    /// When the text goes stale by time alone.
    pub(crate) good_until: Option<Timestamp>,
    /// A file that it points to.
    pub(crate) link: Option<Link>,
    /// What continues after it: a task, for a client that takes those.
    pub(crate) follow_up: Option<FollowUp>,
}

/// A link to a resource, beside the text.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) uri: String,
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
}

impl Answer {
    /// Writes the structured part: once, here.
    pub(crate) fn new(sentence: String, output: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            sentence,
            structured: serde_json::to_vec(output).map_err(Failure::unwritable)?.into(),
            target: AuditTarget::default(),
            made: None,
            good_until: None,
            link: None,
            follow_up: None,
        })
    }
    /// The result: the text, the link if there is one, and the structured part.
    pub(crate) fn result(&self, random: &dyn Random) -> ToolResult {
        let link = self.link.as_ref().map(|link| {
            ContentBlock::Link(ResourceDefinition {
                uri: link.uri.clone(),
                name: link.name.clone(),
                title: None,
                description: None,
                media_type: Some(link.media_type.to_owned()),
            })
        });
        ToolResult {
            content: fence::content(&self.sentence, &self.structured, random).into(),
            more: link.into_iter().collect(),
            structured: Some(self.structured.clone()),
            is_error: false,
        }
    }
    /// Names what the audit entry is about.
    pub(crate) fn about(mut self, target: AuditTarget) -> Self {
        self.target = target;
        self
    }
    /// Answers a change, whose entry is stored.
    pub(crate) fn of_change(mut self, made: ChangeReceipt) -> Self {
        self.made = Some(made);
        self
    }
    /// Says when the text goes stale by time alone.
    pub(crate) fn until(mut self, freshness: &Freshness, now: Timestamp) -> Self {
        self.good_until = freshness.warnings_change_at(now);
        self
    }
}
