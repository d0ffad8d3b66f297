//! Content blocks, the parts of tool results and prompts.

use crate::{
    json::push_string,
    resource::{ResourceContents, ResourceDefinition},
    revision::Revision,
    text,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// A content block. A block of a kind that the client's revision doesn't have is sent as a text block that says
/// what was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentBlock {
    /// A text.
    Text(String),
    /// An image.
    Image {
        /// The content of the file. It is sent in base64.
        bytes: Bytes,
        /// The media type, for example `image/png`.
        media_type: String,
    },
    /// Audio, for clients of 2025-03-26 and later.
    Audio {
        /// The content of the file. It is sent in base64.
        bytes: Bytes,
        /// The media type, for example `audio/wav`.
        media_type: String,
    },
    /// A resource with its contents.
    Resource(ResourceContents),
    /// A link to a resource that the client can read, for clients of 2025-06-18 and later.
    Link(ResourceDefinition),
}

impl ContentBlock {
    /// Creates a text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn push(&self, out: &mut Vec<u8>, revision: Revision) {
        match self {
            Self::Text(text) => push_text(out, text),
            Self::Image { bytes, media_type } => push_binary(out, "image", bytes, media_type),
            Self::Audio { bytes, media_type } if revision.has_audio() => {
                push_binary(out, "audio", bytes, media_type);
            }
            Self::Audio { media_type, .. } => {
                push_text(out, &text::audio_left_out(media_type));
            }
            Self::Resource(contents) => {
                out.extend_from_slice(b"{\"type\":\"resource\",\"resource\":");
                contents.push(out);
                out.push(b'}');
            }
            Self::Link(resource) if revision.has_resource_links() => {
                out.extend_from_slice(b"{\"type\":\"resource_link\",");
                resource.push_members(out, "uri", revision);
                out.push(b'}');
            }
            Self::Link(resource) => push_text(out, &text::resource_link(&resource.uri)),
        }
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
    push_string(out, text);
    out.push(b'}');
}

fn push_binary(out: &mut Vec<u8>, kind: &str, bytes: &[u8], media_type: &str) {
    out.extend_from_slice(b"{\"type\":");
    push_string(out, kind);
    out.extend_from_slice(b",\"data\":");
    push_string(out, &STANDARD.encode(bytes));
    out.extend_from_slice(b",\"mimeType\":");
    push_string(out, media_type);
    out.push(b'}');
}
