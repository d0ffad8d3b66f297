//! Tests of Tenant Configuration Management: the life cycle of a snapshot job, limits, missing permissions.

use crate::client::{Client, Got, read};
use serde_json::{Value, json};
use watchpost_simulator::{Change, Vendor};

const BASE: &str = "v1.0/admin/configurationManagement";
const SELECT: &str =
    "$select=id,displayName,status,resources,createdDateTime,completedDateTime,resourceLocation,errorDetails";

impl Client {
    async fn create_snapshot(&self, name: &str, types: &[&str]) -> Got {
        let body = json!({ "displayName": name, "description": "", "resources": types });
        self.graph_post(&format!("{BASE}/configurationSnapshots/createSnapshot"), &body)
            .await
    }

    /// Polls a job as a client that knows every status.
    async fn poll_knowing_all(&self, id: &str) -> Value {
        let url = format!(
            "{}/{BASE}/configurationSnapshotJobs/{id}?{SELECT}",
            self.simulator.m365().graph_url
        );
        let request = self
            .http
            .get(url)
            .bearer_auth(&self.graph_token)
            .header("prefer", "include-unknown-enum-members");
        read(request.send().await.unwrap()).await.json()
    }

    async fn poll(&self, id: &str) -> Value {
        let got = self
            .graph(&format!("{BASE}/configurationSnapshotJobs/{id}?{SELECT}"))
            .await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.json()
    }
}

fn id(got: &Got) -> String {
    assert_eq!(got.status, 201, "{}", got.body);
    got.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_job_runs_completes_and_can_be_deleted() {
    let client = Client::start().await;
    let got = client
        .create_snapshot(
            "Watchpost 20260302",
            &[
                "microsoft.teams.meetingpolicy",
                "microsoft.exchange.transportconfig",
                "microsoft.securityandcompliance.protectionalert",
            ],
        )
        .await;
    assert_eq!(got.json()["status"], "notStarted");
    let id = id(&got);
    let running = client.poll(&id).await;
    assert_eq!(
        (&running["status"], &running["resourceLocation"]),
        (&json!("running"), &Value::Null)
    );
    let done = client.poll(&id).await;
    assert_eq!(
        (&done["status"], &done["errorDetails"]),
        (&json!("succeeded"), &json!([]))
    );
    let short = client
        .graph(&format!("{BASE}/configurationSnapshotJobs/{id}"))
        .await
        .json();
    assert_eq!(short["resourceLocation"], Value::Null, "only when selected");
    let snapshot = client
        .graph(done["resourceLocation"].as_str().unwrap())
        .await
        .json();
    let resources = snapshot["resources"].as_array().unwrap();
    let global = resources
        .iter()
        .find(|row| row["displayName"] == "TeamsMeetingPolicy-Global")
        .unwrap();
    assert_eq!(global["resourceType"], "microsoft.teams.meetingpolicy");
    assert_eq!(global["properties"]["AllowCloudRecording"], true);
    assert_eq!(global["properties"]["Ensure"], "Present");
    assert!(resources.iter().any(|row| {
        row["displayName"]
            .as_str()
            .unwrap()
            .starts_with("SCProtectionAlert-")
    }));
    let job = format!("{BASE}/configurationSnapshotJobs/{id}");
    let got = client.graph_delete(&job).await;
    assert_eq!((got.status, got.body.as_str()), (204, ""));
    assert_eq!(client.graph(&job).await.status, 404);
    assert_eq!(
        client
            .graph(done["resourceLocation"].as_str().unwrap())
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_snapshot_contains_the_settings_at_the_time_of_its_request() {
    let client = Client::start().await;
    let id = id(&client
        .create_snapshot("One", &["microsoft.exchange.transportconfig"])
        .await);
    client
        .simulator
        .apply(&Change::SetSetting {
            path: "exchange/TransportConfig".to_owned(),
            pointer: "/value/0/SmtpClientAuthenticationDisabled".to_owned(),
            value: json!(false),
        })
        .unwrap();
    client.poll(&id).await;
    let done = client.poll(&id).await;
    let snapshot = client
        .graph(done["resourceLocation"].as_str().unwrap())
        .await
        .json();
    assert_eq!(
        snapshot["resources"][0]["properties"]["SmtpClientAuthenticationDisabled"],
        true
    );
}

#[tokio::test]
async fn denied_types_are_missing_with_an_error() {
    let client = Client::start().await;
    client
        .simulator
        .deny_permission(Vendor::Graph, "microsoft.exchange.transportrule");
    client.simulator.set_snapshot_polls(0);
    let types = [
        "microsoft.exchange.transportrule",
        "microsoft.exchange.transportconfig",
    ];
    let part = id(&client.create_snapshot("Part", &types).await);
    let done = client.poll(&part).await;
    assert_eq!(done["status"], "unknownFutureValue");
    assert!(done["completedDateTime"].is_string());
    let done = client.poll_knowing_all(&part).await;
    assert_eq!(done["status"], "partiallySuccessful");
    assert!(done["errorDetails"][0].as_str().unwrap().starts_with(types[0]));
    client
        .simulator
        .deny_permission(Vendor::Graph, "microsoft.exchange");
    let done = client
        .poll(&id(&client.create_snapshot("None", &types).await))
        .await;
    assert_eq!(
        (&done["status"], &done["resourceLocation"]),
        (&json!("failed"), &Value::Null)
    );
}

#[tokio::test]
async fn invalid_requests_are_rejected() {
    let client = Client::start().await;
    let got = client
        .create_snapshot(
            "One",
            &["microsoft.teams.meetingpolicy", "microsoft.teams.nonsense"],
        )
        .await;
    assert_eq!(got.status, 400);
    let message = got.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("microsoft.teams.nonsense") && !message.contains("meetingpolicy"),
        "{message}"
    );
    client
        .simulator
        .forget_snapshot_type("microsoft.teams.meetingpolicy");
    for (name, types) in [
        ("One", vec!["microsoft.teams.meetingpolicy"]),
        ("No-dashes", vec!["microsoft.teams.clientconfiguration"]),
        ("", vec!["microsoft.teams.clientconfiguration"]),
        ("Nothing", vec![]),
    ] {
        assert_eq!(client.create_snapshot(name, &types).await.status, 400, "{name}");
    }
}

#[tokio::test]
async fn there_are_limits_of_twelve_jobs_and_of_monthly_resources() {
    let client = Client::start().await;
    let types = ["microsoft.exchange.transportconfig"];
    let mut last = String::new();
    for number in 0..12 {
        last = id(&client.create_snapshot(&format!("Job {number}"), &types).await);
    }
    let got = client.create_snapshot("Again", &types).await;
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (400, &json!("SnapshotJobLimitReached"))
    );
    let (rows, _) = client
        .graph_all(&format!("{BASE}/configurationSnapshotJobs"))
        .await;
    assert_eq!(rows.len(), 12);
    client
        .graph_delete(&format!("{BASE}/configurationSnapshotJobs/{last}"))
        .await;
    client.simulator.set_snapshot_budget(12);
    let got = client.create_snapshot("Again", &types).await;
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (400, &json!("QuotaExceeded"))
    );
    client
        .simulator
        .set_now(crate::client::ORIGIN_MS + 31 * 86_400_000);
    let mut client = client;
    client.sign_in().await;
    assert_eq!(client.create_snapshot("Next month", &types).await.status, 201);
}

#[tokio::test]
async fn a_name_is_taken_for_a_day() {
    let mut client = Client::start().await;
    let types = ["microsoft.exchange.transportconfig"];
    let first = id(&client.create_snapshot("One", &types).await);
    assert_eq!(client.create_snapshot("One", &types).await.status, 409);
    client
        .graph_delete(&format!("{BASE}/configurationSnapshotJobs/{first}"))
        .await;
    assert_eq!(client.create_snapshot("One", &types).await.status, 409);
    client.simulator.set_now(crate::client::ORIGIN_MS + 86_400_000);
    client.sign_in().await;
    assert_eq!(client.create_snapshot("One", &types).await.status, 201);
}

#[tokio::test]
async fn an_error_about_types_may_name_none() {
    let client = Client::start().await;
    client.simulator.name_unknown_snapshot_types(false);
    let types = [
        "microsoft.exchange.transportconfig",
        "microsoft.exchange.adminauditlogconfig",
    ];
    let got = client.create_snapshot("One", &types).await;
    assert_eq!(got.status, 400);
    assert!(!got.body.contains("microsoft."), "{}", got.body);
}

#[tokio::test]
async fn creating_requires_the_write_permission() {
    let client = Client::start().await;
    let types = ["microsoft.exchange.transportconfig"];
    let id = id(&client.create_snapshot("One", &types).await);
    let graph = Vendor::Graph;
    client
        .simulator
        .deny_permission(graph, "ConfigurationMonitoring.ReadWrite.All");
    assert_eq!(client.create_snapshot("Two", &types).await.status, 403);
    client.poll(&id).await;
    client
        .simulator
        .deny_permission(graph, "ConfigurationMonitoring.Read.All");
    let got = client
        .graph(&format!("{BASE}/configurationSnapshotJobs/{id}"))
        .await;
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (403, &json!("Authorization_RequestDenied"))
    );
}

#[tokio::test]
async fn a_job_may_never_end_and_a_result_is_kept_for_a_week() {
    let client = Client::start().await;
    let types = ["microsoft.exchange.transportconfig"];
    client.simulator.set_snapshot_polls(u32::MAX);
    let endless = id(&client.create_snapshot("Endless", &types).await);
    for _ in 0..5 {
        assert_eq!(client.poll(&endless).await["status"], "running");
    }
    client.simulator.set_snapshot_polls(0);
    let done = client
        .poll(&id(&client.create_snapshot("Kept", &types).await))
        .await;
    let location = done["resourceLocation"].as_str().unwrap();
    assert_eq!(client.graph(location).await.status, 200);
    client
        .simulator
        .set_now(crate::client::ORIGIN_MS + 7 * 86_400_000);
    let mut client = client;
    client.sign_in().await;
    assert_eq!(client.graph(location).await.status, 404);
}
