use crate::{
    app::{App, GOOD},
    http_client::Request,
    stdio::Process,
    talk::{INITIALIZED, PING, call, initialize, post},
};
use serde_json::Value;

/// Returns a conversation: the client's messages, and whether each gets a response.
fn transcript(revision: &str) -> Vec<(String, bool)> {
    let list = r#"{"jsonrpc":"2.0","id":"list","method":"tools/list"}"#;
    let bad_id = r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":7}}"#;
    vec![
        (initialize(revision), true),
        (INITIALIZED.to_owned(), false),
        (PING.to_owned(), true),
        (list.to_owned(), true),
        (call(2, "echo"), true),
        (call("2", "echo"), true),
        (call(3, "no_such_tool"), true),
        (call(4, "panic"), true),
        (bad_id.to_owned(), true),
        (
            r#"{"jsonrpc":"2.0","id":10,"method":"no/such/method"}"#.to_owned(),
            true,
        ),
        (initialize(revision), true),
    ]
}

async fn over_http(revision: &str) -> Vec<Value> {
    let app = App::start().await;
    let mut client = app.connect().await;
    let mut session = None::<String>;
    let mut answers = Vec::new();
    for (line, is_answered) in transcript(revision) {
        let mut request = post(line);
        if let Some(id) = &session {
            request = request.header("Mcp-Session-Id", id);
        }
        let reply = client.ask(&request).await;
        session = session.or_else(|| reply.header("mcp-session-id").map(str::to_owned));
        if is_answered {
            answers.push(reply.json());
        }
    }
    answers
}

async fn over_http_sse(revision: &str) -> Vec<Value> {
    let app = App::start().await;
    let mut stream = app.connect().await;
    stream.ask(&Request::new("GET", "/sse").key(GOOD)).await;
    let path = stream
        .event()
        .await
        .unwrap()
        .strip_prefix("event: endpoint\ndata: ")
        .unwrap()
        .to_owned();
    let mut client = app.connect().await;
    let mut answers = Vec::new();
    for (line, is_answered) in transcript(revision) {
        assert_eq!(
            client.ask(&Request::post(&path, line).key(GOOD)).await.status,
            202
        );
        if is_answered {
            answers.push(stream.message().await.unwrap());
        }
    }
    answers
}

async fn over_stdio(revision: &str) -> Vec<Value> {
    let mut process = Process::admitted();
    let mut answers = Vec::new();
    for (line, is_answered) in transcript(revision) {
        process.send(line).await;
        if is_answered {
            answers.push(process.next().await.unwrap());
        }
    }
    answers
}

/// ERA-08.
#[tokio::test]
async fn a_conversation_has_the_same_responses_on_every_transport() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let http = over_http(revision).await;
        assert_eq!(http.len(), 10);
        assert!(
            http[3]["result"]["content"][0]["text"]
                .as_str()
                .unwrap()
                .starts_with("good-key said")
        );
        assert_eq!(over_http_sse(revision).await, http, "{revision}");
        assert_eq!(over_stdio(revision).await, http, "{revision}");
    }
}
