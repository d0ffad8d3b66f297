//! The tasks extension.

use crate::support::{Peer, Received, enveloped, plain};
use serde_json::{Value, json};
use watchpost_protocol::{ChangeHub, Revision, TransportKind};

fn send(method: &str, name: &str, params: Value, declared: bool) -> Received {
    let mut body = enveloped(method, params);
    if declared {
        body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
            json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    }
    Peer::modern_full(method, Some(name)).send(&body)
}

fn get(id: &str) -> Value {
    let mut result = send("tasks/get", id, json!({"taskId": id}), true)
        .result()
        .clone();
    result.as_object_mut().unwrap().remove("_meta");
    result
}

// TKX-01, TKX-03, TKX-08
#[test]
fn a_call_becomes_a_task_for_clients_that_declare_tasks() {
    let received = send(
        "tools/call",
        "long",
        json!({"name": "long", "task": {"ttl": 5}}),
        true,
    );
    let mut result = received.result().clone();
    assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"].is_object());
    result.as_object_mut().unwrap().remove("_meta");
    assert_eq!(
        result,
        json!({"resultType": "task", "taskId": "t-1", "status": "working", "createdAt": "2026-07-28T10:00:00Z",
            "lastUpdatedAt": "2026-07-28T10:00:01Z", "ttlMs": 60_000, "pollIntervalMs": 500,
            "statusMessage": "half-way"})
    );
    let received = send("tools/call", "long", json!({"name": "long"}), false);
    assert_eq!(
        received.outcome(),
        (200, -32603),
        "creating a task anyway is a bug in the handler"
    );
    let legacy = Peer::full(TransportKind::Http, &ChangeHub::new()).session(Revision::V2025_11_25);
    let received = legacy.send(&plain("tools/call", json!({"name": "long"})));
    assert_eq!(received.outcome(), (200, -32603));
}

// TKX-03, TKX-04, TKX-08
#[test]
fn a_task_has_the_members_of_its_status() {
    assert_eq!(
        (&get("t-1")["resultType"], &get("t-1")["status"]),
        (&json!("complete"), &json!("working"))
    );
    let done = get("t-2");
    assert_eq!(
        done["status"], "completed",
        "a tool error also completes the task"
    );
    assert_eq!(
        done["result"],
        json!({"resultType": "complete", "content": [{"type": "text", "text": "no"}], "isError": true})
    );
    let failed = get("t-3");
    assert_eq!(
        (&failed["status"], &failed["error"]["code"]),
        (&json!("failed"), &json!(-32603))
    );
    assert!(failed.get("result").is_none());
    let waiting = get("t-4");
    assert_eq!(waiting["inputRequests"]["sure-1"]["method"], "elicitation/create");
    assert!(waiting.get("requestState").is_none(), "TKX-07");
    let cancelled = get("t-5");
    assert_eq!(
        (&cancelled["status"], &cancelled["ttlMs"]),
        (&json!("cancelled"), &json!(null))
    );
    assert!(cancelled.get("pollIntervalMs").is_none() && cancelled.get("statusMessage").is_none());
}

// TKX-05, TKX-10
#[test]
fn tasks_are_updated_and_cancelled_by_id() {
    let done = |received: Received| {
        assert_eq!(received.result()["resultType"], "complete");
        assert!(received.result().get("status").is_none());
    };
    let answers = json!({"sure-1": {"action": "accept", "content": {"sure": true}}, "unknown": {}});
    done(send(
        "tasks/update",
        "t-4",
        json!({"taskId": "t-4", "inputResponses": answers}),
        true,
    ));
    done(send(
        "tasks/update",
        "t-4",
        json!({"taskId": "t-4", "inputResponses": {}}),
        true,
    ));
    done(send("tasks/cancel", "t-1", json!({"taskId": "t-1"}), true));
    let check = |method: &str, params: Value| {
        let id = params["taskId"].as_str().unwrap_or("").to_owned();
        assert_eq!(
            send(method, &id, params, true).outcome(),
            (200, -32602),
            "{method}"
        );
    };
    check("tasks/get", json!({"taskId": "gone"}));
    check("tasks/update", json!({"taskId": "gone", "inputResponses": {}}));
    check("tasks/update", json!({"taskId": "t-4"}));
    check("tasks/update", json!({"taskId": "t-4", "inputResponses": []}));
}

// TKX-06
#[test]
fn task_methods_require_the_declared_extension() {
    let required = json!({"requiredCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}});
    for (method, params) in [
        ("tasks/get", json!({"taskId": "gone"})),
        ("tasks/update", json!({"taskId": "gone", "inputResponses": {}})),
        ("tasks/cancel", json!({"taskId": "gone"})),
        (
            "subscriptions/listen",
            json!({"notifications": {"taskIds": ["gone"]}}),
        ),
    ] {
        let received = send(method, "gone", params, false);
        assert_eq!(received.outcome(), (400, -32021), "{method}");
        assert_eq!(received.json()["error"]["data"], required);
    }
}

// TKX-07, HDR-04
#[test]
fn task_methods_of_2025_11_25_do_not_exist_and_tasks_are_routed_by_id() {
    for method in ["tasks/list", "tasks/result"] {
        assert_eq!(
            send(method, "t-1", json!({"taskId": "t-1"}), true).outcome(),
            (404, -32601)
        );
    }
    let received = send("tasks/get", "t-2", json!({"taskId": "t-1"}), true);
    assert_eq!(received.outcome(), (400, -32020));
}
