//! The answer of a tool.

use crate::{error::Failure, fence, text, tool::FollowUp};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use watchpost_core::{
    access::ChangeReceipt, audit::AuditTarget, port::Random, posture::Freshness, value::time::Timestamp,
};
use watchpost_protocol::{ContentBlock, ResourceDefinition, ToolResult};

/// A tool's answer: a sentence without text from outside, and the structured part, already serialized.
pub(crate) struct Answer {
    pub(crate) sentence: String,
    pub(crate) structured: Bytes,
    /// The target in the audit entry.
    pub(crate) target: AuditTarget,
    /// The receipt of the audit entry that the use case has stored; `None` if the server has yet to store it.
    pub(crate) receipt: Option<ChangeReceipt>,
    /// The time at which the text becomes outdated by time alone.
    pub(crate) good_until: Option<Timestamp>,
    /// A link to a resource.
    pub(crate) link: Option<Link>,
    /// The work that continues after the answer: a task, for a client that supports tasks.
    pub(crate) follow_up: Option<FollowUp>,
}

/// A link to a resource, in addition to the text.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) uri: String,
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
}

impl Answer {
    /// Creates an answer and serializes its structured part.
    pub(crate) fn new(sentence: String, output: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            sentence,
            structured: serde_json::to_vec(output).map_err(Failure::unwritable)?.into(),
            target: AuditTarget::default(),
            receipt: None,
            good_until: None,
            link: None,
            follow_up: None,
        })
    }
    /// Returns the result for the client: the text, the link if there is one, and the structured part.
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
    /// Adds a warning that the tool doesn't have these arguments, to the sentence and to the structured part.
    pub(crate) fn without_arguments(mut self, tool: &str, ignored: &[String]) -> Self {
        if ignored.is_empty() {
            return self;
        }
        let warning = text::arguments::ignored(ignored, tool);
        self.sentence = format!("{} {warning}.", self.sentence);
        if let Ok(Value::Object(mut fields)) = serde_json::from_slice(&self.structured) {
            let warnings = fields
                .entry("warnings")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(warnings) = warnings {
                warnings.push(warning.into());
            }
            self.structured = Value::Object(fields).to_string().into();
        }
        self
    }
    /// Sets the target of the audit entry.
    pub(crate) fn about(mut self, target: AuditTarget) -> Self {
        self.target = target;
        self
    }
    /// Sets the receipt of the audit entry that the use case has stored.
    pub(crate) fn of_change(mut self, receipt: ChangeReceipt) -> Self {
        self.receipt = Some(receipt);
        self
    }
    /// Sets the time at which the text becomes outdated by time alone.
    pub(crate) fn until(mut self, freshness: &Freshness, now: Timestamp) -> Self {
        self.good_until = freshness.warnings_change_at(now);
        self
    }
}
