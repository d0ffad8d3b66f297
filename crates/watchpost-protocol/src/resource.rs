//! Resources: documents that clients read by URI.

use crate::{cache::CacheHint, json::push_string, revision::Revision};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// The definition of a resource or of a resource template, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceDefinition {
    /// An absolute URI, or for a template a URI template (RFC 6570).
    pub uri: String,
    /// The programmatic name.
    pub name: String,
    /// The display name.
    pub title: Option<String>,
    /// A description for a model.
    pub description: Option<String>,
    /// The media type. For a template, only if all of its resources have the same one.
    pub media_type: Option<String>,
}

impl ResourceDefinition {
    fn push(&self, out: &mut Vec<u8>, key: &str, revision: Revision) {
        out.push(b'{');
        self.push_members(out, key, revision);
        out.push(b'}');
    }

    pub(crate) fn push_members(&self, out: &mut Vec<u8>, key: &str, revision: Revision) {
        push_string(out, key);
        out.push(b':');
        push_string(out, &self.uri);
        out.extend_from_slice(b",\"name\":");
        push_string(out, &self.name);
        let titled = revision.has_titles();
        let optional = [
            (&b",\"title\":"[..], self.title.as_ref().filter(|_| titled)),
            (b",\"description\":", self.description.as_ref()),
            (b",\"mimeType\":", self.media_type.as_ref()),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                out.extend_from_slice(key);
                push_string(out, value);
            }
        }
    }
}

/// One page of resources or resource templates.
#[derive(Debug, Clone)]
pub struct ResourcePage {
    /// The resources or templates of this page.
    pub resources: Vec<ResourceDefinition>,
    /// The cursor of the next page. `None` on the last page.
    pub next_cursor: Option<String>,
    /// The cache hint. Its scope must be the same on every page.
    pub cache: CacheHint,
}

impl ResourcePage {
    /// Appends the array. `key` is the member that holds the URI: `uri` or `uriTemplate`.
    pub(crate) fn push(&self, out: &mut Vec<u8>, key: &str, revision: Revision) {
        out.push(b'[');
        for (index, resource) in self.resources.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            resource.push(out, key, revision);
        }
        out.push(b']');
    }
}

/// The result of reading a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRead {
    /// The contents, at least one. For a resource that doesn't exist, a handler returns
    /// [`CallError::UnknownResource`](crate::CallError) (RSC-04).
    pub contents: Vec<ResourceContents>,
    /// The cache hint.
    pub cache: CacheHint,
}

impl ResourceRead {
    /// Creates a result with one text.
    pub fn text(
        uri: impl Into<String>,
        media_type: impl Into<String>,
        text: impl Into<String>,
        cache: CacheHint,
    ) -> Self {
        let contents = ResourceContents {
            uri: uri.into(),
            media_type: Some(media_type.into()),
            body: ResourceBody::Text(text.into()),
        };
        Self {
            contents: vec![contents],
            cache,
        }
    }

    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"contents\":[");
        for (index, contents) in self.contents.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            contents.push(out);
        }
        out.push(b']');
    }

    /// Returns the approximate encoded size in bytes.
    pub(crate) fn size(&self) -> usize {
        let size = |contents: &ResourceContents| match &contents.body {
            ResourceBody::Text(text) => text.len(),
            ResourceBody::Blob(bytes) => bytes.len().saturating_mul(2),
        };
        self.contents.iter().map(size).fold(0, usize::saturating_add)
    }
}

/// The contents of one URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceContents {
    /// The URI: the requested one or one below it.
    pub uri: String,
    /// The media type, if known.
    pub media_type: Option<String>,
    /// The text or binary content.
    pub body: ResourceBody,
}

/// Text or binary content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Binary content. It is sent in base64.
    Blob(Bytes),
}

impl ResourceContents {
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"uri\":");
        push_string(out, &self.uri);
        if let Some(media_type) = &self.media_type {
            out.extend_from_slice(b",\"mimeType\":");
            push_string(out, media_type);
        }
        match &self.body {
            ResourceBody::Text(text) => {
                out.extend_from_slice(b",\"text\":");
                push_string(out, text);
            }
            ResourceBody::Blob(bytes) => {
                out.extend_from_slice(b",\"blob\":");
                push_string(out, &STANDARD.encode(bytes));
            }
        }
        out.push(b'}');
    }
}
