//! Requests for input during a call: requests to legacy clients, results for modern ones, and sealed state.

use crate::{
    app::{App, OTHER},
    http_client::{HttpClient, Reply, Request},
    stdio::Process,
    talk::{call, handshake, initialize, modern, post},
};
use serde_json::{Value, json};
use std::time::Duration;

const REVISION: &str = "2025-11-25";

fn accepted() -> Value {
    json!({"action": "accept", "content": {"really": true, "more": "ignored"}})
}

fn answer_to(question: &Value, result: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": question["id"], "result": result}).to_string()
}

/// Calls `ask` in a session. Returns the stream of the call and the question.
async fn asked(app: &App, id: &str) -> (HttpClient, Value) {
    let mut stream = app.connect().await;
    stream
        .send(post(call(9, "ask")).header("Mcp-Session-Id", id).bytes())
        .await;
    assert!(stream.reply().await.is_events());
    let question = stream.message().await.unwrap();
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Really?");
    assert_eq!(
        question["params"]["requestedSchema"],
        json!({"type": "object", "properties": {"really": {"type": "boolean"}}, "required": ["really"]})
    );
    (stream, question)
}

/// ELI-03, ELI-04, SHT-06.
#[tokio::test]
async fn a_legacy_client_is_asked_on_the_stream_of_its_call() {
    let app = App::start().await;
    for revision in ["2025-06-18", REVISION] {
        for (answer, text) in [
            (accepted(), "accepted Some(true)"),
            (json!({"action": "decline"}), "Declined"),
            (json!({"action": "cancel"}), "Cancelled"),
        ] {
            let mut client = app.connect().await;
            let id = handshake(&mut client, revision).await;
            let (mut stream, question) = asked(&app, &id).await;
            let reply = client
                .ask(&post(answer_to(&question, &answer)).header("Mcp-Session-Id", &id))
                .await;
            assert_eq!((reply.status, reply.body.as_str()), (202, ""));
            let last = stream.message().await.unwrap();
            assert_eq!(last["id"], 9);
            assert_eq!(last["result"]["content"][0]["text"], text);
            assert_eq!(stream.message().await, None);
        }
    }
}

/// ELI-05.
#[tokio::test]
async fn an_invalid_answer_is_asked_for_again() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let id = handshake(&mut client, REVISION).await;
    let (mut stream, mut question) = asked(&app, &id).await;
    for wrong in [
        json!({"action": "accept", "content": {"really": "yes"}}),
        json!({"action": "accept", "content": {}}),
        json!({"action": "perhaps"}),
    ] {
        let answer = post(answer_to(&question, &wrong)).header("Mcp-Session-Id", &id);
        assert_eq!(client.ask(&answer).await.status, 202);
        let again = stream.message().await.unwrap();
        assert_eq!(again["method"], "elicitation/create");
        assert_ne!(again["id"], question["id"]);
        question = again;
    }
    let answer = post(answer_to(&question, &accepted())).header("Mcp-Session-Id", &id);
    assert_eq!(client.ask(&answer).await.status, 202);
    assert_eq!(stream.message().await.unwrap()["result"]["isError"], false);
}

/// ELI-08, ELI-03.
#[tokio::test]
async fn the_call_fails_if_the_client_never_answers() {
    let app = App::with(|config| config.timing.client_answer = Duration::from_millis(30)).await;
    let id = handshake(&mut app.connect().await, REVISION).await;
    let (mut stream, question) = asked(&app, &id).await;
    let last = stream.message().await.unwrap();
    assert_eq!(last["result"]["content"][0]["text"], "Failed");
    // A late answer, or one to an unknown question, is ignored.
    for question in [question, json!({"id": 99})] {
        let late = post(answer_to(&question, &accepted())).header("Mcp-Session-Id", &id);
        assert_eq!(app.connect().await.ask(&late).await.status, 202);
    }
}

/// ELI-03.
#[tokio::test]
async fn an_answer_from_another_session_is_ignored() {
    let app = App::start().await;
    let id = handshake(&mut app.connect().await, REVISION).await;
    let mut client = app.connect().await;
    let other = handshake(&mut client, REVISION).await;
    let (mut stream, question) = asked(&app, &id).await;
    let answer = |id: &str, action: &str| {
        post(answer_to(&question, &json!({"action": action}))).header("Mcp-Session-Id", id)
    };
    assert_eq!(client.ask(&answer(&other, "cancel")).await.status, 202);
    assert_eq!(client.ask(&answer(&id, "decline")).await.status, 202);
    assert_eq!(
        stream.message().await.unwrap()["result"]["content"][0]["text"],
        "Declined"
    );
}

/// ELI-02.
#[tokio::test]
async fn only_a_client_that_supports_forms_is_asked() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let hello = initialize(REVISION).replace(r#""elicitation":{}"#, r#""roots":{}"#);
    let reply = client.ask(&post(hello)).await;
    let id = reply.header("mcp-session-id").unwrap().to_owned();
    let reply = client
        .ask(&post(call(9, "ask")).header("Mcp-Session-Id", &id))
        .await;
    assert_eq!(reply.json()["result"]["isError"], true, "{reply:?}");
    let reply = client.ask(&modern(9, "tools/call", json!({"name": "ask"}))).await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_i64()),
        (400, Some(-32021))
    );
    assert_eq!(
        reply.json()["error"]["data"]["requiredCapabilities"],
        json!({"elicitation": {"form": {}}})
    );
}

#[tokio::test]
async fn stdio_asks_while_other_messages_are_exchanged() {
    let mut process = Process::admitted();
    process.ask(initialize(REVISION)).await;
    let question = process.ask(call(9, "ask")).await;
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(
        process.ask(crate::talk::PING).await["id"],
        1,
        "other messages don't wait for the answer"
    );
    let last = process.ask(answer_to(&question, &accepted())).await;
    assert_eq!(
        (&last["id"], &last["result"]["isError"]),
        (&json!(9), &json!(false))
    );
}

/// Returns a modern call of `ask` by a client that supports forms.
fn ask(more: &Value) -> Request {
    let mut params = json!({"name": "ask"});
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    let request = modern(9, "tools/call", params);
    let able = String::from_utf8(request.bytes())
        .unwrap()
        .split_once("\r\n\r\n")
        .unwrap()
        .1
        .replace(
            r#""io.modelcontextprotocol/clientCapabilities":{}"#,
            r#""io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}"#,
        );
    request.body(able)
}

async fn state_of(client: &mut HttpClient) -> String {
    let reply = client.ask(&ask(&json!({}))).await;
    let result = reply.json()["result"].clone();
    assert_eq!(result["resultType"], "input_required");
    assert_eq!(result["inputRequests"]["sure"]["method"], "elicitation/create");
    assert!(result["inputRequests"]["sure"].get("id").is_none());
    assert!(result.get("ttlMs").is_none() && result.get("cacheScope").is_none());
    result["requestState"].as_str().unwrap().to_owned()
}

fn retry(state: &str, answer: &Value) -> Request {
    ask(&json!({"requestState": state, "inputResponses": {"sure": answer, "unasked": {"action": "accept"}}}))
}

fn code(reply: &Reply) -> Option<i64> {
    reply.json()["error"]["code"].as_i64()
}

/// MRT-02, MRT-07, MRT-08, MRT-09, ENV-09, ENV-10, CCH-02.
#[tokio::test]
async fn a_modern_client_is_asked_by_a_result_and_any_replica_accepts_the_answer() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let state = state_of(&mut client).await;
    for missing in [json!(5), json!({"action": "accept", "content": {"really": 1}})] {
        let again = client.ask(&retry(&state, &missing)).await;
        assert_eq!(
            again.json()["result"]["resultType"],
            "input_required",
            "{missing}"
        );
    }
    let replica = App::start().await;
    for app in [&app, &replica] {
        let done = app.connect().await.ask(&retry(&state, &accepted())).await;
        let result = &done.json()["result"];
        assert_eq!(
            (&result["resultType"], &result["content"][0]["text"]),
            (&json!("complete"), &json!("accepted Some(true)"))
        );
    }
}

/// MRT-04, MRT-05, RPC-11.
#[tokio::test]
async fn an_altered_foreign_or_expired_state_is_rejected() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let state = state_of(&mut client).await;
    let mut refused = Vec::new();
    let swapped = if state.ends_with('A') { "B" } else { "A" };
    let altered = format!("{}{swapped}", &state[..state.len() - 1]);
    for wrong in [&altered, &format!("{state}-TAMPERED"), &state[..8], "", "{}"] {
        refused.push(client.ask(&retry(wrong, &accepted())).await);
    }
    let foreign = retry(&state, &accepted()).set("X-Api-Key", OTHER);
    refused.push(client.ask(&foreign).await);
    let other_arguments = ask(&json!({
        "requestState": state, "inputResponses": {"sure": accepted()}, "arguments": {"a": 1},
    }));
    refused.push(client.ask(&other_arguments).await);
    app.clock.advance(11 * 60);
    refused.push(client.ask(&retry(&state, &accepted())).await);
    for reply in &refused {
        assert_eq!((reply.status, code(reply)), (200, Some(-32602)), "{reply:?}");
        assert_eq!(reply.body, refused[0].body, "all errors are equal");
    }
}
