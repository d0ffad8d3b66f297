//! Cases whose parameters have wrong types, for every method of both eras, and invalid envelopes.

use super::{
    corpus::Corpus,
    messages::{envelope, of_each_type},
};
use serde_json::{Value, json};

/// A method, its valid parameters, and their typed members with the names of the valid types.
type Row = (
    &'static str,
    Value,
    &'static [(&'static str, &'static [&'static str])],
);

const STRING: &[&str] = &["string"];
const OBJECT: &[&str] = &["object"];
const TOKEN: &[&str] = &["string", "integer"];

fn both_eras() -> Vec<Row> {
    vec![
        (
            "tools/call",
            json!({"name": "echo", "arguments": {}, "_meta": {}}),
            &[
                ("name", STRING),
                ("arguments", OBJECT),
                ("_meta/progressToken", TOKEN),
            ],
        ),
        ("tools/list", json!({"cursor": "x"}), &[("cursor", STRING)]),
        ("resources/list", json!({"cursor": "x"}), &[("cursor", STRING)]),
        (
            "resources/templates/list",
            json!({"cursor": "x"}),
            &[("cursor", STRING)],
        ),
        ("resources/read", json!({"uri": "test://a"}), &[("uri", STRING)]),
        ("prompts/list", json!({"cursor": "x"}), &[("cursor", STRING)]),
        (
            "prompts/get",
            json!({"name": "brief", "arguments": {"who": "x"}}),
            &[("name", STRING), ("arguments", OBJECT), ("arguments/who", STRING)],
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "brief"}, "argument": {"name": "who", "value": "x"}}),
            &[
                ("ref", OBJECT),
                ("ref/type", STRING),
                ("ref/name", STRING),
                ("argument", OBJECT),
                ("argument/name", STRING),
                ("argument/value", STRING),
            ],
        ),
    ]
}

fn legacy() -> Vec<Row> {
    vec![
        (
            "resources/subscribe",
            json!({"uri": "test://a"}),
            &[("uri", STRING)],
        ),
        (
            "resources/unsubscribe",
            json!({"uri": "test://a"}),
            &[("uri", STRING)],
        ),
        ("logging/setLevel", json!({"level": "info"}), &[("level", &[])]),
        ("tasks/get", json!({"taskId": "t"}), &[("taskId", STRING)]),
        ("tasks/cancel", json!({"taskId": "t"}), &[("taskId", STRING)]),
    ]
}

/// Individual answers aren't included, because an invalid answer is asked for again.
fn modern() -> Vec<Row> {
    vec![
        ("server/discover", json!({}), &[("_meta/progressToken", TOKEN)]),
        (
            "subscriptions/listen",
            json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": ["test://a"]}}),
            &[
                ("notifications", OBJECT),
                ("notifications/toolsListChanged", &["boolean"]),
                ("notifications/resourcesListChanged", &["boolean"]),
                ("notifications/resourceSubscriptions", &["array"]),
                ("notifications/resourceSubscriptions/0", STRING),
            ],
        ),
        (
            "tools/call",
            json!({"name": "echo", "inputResponses": {"ask": {"action": "accept"}}, "requestState": "v1.A"}),
            &[("inputResponses", OBJECT), ("requestState", STRING)],
        ),
        (
            "resources/read",
            json!({"uri": "test://a", "inputResponses": {}, "requestState": "v1.A"}),
            &[("inputResponses", OBJECT), ("requestState", STRING)],
        ),
        (
            "prompts/get",
            json!({"name": "brief", "inputResponses": {}, "requestState": "v1.A"}),
            &[("inputResponses", OBJECT), ("requestState", STRING)],
        ),
        ("tasks/get", json!({"taskId": "t"}), &[("taskId", STRING)]),
        ("tasks/cancel", json!({"taskId": "t"}), &[("taskId", STRING)]),
        (
            "tasks/update",
            json!({"taskId": "t", "inputResponses": {"ask": {"action": "accept"}}}),
            &[("taskId", STRING), ("inputResponses", OBJECT)],
        ),
    ]
}

pub(super) fn add(corpus: &mut Corpus) {
    for (method, params, members) in both_eras().into_iter().chain(legacy()) {
        for (name, params) in wrong(&params, members) {
            let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
            corpus.body(
                "params",
                &format!("legacy-{}-{name}", plain(method)),
                body.to_string(),
            );
        }
    }
    for (method, params, members) in both_eras().into_iter().chain(modern()) {
        for (name, params) in wrong(&enveloped(params), members) {
            let name = format!("modern-{}-{name}", plain(method));
            post_modern(corpus, "params", &name, method, &params);
        }
    }
    whole_params(corpus);
    handshakes(corpus);
    envelopes(corpus);
}

fn plain(text: &str) -> String {
    text.trim_start_matches('_').replace('/', "-")
}

/// Adds an envelope that declares every client capability that these methods need.
fn enveloped(mut params: Value) -> Value {
    params["_meta"] = envelope();
    params["_meta"][CAPABILITIES] = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    params
}

/// Returns `params` with one member at a time of a wrong type, or missing if it is a required top-level member.
fn wrong(params: &Value, members: &[(&str, &[&str])]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (path, right) in members {
        let required = !matches!(
            *path,
            "arguments" | "cursor" | "_meta/progressToken" | "arguments/who" | "ref/name" | "requestState"
        ) && !path.starts_with("notifications/")
            && !path.starts_with("inputResponses");
        // For an optional member, `null` means that it is absent.
        let may_be_null = !required
            && !matches!(*path, "ref/name" | "notifications/resourceSubscriptions/0")
            && params["taskId"].is_null();
        for (kind, value) in of_each_type()
            .into_iter()
            .filter(|(kind, _)| !(right.contains(kind) || (may_be_null && *kind == "null")))
        {
            let mut params = params.clone();
            put(&mut params, path, value);
            found.push((format!("{}-{kind}", plain(path)), params));
        }
        if required {
            let mut params = params.clone();
            take(&mut params, path);
            found.push((format!("{}-missing", plain(path)), params));
        }
    }
    found
}

fn put(params: &mut Value, path: &str, value: Value) {
    match path.split_once('/') {
        Some((first, rest)) => put(at(params, first), rest, value),
        None => *at(params, path) = value,
    }
}

fn at<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    match value {
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        other => &mut other[key],
    }
}

fn take(params: &mut Value, path: &str) {
    match path.split_once('/') {
        Some((first, rest)) => take(&mut params[first], rest),
        None => {
            params.as_object_mut().unwrap().remove(path).unwrap();
        }
    }
}

/// Adds a modern request with matching headers.
fn post_modern(corpus: &mut Corpus, kind: &str, name: &str, method: &str, params: &Value) {
    let version = params["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str();
    let mut headers = vec![
        format!("MCP-Protocol-Version: {}", version.unwrap_or("2026-07-28")),
        format!("Mcp-Method: {method}"),
    ];
    let named = match method {
        "tools/call" | "prompts/get" => params["name"].as_str(),
        "resources/read" => params["uri"].as_str(),
        "tasks/get" | "tasks/update" | "tasks/cancel" => params["taskId"].as_str(),
        _ => None,
    };
    headers.extend(named.map(|named| format!("Mcp-Name: {named}")));
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    corpus.http(kind, name, &headers, body.to_string());
}

/// Adds cases whose `params` or `_meta` itself has a wrong type.
fn whole_params(corpus: &mut Corpus) {
    for (kind, value) in of_each_type().into_iter().filter(|(kind, _)| *kind != "object") {
        for method in [
            "ping",
            "tools/list",
            "tools/call",
            "resources/read",
            "prompts/get",
        ] {
            if kind == "null" && matches!(method, "ping" | "tools/list") {
                continue;
            }
            let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": value});
            let name = format!("legacy-{}-whole-{kind}", plain(method));
            corpus.body("params", &name, body.to_string());
        }
        for method in ["ping", "tools/list"].into_iter().filter(|_| kind != "null") {
            let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {"_meta": value}});
            let name = format!("legacy-{}-meta-{kind}", plain(method));
            corpus.body("params", &name, body.to_string());
        }
    }
    for (name, token) in [
        ("huge", "1e400"),
        ("fraction", "1.0"),
        ("past-64-bits", "9223372036854775808"),
    ] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"_meta":{{"progressToken":{token}}}}}}}"#
        );
        corpus.body("params", &format!("legacy-progress-token-{name}"), body);
    }
    let digits = "1".repeat(2_000);
    for (name, number) in [("huge", "-1e99999"), ("2000-digits", &digits)] {
        for (method, member) in [
            ("tools/call", "name"),
            ("tools/call", "arguments"),
            ("tools/list", "cursor"),
            ("resources/read", "uri"),
        ] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{"{member}":{number}}}}}"#);
            let name = format!("legacy-{}-{member}-number-{name}", plain(method));
            corpus.body("params", &name, body);
        }
    }
    let long = "\"".to_owned() + &"p".repeat(1_025) + "\"";
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"_meta":{{"progressToken":{long}}}}}}}"#
    );
    corpus.body("params", "legacy-progress-token-long", body);
}

fn handshakes(corpus: &mut Corpus) {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "desk", "version": "1"},
    });
    let members: &[(&str, &[&str])] = &[
        ("protocolVersion", STRING),
        ("capabilities", OBJECT),
        ("clientInfo", OBJECT),
        ("clientInfo/name", STRING),
        ("clientInfo/version", STRING),
    ];
    for (name, params) in wrong(&params, members) {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": params});
        corpus.body("handshake", &name, body.to_string());
    }
    corpus.body(
        "handshake",
        "no-params",
        r#"{"jsonrpc":"2.0","id":7,"method":"initialize"}"#,
    );
    for (kind, value) in of_each_type() {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": value});
        corpus.body("handshake", &format!("whole-{kind}"), body.to_string());
    }
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": params});
    let headers = ["MCP-Protocol-Version: 2026-07-28"];
    corpus.http(
        "header",
        "handshake-under-the-modern-revision",
        &headers,
        body.to_string(),
    );
}

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Adds cases with invalid members of the envelope. The headers match as far as possible.
fn envelopes(corpus: &mut Corpus) {
    for method in ["tools/call", "server/discover"] {
        let params = match method {
            "tools/call" => enveloped(json!({"name": "echo"})),
            _ => enveloped(json!({})),
        };
        let mut add = |name: String, key: &str, value: Option<Value>| {
            let mut params = params.clone();
            match value {
                Some(value) => params["_meta"][key] = value,
                None => drop(params["_meta"].as_object_mut().unwrap().remove(key)),
            }
            post_modern(
                corpus,
                "envelope",
                &format!("{}-{name}", plain(method)),
                method,
                &params,
            );
        };
        for (kind, value) in of_each_type() {
            if kind != "string" {
                add(format!("version-{kind}"), VERSION, Some(value.clone()));
            }
            if kind != "object" {
                add(format!("capabilities-{kind}"), CAPABILITIES, Some(value.clone()));
            }
            if kind == "null" {
                continue;
            }
            if kind != "object" {
                let info = "io.modelcontextprotocol/clientInfo";
                add(format!("client-{kind}"), info, Some(value.clone()));
            }
            let level = "io.modelcontextprotocol/logLevel";
            add(format!("log-level-{kind}"), level, Some(value));
        }
        add("capabilities-missing".into(), CAPABILITIES, None);
        for level in ["INFO", "trace", "", "7"] {
            let name = format!(
                "log-level-says-{}",
                if level.is_empty() { "nothing" } else { level }
            );
            add(name, "io.modelcontextprotocol/logLevel", Some(level.into()));
        }
        for (name, version) in [
            ("later", "2099-01-01"),
            ("earlier-modern", "2026-07-27"),
            ("next-day", "2026-07-29"),
            ("legacy", "2025-11-25"),
            ("first", "2024-11-05"),
            ("word", "latest"),
            ("draft", "DRAFT-2026-v1"),
            ("longer", "2026-07-28-rc"),
            ("shorter", "2026-07"),
            ("number", "20260728"),
            ("one", "1"),
        ] {
            add(format!("version-says-{name}"), VERSION, Some(version.into()));
        }
        let long = "9".repeat(3_000);
        add("version-long".into(), VERSION, Some(long.into()));
    }
}
