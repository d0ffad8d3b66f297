//! Resources: what can be read by its address.

use crate::{cache::CacheHint, json::push_string, revision::Revision};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// One resource, or with `template` a whole family of them, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceDefinition {
    /// An absolute URI; for a template a URI template of RFC 6570.
    pub uri: String,
    /// The programmatic name.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it is, for a model.
    pub description: Option<String>,
    /// Its media type, if all that it stands for have the same.
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

/// One page of resources or of templates.
#[derive(Debug, Clone)]
pub struct ResourcePage {
    /// What is on this page.
    pub resources: Vec<ResourceDefinition>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// How long it holds; the same scope on every page.
    pub cache: CacheHint,
}

impl ResourcePage {
    /// The array, each item addressed by `key` (`uri` or `uriTemplate`).
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

/// What reading a resource gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRead {
    /// What it holds, at least one; what doesn't exist is [`CallError::UnknownResource`](crate::CallError)
    /// (RSC-04).
    pub contents: Vec<ResourceContents>,
    /// How long it holds.
    pub cache: CacheHint,
}

impl ResourceRead {
    /// One text.
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

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let size = |contents: &ResourceContents| match &contents.body {
            ResourceBody::Text(text) => text.len(),
            ResourceBody::Blob(bytes) => bytes.len().saturating_mul(2),
        };
        self.contents.iter().map(size).fold(0, usize::saturating_add)
    }
}

/// What one address holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceContents {
    /// The address: the one that was asked for, or one below it.
    pub uri: String,
    /// The media type, if it's known.
    pub media_type: Option<String>,
    /// The text or the bytes.
    pub body: ResourceBody,
}

/// Text or bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// A file's bytes; they go out in base64.
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
