//! Resources: two fixed ones, one that changes, and a template.

use crate::{CACHE, Fixture};
use std::sync::atomic::Ordering;
use watchpost_protocol::{
    CallError, ResourceBody, ResourceContents, ResourceDefinition, ResourcePage, ResourceRead,
};

/// The resource that can be subscribed to. Some tools change it.
pub(crate) const WATCHED: &str = "test://watched-resource";
/// The URI template of the template.
pub(crate) const TEMPLATE: &str = "test://template/{id}/data";

/// An image of one pixel.
pub(crate) const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00,
    0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01,
    0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60,
    0x82,
];

fn definition(uri: &str, name: &str, description: &str, media_type: &str) -> ResourceDefinition {
    ResourceDefinition {
        uri: uri.to_owned(),
        name: name.to_owned(),
        title: None,
        description: Some(description.to_owned()),
        media_type: Some(media_type.to_owned()),
    }
}

fn page(resources: Vec<ResourceDefinition>) -> ResourcePage {
    ResourcePage {
        resources,
        next_cursor: None,
        cache: CACHE,
    }
}

pub(crate) fn list() -> ResourcePage {
    page(vec![
        definition("test://static-text", "static-text", "A fixed text.", "text/plain"),
        definition(
            "test://static-binary",
            "static-binary",
            "A fixed image.",
            "image/png",
        ),
        definition(WATCHED, "watched-resource", "A text that changes.", "text/plain"),
    ])
}

pub(crate) fn templates() -> ResourcePage {
    page(vec![definition(
        TEMPLATE,
        "template",
        "Data about an id.",
        "application/json",
    )])
}

pub(crate) fn read(fixture: &Fixture, uri: &str) -> Result<ResourceRead, CallError> {
    let text = |media_type: &str, text: String| Ok(ResourceRead::text(uri, media_type, text, CACHE));
    match uri {
        "test://static-text" => text(
            "text/plain",
            "This is the content of the static text resource.".to_owned(),
        ),
        "test://static-binary" => Ok(ResourceRead {
            contents: vec![ResourceContents {
                uri: uri.to_owned(),
                media_type: Some("image/png".to_owned()),
                body: ResourceBody::Blob(PNG.into()),
            }],
            cache: CACHE,
        }),
        WATCHED => {
            let changes = fixture.changes.load(Ordering::Relaxed);
            text("text/plain", format!("It has changed {changes} times."))
        }
        _ => {
            let id = uri
                .strip_prefix("test://template/")
                .and_then(|rest| rest.strip_suffix("/data"))
                .filter(|id| !id.is_empty() && !id.contains('/'))
                .ok_or(CallError::UnknownResource)?;
            let data =
                serde_json::json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            text("application/json", data.to_string())
        }
    }
}
