//! What fuzzers run, and the tests of this crate over checked-in input: not part of the API, and only there with
//! the feature `fuzzing`.
//!
//! A target takes any bytes and fails an assertion if something doesn't hold. It's free to be slow beside what it
//! tests: it looks at everything a second time, with `serde_json`.

mod oracle;
#[cfg(test)]
mod tests;

use crate::{
    capabilities::{Capabilities, Offer},
    change::INTEREST_MAX,
    client::{ClientCapabilities, ClientInfo, SessionState},
    code::{
        HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, MISSING_CLIENT_CAPABILITY,
        PARSE_ERROR, UNSUPPORTED_PROTOCOL_VERSION,
    },
    decode::{Decoder, Limits},
    encode,
    header::Header,
    parameter::ParameterHeaders,
    request::{Batch, BatchItem, Incoming, Operation, Reply, Request, TransportFacts},
    revision::{
        Era, Revision, Revisions,
        era::{Bodiless, Wire, classify_bodiless},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use oracle::{Json, Seen};
use serde_json::{Value, json};
use std::sync::Arc;

const LIMITS: Limits = Limits {
    message_bytes: 4_096,
    depth: 64,
    batch: 64,
};

fn decoder() -> Decoder {
    Decoder {
        limits: LIMITS,
        served: Revisions::ALL,
        capabilities: Capabilities {
            tools: Offer::Changing,
            prompts: Offer::Changing,
            resources: Offer::Changing,
            resource_subscriptions: true,
            completions: true,
            logging: true,
            tasks: true,
        },
        headers: ParameterHeaders::default(),
    }
}

/// Where a message arrives, from the first byte of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ConnectionState {
    wire: Wire,
    /// What a handshake settled.
    negotiated: Option<Revision>,
}

/// The first byte of the first state; the others follow it.
const FIRST_STATE: u8 = b'A';

impl ConnectionState {
    fn all() -> impl Iterator<Item = Self> {
        [Wire::Http, Wire::HttpSse, Wire::Stdio]
            .into_iter()
            .flat_map(|wire| {
                let settled = Revision::KNOWN
                    .into_iter()
                    .filter(|revision| revision.era() == Era::Legacy);
                std::iter::once(None)
                    .chain(settled.map(Some))
                    .map(move |negotiated| Self { wire, negotiated })
            })
    }

    fn of(byte: u8) -> Self {
        let states: Vec<Self> = Self::all().collect();
        let at = usize::from(byte.wrapping_sub(FIRST_STATE));
        let at = at.checked_rem(states.len()).unwrap_or_default();
        states.get(at).copied().expect("there are states")
    }
}

/// A header from one line: `=value`, `&value` for a repeated one; anything else is none.
fn header(line: &[u8]) -> Header<'_> {
    match line.split_first() {
        Some((b'=', value)) => Header::One(value),
        Some((b'&', _)) => Header::Repeated,
        _ => Header::Absent,
    }
}

/// The next line, and what follows it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let (line, rest) = bytes.split_at(end);
            (line, rest.get(1..).unwrap_or_default())
        }
        None => (bytes, &[]),
    }
}

/// One message: a byte for wire and session, one line each for `MCP-Protocol-Version`, `Mcp-Method` and
/// `Mcp-Name`, then the message's bytes.
///
/// # Panics
/// If what the decoder makes of it isn't so.
pub fn decode(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    let (version, rest) = line(rest);
    let (method, rest) = line(rest);
    let (name, body) = line(rest);
    decode_at(
        ConnectionState::of(*first),
        [header(version), header(method), header(name)],
        body,
    );
}

/// Checks an array that was decoded.
fn whole_batch(batch: &Batch) {
    assert!((1..=LIMITS.batch).contains(&batch.items.len()));
    let mut ids: Vec<_> = batch.requests().map(Request::id).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "requests of an array have different ids");
    for item in &batch.items {
        match item {
            BatchItem::Request(request) => accessors(request),
            BatchItem::Rejected(answer) => {
                error_of(answer);
            }
            BatchItem::Notification(_) => {}
        }
    }
}

/// Checks what the decoder makes of one message; tells whether it was refused.
fn decode_at(connection: ConnectionState, [version, method, name]: [Header<'_>; 3], body: &[u8]) -> bool {
    let session = connection.negotiated.map(|revision| {
        Arc::new(SessionState {
            revision,
            client: ClientInfo {
                name: "desk".into(),
                version: "1".into(),
            },
            capabilities: ClientCapabilities::default(),
        })
    });
    let facts = TransportFacts {
        version,
        method,
        name,
        ..TransportFacts::new(connection.wire, session.as_ref())
    };
    let bytes = Bytes::copy_from_slice(body);
    let incoming = decoder().decode(&bytes, &facts);
    let seen = Seen::of(body);
    match &incoming {
        Incoming::Rejected(reply) => {
            rejected(reply, connection.wire, &seen, body);
            return true;
        }
        Incoming::Request(request) => {
            assert!(!seen.is_array);
            served(request, &facts, &seen);
        }
        Incoming::Notification(_) => {
            assert!(!seen.has("id") && seen.has("method"), "a notification has no id");
        }
        Incoming::Responses(responses) if seen.is_array => {
            assert!((1..=LIMITS.batch).contains(&responses.len()));
        }
        Incoming::Responses(responses) => {
            assert!(!seen.has("method"), "a response has no method");
            let [response] = responses.as_slice() else {
                unreachable!("one message is one response");
            };
            let id = response.id.as_ref().map(|id| id.to_string());
            assert_eq!(id.and_then(|id| serde_json::from_str(&id).ok()), seen.id);
            assert_eq!(response.result.is_some(), seen.has("result"));
        }
        Incoming::Batch(batch) => {
            assert!(seen.is_array);
            whole_batch(batch);
        }
    }
    assert!(body.len() <= LIMITS.message_bytes as usize);
    match seen.json {
        Json::Invalid => unreachable!("what is no JSON was accepted"),
        Json::Valid { depth, duplicate } => {
            assert!(!duplicate, "a key was there twice");
            assert!(depth <= LIMITS.depth, "it nests {depth} deep");
        }
        // Nothing that serde_json could tell about its numbers.
        Json::Unsure => {}
    }
    false
}

/// The code and id of an error response, whose shape is checked.
fn error_of(body: &[u8]) -> (i64, Option<Value>) {
    assert!(!body.iter().any(|byte| *byte < b' '), "one line of text");
    let answer: Value = serde_json::from_slice(body).expect("an answer is JSON");
    let object = answer.as_object().expect("an answer is an object");
    assert_eq!(object.get("jsonrpc"), Some(&"2.0".into()));
    assert!(!object.contains_key("result"));
    let code = answer
        .pointer("/error/code")
        .and_then(Value::as_i64)
        .expect("a code");
    let message = answer
        .pointer("/error/message")
        .and_then(Value::as_str)
        .expect("a message");
    assert!(
        !message.is_empty() && message.len() <= 1_024,
        "a message of some length"
    );
    assert!(
        !message.chars().any(char::is_control),
        "a message without control characters"
    );
    (code, answer.get("id").filter(|id| !id.is_null()).cloned())
}

fn rejected(reply: &Reply, wire: Wire, seen: &Seen, body: &[u8]) {
    assert!(reply.effects.is_empty());
    assert!(
        [200, 202, 400, 404, 413].contains(&reply.status),
        "{}",
        reply.status
    );
    let Some(answer) = &reply.body else {
        assert_eq!(wire, Wire::Stdio, "only there is an answer owed to nobody");
        assert!(!seen.has("id"), "a request is answered");
        return;
    };
    let (code, id) = error_of(answer);
    let known = [
        PARSE_ERROR,
        INVALID_REQUEST,
        METHOD_NOT_FOUND,
        INVALID_PARAMS,
        HEADER_MISMATCH,
        MISSING_CLIENT_CAPABILITY,
        UNSUPPORTED_PROTOCOL_VERSION,
    ];
    assert!(known.contains(&code), "{code}");
    if body.len() > LIMITS.message_bytes as usize {
        assert_eq!((reply.status, id), (413, None));
        return;
    }
    assert_eq!(reply.status == 202, wire == Wire::HttpSse && id.is_some());
    if code == PARSE_ERROR {
        assert!(!matches!(seen.json, Json::Valid { .. }), "it is JSON");
        assert_eq!(id, None, "what is no JSON has no id");
    }
    if let Json::Valid { depth, duplicate } = seen.json {
        if seen.has("method") {
            assert_eq!(id, seen.id, "the answer goes to whom it's for");
        } else if let Some(id) = id {
            assert_eq!(Some(id), seen.id);
        }
        if duplicate || depth > LIMITS.depth {
            assert_eq!(code, INVALID_REQUEST);
        }
    }
}

/// Everything that is read of a request later.
fn accessors(request: &Request) {
    let _ = request.progress_token();
    let _ = request.log_level();
    let _ = request.traceparent();
    let _ = request.capabilities();
    if let Some(client) = request.client() {
        assert!(client.name.chars().count() <= 64 && client.version.chars().count() <= 32);
    }
    let _ = request.level();
    let _ = request.state();
    let _ = request.context();
    let inputs = request.inputs(None).expect("the decoder has read them");
    let interest = request.interest();
    assert!(interest.uris.len() <= INTEREST_MAX && interest.tasks.len() <= INTEREST_MAX);
    let by_itself = matches!(
        request.operation(),
        Operation::Initialize
            | Operation::Ping
            | Operation::Discover
            | Operation::SetLogLevel
            | Operation::Listen
    );
    assert_eq!(request.method(&inputs).is_none(), by_itself);
}

fn served(request: &Request, facts: &TransportFacts<'_>, seen: &Seen) {
    accessors(request);
    let refused = encode::error(
        Some(request.id()),
        Some(request.revision()),
        &crate::RpcError::internal(),
    );
    assert_eq!(error_of(&refused).1, seen.id, "the id comes back as it was");
    assert!(seen.id.is_some());
    let method = seen.method.as_deref().expect("a request has a method");
    let expected = match request.operation() {
        Operation::Initialize => "initialize",
        Operation::Ping => "ping",
        Operation::Discover => "server/discover",
        Operation::ListTools => "tools/list",
        Operation::CallTool => "tools/call",
        Operation::ListResources => "resources/list",
        Operation::ListResourceTemplates => "resources/templates/list",
        Operation::ReadResource => "resources/read",
        Operation::ListPrompts => "prompts/list",
        Operation::GetPrompt => "prompts/get",
        Operation::Complete => "completion/complete",
        Operation::SetLogLevel => "logging/setLevel",
        Operation::Subscribe => "resources/subscribe",
        Operation::Unsubscribe => "resources/unsubscribe",
        Operation::Listen => "subscriptions/listen",
        Operation::GetTask => "tasks/get",
        Operation::UpdateTask => "tasks/update",
        Operation::CancelTask => "tasks/cancel",
    };
    assert_eq!(method, expected);
    match request.era() {
        Era::Modern => {
            assert_ne!(facts.wire, Wire::HttpSse, "that transport is legacy only");
            if facts.wire == Wire::Http {
                assert_eq!(facts.version.text(), Some(request.revision().as_str()));
                assert_eq!(facts.method.text(), Some(method));
            }
        }
        Era::Legacy => {
            let settled = facts.session.map(|session| session.revision);
            let is_first = matches!(request.operation(), Operation::Initialize | Operation::Ping);
            assert!(
                is_first || facts.wire == Wire::Http || settled == Some(request.revision()),
                "what a handshake settled holds"
            );
        }
    }
}

/// Routing headers of one call: lines for `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name`, and then the name
/// of the tool in the body. The call is served if they say what the body says, and only then.
///
/// # Panics
/// If what the decoder makes of it isn't so.
pub fn headers(input: &[u8]) {
    let (version, rest) = line(input);
    let (method, rest) = line(rest);
    let (named, tool) = line(rest);
    let (version, method, named) = (header(version), header(method), header(named));
    for header in [version, method, named] {
        alone(header);
    }
    let tool = String::from_utf8_lossy(tool);
    if tool.len() > 1_024 {
        return;
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": tool,
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }});
    let body = Bytes::from(body.to_string());
    let fits = plain(version) == Some("2026-07-28")
        && plain(method) == Some("tools/call")
        && said(named).as_deref() == Some(&*tool);
    check_call(&body, [version, method, named], fits);

    // However a name looks, its encoded form says it.
    let encoded = format!("=?base64?{}?=", STANDARD.encode(tool.as_bytes()));
    let right = [b"2026-07-28".as_slice(), b"tools/call", encoded.as_bytes()].map(Header::One);
    check_call(&body, right, true);
}

fn check_call(body: &Bytes, [version, method, name]: [Header<'_>; 3], fits: bool) {
    let facts = TransportFacts {
        version,
        method,
        name,
        ..TransportFacts::new(Wire::Http, None)
    };
    match decoder().decode(body, &facts) {
        Incoming::Request(request) => {
            assert!(fits, "headers that say something else were taken");
            assert_eq!(request.operation(), Operation::CallTool);
        }
        Incoming::Rejected(reply) => {
            assert!(!fits, "headers that say the same were refused");
            let answer = reply.body.expect("HTTP always answers");
            assert_eq!((reply.status, error_of(&answer).0), (400, HEADER_MISMATCH));
        }
        other => unreachable!("a call is a request: {other:?}"),
    }
}

/// What holds for any one header.
fn alone(header: Header<'_>) {
    let modern = plain(header).is_some_and(|version| version >= "2026-07-28");
    assert_eq!(classify_bodiless(header) == Bodiless::MethodNotAllowed, modern);
    if let Some(revision) = plain(header).and_then(Revision::parse) {
        assert_eq!(Some(revision.as_str()), plain(header));
    }
    if let Header::One(value) = header {
        assert_eq!(Header::from_values([value]), header);
        assert_eq!(Header::from_values([value, value]), Header::Repeated);
    }
}

/// A header's text, read another way.
fn plain(header: Header<'_>) -> Option<&str> {
    let Header::One(value) = header else { return None };
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value
        .iter()
        .position(|byte| !is_space(byte))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| !is_space(byte))
        .map_or(start, |end| end.saturating_add(1));
    // Valid UTF-8 stays so without spaces at its ends, and so does what isn't.
    std::str::from_utf8(value.get(start..end)?).ok()
}

/// A name header's text, read another way.
fn said(header: Header<'_>) -> Option<String> {
    let text = plain(header)?;
    let (Some(rest), true) = (text.strip_prefix("=?base64?"), text.ends_with("?=")) else {
        return Some(text.to_owned());
    };
    match rest.strip_suffix("?=") {
        Some(inner) => String::from_utf8(STANDARD.decode(inner).ok()?).ok(),
        None => Some(text.to_owned()),
    }
}
