//! The limit on a legacy session's subscriptions, on every transport.

use crate::{
    app::{App, GOOD},
    http_client::{HttpClient, Request},
    stdio::Process,
    talk::{INITIALIZED, handshake, initialize, post},
};
use serde_json::{Value, json};

/// The number of subscriptions that fit: 63,000 bytes, with a limit of 65,536.
const FITTING: usize = 21;

/// Returns `resources/subscribe` for a numbered resource with a URI of 3,000 bytes.
fn subscribe(number: usize) -> String {
    let uri = format!("bench://{number:02}{}", "x".repeat(2_990));
    json!({"jsonrpc": "2.0", "id": number, "method": "resources/subscribe", "params": {"uri": uri}})
        .to_string()
}

/// Checks the responses to one subscription too many, and to one that already exists.
fn check(answers: &[Value]) {
    let (last, fitting) = answers.split_last().unwrap();
    for answer in fitting {
        assert_eq!(answer["result"], json!({}), "{answer}");
    }
    assert_eq!(last["id"], FITTING);
    assert_eq!(last["error"]["code"], -32603, "{last}");
    assert_eq!(last["error"]["message"], "subscription limit reached", "{last}");
}

#[tokio::test]
async fn a_subscription_over_the_limit_is_rejected_over_http() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let session = handshake(&mut client, "2025-11-25").await;
    let mut answers = Vec::new();
    for number in 0..=FITTING {
        let request = post(subscribe(number)).header("Mcp-Session-Id", &session);
        answers.push(client.ask(&request).await.json());
    }
    check(&answers);
}

#[tokio::test]
async fn a_subscription_over_the_limit_is_rejected_over_http_sse() {
    let app = App::start().await;
    let mut stream = app.connect().await;
    stream.ask(&Request::new("GET", "/sse").key(GOOD)).await;
    let first = stream.event().await.unwrap();
    let path = first.strip_prefix("event: endpoint\ndata: ").unwrap().to_owned();
    let mut client = app.connect().await;
    let mut ask = async |stream: &mut HttpClient, body: String| {
        let reply = client.ask(&Request::post(&path, body).key(GOOD)).await;
        assert_eq!(reply.status, 202);
        stream.message().await.unwrap()
    };
    ask(&mut stream, initialize("2024-11-05")).await;
    let mut answers = Vec::new();
    for number in 0..=FITTING {
        answers.push(ask(&mut stream, subscribe(number)).await);
    }
    check(&answers);
}

#[tokio::test]
async fn a_subscription_over_the_limit_is_rejected_on_stdio() {
    let mut process = Process::admitted();
    process.ask(initialize("2025-11-25")).await;
    process.send(INITIALIZED).await;
    let mut answers = Vec::new();
    for number in 0..=FITTING {
        answers.push(process.ask(subscribe(number)).await);
    }
    check(&answers);
}
