//! Encoding of responses: the JSON around a result's own bytes.

use crate::{
    cache::{CacheHint, CacheScope},
    capabilities::{Capabilities, Offer},
    code::RpcError,
    handler::{Completed, ServerInfo, ToolPage},
    id::RequestId,
    input::{self, InputRequest},
    json::push_string,
    resource::{ResourcePage, ResourceRead},
    revision::{Era, Revision, Revisions},
    task::TaskState,
    tool::ToolResult,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// The cache hint of `server/discover`: one hour. Private, since the instructions may depend on the caller.
const DISCOVERY_CACHE: CacheHint = CacheHint {
    ttl_ms: 3_600_000,
    scope: CacheScope::Private,
};

/// Returns the fields of `info` that `revision` has, as a JSON object.
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

/// Returns `implementation` with the icon, for the results of a handshake.
fn introduction(info: &ServerInfo, revision: Revision) -> Vec<u8> {
    let mut out = implementation(info, revision);
    if let Some(icon) = info.icon.as_ref().filter(|_| revision.has_website()) {
        out.pop();
        out.extend_from_slice(b",\"icons\":[{\"src\":");
        push_string(
            &mut out,
            &format!("data:{};base64,{}", icon.media_type, STANDARD.encode(icon.bytes)),
        );
        out.extend_from_slice(b",\"mimeType\":");
        push_string(&mut out, icon.media_type);
        out.extend_from_slice(b",\"sizes\":[");
        push_string(&mut out, icon.size);
        out.extend_from_slice(b"]}]}");
    }
    out
}

/// Appends the capabilities that `revision` has.
fn push_capabilities(out: &mut Vec<u8>, capabilities: Capabilities, revision: Revision) {
    let Capabilities {
        tools,
        prompts,
        resources,
        resource_subscriptions,
        completions,
        logging,
        tasks,
    } = capabilities;
    let is_modern = revision.era() == Era::Modern;
    let flags = |offer: Offer, subscribe: bool| {
        let flags = [
            (offer == Offer::Changing).then_some("\"listChanged\":true"),
            subscribe.then_some("\"subscribe\":true"),
        ];
        let flags: Vec<&str> = flags.into_iter().flatten().collect();
        format!("{{{}}}", flags.join(","))
    };
    let declared = [
        (completions && revision.declares_completions()).then(|| "\"completions\":{}".to_owned()),
        (tasks && is_modern).then(|| r#""extensions":{"io.modelcontextprotocol/tasks":{}}"#.to_owned()),
        (logging && !is_modern).then(|| "\"logging\":{}".to_owned()),
        prompts
            .is_offered()
            .then(|| format!("\"prompts\":{}", flags(prompts, false))),
        resources
            .is_offered()
            .then(|| format!("\"resources\":{}", flags(resources, resource_subscriptions))),
        tools
            .is_offered()
            .then(|| format!("\"tools\":{}", flags(tools, false))),
    ];
    let declared: Vec<String> = declared.into_iter().flatten().collect();
    out.push(b'{');
    out.extend_from_slice(declared.join(",").as_bytes());
    out.push(b'}');
}

/// Starts a response. The caller appends the members of the result.
fn begin_result(id: &RequestId<'_>, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    id.push(&mut out);
    out.extend_from_slice(b",\"result\":{");
    out
}

/// Encodes the results of one server.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// `"resultType":"complete","_meta":{…}`, which every complete modern result has.
    modern: Vec<u8>,
    /// The same for the result of `server/discover`, with the icon.
    discovery: Vec<u8>,
    /// `"_meta":{…}` alone.
    meta: Vec<u8>,
}

/// Capacity for everything around a result's own bytes.
const ENVELOPE_SIZE: usize = 512;

impl Encoder {
    pub(crate) fn new(info: &ServerInfo) -> Self {
        let meta = |info: &[u8]| {
            [
                &br#""_meta":{"io.modelcontextprotocol/serverInfo":"#[..],
                info,
                b"}",
            ]
            .concat()
        };
        let complete = |meta: &[u8]| [&br#""resultType":"complete","#[..], meta].concat();
        let short = meta(&implementation(info, Revision::V2026_07_28));
        Self {
            modern: complete(&short),
            discovery: complete(&meta(&introduction(info, Revision::V2026_07_28))),
            meta: short,
        }
    }

    /// Encodes a modern result that isn't complete, with the result type `kind`.
    fn incomplete(&self, id: &RequestId<'_>, kind: &str, members: &[u8]) -> Bytes {
        let mut out = begin_result(id, members.len().saturating_add(ENVELOPE_SIZE));
        out.extend_from_slice(b"\"resultType\":");
        push_string(&mut out, kind);
        out.push(b',');
        if !members.is_empty() {
            out.extend_from_slice(members);
            out.push(b',');
        }
        out.extend_from_slice(&self.meta);
        out.extend_from_slice(b"}}");
        out.into()
    }

    /// Encodes questions for a modern client, and the sealed state that the client sends back with the answers.
    pub(crate) fn input_required(
        &self,
        id: &RequestId<'_>,
        revision: Revision,
        requests: &[(String, InputRequest)],
        state: Option<&str>,
    ) -> Bytes {
        let mut members = Vec::new();
        if !requests.is_empty() {
            input::push_requests(&mut members, requests, revision);
        }
        if let Some(state) = state {
            if !members.is_empty() {
                members.push(b',');
            }
            members.extend_from_slice(b"\"requestState\":");
            push_string(&mut members, state);
        }
        self.incomplete(id, "input_required", &members)
    }

    /// Encodes the result of a call that became a task.
    pub(crate) fn task_created(&self, id: &RequestId<'_>, revision: Revision, task: &TaskState) -> Bytes {
        let mut members = Vec::new();
        task.push(&mut members, revision, false);
        self.incomplete(id, "task", &members)
    }

    /// Encodes the result of `subscriptions/listen`, sent when the server ends the subscription (SUB-06).
    pub(crate) fn listen_ended(&self, id: &RequestId<'_>) -> Bytes {
        let mut out = begin_result(id, ENVELOPE_SIZE);
        out.extend_from_slice(&self.modern);
        // The subscription's id goes into the same `_meta`.
        out.pop();
        out.extend_from_slice(b",\"io.modelcontextprotocol/subscriptionId\":");
        id.push(&mut out);
        out.extend_from_slice(b"}}}");
        out.into()
    }

    /// Appends the members of modern results and the closing braces. `empty` is whether the result has no
    /// members yet.
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
        self.close(begin_result(id, ENVELOPE_SIZE), revision.era(), true)
    }

    pub(crate) fn completed(&self, id: &RequestId<'_>, revision: Revision, result: &Completed) -> Bytes {
        match result {
            Completed::Tool(result) => self.tool(id, revision, result),
            Completed::Tools(page) => self.tools(id, revision, page),
            Completed::Resources(page) => self.resources(id, revision, page, "resources", "uri"),
            Completed::ResourceTemplates(page) => {
                self.resources(id, revision, page, "resourceTemplates", "uriTemplate")
            }
            Completed::Resource(read) => self.resource(id, revision, read),
            Completed::Prompts(page) => {
                let mut out = begin_result(id, ENVELOPE_SIZE);
                page.push(&mut out, revision);
                self.close_with_cache(out, revision, page.cache)
            }
            Completed::Prompt(prompt) => {
                let mut out = begin_result(id, ENVELOPE_SIZE);
                prompt.push(&mut out, revision);
                self.close(out, revision.era(), false)
            }
            Completed::Completion(completions) => {
                let mut out = begin_result(id, ENVELOPE_SIZE);
                completions.push(&mut out);
                self.close(out, revision.era(), false)
            }
            Completed::Task(task) => {
                let mut out = begin_result(id, ENVELOPE_SIZE);
                task.push(&mut out, revision, true);
                self.close(out, revision.era(), false)
            }
            Completed::Acknowledged => self.empty(id, revision),
        }
    }

    fn tool(&self, id: &RequestId<'_>, revision: Revision, result: &ToolResult) -> Bytes {
        let structured = result.structured.as_ref().map_or(0, Bytes::len);
        let size = result.content.len().saturating_add(structured);
        let mut out = begin_result(
            id,
            size.saturating_add(ENVELOPE_SIZE)
                .saturating_add(self.modern.len()),
        );
        result.push(&mut out, revision);
        self.close(out, revision.era(), false)
    }

    /// Closes the result of a list or a read, which has a cache hint for modern clients.
    fn close_with_cache(&self, mut out: Vec<u8>, revision: Revision, cache: CacheHint) -> Bytes {
        if revision.era() == Era::Modern {
            out.push(b',');
            cache.push(&mut out);
        }
        self.close(out, revision.era(), false)
    }

    fn tools(&self, id: &RequestId<'_>, revision: Revision, page: &ToolPage) -> Bytes {
        let tools = page.catalog.rendered(revision);
        let capacity = tools
            .len()
            .saturating_add(ENVELOPE_SIZE)
            .saturating_add(self.modern.len());
        let mut out = begin_result(id, capacity);
        out.extend_from_slice(b"\"tools\":");
        out.extend_from_slice(&tools);
        if let Some(cursor) = &page.next_cursor {
            out.extend_from_slice(b",\"nextCursor\":");
            push_string(&mut out, cursor);
        }
        self.close_with_cache(out, revision, page.cache)
    }

    fn resources(
        &self,
        id: &RequestId<'_>,
        revision: Revision,
        page: &ResourcePage,
        list: &str,
        key: &str,
    ) -> Bytes {
        let mut out = begin_result(id, ENVELOPE_SIZE);
        push_string(&mut out, list);
        out.push(b':');
        page.push(&mut out, key, revision);
        if let Some(cursor) = &page.next_cursor {
            out.extend_from_slice(b",\"nextCursor\":");
            push_string(&mut out, cursor);
        }
        self.close_with_cache(out, revision, page.cache)
    }

    fn resource(&self, id: &RequestId<'_>, revision: Revision, read: &ResourceRead) -> Bytes {
        let mut out = begin_result(id, read.size().saturating_add(ENVELOPE_SIZE));
        read.push(&mut out);
        self.close_with_cache(out, revision, read.cache)
    }

    /// Encodes the result of `server/discover`.
    pub(crate) fn discover(
        &self,
        id: &RequestId<'_>,
        served: Revisions,
        capabilities: Capabilities,
        instructions: Option<&str>,
    ) -> Bytes {
        let mut out = begin_result(id, ENVELOPE_SIZE);
        out.extend_from_slice(b"\"supportedVersions\":[");
        for (index, revision) in served.advertised().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_string(&mut out, revision.as_str());
        }
        out.extend_from_slice(b"],\"capabilities\":");
        push_capabilities(&mut out, capabilities, Revision::V2026_07_28);
        if let Some(instructions) = instructions {
            out.extend_from_slice(b",\"instructions\":");
            push_string(&mut out, instructions);
        }
        out.push(b',');
        DISCOVERY_CACHE.push(&mut out);
        out.push(b',');
        out.extend_from_slice(&self.discovery);
        out.extend_from_slice(b"}}");
        out.into()
    }

    /// Encodes the result of `initialize`.
    pub(crate) fn initialize(
        &self,
        id: &RequestId<'_>,
        revision: Revision,
        info: &ServerInfo,
        capabilities: Capabilities,
        instructions: Option<&str>,
    ) -> Bytes {
        let mut out = begin_result(id, ENVELOPE_SIZE);
        out.extend_from_slice(b"\"protocolVersion\":");
        push_string(&mut out, revision.as_str());
        out.extend_from_slice(b",\"capabilities\":");
        push_capabilities(&mut out, capabilities, revision);
        out.extend_from_slice(b",\"serverInfo\":");
        out.extend_from_slice(&introduction(info, revision));
        if let Some(instructions) = instructions {
            out.extend_from_slice(b",\"instructions\":");
            push_string(&mut out, instructions);
        }
        self.close(out, revision.era(), false)
    }
}

/// Encodes an error response. Without a usable id, `id` is left out if the peer's schema allows that, and
/// `null` otherwise (RPC-09).
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
