//! Two processes on one file, as two instances: what one does is told to those who listen at the other, and a task that
//! one handed out is known to both.

use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use tokio::sync::watch;
use watchpost_core::{
    access::{KeyScope, WorkspaceScope},
    audit::{AuditQuery, AuditStore as _},
};
use watchpost_mcp::{ChangeFeed, McpServer};
use watchpost_protocol::{ChangeStream, Incoming, Link, Request, Server, TransportFacts, Wire};
use watchpost_runtime::{
    config::Settings,
    data_dir::DataDir,
    demo::{Demo, DemoOptions},
    instance::Instance,
    metrics::Counters,
    worker::Worker,
};

/// One process: its server, and somebody who uses it.
struct Desk {
    instance: Instance,
    server: Server<McpServer>,
    feed: ChangeFeed,
    scope: Arc<WorkspaceScope>,
}

impl Desk {
    async fn new(instance: Instance) -> Self {
        let workspace = instance.workspace(None).await.expect("one workspace");
        let mcp = instance.mcp().expect("a server");
        Self {
            feed: mcp.change_feed(),
            server: Server::new(mcp),
            scope: instance.operator(&workspace),
            instance,
        }
    }

    fn request(&self, method: &str, mut params: Value) -> Request {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {
                "extensions": {"io.modelcontextprotocol/tasks": {}}
            }
        });
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let bytes = serde_json::to_vec(&message).expect("JSON").into();
        match self
            .server
            .decode(&bytes, &TransportFacts::new(Wire::Stdio, None))
        {
            Incoming::Request(request) => request,
            other => panic!("not a request: {other:?}"),
        }
    }

    async fn send_as(&self, scope: &Arc<WorkspaceScope>, method: &str, params: Value) -> Value {
        let request = self.request(method, params);
        let reply = self.server.handle(scope, &request, Link::default()).await;
        serde_json::from_slice(&reply.body.expect("an answer")).expect("JSON")
    }

    async fn send(&self, method: &str, params: Value) -> Value {
        self.send_as(&self.scope, method, params).await
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self
            .send("tools/call", json!({"name": tool, "arguments": arguments}))
            .await;
        assert!(answer["result"].is_object(), "{tool}: {answer}");
        answer["result"].clone()
    }

    async fn listen_as(&self, scope: &Arc<WorkspaceScope>, interest: Value) -> ChangeStream {
        let request = self.request("subscriptions/listen", json!({ "notifications": interest }));
        self.server
            .listen(scope, &request, Link::default())
            .await
            .unwrap_or_else(|refusal| panic!("refused: {refusal:?}"))
    }

    async fn listen(&self, interest: Value) -> ChangeStream {
        self.listen_as(&self.scope, interest).await
    }

    /// Runs all jobs that are due.
    async fn work(&self) {
        let (_going_on, stop) = watch::channel(false);
        Worker::new(&self.instance, Arc::new(Counters::default()))
            .drain(&stop)
            .await
            .expect("the jobs run");
    }
}

/// What waits in a stream: the method, or the address of a resource that changed, or the state of a task.
fn told(stream: &mut ChangeStream) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(message) = stream.poll_next(&mut context) {
        let message: Value = serde_json::from_slice(&message.expect("the stream goes on")).expect("JSON");
        let params = &message["params"];
        let said = [&params["uri"], &params["status"], &message["method"]]
            .into_iter()
            .find_map(Value::as_str)
            .expect("a notification");
        assert!(out.insert(said.to_owned()), "{said} is told twice");
    }
    out
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const POSTURE: &str = "watchpost://posture";
const INTEGRATIONS: &str = "watchpost://integrations";
const RULE: &str = "watchpost://rules/id.admin_no_mfa";
const LISTED: &str = "notifications/resources/list_changed";

#[test]
fn what_another_process_does_is_told_to_those_who_listen() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let options = DemoOptions {
        data_dir: Some(data.clone()),
        now: None,
        settings: Settings::default(),
    };
    let demo = Demo::begin(options).expect("the demo begins");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        demo.live().await.expect("the demo lives");
        let first = demo.instance().clone();
        let dir = DataDir::locate(Some(&data), &|_| None).expect("the folder");
        let second =
            Instance::open(&dir, first.settings().clone(), first.environment().clone()).expect("it opens");
        let here = Desk::new(first).await;
        let there = Desk::new(second).await;
        resources_are_told_after_an_analysis(&here, &there).await;
        lists_are_told_after_a_scan(&here, &there).await;
        a_scan_is_a_task_of_its_caller(&here, &there).await;
        syncs_are_a_task_that_ends_with_the_analysis(&here, &there).await;
    });
}

async fn resources_are_told_after_an_analysis(here: &Desk, there: &Desk) {
    let findings = here.call("list_findings", json!({"limit": 1})).await;
    let finding = &findings["structuredContent"]["findings"][0];
    let finding = format!("watchpost://findings/{}", finding["id"].as_str().expect("an id"));
    let person = "watchpost://identities/mara.holt%40birchworks.example";
    let all = [POSTURE, INTEGRATIONS, &finding, "watchpost://nothing", RULE];
    let mut stream = here
        .listen(
            json!({"resourceSubscriptions": [POSTURE, INTEGRATIONS, finding, person, "watchpost://nothing"]}),
        )
        .await;
    let mut idle = here.listen(json!({"resourceSubscriptions": all})).await;
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&[]), "nothing has changed");

    let queued = there.call("trigger_sync", json!({})).await;
    assert_eq!(queued["resultType"], "task", "{queued}");
    there.work().await;
    here.feed.publish().await;
    let said = told(&mut stream);
    for uri in [POSTURE, INTEGRATIONS, &finding] {
        assert!(said.contains(uri), "{uri} is not told: {said:?}");
    }
    assert!(!said.contains("watchpost://nothing"));
    assert!(told(&mut idle).contains(POSTURE), "each stream is told");
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&[]), "a change is told once");

    // A change between the subscription and the first look isn't missed.
    let mut late = here.listen(json!({"resourceSubscriptions": [finding]})).await;
    let id = finding.rsplit('/').next().expect("an id");
    there
        .call("snooze_finding", json!({"finding_id": id, "days": 3}))
        .await;
    here.feed.publish().await;
    assert_eq!(told(&mut late), set(&[&finding]));

    drop((stream, idle, late));
    let workspace = here.instance.workspace(None).await.expect("one workspace");
    let query = AuditQuery {
        limit: 500,
        ..AuditQuery::default()
    };
    let scope = here.instance.operator(&workspace);
    let entries = here
        .instance
        .store()
        .list_entries(&scope, &query)
        .await
        .expect("entries");
    let listened = entries
        .iter()
        .filter(|row| row.operation == "subscriptions/listen")
        .count();
    assert_eq!(listened, 3);
}

async fn lists_are_told_after_a_scan(here: &Desk, there: &Desk) {
    let mut stream = here.listen(json!({"resourcesListChanged": true})).await;
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&[]));
    there
        .call(
            "start_scan",
            json!({"scan_type": "compliance", "platform": "m365"}),
        )
        .await;
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&[]), "no report before the scan has ended");
    there.work().await;
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&[LISTED]));
}

/// TKX-02.
async fn a_scan_is_a_task_of_its_caller(here: &Desk, there: &Desk) {
    let arguments = json!({"scan_type": "exposure", "platform": "m365"});
    let begun = here.call("start_scan", arguments.clone()).await;
    assert_eq!(
        (begun["resultType"].as_str(), begun["status"].as_str()),
        (Some("task"), Some("working"))
    );
    let id = begun["taskId"].as_str().expect("an id").to_owned();
    let state = there.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        state["result"]["status"], "working",
        "every process knows it: {state}"
    );

    let mut stream = here.listen(json!({"taskIds": [id]})).await;
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&["working"]));
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&[]));
    there.work().await;
    here.feed.publish().await;
    assert_eq!(told(&mut stream), set(&["completed"]));

    let state = here.send("tasks/get", json!({"taskId": id})).await;
    let result = &state["result"]["result"]["structuredContent"];
    assert_eq!(
        (result["status"].as_str(), result["outcome"].as_str()),
        (Some("completed"), Some("started"))
    );
    let scan = here.call("get_scan", json!({"scan_id": result["scan_id"]})).await;
    assert_eq!(scan["structuredContent"]["scan"]["status"], "completed");

    // To another caller of the same workspace it is as unknown as one that never was; so are broken ids.
    let workspace = here.instance.workspace(None).await.expect("one workspace");
    let other = here.instance.local_client(&workspace, KeyScope::Read);
    let state = here.send_as(&other, "tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        state["result"]["status"], "completed",
        "who opened the file is one caller: {state}"
    );
    let unknown = here.send("tasks/get", json!({"taskId": "bm90aGluZw"})).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    for at in 0..id.len() {
        let mut broken = id.clone().into_bytes();
        broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
        let broken = String::from_utf8(broken).expect("ASCII");
        let state = here.send("tasks/get", json!({"taskId": broken})).await;
        // The last characters may hold bits that stand for nothing.
        assert!(
            at + 2 >= id.len() || state["error"] == unknown["error"],
            "{at}: {state}"
        );
    }

    // Cancelling ends a scan that this caller started, and says so in the task.
    let begun = here.call("start_scan", arguments.clone()).await;
    let id = begun["taskId"].as_str().expect("an id").to_owned();
    let joined = here.call("start_scan", arguments).await;
    let joined = joined["taskId"].as_str().expect("an id").to_owned();
    let cancel = here.send("tasks/cancel", json!({"taskId": joined})).await;
    assert!(cancel["result"].is_object(), "{cancel}");
    let state = here.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        state["result"]["status"], "working",
        "what somebody else's call started goes on"
    );
    let cancel = there.send("tasks/cancel", json!({"taskId": id})).await;
    assert!(cancel["result"].is_object(), "{cancel}");
    let state = here.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(state["result"]["status"], "cancelled", "{state}");
    there.work().await;
}

async fn syncs_are_a_task_that_ends_with_the_analysis(here: &Desk, there: &Desk) {
    let begun = here.call("trigger_sync", json!({})).await;
    let id = begun["taskId"].as_str().expect("an id").to_owned();
    let state = here.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        state["result"]["statusMessage"], "0 of 2 platforms read",
        "{state}"
    );
    // Nothing stops a sync; the wish is heard.
    let cancel = here.send("tasks/cancel", json!({"taskId": id})).await;
    assert!(cancel["result"].is_object(), "{cancel}");
    there.work().await;
    let state = here.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(state["result"]["status"], "completed", "{state}");
    let result = &state["result"]["result"]["structuredContent"];
    assert_eq!(
        (result["status"].as_str(), result["changed"].as_bool()),
        (Some("triggered"), Some(true))
    );
    let jobs = result["jobs"].as_array().expect("jobs");
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|job| job["state"] == "completed"), "{result}");
}
