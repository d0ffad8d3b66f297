//! Cases that are JSON but not a valid message, or a valid message that the server doesn't support.

use super::corpus::Corpus;
use serde_json::{Value, json};

pub(super) fn add(corpus: &mut Corpus) {
    ids(corpus);
    shapes(corpus);
    methods(corpus);
    notifications(corpus);
    batches(corpus);
}

fn ids(corpus: &mut Corpus) {
    let long = format!("\"{}\"", "x".repeat(1_025));
    let long_escaped = format!("\"{}\"", "\\u00e9".repeat(513));
    let digits = "9".repeat(400);
    for (name, id) in [
        ("null", "null"),
        ("true", "true"),
        ("false", "false"),
        ("fraction", "1.5"),
        ("whole-fraction", "1.0"),
        ("exponent", "1e3"),
        ("negative-exponent", "10e-1"),
        ("past-64-bits", "9223372036854775808"),
        ("below-64-bits", "-9223372036854775809"),
        ("past-all-floats", "1e400"),
        ("400-digits", &digits),
        ("long-string", &long),
        ("long-escaped-string", &long_escaped),
        ("empty-array", "[]"),
        ("array", "[7]"),
        ("empty-object", "{}"),
        ("object", r#"{"id":7}"#),
    ] {
        for (method, params) in [
            ("ping", ""),
            ("tools/call", r#","params":{"name":"echo"}"#),
            (
                "initialize",
                concat!(
                    r#","params":{"protocolVersion":"2025-11-25","capabilities":{},"#,
                    r#""clientInfo":{"name":"a","version":"1"}}"#
                ),
            ),
        ] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"{params}}}"#);
            corpus.body("id", &format!("{name}-of-{}", method.replace('/', "-")), body);
        }
        let discover = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"server/discover","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
        );
        let headers = ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: server/discover"];
        corpus.http("id", &format!("{name}-of-server-discover"), &headers, discover);
        let response = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        corpus.body("id", &format!("{name}-of-a-result"), response);
    }
}

/// Returns one value of each JSON type, by the name of the type.
pub(super) fn of_each_type() -> [(&'static str, Value); 7] {
    [
        ("null", Value::Null),
        ("boolean", json!(true)),
        ("integer", json!(7)),
        ("fraction", json!(1.5)),
        ("string", json!("text")),
        ("array", json!([])),
        ("object", json!({})),
    ]
}

fn shapes(corpus: &mut Corpus) {
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"});
    for (name, value) in of_each_type().into_iter().filter(|(name, _)| *name != "array") {
        corpus.body("message", &format!("{name}-alone"), value.to_string());
    }
    for (name, value) in of_each_type() {
        let mut wrong = message.clone();
        wrong["jsonrpc"] = value.clone();
        corpus.body("message", &format!("version-{name}"), wrong.to_string());
        if name == "string" {
            continue;
        }
        let mut wrong = message.clone();
        wrong["method"] = value;
        corpus.body("message", &format!("method-{name}"), wrong.to_string());
    }
    for (name, version) in [
        ("1.0", "1.0"),
        ("2", "2"),
        ("2.00", "2.00"),
        ("space", " 2.0"),
        ("empty", ""),
        ("letter", "v2.0"),
        ("revision", "2025-11-25"),
        ("full-width", "２.０"),
    ] {
        let mut wrong = message.clone();
        wrong["jsonrpc"] = version.into();
        corpus.body("message", &format!("version-says-{name}"), wrong.to_string());
    }
    for (name, body) in [
        ("without-version", r#"{"id":7,"method":"ping"}"#),
        ("version-as-number", r#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#),
        (
            "version-in-capitals",
            r#"{"JSONRPC":"2.0","id":7,"method":"ping"}"#,
        ),
        (
            "members-in-capitals",
            r#"{"jsonrpc":"2.0","ID":7,"METHOD":"ping"}"#,
        ),
        ("id-alone", r#"{"jsonrpc":"2.0","id":7}"#),
        ("params-alone", r#"{"jsonrpc":"2.0","params":{}}"#),
        ("version-alone", r#"{"jsonrpc":"2.0"}"#),
        (
            "result-and-error",
            r#"{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":"x"}}"#,
        ),
        (
            "method-and-result",
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}"#,
        ),
        (
            "method-and-error",
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","error":{"code":1,"message":"x"}}"#,
        ),
        (
            "method-result-and-error",
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","result":{},"error":{}}"#,
        ),
        ("result-without-id", r#"{"jsonrpc":"2.0","result":{}}"#),
        (
            "wrapped",
            r#"{"message":{"jsonrpc":"2.0","id":7,"method":"ping"}}"#,
        ),
        (
            "as-text",
            r#""{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}""#,
        ),
    ] {
        corpus.body("message", name, body);
    }
}

fn methods(corpus: &mut Corpus) {
    let long = "m".repeat(4_000);
    for (name, method) in [
        ("unknown", "no/such/method"),
        ("empty", ""),
        ("space", " "),
        ("capitals", "PING"),
        ("space-after", "ping "),
        ("space-before", " ping"),
        ("nul-after", "ping\0"),
        ("newline-after", "ping\n"),
        ("slash-after", "tools/list/"),
        ("two-slashes", "tools//list"),
        ("dots", "tools/../ping"),
        ("point", "tools.list"),
        ("half", "tools"),
        ("reserved", "rpc.discover"),
        ("request-named-like-a-notification", "notifications/initialized"),
        ("cancelled-as-a-request", "notifications/cancelled"),
        ("of-the-client", "sampling/createMessage"),
        ("roots-of-the-client", "roots/list"),
        ("elicitation-of-the-client", "elicitation/create"),
        ("full-width", "ｐｉｎｇ"),
        ("right-to-left", "\u{202e}gnip"),
        ("long", &long),
        ("removed-task-list", "tasks/list"),
        ("removed-task-result", "tasks/result"),
        ("prototype", "__proto__"),
        ("constructor", "constructor"),
    ] {
        let legacy = json!({"jsonrpc": "2.0", "id": 7, "method": method});
        corpus.body("method", &format!("{name}-legacy"), legacy.to_string());
        let modern = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {"_meta": envelope()}});
        // A header that can't represent this method disagrees with the body, which is another kind of case.
        if method.trim() == method && method.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
            let headers = [
                "MCP-Protocol-Version: 2026-07-28".to_owned(),
                format!("Mcp-Method: {method}"),
            ];
            if !method.is_empty() {
                corpus.http("method", &format!("{name}-modern"), &headers, modern.to_string());
            }
        }
    }
    for method in ["ping", "initialize", "resources/subscribe", "logging/setLevel"] {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {"_meta": envelope()}});
        let headers = [
            "MCP-Protocol-Version: 2026-07-28".to_owned(),
            format!("Mcp-Method: {method}"),
        ];
        let name = format!("of-the-other-era-{}", method.replace('/', "-"));
        corpus.http("method", &name, &headers, body.to_string());
    }
    for method in ["server/discover", "subscriptions/listen", "tasks/update"] {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method});
        let name = format!("of-the-other-era-{}", method.replace('/', "-"));
        corpus.body("method", &name, body.to_string());
    }
}

pub(super) fn envelope() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn notifications(corpus: &mut Corpus) {
    let note = |method: &str, params: Value| json!({"jsonrpc": "2.0", "method": method, "params": params});
    for (name, value) in of_each_type() {
        let cancelled = note("notifications/cancelled", json!({"requestId": value}));
        corpus.body(
            "notification",
            &format!("cancelled-{name}"),
            cancelled.to_string(),
        );
        let initialized = note("notifications/initialized", value.clone());
        corpus.body(
            "notification",
            &format!("initialized-params-{name}"),
            initialized.to_string(),
        );
        let progress = note(
            "notifications/progress",
            json!({"progressToken": value, "progress": "much"}),
        );
        corpus.body(
            "notification",
            &format!("progress-token-{name}"),
            progress.to_string(),
        );
        if name != "string" {
            let method = json!({"jsonrpc": "2.0", "method": value});
            corpus.body("notification", &format!("method-{name}"), method.to_string());
        }
        let version = json!({"jsonrpc": value, "method": "notifications/initialized"});
        corpus.body("notification", &format!("version-{name}"), version.to_string());
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (name, body) in [
        (
            "unknown",
            r#"{"jsonrpc":"2.0","method":"notifications/no/such"}"#.to_owned(),
        ),
        (
            "cancelled-without-params",
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#.into(),
        ),
        (
            "cancelled-unknown",
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}"#.into(),
        ),
        (
            "call-without-id",
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}"#.into(),
        ),
        (
            "unknown-method-without-id",
            r#"{"jsonrpc":"2.0","method":"no/such/method"}"#.into(),
        ),
        (
            "duplicate-method",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized","method":"notifications/initialized"}"#
                .into(),
        ),
        (
            "duplicate-in-params",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{"a":1,"a":2}}"#.into(),
        ),
        (
            "deep",
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/initialized","params":{deep}}}"#),
        ),
        (
            "with-result",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized","result":{}}"#.into(),
        ),
        (
            "with-error",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized","error":{}}"#.into(),
        ),
    ] {
        corpus.body("notification", name, body);
    }
    for version in ["2099-01-01", "2025-11-25", ""] {
        let mut meta = envelope();
        meta["io.modelcontextprotocol/protocolVersion"] = version.into();
        let body = note("notifications/cancelled", json!({"requestId": 7, "_meta": meta}));
        let name = format!(
            "enveloped-version-{}",
            if version.is_empty() { "empty" } else { version }
        );
        corpus.body("notification", &name, body.to_string());
    }
    let headers = ["MCP-Protocol-Version: 2099-01-01"];
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    corpus.http("notification", "unserved-version-header", &headers, initialized);
}

fn batches(corpus: &mut Corpus) {
    let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let response = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    let modern =
        json!({"jsonrpc": "2.0", "id": 7, "method": "server/discover", "params": {"_meta": envelope()}});
    let initialize = json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": {
        "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"},
    }});
    let many: Vec<String> = (0..65)
        .map(|id| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#))
        .collect();
    for (name, body) in [
        ("empty", "[]".to_owned()),
        ("empty-with-space", "[ ]".into()),
        ("empty-in-one", "[[]]".into()),
        ("batch-in-a-batch", format!("[[{ping}]]")),
        ("batch-after-a-request", format!("[{ping},[{ping}]]")),
        ("empty-object", "[{}]".into()),
        ("null", "[null]".into()),
        ("numbers", "[1,2,3]".into()),
        ("text", r#"["ping"]"#.into()),
        ("request-and-number", format!("[{ping},1]")),
        ("request-and-null", format!("[{ping},null]")),
        ("request-and-empty-object", format!("[{ping},{{}}]")),
        ("request-and-response", format!("[{ping},{response}]")),
        ("response-and-notification", format!("[{response},{note}]")),
        ("response-without-id", r#"[{"jsonrpc":"2.0","result":{}}]"#.into()),
        ("one-over-the-limit", format!("[{}]", many.join(","))),
        ("enveloped", format!("[{modern}]")),
        ("enveloped-after-a-request", format!("[{ping},{modern}]")),
        (
            "duplicate-key-inside",
            r#"[{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}]"#.into(),
        ),
        ("no-method", r#"[{"jsonrpc":"2.0","id":7}]"#.into()),
    ] {
        corpus.body("batch", name, body);
    }
    // In 2025-03-26 these arrays are valid, but their elements aren't.
    for (name, body) in [
        ("initialize", format!("[{initialize}]")),
        (
            "initialize-after-a-request",
            format!(r#"[{{"jsonrpc":"2.0","id":6,"method":"ping"}},{initialize}]"#),
        ),
        ("same-id-twice", format!("[{ping},{ping}]")),
        (
            "bad-id",
            r#"[{"jsonrpc":"2.0","id":null,"method":"ping"}]"#.into(),
        ),
        (
            "bad-version",
            r#"[{"jsonrpc":"1.0","id":7,"method":"ping"}]"#.into(),
        ),
        ("bad-method", r#"[{"jsonrpc":"2.0","id":7,"method":7}]"#.into()),
        (
            "unknown-method",
            r#"[{"jsonrpc":"2.0","id":7,"method":"no/such/method"}]"#.into(),
        ),
        (
            "bad-params",
            r#"[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[]}]"#.into(),
        ),
        (
            "bad-tool-name",
            r#"[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":7}}]"#.into(),
        ),
    ] {
        corpus.body("element", name, body);
    }
    let headers = ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: ping"];
    corpus.http(
        "batch",
        "under-the-modern-revision",
        &headers,
        format!("[{ping}]"),
    );
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let headers = [format!("MCP-Protocol-Version: {revision}")];
        corpus.http(
            "batch",
            &format!("under-{revision}"),
            &headers,
            format!("[{ping}]"),
        );
    }
    for (name, body) in [
        ("unclosed", format!("[{ping}")),
        ("comma", format!("[{ping},]")),
        ("no-comma", format!("[{ping}{ping}]")),
    ] {
        corpus.body("syntax", &format!("batch-{name}"), body);
    }
}
