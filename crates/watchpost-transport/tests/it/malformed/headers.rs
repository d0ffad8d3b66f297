//! Cases whose headers are invalid or disagree with the body.

use super::{corpus::Corpus, messages::envelope};
use serde_json::{Value, json};

const MODERN: &str = "MCP-Protocol-Version: 2026-07-28";
const PING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;

pub(super) fn add(corpus: &mut Corpus) {
    routing(corpus);
    names(corpus);
    legacy_versions(corpus);
    negotiation(corpus);
    sessions(corpus);
    framing(corpus);
}

fn body(method: &str, mut params: Value) -> String {
    params["_meta"] = envelope();
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string()
}

/// Returns methods, their parameters, and the value of their `Mcp-Name`.
fn modern() -> Vec<(&'static str, Value, Option<&'static str>)> {
    vec![
        ("tools/call", json!({"name": "echo"}), Some("echo")),
        ("resources/read", json!({"uri": "test://a"}), Some("test://a")),
        ("prompts/get", json!({"name": "brief"}), Some("brief")),
        ("tasks/get", json!({"taskId": "t"}), Some("t")),
        (
            "tasks/update",
            json!({"taskId": "t", "inputResponses": {}}),
            Some("t"),
        ),
        ("tasks/cancel", json!({"taskId": "t"}), Some("t")),
        ("tools/list", json!({}), None),
        ("server/discover", json!({}), None),
    ]
}

fn routing(corpus: &mut Corpus) {
    for (method, params, named) in modern() {
        let body = body(method, params);
        let plain = method.replace('/', "-");
        let says_method = format!("Mcp-Method: {method}");
        let mut add = |name: &str, headers: &[&str], with_name: bool| {
            let mut headers: Vec<String> = headers.iter().map(|line| (*line).to_owned()).collect();
            if with_name {
                headers.extend(named.map(|named| format!("Mcp-Name: {named}")));
            }
            corpus.http("header", &format!("{plain}-{name}"), &headers, &body);
        };
        add("none-at-all", &[], false);
        add("without-version", &[&says_method], true);
        add("without-method", &[MODERN], true);
        add("method-twice", &[MODERN, &says_method, &says_method], true);
        add("version-twice", &[MODERN, MODERN, &says_method], true);
        add(
            "version-legacy",
            &["MCP-Protocol-Version: 2025-11-25", &says_method],
            true,
        );
        add(
            "version-later",
            &["MCP-Protocol-Version: 2099-01-01", &says_method],
            true,
        );
        add("version-empty", &["MCP-Protocol-Version:", &says_method], true);
        let capitals = format!("Mcp-Method: {}", method.to_ascii_uppercase());
        add("method-in-capitals", &[MODERN, &capitals], true);
        add("method-another", &[MODERN, "Mcp-Method: ping"], true);
        add("method-empty", &[MODERN, "Mcp-Method:"], true);
        let encoded = format!("Mcp-Method: {}", method.replace('/', "%2F"));
        add("method-percent-encoded", &[MODERN, &encoded], true);
        let list = format!("Mcp-Method: {method}, {method}");
        add("method-as-a-list", &[MODERN, &list], true);
        if named.is_some() {
            add("without-name", &[MODERN, &says_method], false);
        }
    }
}

fn names(corpus: &mut Corpus) {
    let tool = body("tools/call", json!({"name": "echo"}));
    let foreign = body("tools/call", json!({"name": "héllo"}));
    let bare = body("tools/call", json!({}));
    let mut add = |name: &str, body: &str, values: &[&[u8]]| {
        let mut headers = vec![MODERN.as_bytes().to_vec(), b"Mcp-Method: tools/call".to_vec()];
        headers.extend(values.iter().map(|value| [b"Mcp-Name: ", *value].concat()));
        corpus.http("header", &format!("name-{name}"), &headers, body);
    };
    add("another", &tool, &[b"panic"]);
    add("empty", &tool, &[b""]);
    add("twice", &tool, &[b"echo", b"echo"]);
    add("twice-differently", &tool, &[b"echo", b"panic"]);
    add("in-capitals", &tool, &[b"ECHO"]);
    add("quoted", &tool, &[b"\"echo\""]);
    add("as-a-list", &tool, &[b"echo, echo"]);
    add("longer", &tool, &[b"echo2"]);
    add("shorter", &tool, &[b"ech"]);
    add("percent-encoded", &tool, &[b"%65cho"]);
    add("not-utf-8", &tool, &[b"\xff\xfe"]);
    add("latin-1", &foreign, &[b"h\xe9llo"]);
    add("base64-bare", &tool, &[b"ZWNobw=="]);
    add("base64-of-another", &tool, &[b"=?base64?ZmFsbA==?="]);
    add("base64-unpadded", &tool, &[b"=?base64?ZWNobw?="]);
    add("base64-rubbish", &tool, &[b"=?base64?!!!!?="]);
    add("base64-empty", &tool, &[b"=?base64??="]);
    add("base64-unclosed", &tool, &[b"=?base64?ZWNobw=="]);
    add("base64-unopened", &tool, &[b"ZWNobw==?="]);
    add("base64-in-capitals", &tool, &[b"=?BASE64?ZWNobw==?="]);
    add("base64-space-inside", &tool, &[b"=?base64?ZWNo bw==?="]);
    add("base64-not-utf-8", &tool, &[b"=?base64?//79?="]);
    add(
        "base64-twice-encoded",
        &tool,
        &[b"=?base64?PT9iYXNlNjQ/WldObmJ3PT0/PQ==?="],
    );
    add("base64-trailing-bits", &tool, &[b"=?base64?ZWNobx==?="]);
    add("quoted-printable", &tool, &[b"=?utf-8?q?echo?="]);
    add("long", &tool, &[&[b'e'; 4_000]]);
    add("given-and-the-parameter-missing", &bare, &[b"echo"]);
}

fn legacy_versions(corpus: &mut Corpus) {
    for (name, value) in [
        ("unknown-date", "2020-01-01"),
        ("word", "latest"),
        ("empty", ""),
        ("number", "1"),
        ("modern-without-envelope", "2026-07-28"),
        ("later-without-envelope", "2099-01-01"),
        ("two-in-one", "2025-11-25, 2025-06-18"),
        ("quoted", "\"2025-11-25\""),
        ("long", &"2".repeat(2_000)),
    ] {
        let headers = [format!("MCP-Protocol-Version: {value}")];
        corpus.http("header", &format!("version-{name}"), &headers, PING);
    }
    let twice = [
        "MCP-Protocol-Version: 2025-11-25",
        "MCP-Protocol-Version: 2025-11-25",
    ];
    corpus.http("header", "version-twice", &twice, PING);
    let bytes: [&[u8]; 1] = [b"MCP-Protocol-Version: \xff\xfe"];
    corpus.http("header", "version-not-utf-8", &bytes, PING);
    let response = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    corpus.http(
        "header",
        "response-under-the-modern-revision",
        &[MODERN],
        response,
    );
}

fn negotiation(corpus: &mut Corpus) {
    let modern = body("tools/list", json!({}));
    for (era, headers, body) in [
        ("legacy", vec![], PING),
        (
            "modern",
            vec![MODERN.as_bytes().to_vec(), b"Mcp-Method: tools/list".to_vec()],
            modern.as_str(),
        ),
    ] {
        let mut add = |kind: &str, name: &str, more: &[&[u8]]| {
            let mut headers: Vec<Vec<u8>> = headers.clone();
            headers.extend(more.iter().map(|line| line.to_vec()));
            corpus.http(kind, &format!("{name}-{era}"), &headers, body);
        };
        for (name, value) in [
            ("markup", "text/html, application/xhtml+xml"),
            ("empty", ""),
            ("star", "*"),
            ("half", "application"),
            ("slashes", "////"),
            ("space-for-a-comma", "application/json text/event-stream"),
            ("all-weighs-nothing", "*/*;q=0"),
            ("prefix", "application/jsonp, text/event-streams"),
            ("any-kind-of-json", "*/json, */event-stream"),
        ] {
            add("accept", name, &[format!("Accept: {value}").as_bytes()]);
        }
        add("accept", "not-utf-8", &[b"Accept: \xff\xfe"]);
        for (name, value) in [
            ("text", "text/plain"),
            ("empty", ""),
            ("text-json", "text/json"),
            ("json-rpc", "application/json-rpc"),
            ("jsonp", "application/jsonp"),
            ("suffix", "application/mcp+json"),
            ("form", "application/x-www-form-urlencoded"),
            ("multipart", "multipart/form-data; boundary=x"),
            ("events", "text/event-stream"),
            ("bytes", "application/octet-stream"),
            ("half", "json"),
            ("space-inside", "application /json"),
            ("list", "application/json, application/json"),
            ("star", "*/*"),
        ] {
            add(
                "content-type",
                name,
                &[format!("Content-Type: {value}").as_bytes()],
            );
        }
        add("content-type", "missing", &[b"-Content-Type"]);
        add(
            "content-type",
            "twice",
            &[
                b"Content-Type: application/json",
                b"Content-Type: application/json",
            ],
        );
        add(
            "content-type",
            "not-utf-8",
            &[b"Content-Type: application/json\xff"],
        );
        for (name, value) in [
            ("gzip", "gzip"),
            ("brotli", "br"),
            ("deflate", "deflate"),
            ("zstd", "zstd"),
            ("unknown", "x-unknown"),
            ("list", "identity, gzip"),
            ("empty", ""),
        ] {
            add(
                "content-encoding",
                name,
                &[format!("Content-Encoding: {value}").as_bytes()],
            );
        }
    }
}

fn sessions(corpus: &mut Corpus) {
    let long = "A".repeat(6_000);
    for (name, value) in [
        ("word", "nonsense"),
        ("empty", ""),
        ("zeroes", "00000000000000000000000000000000"),
        ("uuid", "6f1c2b1e-2b1e-4c1e-8b1e-6f1c2b1e2b1e"),
        ("path", "../../etc/passwd"),
        ("quotes", "' OR '1'='1"),
        (
            "not-the-alphabet",
            "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
        ),
        (
            "padded",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        ),
        ("nonce-alone", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        (
            "no-content",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        ("long", &long),
    ] {
        let headers = [format!("Mcp-Session-Id: {value}")];
        corpus.http("session", name, &headers, PING);
    }
    let twice = ["Mcp-Session-Id: a", "Mcp-Session-Id: b"];
    corpus.http("session", "twice", &twice, PING);
    let bytes: [&[u8]; 1] = [b"Mcp-Session-Id: \xff\xfe"];
    corpus.http("session", "not-utf-8", &bytes, PING);
}

fn framing(corpus: &mut Corpus) {
    for (name, headers) in [
        ("length-a-word", &["Content-Length: many"][..]),
        ("length-negative", &["Content-Length: -1"]),
        ("length-signed", &["Content-Length: +40"]),
        ("length-hexadecimal", &["Content-Length: 0x28"]),
        ("length-empty", &["Content-Length:"]),
        (
            "length-past-64-bits",
            &["Content-Length: 99999999999999999999999"],
        ),
        (
            "lengths-that-differ",
            &["Content-Length: 40", "Content-Length: 41"],
        ),
        (
            "length-and-chunks",
            &["Content-Length: many", "Transfer-Encoding: chunked"],
        ),
        (
            "chunks-that-are-none",
            &["-Content-Length", "Transfer-Encoding: chunked"],
        ),
        (
            "unknown-transfer-coding",
            &["-Content-Length", "Transfer-Encoding: rot13"],
        ),
        ("header-name-with-a-space", &["X Y: 1"]),
        ("no-host", &["-Host"]),
        ("two-hosts", &["Host: localhost", "Host: localhost"]),
        ("foreign-host", &["Host: elsewhere.example"]),
        ("foreign-origin", &["Origin: https://elsewhere.example"]),
        ("null-origin", &["Origin: null"]),
    ] {
        corpus.http("framing", name, headers, PING);
    }
}
