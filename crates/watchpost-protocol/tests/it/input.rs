//! Requests for input from the client, in both eras.

use crate::{
    schema::assert_conforms,
    support::{Peer, Received, enveloped, plain},
};
use serde_json::{Value, json};
use std::{future::Future, pin::Pin, sync::Mutex};
use watchpost_protocol::{
    ChangeHub, ClientCapabilities, Link, Peer as ClientPeer, Revision, Seal, TransportKind, client_request,
};

/// A seal that only encodes its content.
struct PlainSeal;

impl Seal for PlainSeal {
    fn seal(&self, context: &[u8], state: &[u8]) -> Option<String> {
        Some(format!("{}|{}", hex(context), hex(state)))
    }

    fn open(&self, context: &[u8], sealed: &str) -> Option<Vec<u8>> {
        let (sealed_context, state) = sealed.split_once('|')?;
        let unhex = |text: &str| {
            (0..text.len() / 2)
                .map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok())
                .collect::<Option<Vec<u8>>>()
        };
        (sealed_context == hex(context)).then(|| unhex(state))?
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn modern(tool: &str, capabilities: &Value, more: Value) -> Received {
    let mut params = more;
    params["name"] = json!(tool);
    let mut body = enveloped("tools/call", params);
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    let link = Link {
        seal: Some(&PlainSeal),
        ..Link::default()
    };
    Peer::modern_full("tools/call", Some(tool))
        .send_over(body.to_string(), link)
        .0
}

fn text_of(received: &Received) -> &str {
    received.result()["content"][0]["text"].as_str().unwrap()
}

fn forms() -> Value {
    json!({"elicitation": {}})
}

// MRT-02, MRT-08, CCH-02
#[test]
fn a_modern_client_is_asked_by_the_result() {
    let asked = modern("ask", &forms(), json!({"arguments": {}}));
    let result = asked.result();
    assert_eq!(result["resultType"], "input_required");
    assert_eq!(
        result["inputRequests"],
        json!({"sure": {"method": "elicitation/create", "params": {"mode": "form", "message": "Really do it?",
            "requestedSchema": {"type": "object", "properties": {"sure": {"type": "boolean", "title": "Really?"}},
                "required": ["sure"]}}}})
    );
    assert!(result.get("ttlMs").is_none() && result.get("content").is_none());
    let state = result["requestState"].as_str().unwrap();
    let again = |answer: Value, arguments: Value| {
        modern(
            "ask",
            &forms(),
            json!({"arguments": arguments, "requestState": state, "inputResponses": {"sure": answer, "more": {}}}),
        )
    };
    let accepted = json!({"action": "accept", "content": {"sure": true, "other": 1}});
    assert_eq!(
        text_of(&again(accepted.clone(), json!({}))),
        "accepted Some(true)"
    );
    assert_eq!(
        text_of(&again(json!({"action": "decline"}), json!({}))),
        "declined"
    );
    assert_eq!(
        text_of(&again(json!({"action": "cancel"}), json!({}))),
        "cancelled"
    );
    // MRT-04, MRT-05: the state is valid only for this request.
    assert_eq!(again(accepted, json!({"text": "other"})).outcome(), (200, -32602));
}

// MRT-07, ELI-05
#[test]
fn an_invalid_answer_is_asked_for_again() {
    let check = |answer: Value| {
        let answers = json!({"inputResponses": {"sure": answer, "wrong_key": {"action": "decline"}}});
        let received = modern("ask", &forms(), answers.clone());
        assert_eq!(received.result()["resultType"], "input_required", "{answers}");
    };
    check(json!(12345));
    check(json!(null));
    check(json!("accept"));
    check(json!({}));
    check(json!({"action": "perhaps"}));
    check(json!({"action": "accept"}));
    check(json!({"action": "accept", "content": {}}));
    check(json!({"action": "accept", "content": {"sure": "yes"}}));
    check(json!({"action": "accept", "content": [true]}));
    let unproven = json!({"inputResponses": {"sure": {"action": "decline"}}});
    assert_eq!(text_of(&modern("ask", &forms(), unproven)), "never asked");
}

#[test]
fn malformed_answers_are_rejected() {
    let check = |more: Value| {
        assert_eq!(
            modern("ask", &forms(), more.clone()).outcome(),
            (200, -32602),
            "{more}"
        );
    };
    check(json!({"inputResponses": []}));
    check(json!({"inputResponses": "sure"}));
    check(json!({"requestState": 5}));
    check(json!({"requestState": "made up"}));
    let many: Value = (0..65)
        .map(|n| (n.to_string(), json!({})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    check(json!({"inputResponses": many}));
}

// MRT-03, ENV-04, ELI-02
#[test]
fn a_client_is_asked_only_for_what_it_declared() {
    let check = |tool: &str, capabilities: Value, required: Value| {
        let received = modern(tool, &capabilities, json!({}));
        assert_eq!(received.outcome(), (400, -32021), "{tool}");
        assert_eq!(
            received.json()["error"]["data"],
            json!({"requiredCapabilities": required})
        );
    };
    check("ask", json!({}), json!({"elicitation": {"form": {}}}));
    check(
        "ask",
        json!({"elicitation": {"url": {}}}),
        json!({"elicitation": {"form": {}}}),
    );
    check("ask-model", json!({"roots": {}}), json!({"sampling": {}}));
    check("ask-model", json!({"sampling": {}}), json!({"roots": {}}));
    check("needs-model", json!({}), json!({"sampling": {}}));
    let legacy = Peer::full(TransportKind::Http, &ChangeHub::new()).session(Revision::V2025_11_25);
    let received = legacy.send(&plain("tools/call", json!({"name": "needs-model"})));
    assert_eq!(
        received.outcome(),
        (200, -32602),
        "a legacy client never receives a modern error code"
    );
    assert_eq!(
        modern("ask-nothing", &forms(), json!({})).outcome(),
        (200, -32603),
        "a request for input without questions is a bug"
    );
}

#[test]
fn a_handler_can_tell_whether_it_can_ask() {
    assert_eq!(text_of(&modern("can-ask", &forms(), json!({}))), "true");
    assert_eq!(text_of(&modern("can-ask", &json!({}), json!({}))), "false");
    let check = |revision: Revision, form: bool, peer: bool, expected: &str| {
        let client = Peer::full(TransportKind::Http, &ChangeHub::new())
            .session(revision)
            .with_capabilities(ClientCapabilities {
                elicitation_form: form,
                ..ClientCapabilities::default()
            });
        let scripted = ScriptedClient::new(&[]);
        let link = Link {
            peer: peer.then_some(&scripted as &dyn ClientPeer),
            ..Link::default()
        };
        let body = plain("tools/call", json!({"name": "can-ask"})).to_string();
        assert_eq!(
            text_of(&client.send_over(body, link).0),
            expected,
            "{revision} {form} {peer}"
        );
    };
    check(Revision::V2025_11_25, true, true, "true");
    check(Revision::V2025_11_25, true, false, "false");
    check(Revision::V2025_11_25, false, true, "false");
    check(Revision::V2025_03_26, true, true, "false");
}

/// A legacy client that gives prepared answers, one after the other.
struct ScriptedClient {
    answers: Mutex<Vec<Option<String>>>,
    questions: Mutex<Vec<Value>>,
}

impl ScriptedClient {
    fn new(answers: &[Option<Value>]) -> Self {
        let answers = answers.iter().rev();
        Self {
            answers: Mutex::new(
                answers
                    .map(|answer| answer.as_ref().map(Value::to_string))
                    .collect(),
            ),
            questions: Mutex::default(),
        }
    }
}

impl ClientPeer for ScriptedClient {
    fn ask<'a>(
        &'a self,
        method: &'static str,
        params: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        let question = serde_json::from_slice(&client_request(1, method, &params)).unwrap();
        self.questions.lock().unwrap().push(question);
        let answer = self.answers.lock().unwrap().pop().flatten();
        Box::pin(async move { answer })
    }
}

fn legacy(revision: Revision, tool: &str, scripted: &ScriptedClient) -> Received {
    let client = Peer::full(TransportKind::Http, &ChangeHub::new())
        .session(revision)
        .with_capabilities(ClientCapabilities {
            elicitation_form: true,
            sampling: true,
            roots: true,
            ..ClientCapabilities::default()
        });
    let link = Link {
        peer: Some(scripted),
        ..Link::default()
    };
    let body = plain(
        "tools/call",
        json!({"name": tool, "inputResponses": 5, "requestState": 5}),
    );
    client.send_over(body.to_string(), link).0
}

// ELI-03, ERA-08: the same handler, asked through requests of the server.
#[test]
fn a_legacy_client_is_asked_with_a_request() {
    let check = |answer: Option<Value>, expected: &str| {
        let scripted = ScriptedClient::new(&[answer]);
        assert_eq!(
            text_of(&legacy(Revision::V2025_11_25, "ask", &scripted)),
            expected
        );
        let questions = scripted.questions.lock().unwrap();
        assert_eq!(questions.len(), 1);
        assert_conforms(Revision::V2025_11_25, "ElicitRequest", &questions[0]);
        assert_eq!(questions[0]["params"]["mode"], "form");
    };
    check(
        Some(json!({"action": "accept", "content": {"sure": false}})),
        "accepted Some(false)",
    );
    check(Some(json!({"action": "decline"})), "declined");
    check(Some(json!({"action": "cancel"})), "cancelled");
    check(None, "failed");
    check(Some(json!("what?")), "failed");
}

#[test]
fn the_call_fails_if_a_legacy_client_keeps_sending_invalid_answers() {
    let wrong = Some(json!({"action": "accept", "content": {"sure": 1}}));
    let scripted = ScriptedClient::new(&vec![wrong; 50]);
    assert_eq!(
        text_of(&legacy(Revision::V2025_11_25, "ask", &scripted)),
        "failed"
    );
    assert!(scripted.questions.lock().unwrap().len() < 10);
    let unsure = ScriptedClient::new(&[
        Some(json!({"action": "accept", "content": {}})),
        Some(json!({"action": "accept", "content": {"sure": true}})),
    ]);
    assert_eq!(
        text_of(&legacy(Revision::V2025_11_25, "ask", &unsure)),
        "accepted Some(true)",
        "asked again"
    );
}

#[test]
fn sampling_and_roots_are_requested_in_turn() {
    let scripted = ScriptedClient::new(&[Some(json!({"role": "assistant"})), Some(json!({"roots": []}))]);
    assert_eq!(
        text_of(&legacy(Revision::V2024_11_05, "ask-model", &scripted)),
        r#"{"role":"assistant"}"#
    );
    let methods: Vec<Value> = scripted
        .questions
        .lock()
        .unwrap()
        .iter()
        .map(|question| question["method"].clone())
        .collect();
    assert_eq!(methods, ["sampling/createMessage", "roots/list"]);
}

// ELI-08
#[test]
fn without_a_channel_to_the_client_the_call_reports_it() {
    let client = Peer::full(TransportKind::Http, &ChangeHub::new()).session(Revision::V2025_11_25);
    let received = client.send(&plain("tools/call", json!({"name": "ask"})));
    assert_eq!(received.result()["isError"], true);
    assert!(
        text_of(&received).contains("no way to ask"),
        "{}",
        text_of(&received)
    );
    let prompt = json!({"name": "greet", "arguments": {"whom": "?"}});
    assert_eq!(
        client.send(&plain("prompts/get", prompt)).outcome(),
        (200, -32602)
    );
}

// ELI-04, RPC-15
#[test]
fn forms_are_flat_and_match_the_revision() {
    let schema = |revision: Revision| {
        let scripted = ScriptedClient::new(&[None]);
        legacy(revision, "ask-all", &scripted);
        let question = scripted.questions.lock().unwrap()[0].clone();
        assert_conforms(revision, "ElicitRequest", &question);
        question["params"]["requestedSchema"]["properties"].clone()
    };
    let newer = schema(Revision::V2025_11_25);
    assert_eq!(
        newer["titled"],
        json!({"type": "string", "oneOf": [{"const": "a", "title": "An A"}, {"const": "b", "title": "A B"}]})
    );
    let named = json!({"type": "string", "enum": ["a", "b"], "enumNames": ["An A", "A B"]});
    assert_eq!(newer["named"], named);
    assert_eq!(
        newer["plain"],
        json!({"type": "string", "enum": ["a", "b"], "default": "a"})
    );
    assert_eq!(
        newer["age"],
        json!({"type": "integer", "minimum": 0, "maximum": 150, "default": 30})
    );
    assert_eq!(newer["score"], json!({"type": "number", "default": 95.5}));
    assert_eq!(
        newer["name"],
        json!({"type": "string", "title": "Name", "minLength": 2, "maxLength": 20})
    );
    let older = schema(Revision::V2025_06_18);
    assert_eq!(older["titled"], named, "the labels have the older form");
    assert_eq!(older["plain"], json!({"type": "string", "enum": ["a", "b"]}));
    assert_eq!(older["sure"], json!({"type": "boolean", "default": true}));
    let scripted = ScriptedClient::new(&[]);
    let received = legacy(Revision::V2025_06_18, "ask-many", &scripted);
    let is_error = &received.result()["isError"];
    assert_eq!(is_error, true, "2025-06-18 has no multiple choices");
}

#[test]
fn the_values_of_a_form_are_checked() {
    let check = |content: Value, fits: bool| {
        let answer = json!({"action": "accept", "content": content});
        let received = modern("ask-all", &forms(), json!({"inputResponses": {"sure": answer}}));
        let is_complete = received.result()["resultType"] == "complete";
        assert_eq!(is_complete, fits, "{content}");
    };
    let good = json!({"name": "Ada", "age": 36.0, "score": 1, "sure": false, "plain": "b", "titled": "a",
        "named": "b"});
    check(good.clone(), true);
    check(json!({"name": "Ada", "sure": true}), true);
    for (field, wrong) in [
        ("name", json!("A")),
        ("name", json!("x".repeat(21))),
        ("name", json!(null)),
        ("age", json!(36.5)),
        ("age", json!(151)),
        ("age", json!("36")),
        ("score", json!("1")),
        ("sure", json!("true")),
        ("plain", json!("c")),
        ("titled", json!("An A")),
        ("named", json!(["a"])),
    ] {
        let mut content = good.clone();
        content[field] = wrong;
        check(content, false);
    }
    let many = |chosen: Value| {
        let answer = json!({"action": "accept", "content": {"many": chosen}});
        modern("ask-many", &forms(), json!({"inputResponses": {"sure": answer}}))
    };
    assert_eq!(text_of(&many(json!(["b", "a"]))), "b+a");
    for wrong in [json!([]), json!(["c"]), json!("a"), json!(["a", "b", "a"])] {
        assert_eq!(many(wrong).result()["resultType"], "input_required");
    }
}

// MRT-01
#[test]
fn prompts_can_ask_too() {
    let mut body = enveloped(
        "prompts/get",
        json!({"name": "greet", "arguments": {"whom": "?"}}),
    );
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = forms();
    let peer = Peer::modern_full("prompts/get", Some("greet"));
    assert_eq!(peer.send(&body).result()["resultType"], "input_required");
    body["params"]["inputResponses"] = json!({"sure": {"action": "decline"}});
    assert_eq!(peer.send(&body).result()["resultType"], "complete");
}
