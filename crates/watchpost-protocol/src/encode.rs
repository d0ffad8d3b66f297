//! Answers: ids and envelopes around finished bytes.

use bytes::Bytes;

use crate::code::RpcError;
use crate::handler::{Capabilities, Completed, ServerInfo, ToolPage};
use crate::id::RequestId;
use crate::json::push_string;
use crate::resource::{ResourcePage, ResourceText};
use crate::revision::{Era, Revision, Revisions};
use crate::tool::{CacheHint, CacheScope, ToolResult};

/// How long a discovery may be kept: an hour. Private, since instructions may depend on the caller.
const DISCOVERY: CacheHint = CacheHint {
    ttl_ms: 3_600_000,
    scope: CacheScope::Private,
};

/// The fields of `info` that `revision` has, as a JSON object.
pub(crate) fn implementation(info: &ServerInfo, revision: Revision) -> Vec<u8> {
    let mut out = b"{\"name\":".to_vec();
    push_string(&mut out, &info.name);
    let titled = revision.has_titles();
    let website = revision.has_website();
    let optional = [
        (&b",\"title\":"[..], info.title.as_ref().filter(|_| titled)),
        (b",\"version\":", Some(&info.version)),
        (
            b",\"description\":",
            info.description.as_ref().filter(|_| website),
        ),
        (b",\"websiteUrl\":", info.website_url.as_ref().filter(|_| website)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            out.extend_from_slice(key);
            push_string(&mut out, value);
        }
    }
    out.push(b'}');
    out
}

fn push_capabilities(out: &mut Vec<u8>, capabilities: Capabilities) {
    out.extend_from_slice(b"{");
    if capabilities.resources {
        out.extend_from_slice(b"\"resources\":{}");
    }
    if capabilities.resources && capabilities.tools {
        out.push(b',');
    }
    if capabilities.tools {
        out.extend_from_slice(b"\"tools\":{}");
    }
    out.push(b'}');
}

/// Opens a response; what follows is the result object.
fn open(id: &RequestId<'_>, room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(room);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    id.push(&mut out);
    out.extend_from_slice(b",\"result\":{");
    out
}

/// Writes results for one server.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// `"resultType":"complete","_meta":{…}`, which every modern result has.
    modern: Vec<u8>,
}

/// Room for everything around a result's own bytes.
const ENVELOPE: usize = 512;

impl Encoder {
    pub(crate) fn new(info: &ServerInfo) -> Self {
        let mut modern =
            br#""resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":"#.to_vec();
        modern.extend_from_slice(&implementation(info, Revision::V2026_07_28));
        modern.push(b'}');
        Self { modern }
    }

    /// Closes a result: the modern members, and the braces. `empty` tells whether nothing stands before.
    fn close(&self, mut out: Vec<u8>, era: Era, empty: bool) -> Bytes {
        if era == Era::Modern {
            if !empty {
                out.push(b',');
            }
            out.extend_from_slice(&self.modern);
        }
        out.extend_from_slice(b"}}");
        out.into()
    }

    pub(crate) fn empty(&self, id: &RequestId<'_>, revision: Revision) -> Bytes {
        self.close(open(id, ENVELOPE), revision.era(), true)
    }

    pub(crate) fn completed(&self, id: &RequestId<'_>, revision: Revision, result: &Completed) -> Bytes {
        match result {
            Completed::Tool(result) => self.tool(id, revision, result),
            Completed::Tools(page) => self.tools(id, revision, page),
            Completed::Resources(page) => self.resources(id, revision, page, "resources", "uri"),
            Completed::ResourceTemplates(page) => {
                self.resources(id, revision, page, "resourceTemplates", "uriTemplate")
            }
            Completed::Resource(text) => self.resource(id, revision, text),
        }
    }

    fn tool(&self, id: &RequestId<'_>, revision: Revision, result: &ToolResult) -> Bytes {
        let structured = result
            .structured
            .as_ref()
            .filter(|_| revision.has_structured_output());
        let size = result
            .content
            .len()
            .saturating_add(structured.map_or(0, Bytes::len));
        let mut out = open(
            id,
            size.saturating_add(ENVELOPE).saturating_add(self.modern.len()),
        );
        out.extend_from_slice(b"\"content\":");
        out.extend_from_slice(&result.content);
        if let Some(structured) = structured {
            out.extend_from_slice(b",\"structuredContent\":");
            out.extend_from_slice(structured);
        }
        out.extend_from_slice(if result.is_error {
            b",\"isError\":true"
        } else {
            b",\"isError\":false"
        });
        self.close(out, revision.era(), false)
    }

    fn tools(&self, id: &RequestId<'_>, revision: Revision, page: &ToolPage) -> Bytes {
        let tools = page.catalog.rendered(revision);
        let room = tools
            .len()
            .saturating_add(ENVELOPE)
            .saturating_add(self.modern.len());
        let mut out = open(id, room);
        out.extend_from_slice(b"\"tools\":");
        out.extend_from_slice(&tools);
        if let Some(cursor) = &page.next_cursor {
            out.extend_from_slice(b",\"nextCursor\":");
            push_string(&mut out, cursor);
        }
        if revision.era() == Era::Modern {
            out.push(b',');
            page.cache.push(&mut out);
        }
        self.close(out, revision.era(), false)
    }

    fn resources(
        &self,
        id: &RequestId<'_>,
        revision: Revision,
        page: &ResourcePage,
        list: &str,
        key: &str,
    ) -> Bytes {
        let mut out = open(id, ENVELOPE);
        push_string(&mut out, list);
        out.push(b':');
        page.push(&mut out, key, revision);
        if let Some(cursor) = &page.next_cursor {
            out.extend_from_slice(b",\"nextCursor\":");
            push_string(&mut out, cursor);
        }
        if revision.era() == Era::Modern {
            out.push(b',');
            page.cache.push(&mut out);
        }
        self.close(out, revision.era(), false)
    }

    fn resource(&self, id: &RequestId<'_>, revision: Revision, text: &ResourceText) -> Bytes {
        let mut out = open(id, text.text.len().saturating_add(ENVELOPE));
        out.extend_from_slice(b"\"contents\":");
        text.push(&mut out);
        if revision.era() == Era::Modern {
            out.push(b',');
            text.cache.push(&mut out);
        }
        self.close(out, revision.era(), false)
    }

    pub(crate) fn discovered(
        &self,
        id: &RequestId<'_>,
        served: Revisions,
        capabilities: Capabilities,
        instructions: Option<&str>,
    ) -> Bytes {
        let mut out = open(id, ENVELOPE);
        out.extend_from_slice(b"\"supportedVersions\":[");
        for (place, revision) in served.named().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            push_string(&mut out, revision.as_str());
        }
        out.extend_from_slice(b"],\"capabilities\":");
        push_capabilities(&mut out, capabilities);
        if let Some(instructions) = instructions {
            out.extend_from_slice(b",\"instructions\":");
            push_string(&mut out, instructions);
        }
        out.push(b',');
        DISCOVERY.push(&mut out);
        self.close(out, Era::Modern, false)
    }

    pub(crate) fn initialized(
        &self,
        id: &RequestId<'_>,
        revision: Revision,
        info: &ServerInfo,
        capabilities: Capabilities,
        instructions: Option<&str>,
    ) -> Bytes {
        let mut out = open(id, ENVELOPE);
        out.extend_from_slice(b"\"protocolVersion\":");
        push_string(&mut out, revision.as_str());
        out.extend_from_slice(b",\"capabilities\":");
        push_capabilities(&mut out, capabilities);
        out.extend_from_slice(b",\"serverInfo\":");
        out.extend_from_slice(&implementation(info, revision));
        if let Some(instructions) = instructions {
            out.extend_from_slice(b",\"instructions\":");
            push_string(&mut out, instructions);
        }
        self.close(out, revision.era(), false)
    }
}

/// An error response. Without a usable id, a peer whose schema allows it gets none, any other `null` (RPC-09).
pub(crate) fn error(id: Option<&RequestId<'_>>, peer: Option<Revision>, error: &RpcError) -> Bytes {
    let mut out = b"{\"jsonrpc\":\"2.0\",".to_vec();
    match id {
        Some(id) => {
            out.extend_from_slice(b"\"id\":");
            id.push(&mut out);
            out.push(b',');
        }
        None if peer.is_some_and(Revision::may_omit_id) => {}
        None => out.extend_from_slice(b"\"id\":null,"),
    }
    out.extend_from_slice(b"\"error\":");
    error.push(&mut out);
    out.push(b'}');
    out.into()
}
