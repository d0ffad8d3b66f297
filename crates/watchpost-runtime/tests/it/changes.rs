//! Tests of two processes on one file, as two instances: clients of one get notifications of the other's changes, and
//! both know the tasks of each other.

use crate::{client::Client, demo::Live};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use tokio::sync::watch;
use watchpost_core::{
    access::KeyScope,
    audit::{AuditQuery, AuditStore as _},
};
use watchpost_mcp::ChangeFeed;
use watchpost_protocol::{ChangeStream, Incoming, Link};
use watchpost_runtime::{instance::Instance, metrics::Counters, worker::Worker};
use watchpost_simulator::Company;

/// A process: its server, and a client of it.
struct Process {
    instance: Instance,
    client: Client,
    feed: ChangeFeed,
}

impl Process {
    async fn new(instance: Instance) -> Self {
        let client = Client::new(&instance).await.with_tasks();
        Self {
            feed: client.server.handler().change_feed(),
            client,
            instance,
        }
    }

    async fn send(&self, method: &str, params: Value) -> Value {
        self.client.send(method, params).await
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.client.call(tool, arguments).await;
        assert!(answer["result"].is_object(), "{tool}: {answer}");
        answer["result"].clone()
    }

    async fn listen(&self, interest: Value) -> ChangeStream {
        let params = json!({ "notifications": interest });
        let Incoming::Request(request) = self.client.decode("subscriptions/listen", params) else {
            panic!("a request")
        };
        self.client
            .server
            .listen(&self.client.scope, &request, Link::default())
            .await
            .unwrap_or_else(|refusal| panic!("refused: {refusal:?}"))
    }

    /// Runs all jobs that are due.
    async fn work(&self) {
        let (_stopping, stop) = watch::channel(false);
        Worker::new(&self.instance, Arc::new(Counters::default()))
            .drain(&stop)
            .await
            .expect("the jobs run");
    }
}

/// The pending notifications of a stream: the address of a changed resource, the state of a task, or the method.
fn notifications(stream: &mut ChangeStream) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(message) = stream.poll_next(&mut context) {
        let message: Value = serde_json::from_slice(&message.expect("the stream is open")).expect("JSON");
        let params = &message["params"];
        let notification = [&params["uri"], &params["status"], &message["method"]]
            .into_iter()
            .find_map(Value::as_str)
            .expect("a notification");
        assert!(
            out.insert(notification.to_owned()),
            "a second notification: {notification}"
        );
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

#[tokio::test]
async fn clients_get_notifications_of_changes_by_another_process() {
    let company = Company::load_embedded().expect("the company loads");
    let live = Live::new(company, None);
    let first = live.demo.instance().clone();
    let second = Instance::open(
        &live.data_dir(),
        first.settings().clone(),
        first.environment().clone(),
    )
    .expect("an instance");
    let here = Process::new(first).await;
    let there = Process::new(second).await;
    an_analysis_notifies_of_changed_resources(&here, &there).await;
    a_scan_notifies_of_the_changed_list(&here, &there).await;
    a_scan_is_a_task_of_its_caller(&here, &there).await;
    syncs_are_a_task_that_ends_with_the_analysis(&here, &there).await;
}

async fn an_analysis_notifies_of_changed_resources(here: &Process, there: &Process) {
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
    assert_eq!(notifications(&mut stream), set(&[]), "nothing has changed");

    let queued = there.call("trigger_sync", json!({})).await;
    assert_eq!(queued["resultType"], "task", "{queued}");
    there.work().await;
    here.feed.publish().await;
    let received = notifications(&mut stream);
    for uri in [POSTURE, INTEGRATIONS, &finding] {
        assert!(received.contains(uri), "no notification of {uri}: {received:?}");
    }
    assert!(!received.contains("watchpost://nothing"));
    assert!(
        notifications(&mut idle).contains(POSTURE),
        "the second stream has no notification"
    );
    here.feed.publish().await;
    assert_eq!(
        notifications(&mut stream),
        set(&[]),
        "a change has one notification"
    );

    // A change between the subscription and the first poll isn't missed.
    let mut late = here.listen(json!({"resourceSubscriptions": [finding]})).await;
    let id = finding.rsplit('/').next().expect("an id");
    there
        .call("snooze_finding", json!({"finding_id": id, "days": 3}))
        .await;
    here.feed.publish().await;
    assert_eq!(notifications(&mut late), set(&[&finding]));

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

async fn a_scan_notifies_of_the_changed_list(here: &Process, there: &Process) {
    let mut stream = here.listen(json!({"resourcesListChanged": true})).await;
    here.feed.publish().await;
    assert_eq!(notifications(&mut stream), set(&[]));
    there
        .call(
            "start_scan",
            json!({"scan_type": "compliance", "platform": "m365"}),
        )
        .await;
    here.feed.publish().await;
    assert_eq!(
        notifications(&mut stream),
        set(&[]),
        "there is no report before the scan has ended"
    );
    there.work().await;
    here.feed.publish().await;
    assert_eq!(notifications(&mut stream), set(&[LISTED]));
}

/// TKX-02.
async fn a_scan_is_a_task_of_its_caller(here: &Process, there: &Process) {
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
        "the task is unknown to the other process: {state}"
    );

    let mut stream = here.listen(json!({"taskIds": [id]})).await;
    here.feed.publish().await;
    assert_eq!(notifications(&mut stream), set(&["working"]));
    here.feed.publish().await;
    assert_eq!(notifications(&mut stream), set(&[]));
    there.work().await;
    here.feed.publish().await;
    assert_eq!(notifications(&mut stream), set(&["completed"]));

    let state = here.send("tasks/get", json!({"taskId": id})).await;
    let result = &state["result"]["result"]["structuredContent"];
    assert_eq!(
        (result["status"].as_str(), result["outcome"].as_str()),
        (Some("completed"), Some("started"))
    );
    let scan = here.call("get_scan", json!({"scan_id": result["scan_id"]})).await;
    assert_eq!(scan["structuredContent"]["scan"]["status"], "completed");

    // All local operators are the same caller. Made-up and damaged ids are unknown.
    let workspace = here.instance.workspace(None).await.expect("one workspace");
    let other = here.instance.local_client(&workspace, KeyScope::Read);
    let state = here
        .client
        .send_as(&other, "tasks/get", json!({"taskId": id}))
        .await;
    assert_eq!(
        state["result"]["status"], "completed",
        "the task is unknown to another local operator: {state}"
    );
    let unknown = here.send("tasks/get", json!({"taskId": "bm90aGluZw"})).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    for at in 0..id.len() {
        let mut broken = id.clone().into_bytes();
        broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
        let broken = String::from_utf8(broken).expect("ASCII");
        let state = here.send("tasks/get", json!({"taskId": broken})).await;
        // The last characters of Base64 may have unused bits.
        assert!(
            at + 2 >= id.len() || state["error"] == unknown["error"],
            "{at}: {state}"
        );
    }

    // A repeated call right after the end is a task that is completed already.
    let again = here.call("start_scan", arguments.clone()).await;
    let state = here.send("tasks/get", json!({"taskId": again["taskId"]})).await;
    let repeated = &state["result"]["result"]["structuredContent"];
    assert_eq!(
        (&repeated["scan_id"], repeated["outcome"].as_str()),
        (&result["scan_id"], Some("just_completed"))
    );

    // A caller can cancel only a scan that its own call started.
    let mut arguments = arguments;
    arguments["read_settings"] = json!(false);
    let begun = here.call("start_scan", arguments.clone()).await;
    let id = begun["taskId"].as_str().expect("an id").to_owned();
    let joined = here.call("start_scan", arguments).await;
    let joined = joined["taskId"].as_str().expect("an id").to_owned();
    let cancel = here.send("tasks/cancel", json!({"taskId": joined})).await;
    assert!(cancel["result"].is_object(), "{cancel}");
    let state = here.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        state["result"]["status"], "working",
        "a scan that another call started must continue"
    );
    let cancel = there.send("tasks/cancel", json!({"taskId": id})).await;
    assert!(cancel["result"].is_object(), "{cancel}");
    let state = here.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(state["result"]["status"], "cancelled", "{state}");
    there.work().await;
}

async fn syncs_are_a_task_that_ends_with_the_analysis(here: &Process, there: &Process) {
    let begun = here.call("trigger_sync", json!({})).await;
    let id = begun["taskId"].as_str().expect("an id").to_owned();
    let state = here.send("tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        state["result"]["statusMessage"], "0 of 2 platforms read",
        "{state}"
    );
    // The request to cancel a sync is accepted, but the sync continues.
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
