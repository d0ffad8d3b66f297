//! End-to-end test of the binary: the demo starts, answers requests, rejects wrong keys, and stops cleanly.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Sends a request and returns the status and body of the answer.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn call(&self, key: &str, tool: &str, arguments: &Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
        let (status, body) = self.send(
            "POST",
            "/mcp",
            &[("x-api-key", key), ("MCP-Protocol-Version", "2025-06-18")],
            &body.to_string(),
        );
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["result"].clone()
    }
}

/// AUT-08.
#[test]
fn the_demo_accepts_its_own_keys_rejects_others_and_stops_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let info_path = folder.path().join("info.json");
    let log_path = folder.path().join("log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_watchpost-http"))
        .args([
            "--demo",
            "--listen",
            "127.0.0.1:0",
            "--log",
            "trace",
            "--demo-now",
            "2026-03-01T07:00:00Z",
        ])
        .arg("--demo-info")
        .arg(&info_path)
        .env("TMPDIR", folder.path())
        .env_remove("WATCHPOST_DATA_DIR")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log_path).unwrap())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let log = || std::fs::read_to_string(&log_path).unwrap();
    let url = line
        .strip_prefix("listening on http://")
        .unwrap_or_else(|| panic!("{line}{}", log()));
    let server = Server {
        child,
        address: url.trim().to_owned(),
    };

    let info: Value = serde_json::from_slice(&std::fs::read(&info_path).unwrap()).unwrap();
    let (read, write) = (
        info["read_key"].as_str().unwrap(),
        info["write_key"].as_str().unwrap(),
    );
    assert_eq!(info["mcp_url"], format!("http://{}/mcp", server.address));
    assert_eq!(info["sse_url"], format!("http://{}/sse", server.address));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&info_path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    let risk = server.call(read, "get_risk_score", &json!({}))["structuredContent"].clone();
    assert!(
        risk["score"]
            .as_u64()
            .is_some_and(|score| score > 0 && score < 100),
        "{risk}"
    );
    assert_eq!(risk["as_of"], "2026-03-01T07:00:00Z");
    assert!(risk["change"].is_object(), "the demo has a history: {risk}");
    let sources = server.call(read, "get_integrations", &json!({}))["structuredContent"].clone();
    assert_eq!(sources["integrations"].as_array().unwrap().len(), 2, "{sources}");
    let rejected = server.call(read, "trigger_sync", &json!({}));
    assert_eq!(rejected["isError"], true);
    let started = server.call(write, "trigger_sync", &json!({}))["structuredContent"].clone();
    assert_eq!(started["status"], "triggered", "{started}");

    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let none = server.send("POST", "/mcp", &[], list);
    assert_eq!(none, (401, r#"{"error":"API key required"}"#.to_owned()));
    let bad_key = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR";
    let wrong = server.send(
        "POST",
        "/mcp",
        &[("Authorization", &format!("Bearer {bad_key}"))],
        list,
    );
    assert_eq!(wrong, (401, r#"{"error":"Invalid API key"}"#.to_owned()));
    assert_eq!(server.send("GET", "/healthz", &[], "").0, 200);
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 200);
    let (status, metrics) = server.send("GET", "/metrics", &[], "");
    assert_eq!(status, 200);
    assert!(
        metrics.contains("watchpost_requests_total{outcome=\"wrong_key\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("watchpost_ready 1"), "{metrics}");

    let welcome = read_until(&mut out, "Then ask");
    let tools = tools_through(&snippet_for("Claude Desktop", &welcome));
    assert_eq!(
        tools, 15,
        "the printed snippet starts a client's server: {welcome}"
    );

    let mut stored = 0;
    let mut folders = vec![folder.path().to_owned()];
    while let Some(path) = folders.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path != info_path {
                let bytes = std::fs::read(&path).unwrap();
                stored += bytes.len();
                let holds = |key: &str| bytes.windows(key.len()).any(|window| window == key.as_bytes());
                assert!(!holds(read) && !holds(write), "a key is in {}", path.display());
            }
        }
    }
    assert!(stored > 100_000, "only {stored} bytes were searched");

    let killed = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let mut server = server;
    assert_eq!(server.child.wait().unwrap().code(), Some(0), "{}", log());
    let log = log();
    for secret in [read, write, bad_key] {
        assert!(!log.contains(secret), "a key is in the log");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("watchpost-demo-"))
        .collect();
    assert!(left.is_empty(), "the temporary folder is not removed: {left:?}");
    let mut rest = welcome;
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(
        rest.matches(write).count(),
        1,
        "the write key must be shown exactly once: {rest}"
    );
}

/// The lines up to the one that begins with `start`.
fn read_until(out: &mut impl std::io::BufRead, start: &str) -> String {
    let mut text = String::new();
    loop {
        let before = text.len();
        assert_ne!(out.read_line(&mut text).unwrap(), 0, "no line `{start}`: {text}");
        if text[before..].starts_with(start) {
            return text;
        }
    }
}

/// The JSON that is printed for a client.
fn snippet_for(client: &str, welcome: &str) -> Value {
    let (_, from) = welcome.split_once(&format!("\n{client} (")).unwrap();
    let (_, json) = from.split_once('\n').unwrap();
    let (json, _) = json.split_once("\n\n").unwrap();
    serde_json::from_str(json).unwrap()
}

/// Starts the server of a snippet as the client would, and returns the number of tools that it lists.
fn tools_through(snippet: &Value) -> usize {
    let server = &snippet["mcpServers"]["watchpost"];
    let args = server["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arg| arg.as_str().unwrap());
    let env = server["env"].as_object().unwrap().iter();
    let mut child = Command::new(server["command"].as_str().unwrap())
        .args(args)
        .envs(env.map(|(name, value)| (name, value.as_str().unwrap())))
        .env("WATCHPOST_AUDIT_CHECKPOINT_FILE", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    }});
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{hello}\n{list}").unwrap();
    drop(input);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    let answers = String::from_utf8(done.stdout).unwrap();
    let listed: Value = serde_json::from_str(answers.lines().last().unwrap()).unwrap();
    listed["result"]["tools"].as_array().unwrap().len()
}

#[test]
fn an_uninitialized_folder_is_rejected_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_watchpost-http"))
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let text = String::from_utf8(done.stderr).unwrap();
    assert!(text.contains("watchpost init"), "{text}");
    assert!(done.stdout.is_empty());
}
