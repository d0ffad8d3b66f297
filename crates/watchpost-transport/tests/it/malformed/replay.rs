use super::corpus::{Case, checked_in};
use crate::{
    app::{App, FakeGate, GOOD, bench, stdio_service},
    http_client::{HttpClient, Reply, Request},
    talk::{INITIALIZED, handshake, initialize},
};
use serde_json::{Map, Value, value::RawValue};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};
use watchpost_transport::serve_stdio;

/// The revision of the sessions.
pub(super) const REVISION: &str = "2025-11-25";

/// The transport and session state in which a case is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Http,
    HttpInSession,
    HttpSse,
    Stdio,
}

/// Returns the valid HTTP statuses and error codes for a kind of case. If the response is sent on a separate
/// stream, the status 202 comes first.
fn expected(kind: &str, over: Over) -> (&'static [u16], &'static [i64]) {
    match (kind, over) {
        ("truncated" | "syntax" | "encoding" | "nul", _) => (&[400], &[-32700]),
        ("depth" | "duplicate" | "id" | "message" | "batch", _) => (&[400], &[-32600]),
        // If the revision has batches, each invalid element has its own response.
        ("element", Over::Http) => (&[200], &[-32600, -32601, -32602]),
        ("element", _) => (&[400], &[-32600]),
        // HTTP+SSE has no modern messages.
        ("method", Over::HttpSse) => (&[], &[-32601, -32600]),
        ("method", _) => (&[200, 404], &[-32601]),
        ("params", Over::HttpSse) => (&[], &[-32602, -32601, -32600]),
        ("params", _) => (&[200, 400, 404], &[-32602, -32601]),
        ("handshake", _) => (&[200], &[-32602]),
        ("envelope", Over::HttpSse) => (&[], &[-32600]),
        ("envelope", _) => (&[400], &[-32602, -32022]),
        ("header", _) => (&[400], &[-32020, -32600, -32602, -32022]),
        ("accept", _) => (&[406], &[]),
        ("content-type" | "content-encoding", _) => (&[415], &[]),
        ("session", _) => (&[400, 404], &[]),
        ("framing", _) => (&[400, 403, 411, 413, 421, 501], &[]),
        ("notification", _) => (&[202, 400], &[-32600, -32602, -32020, -32022]),
        (other, _) => panic!("unknown kind {other}"),
    }
}

/// Whether only the headers are invalid. On other transports the body is then an ordinary message.
fn is_of_headers(kind: &str) -> bool {
    matches!(
        kind,
        "header" | "accept" | "content-type" | "content-encoding" | "session" | "framing"
    )
}

/// Returns the members of the message, including duplicates, or `None` if it isn't a JSON object.
fn members(body: &[u8]) -> Option<Vec<(String, Box<RawValue>)>> {
    struct Members(Vec<(String, Box<RawValue>)>);
    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct Walk;
            impl<'de> serde::de::Visitor<'de> for Walk {
                type Value = Members;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut found = Vec::new();
                    while let Some(entry) = map.next_entry()? {
                        found.push(entry);
                    }
                    Ok(Members(found))
                }
            }
            from.deserialize_map(Walk)
        }
    }
    serde_json::from_slice::<Members>(body)
        .ok()
        .map(|members| members.0)
}

/// Returns the id of a message that could be answered, if it has exactly one valid id. A response can't be
/// answered.
fn valid_id(body: &[u8]) -> Option<Value> {
    let members = members(body)?;
    let has = |name| members.iter().any(|(key, _)| key == name);
    if !has("method") && has("result") != has("error") {
        return None;
    }
    let mut ids = members.iter().filter(|(key, _)| key == "id");
    let (id, None) = (ids.next()?.1.get(), ids.next()) else {
        return None;
    };
    if let Ok(number) = id.parse::<i64>() {
        return Some(number.into());
    }
    let text: String = serde_json::from_str(id).ok()?;
    (text.len() <= 1_024).then(|| text.into())
}

fn is_request(body: &[u8]) -> bool {
    members(body).is_some_and(|members| members.iter().any(|(key, _)| key == "method"))
        && valid_id(body).is_some()
}

fn has_only(object: &Map<String, Value>, keys: &[&str]) -> bool {
    object.keys().all(|key| keys.contains(&key.as_str()))
}

/// Checks that `answer` is a valid error response with one of `codes` and with the id of the message, if it can
/// be read.
fn is_error(answer: &Value, body: &[u8], codes: &[i64]) -> Result<(), String> {
    let fail = |what: &str| Err(format!("{what}: {answer}"));
    let Some(object) = answer
        .as_object()
        .filter(|object| has_only(object, &["jsonrpc", "id", "error"]))
    else {
        return fail("not an error response");
    };
    if object.get("jsonrpc") != Some(&"2.0".into()) {
        return fail("no `jsonrpc` version");
    }
    let Some(error) = object["error"]
        .as_object()
        .filter(|error| has_only(error, &["code", "message", "data"]))
    else {
        return fail("no `error` object");
    };
    let Some(code) = error["code"].as_i64().filter(|code| codes.contains(code)) else {
        return fail("unexpected code");
    };
    let text = error["message"].as_str().unwrap_or_default();
    if text.is_empty() || text.len() > 600 || text.chars().any(char::is_control) {
        return fail("no valid message");
    }
    if error.get("data").is_some_and(|data| !data.is_object()) {
        return fail("`data` isn't an object");
    }
    // Bytes that aren't JSON have no id, whatever they look like.
    let id = valid_id(body).filter(|_| code != -32700);
    let said = object.get("id").filter(|id| !id.is_null());
    if said != id.as_ref() {
        return fail(&format!("the id should be {id:?}"));
    }
    Ok(())
}

/// Checks that `answer` is a valid response to the message.
fn is_response(answer: &Value, body: &[u8]) -> Result<(), String> {
    if answer.get("result").is_some_and(Value::is_object) && answer.get("id") == valid_id(body).as_ref() {
        return Ok(());
    }
    is_error(answer, body, &[-32700, -32600, -32601, -32602, -32020, -32022])
}

/// Checks an HTTP response.
fn check_reply(case: &Case, over: Over, reply: &Reply) -> Result<(), String> {
    let (statuses, codes) = expected(case.kind(), over);
    if !statuses.contains(&reply.status) {
        return Err(format!("expected one of the statuses {statuses:?}: {reply:?}"));
    }
    let kind = case.kind();
    if kind == "notification" && reply.status == 202 {
        let silent = reply.body.is_empty();
        return silent
            .then_some(())
            .ok_or_else(|| format!("expected no response: {reply:?}"));
    }
    if codes.is_empty() {
        return Ok(());
    }
    let answer = serde_json::from_str(&reply.body).map_err(|error| format!("{error}: {reply:?}"))?;
    match answer {
        Value::Array(answers) if kind == "element" && over == Over::Http => {
            let (refused, served): (Vec<_>, Vec<_>) =
                answers.iter().partition(|answer| answer.get("error").is_some());
            let right = !refused.is_empty()
                && refused.iter().all(|answer| {
                    codes.iter().any(|code| answer["error"]["code"] == *code) && answer["jsonrpc"] == "2.0"
                })
                && served.iter().all(|answer| answer["result"].is_object());
            right.then_some(()).ok_or_else(|| format!("{answers:?}"))
        }
        answer => is_error(&answer, &case.body, codes),
    }
}

/// Returns the bytes of a POST with the usual headers, changed by the case's headers.
pub(super) fn post(path: &str, session: Option<&str>, case: &Case) -> Vec<u8> {
    let length = case.body.len().to_string();
    let mut headers: Vec<Vec<u8>> = [
        "Host: localhost",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        &format!("X-Api-Key: {GOOD}"),
        &format!("Content-Length: {length}"),
    ]
    .map(|line| line.as_bytes().to_vec())
    .into();
    headers.extend(session.map(|id| format!("Mcp-Session-Id: {id}").into_bytes()));
    let name = |line: &[u8]| {
        let end = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        line[..end].to_ascii_lowercase()
    };
    let own = case.headers.iter().flatten();
    for line in own.clone() {
        let replaced = name(line.strip_prefix(b"-").unwrap_or(line));
        headers.retain(|header| name(header) != replaced);
    }
    headers.extend(own.filter(|line| !line.starts_with(b"-")).cloned());
    let mut out = format!("POST {path} HTTP/1.1\r\n").into_bytes();
    for line in headers {
        out.extend_from_slice(&line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&case.body);
    out
}

/// Returns a valid request with a unique id.
fn next_ping(count: usize) -> (String, Value) {
    let id = Value::from(format!("after-{count}"));
    (format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#), id)
}

fn report(over: Over, wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "over {over:?}, {} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn over_http(over: Over) {
    let app = App::start().await;
    let mut client = app.connect().await;
    let session = match over {
        Over::HttpInSession => Some(handshake(&mut client, REVISION).await),
        _ => None,
    };
    let session = session.as_deref();
    let mut wrong = Vec::new();
    for (count, (file, case)) in checked_in().into_iter().enumerate() {
        client.send(post("/mcp", session, &case)).await;
        let reply = client.reply().await;
        if let Err(why) = check_reply(&case, over, &reply) {
            wrong.push(format!("{file}: {why}"));
        }
        if case.kind() == "framing" {
            // The end of the message is unknown, so no request can follow it.
            client = app.connect().await;
        }
        let (ping, id) = next_ping(count);
        let mut ping = Request::post("/mcp", ping).key(GOOD);
        if let Some(session) = session {
            ping = ping.header("Mcp-Session-Id", session);
        }
        let reply = client.ask(&ping).await;
        assert_eq!((reply.status, &reply.json()["id"]), (200, &id), "after {file}");
    }
    report(over, &wrong);
}

#[tokio::test]
async fn over_streamable_http_without_a_session() {
    over_http(Over::Http).await;
}

#[tokio::test]
async fn over_streamable_http_in_a_session() {
    over_http(Over::HttpInSession).await;
}

/// Checks that the next message of a stream is the response to the case.
async fn on_the_stream(stream: &mut HttpClient, case: &Case) -> Result<(), String> {
    let (_, codes) = expected(case.kind(), Over::HttpSse);
    let answer = stream.message().await.expect("the stream hasn't ended");
    if is_of_headers(case.kind()) {
        is_response(&answer, &case.body)
    } else {
        is_error(&answer, &case.body, codes)
    }
}

#[tokio::test]
async fn over_http_sse() {
    let app = App::start().await;
    let mut stream = app.connect().await;
    stream.ask(&Request::new("GET", "/sse").key(GOOD)).await;
    let first = stream.event().await.unwrap();
    let path = first.strip_prefix("event: endpoint\ndata: ").unwrap().to_owned();
    let mut client = app.connect().await;
    for line in [initialize(REVISION), INITIALIZED.to_owned()] {
        assert_eq!(
            client.ask(&Request::post(&path, line).key(GOOD)).await.status,
            202
        );
    }
    stream.message().await.unwrap();
    let mut wrong = Vec::new();
    for (count, (file, case)) in checked_in().into_iter().enumerate() {
        client.send(post(&path, None, &case)).await;
        let reply = client.reply().await;
        let answered = case.kind() != "notification" && valid_id(&case.body).is_some();
        let verdict = match reply.status {
            202 if answered && (is_request(&case.body) || !is_of_headers(case.kind())) => {
                on_the_stream(&mut stream, &case).await
            }
            202 if case.kind() == "notification" || is_of_headers(case.kind()) => Ok(()),
            400..500 if is_of_headers(case.kind()) => Ok(()),
            _ => check_reply(&case, Over::HttpSse, &reply),
        };
        if let Err(why) = verdict {
            wrong.push(format!("{file}: {why}"));
        }
        if case.kind() == "framing" {
            client = app.connect().await;
        }
        let (ping, id) = next_ping(count);
        let reply = client.ask(&Request::post(&path, ping).key(GOOD)).await;
        assert_eq!(reply.status, 202, "after {file}");
        let answer = stream.message().await.expect("the stream hasn't ended");
        assert_eq!(answer["id"], id, "after {file}: {answer}");
    }
    report(Over::HttpSse, &wrong);
}

/// A stdio process that accepts raw bytes.
pub(super) struct Process {
    input: WriteHalf<DuplexStream>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
}

impl Process {
    pub(super) fn start() -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(theirs);
        let service = stdio_service(&bench(), &FakeGate::new(), Ok(GOOD.into()));
        tokio::spawn(serve_stdio(service, input, output, std::future::pending::<()>()));
        let (output, input) = tokio::io::split(ours);
        Self {
            input,
            output: BufReader::new(output).lines(),
        }
    }

    pub(super) async fn send(&mut self, line: impl AsRef<[u8]>) {
        self.input.write_all(line.as_ref()).await.unwrap();
        self.input.write_all(b"\n").await.unwrap();
    }

    pub(super) async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(20), self.output.next_line());
        let line = line.await.expect("a line arrives in time").unwrap();
        serde_json::from_str(&line.expect("the process hasn't ended")).unwrap()
    }
}

/// Returns the number of responses to the lines of a case.
fn answers_on_stdio(case: &Case) -> usize {
    match case.kind() {
        "notification" => 0,
        kind if is_of_headers(kind) => usize::from(is_request(&case.body)),
        _ => case
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
            .count(),
    }
}

#[tokio::test]
async fn over_stdio() {
    let mut process = Process::start();
    process.send(initialize(REVISION)).await;
    process.next().await;
    process.send(INITIALIZED).await;
    let mut wrong = Vec::new();
    for (count, (file, case)) in checked_in().into_iter().enumerate() {
        process.send(&case.body).await;
        let (_, codes) = expected(case.kind(), Over::Stdio);
        for _ in 0..answers_on_stdio(&case) {
            let answer = process.next().await;
            let verdict = if is_of_headers(case.kind()) {
                is_response(&answer, &case.body)
            } else {
                is_error(&answer, &case.body, codes)
            };
            if let Err(why) = verdict {
                wrong.push(format!("{file}: {why}"));
            }
        }
        let (ping, id) = next_ping(count);
        process.send(ping).await;
        let answer = process.next().await;
        assert_eq!(answer["id"], id, "after {file}: {answer}");
    }
    report(Over::Stdio, &wrong);
}
