//! The fuzz targets of this crate. Its tests run them over the checked-in corpus. Not part of the API;
//! available only with the feature `fuzzing`.
//!
//! A target accepts any bytes and fails an assertion if a property doesn't hold. It may be slow compared with
//! the code under test, because it reads each message a second time with `serde_json`.

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
    json::repair::{byte_order_mark, replace_unpaired_surrogates},
    parameter::ParameterHeaders,
    request::{Batch, BatchItem, Incoming, Operation, Reply, Request, TransportFacts},
    revision::{
        Era, Revision, Revisions,
        era::{Bodiless, TransportKind, classify_bodiless},
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

/// The transport and session of a message, selected by the first byte of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ConnectionState {
    transport: TransportKind,
    /// The revision that a handshake negotiated.
    negotiated: Option<Revision>,
}

/// The byte that selects the first state. The following bytes select the other states.
const FIRST_STATE: u8 = b'A';

impl ConnectionState {
    fn all() -> impl Iterator<Item = Self> {
        [TransportKind::Http, TransportKind::HttpSse, TransportKind::Stdio]
            .into_iter()
            .flat_map(|transport| {
                let legacy = Revision::KNOWN
                    .into_iter()
                    .filter(|revision| revision.era() == Era::Legacy);
                std::iter::once(None)
                    .chain(legacy.map(Some))
                    .map(move |negotiated| Self {
                        transport,
                        negotiated,
                    })
            })
    }

    fn of(byte: u8) -> Self {
        let states: Vec<Self> = Self::all().collect();
        let at = usize::from(byte.wrapping_sub(FIRST_STATE));
        let at = at.checked_rem(states.len()).unwrap_or_default();
        states.get(at).copied().expect("the list of states isn't empty")
    }
}

/// Parses a header from one line: `=value`, or `&value` for a repeated header. Any other line means no header.
fn header(line: &[u8]) -> Header<'_> {
    match line.split_first() {
        Some((b'=', value)) => Header::One(value),
        Some((b'&', _)) => Header::Repeated,
        _ => Header::Absent,
    }
}

/// Splits off the first line.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let (line, rest) = bytes.split_at(end);
            (line, rest.get(1..).unwrap_or_default())
        }
        None => (bytes, &[]),
    }
}

/// Tests the decoding of one message. The input consists of a byte for transport and session, one line each for
/// `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name`, and the message.
///
/// # Panics
/// Panics if the result contradicts the oracle.
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

/// Checks a decoded array.
fn check_batch(batch: &Batch) {
    assert!((1..=LIMITS.batch).contains(&batch.items.len()));
    let mut ids: Vec<_> = batch.requests().map(Request::id).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "the ids of an array's requests are unique");
    for item in &batch.items {
        match item {
            BatchItem::Request(request) => check_accessors(request),
            BatchItem::Rejected(answer) => {
                error_of(answer);
            }
            BatchItem::Notification(_) => {}
        }
    }
}

/// Decodes one message and checks the result. Returns whether the message was rejected.
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
        ..TransportFacts::new(connection.transport, session.as_ref())
    };
    let bytes = Bytes::copy_from_slice(body);
    let incoming = decoder().decode(&bytes, &facts);
    // The oracle reads what the decoder reads. Repairs have tests of their own.
    let unmarked = body.get(byte_order_mark(body)..).unwrap_or_default();
    let repaired = replace_unpaired_surrogates(unmarked);
    let body = repaired.as_deref().unwrap_or(unmarked);
    let seen = Seen::of(body);
    match &incoming {
        Incoming::Rejected(reply) => {
            check_rejection(reply, connection.transport, &seen, body);
            return true;
        }
        Incoming::Request(request) => {
            assert!(!seen.is_array);
            check_request(request, &facts, &seen);
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
                unreachable!("one message yields one response");
            };
            let id = response.id.as_ref().map(|id| id.to_string());
            assert_eq!(id.and_then(|id| serde_json::from_str(&id).ok()), seen.id);
            assert_eq!(response.result.is_some(), seen.has("result"));
        }
        Incoming::Batch(batch) => {
            assert!(seen.is_array);
            check_batch(batch);
        }
    }
    assert!(body.len() <= LIMITS.message_bytes as usize);
    match seen.json {
        Json::Invalid => unreachable!("invalid JSON was accepted"),
        Json::Valid { depth, duplicate } => {
            assert!(!duplicate, "a duplicate key was accepted");
            assert!(depth <= LIMITS.depth, "a depth of {depth} was accepted");
        }
        // `serde_json` can't represent its numbers or its depth, so nothing more can be checked.
        Json::Unsure => {}
    }
    false
}

/// Checks the shape of an error response. Returns its code and id.
fn error_of(body: &[u8]) -> (i64, Option<Value>) {
    assert!(!body.iter().any(|byte| *byte < b' '), "the response is one line");
    let answer: Value = serde_json::from_slice(body).expect("the response is JSON");
    let object = answer.as_object().expect("the response is an object");
    assert_eq!(object.get("jsonrpc"), Some(&"2.0".into()));
    assert!(!object.contains_key("result"));
    let code = answer
        .pointer("/error/code")
        .and_then(Value::as_i64)
        .expect("the error has a code");
    let message = answer
        .pointer("/error/message")
        .and_then(Value::as_str)
        .expect("the error has a message");
    assert!(
        !message.is_empty() && message.len() <= 1_024,
        "the message isn't empty or too long"
    );
    assert!(
        !message.chars().any(char::is_control),
        "the message has no control characters"
    );
    (code, answer.get("id").filter(|id| !id.is_null()).cloned())
}

fn check_rejection(reply: &Reply, transport: TransportKind, seen: &Seen, body: &[u8]) {
    assert!(reply.effects.is_empty());
    assert!(
        [200, 202, 400, 404, 413].contains(&reply.status),
        "{}",
        reply.status
    );
    let Some(answer) = &reply.body else {
        assert_eq!(transport, TransportKind::Stdio, "only stdio allows no response");
        assert!(!seen.has("id"), "a rejected request gets a response");
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
    assert_eq!(
        reply.status == 202,
        transport == TransportKind::HttpSse && id.is_some()
    );
    if code == PARSE_ERROR {
        assert!(
            !matches!(seen.json, Json::Valid { .. }),
            "valid JSON isn't a parse error"
        );
        assert_eq!(id, None, "a parse error has no id");
    }
    if let Json::Valid { depth, duplicate } = seen.json {
        if seen.has("method") {
            assert_eq!(id, seen.id, "the response has the id of the request");
        } else if let Some(id) = id {
            assert_eq!(Some(id), seen.id);
        }
        if duplicate || depth > LIMITS.depth {
            assert_eq!(code, INVALID_REQUEST);
        }
    }
}

/// Calls everything that reads a request after decoding.
fn check_accessors(request: &Request) {
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
    let inputs = request.inputs(None).expect("the decoder has validated them");
    let interest = request.interest();
    assert!(interest.uris.len() <= INTEREST_MAX && interest.tasks.len() <= INTEREST_MAX);
    let is_answered_without_handler = matches!(
        request.operation(),
        Operation::Initialize
            | Operation::Ping
            | Operation::Discover
            | Operation::SetLogLevel
            | Operation::Listen
    );
    assert_eq!(request.method(&inputs).is_none(), is_answered_without_handler);
}

fn check_request(request: &Request, facts: &TransportFacts<'_>, seen: &Seen) {
    check_accessors(request);
    let rejection = encode::error(
        Some(request.id()),
        Some(request.revision()),
        &crate::RpcError::internal(),
    );
    assert_eq!(error_of(&rejection).1, seen.id, "the id is returned unchanged");
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
            assert_ne!(facts.transport, TransportKind::HttpSse, "HTTP+SSE is legacy only");
            if facts.transport == TransportKind::Http {
                assert_eq!(facts.version.text(), Some(request.revision().as_str()));
                assert_eq!(facts.method.text(), Some(method));
            }
        }
        Era::Legacy => {
            let negotiated = facts.session.map(|session| session.revision);
            let is_first = matches!(request.operation(), Operation::Initialize | Operation::Ping);
            assert!(
                is_first || facts.transport == TransportKind::Http || negotiated == Some(request.revision()),
                "the negotiated revision applies"
            );
        }
    }
}

/// Tests the routing headers of one call. The input consists of lines for `MCP-Protocol-Version`, `Mcp-Method`
/// and `Mcp-Name`, and the name of the tool in the body. The call must be accepted exactly if the headers equal
/// the body.
///
/// # Panics
/// Panics if the result contradicts the expectation.
pub fn headers(input: &[u8]) {
    let (version, rest) = line(input);
    let (method, rest) = line(rest);
    let (named, tool) = line(rest);
    let (version, method, named) = (header(version), header(method), header(named));
    for header in [version, method, named] {
        check_header(header);
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
    let matches = plain(version) == Some("2026-07-28")
        && plain(method) == Some("tools/call")
        && decoded(named).as_deref() == Some(&*tool);
    check_call(&body, [version, method, named], matches);

    // Every name has an encoded form, which is always accepted.
    let encoded = format!("=?base64?{}?=", STANDARD.encode(tool.as_bytes()));
    let valid = [b"2026-07-28".as_slice(), b"tools/call", encoded.as_bytes()].map(Header::One);
    check_call(&body, valid, true);
}

fn check_call(body: &Bytes, [version, method, name]: [Header<'_>; 3], matches: bool) {
    let facts = TransportFacts {
        version,
        method,
        name,
        ..TransportFacts::new(TransportKind::Http, None)
    };
    match decoder().decode(body, &facts) {
        Incoming::Request(request) => {
            assert!(matches, "headers that differ from the body were accepted");
            assert_eq!(request.operation(), Operation::CallTool);
        }
        Incoming::Rejected(reply) => {
            assert!(!matches, "headers that equal the body were rejected");
            let answer = reply.body.expect("HTTP always answers");
            assert_eq!((reply.status, error_of(&answer).0), (400, HEADER_MISMATCH));
        }
        other => unreachable!("the message is a request: {other:?}"),
    }
}

/// Checks the properties of a single header.
fn check_header(header: Header<'_>) {
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

/// Reads a header's text by a different implementation.
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
    // Removing spaces changes neither valid UTF-8 nor invalid UTF-8 into the other.
    std::str::from_utf8(value.get(start..end)?).ok()
}

/// Reads the text of `Mcp-Name` by a different implementation.
fn decoded(header: Header<'_>) -> Option<String> {
    let text = plain(header)?;
    let (Some(rest), true) = (text.strip_prefix("=?base64?"), text.ends_with("?=")) else {
        return Some(text.to_owned());
    };
    match rest.strip_suffix("?=") {
        Some(inner) => String::from_utf8(STANDARD.decode(inner).ok()?).ok(),
        None => Some(text.to_owned()),
    }
}
