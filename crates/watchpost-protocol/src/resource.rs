//! Resources: what can be read by its address.

use crate::json::push_string;
use crate::revision::Revision;
use crate::tool::CacheHint;

/// One resource, or with `template` a whole family of them, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        out.push(b'}');
    }
}

/// One page of resources or of templates.
#[derive(Clone, Debug)]
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
        for (place, resource) in self.resources.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            resource.push(out, key, revision);
        }
        out.push(b']');
    }
}

/// What a resource says: text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceText {
    /// Its address, as it was asked for.
    pub uri: String,
    /// Its media type.
    pub media_type: String,
    /// The text.
    pub text: String,
    /// How long it holds.
    pub cache: CacheHint,
}

impl ResourceText {
    /// The array of contents.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"[{\"uri\":");
        push_string(out, &self.uri);
        out.extend_from_slice(b",\"mimeType\":");
        push_string(out, &self.media_type);
        out.extend_from_slice(b",\"text\":");
        push_string(out, &self.text);
        out.extend_from_slice(b"}]");
    }
}
