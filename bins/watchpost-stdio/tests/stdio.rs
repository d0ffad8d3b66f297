//! End-to-end tests of the binary, over pipes.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use watchpost_runtime::{
    data_dir::DataDir,
    instance::{Environment, init},
};

struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next_id: u64,
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    fn start(args: &[&str], key: Option<&str>, temporary: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchpost-stdio"));
        command
            .args(args)
            .env("TMPDIR", temporary)
            .env("XDG_STATE_HOME", temporary)
            .env_remove("WATCHPOST_API_KEY")
            .env_remove("WATCHPOST_WORKSPACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(key) = key {
            command.env("WATCHPOST_API_KEY", key);
        }
        let mut child = command.spawn().unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            next_id: 1,
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        writeln!(self.input.as_mut().unwrap(), "{message}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn handshake(&mut self) -> Value {
        let info = json!({"name": "test", "version": "1"});
        self.ask(
            "initialize",
            &json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info}),
        )
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments}))["result"]["structuredContent"]
            .clone()
    }

    /// Closes the input and returns the exit code. Fails if the output has anything other than the answers read so far.
    fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        self.child.wait().unwrap().code()
    }
}

fn initialized(folder: &Path, workspaces: &[&str]) -> String {
    let path = folder.join("data");
    let dir = DataDir::locate(Some(&path), &|_| None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        init(&dir, None, &Environment::system()).await.unwrap();
        for name in workspaces {
            init(&dir, Some(name), &Environment::system()).await.unwrap();
        }
    });
    path.to_str().unwrap().to_owned()
}

fn tool_names(answer: &Value) -> usize {
    answer["result"]["tools"].as_array().unwrap().len()
}

/// STD-02, STD-03, AUT-06.
#[test]
fn a_client_without_a_key_is_the_local_operator_with_the_given_scope() {
    let folder = tempfile::tempdir().unwrap();
    let data = initialized(folder.path(), &[]);
    for (args, tools) in [
        (vec!["--data-dir", &data], 15),
        (vec!["--data-dir", &data, "--scope", "write"], 20),
    ] {
        let mut client = Client::start(&args, None, folder.path());
        assert_eq!(client.handshake()["result"]["serverInfo"]["name"], "watchpost");
        assert_eq!(tool_names(&client.ask("tools/list", &json!({}))), tools);
        let risk = client.call("get_risk_score", &json!({}));
        assert_eq!(risk["state"], "not_connected", "{risk}");
        assert!(risk.get("score").is_none(), "{risk}");
        assert_eq!(client.end(), Some(0));
    }
}

/// STD-05.
#[test]
fn a_wrong_key_keeps_the_process_running_and_rejects_every_request() {
    let folder = tempfile::tempdir().unwrap();
    let data = initialized(folder.path(), &[]);
    let key = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR";
    let mut client = Client::start(&["--data-dir", &data], Some(key), folder.path());
    let rejected = json!({"code": 401, "message": "Invalid API key"});
    assert_eq!(client.handshake()["error"], rejected);
    assert_eq!(client.ask("tools/list", &json!({}))["error"], rejected);
    assert_eq!(client.ask("ping", &json!({}))["error"], rejected);
    assert_eq!(client.end(), Some(0));
}

#[test]
fn a_folder_with_several_workspaces_requires_a_workspace_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = initialized(folder.path(), &["other"]);
    let done = Command::new(env!("CARGO_BIN_EXE_watchpost-stdio"))
        .args(["--data-dir", &data])
        .env("XDG_STATE_HOME", folder.path())
        .env_remove("WATCHPOST_API_KEY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let text = String::from_utf8(done.stderr).unwrap();
    assert!(text.contains("`--workspace` (default, other)"), "{text}");
    assert!(done.stdout.is_empty(), "standard output is only for the protocol");
    let mut client = Client::start(
        &["--data-dir", &data, "--workspace", "other"],
        None,
        folder.path(),
    );
    assert!(client.handshake()["result"].is_object());
}

#[test]
fn the_demo_answers_the_handshake_before_it_is_ready_and_is_the_same_in_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--demo", "--demo-now", "2026-03-01T07:00:00Z"];
    let mut clients = [(); 2].map(|()| Client::start(&args, None, folder.path()));
    for client in &mut clients {
        assert!(client.handshake()["result"].is_object());
        assert_eq!(tool_names(&client.ask("tools/list", &json!({}))), 15);
    }
    let answers = clients.each_mut().map(|client| {
        let risk = client.call("get_risk_score", &json!({}));
        assert!(risk["score"].is_u64(), "{risk}");
        let findings = client.call("list_findings", &json!({"limit": 100}));
        // Cursors differ: each data folder has its own key.
        (risk, findings["findings"].clone(), findings["total"].clone())
    });
    let [first, second] = answers;
    assert_eq!(first, second);
    for client in clients {
        assert_eq!(client.end(), Some(0));
    }
}
