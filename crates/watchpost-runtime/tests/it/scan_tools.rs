//! Tests of an assistant's session about scans on the demo's store: the answers of the tools are consistent with each other and with the
//! settings that the fixture company is planted with.

use crate::{client::Client, demo::Copy};
use serde_json::{Value, json};
use watchpost_mcp::tools::TOOLS;

/// A session with its store.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) company: Copy,
}

impl Session {
    pub(crate) async fn new() -> Self {
        let company = Copy::new();
        Self {
            client: Client::new(&company.instance).await,
            company,
        }
    }

    /// Calls a tool. Checks the structured content against the schema of the tool.
    pub(crate) async fn ask(&self, tool: &str, arguments: Value) -> Value {
        self.say(tool, arguments).await.1
    }

    /// As [`Self::ask`]. Returns also the text of the answer.
    pub(crate) async fn say(&self, tool: &str, arguments: Value) -> (String, Value) {
        let answer = self.client.call(tool, arguments).await;
        let result = &answer["result"];
        assert_eq!(result["isError"], false, "{tool}: {answer}");
        let entry = TOOLS
            .iter()
            .find(|entry| entry.declaration.name == tool)
            .expect("a tool");
        let schema = entry.output_schema();
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("a name");
            assert!(
                result["structuredContent"].get(name).is_some(),
                "{tool} has no {name}"
            );
        }
        let text = result["content"][0]["text"].as_str().expect("a text").to_owned();
        (text, result["structuredContent"].clone())
    }

    /// Calls a tool with invalid arguments. Returns the error.
    pub(crate) async fn error(&self, tool: &str, arguments: Value) -> String {
        let answer = self.client.call(tool, arguments).await;
        assert_eq!(answer["result"]["isError"], true, "{tool}: {answer}");
        answer["result"]["content"][0]["text"]
            .as_str()
            .expect("a text")
            .to_owned()
    }
}

pub(crate) fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array()
        .expect("a list")
        .iter()
        .map(|row| row["check_id"].as_str().expect("an id"))
        .collect()
}

#[tokio::test]
async fn an_assistant_finds_failures_and_changes() {
    let session = Session::new().await;
    let latest = session.ask("get_scan", json!({})).await;
    assert_eq!(latest["scan"]["status"], "completed");
    assert_eq!(latest["direction"], "higher_is_better");
    let count = |name: &str| latest["scan"][name].as_u64().expect("a count");
    let (passed, failed) = (count("passed"), count("failed"));
    assert!(passed > 0 && failed > 0);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred checks")]
    let expected = (passed as f64 * 1_000.0 / (passed + failed) as f64).round() / 10.0;
    assert_eq!(latest["scan"]["score"].as_f64(), Some(expected));

    // The tenant changed between the scans.
    let new = ids(&latest["new_failures"]);
    assert!(new.contains(&"spo.sharing_limited"), "{new:?}");
    let compared = session.ask("compare_scans", json!({})).await;
    assert_eq!(ids(&compared["new_failures"]), new);
    let sharing = compared["new_failures"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["check_id"] == "spo.sharing_limited")
        .expect("the change");
    assert_eq!(sharing["before"]["result"], "passed");
    assert_eq!(sharing["after"]["result"], "failed");
    let moved = &sharing["settings"][0]["values"][0];
    assert!(
        !moved["before"].is_null() && !moved["after"].is_null() && moved["before"] != moved["after"],
        "{sharing}"
    );
    let confined = session
        .ask(
            "get_scan",
            json!({"framework": ["scuba"], "service": ["SharePoint Online"]}),
        )
        .await;
    let shown = ids(&confined["new_failures"]);
    assert!(shown.contains(&"spo.sharing_limited"));
    assert!(shown.iter().all(|id| id.starts_with("spo.")), "{shown:?}");

    // "Which CIS checks fail for Exchange Online", page by page.
    let all = session
        .ask("list_check_results", json!({"result": ["failed"], "limit": 100}))
        .await;
    assert_eq!(all["total"].as_u64(), Some(failed));
    let mut paged: Vec<Value> = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut arguments = json!({"result": ["failed"], "limit": 5});
        if !after.is_null() {
            arguments["after"] = after;
        }
        let page = session.ask("list_check_results", arguments).await;
        paged.extend(page["results"].as_array().expect("rows").iter().cloned());
        match page.get("next_after") {
            Some(next) => after = next.clone(),
            None => break,
        }
    }
    assert_eq!(&Value::Array(paged), &all["results"]);
    let cis = session
        .ask(
            "list_check_results",
            json!({"framework": ["cis"], "service": ["Microsoft Entra ID"], "result": ["failed"], "limit": 100}),
        )
        .await;
    for row in cis["results"].as_array().expect("rows") {
        assert_eq!(
            (&row["service"], &row["result"]),
            (&json!("entra"), &json!("failed"))
        );
        assert!(
            row["framework_ids"]
                .as_array()
                .expect("ids")
                .iter()
                .any(|id| id.as_str().is_some_and(|id| id.starts_with("CIS.M365."))),
            "{row}"
        );
    }
    // A check can be selected by its id in a framework or by its own id.
    let one = session
        .ask("list_check_results", json!({"check_id": "spo.sharing_limited"}))
        .await;
    let detail = &one["detail"];
    assert!(
        detail["remediation"]
            .as_array()
            .is_some_and(|steps| !steps.is_empty()),
        "{one}"
    );
    assert!(
        detail["evidence"].as_array().is_some_and(|rows| !rows.is_empty()),
        "{one}"
    );

    let trend = session.ask("get_score_trend", json!({})).await;
    let points = trend["points"].as_array().expect("points");
    assert_eq!(points.len(), 3);
    assert_eq!(points[2]["score"], latest["scan"]["score"]);
    let scans = session
        .ask("list_scans", json!({"scan_type": "compliance"}))
        .await;
    assert_eq!(scans["total"], 3);

    // The first scan has no previous scan, and the answer says so.
    let oldest = scans["scans"][2]["scan_id"].clone();
    let first = session.ask("get_scan", json!({"scan_id": oldest})).await;
    assert!(first.get("new_failures").is_none());
    assert!(first["new_failures_note"].is_string());
}

#[tokio::test]
async fn an_exposure_scan_answers_with_a_label() {
    let session = Session::new().await;
    let latest = session.ask("get_scan", json!({"scan_type": "exposure"})).await;
    assert!(latest["scan"].get("score").is_none() || latest["scan"]["exposure"].is_string());
    assert_eq!(latest["scan"]["exposure"], "High risk");
    let compared = session
        .ask("compare_scans", json!({"scan_type": "exposure"}))
        .await;
    assert!(!ids(&compared["new_failures"]).is_empty());
}

#[tokio::test]
async fn an_assistant_can_read_the_report_on_a_scan() {
    let session = Session::new().await;
    for kind in ["executive", "framework", "evidence"] {
        for scan_type in ["compliance", "exposure"] {
            let answer = session
                .client
                .send(
                    "tools/call",
                    json!({"name": "generate_report", "arguments": {"kind": kind, "scan_type": scan_type}}),
                )
                .await;
            let content = answer["result"]["content"].as_array().expect("content");
            let link = content
                .iter()
                .find(|block| block["type"] == "resource_link")
                .unwrap_or_else(|| panic!("no link: {answer}"));
            let read = session
                .client
                .send("resources/read", json!({"uri": link["uri"]}))
                .await;
            let page = &read["result"]["contents"][0];
            assert_eq!(page["uri"], link["uri"]);
            let text = page["text"].as_str().expect("a text");
            assert!(text.starts_with("<!"), "{kind} {scan_type}: no page");
            assert!(text.contains("Birchworks"));
        }
    }
    let listed = session.client.send("resources/list", json!({})).await;
    let listed = listed["result"]["resources"].as_array().expect("a list").clone();
    // Posture and integrations, the reports on both scan types of Microsoft 365, and that on the exposure scan of Okta.
    assert_eq!(listed.len(), 5);
    for resource in listed {
        assert!(
            resource["title"].is_string() && resource["description"].is_string(),
            "{resource}"
        );
        let read = session
            .client
            .send("resources/read", json!({"uri": resource["uri"]}))
            .await;
        assert!(read["result"]["contents"][0]["text"].is_string());
    }
    let latest = session.ask("get_scan", json!({})).await;
    let uri = format!(
        "watchpost://scans/{}",
        latest["scan"]["scan_id"].as_str().expect("an id")
    );
    let read = session.client.send("resources/read", json!({"uri": uri})).await;
    let page = &read["result"]["contents"][0];
    assert_eq!(page["mimeType"], "application/json");
    let content: Value = serde_json::from_str(page["text"].as_str().expect("a text")).expect("JSON");
    assert_eq!(content, latest);
    for uri in [
        "watchpost://scans/018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
        "watchpost://reports/018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f-executive.html",
        "watchpost://reports/../../etc/passwd",
        "file:///etc/passwd",
    ] {
        let read = session.client.send("resources/read", json!({"uri": uri})).await;
        assert_eq!(read["error"]["code"], -32602, "{uri}");
        assert_eq!(read["error"]["data"]["uri"], uri);
    }
}

#[tokio::test]
async fn failed_checks_have_findings() {
    let session = Session::new().await;
    let failed = session
        .ask(
            "list_check_results",
            json!({"result": ["failed"], "service": ["sharepoint"], "limit": 100}),
        )
        .await;
    let found = session
        .ask("list_findings", json!({"service": ["sharepoint"], "limit": 100}))
        .await;
    let rules: Vec<&str> = found["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|row| row["rule_id"].as_str().expect("an id"))
        .collect();
    for id in ids(&failed["results"]) {
        assert!(
            rules.contains(&id),
            "{id} failed, but there is no finding: {rules:?}"
        );
    }
    let scuba = session
        .ask(
            "list_findings",
            json!({"service": ["sharepoint"], "framework": ["scuba"], "limit": 100}),
        )
        .await;
    assert!(scuba["total"].as_u64() <= found["total"].as_u64());
    let summary = session.ask("get_posture_summary", json!({})).await;
    let compliance = &summary["compliance"][0];
    let latest = session.ask("get_scan", json!({})).await;
    assert_eq!(compliance["score"], latest["scan"]["score"]);
    assert_eq!(compliance["scan_id"], latest["scan"]["scan_id"]);
}

#[tokio::test]
async fn errors_of_invalid_arguments_say_what_is_valid() {
    let session = Session::new().await;
    let unknown = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
    for (tool, arguments, says) in [
        ("get_scan", json!({"scan_id": unknown}), "list_scans"),
        ("get_scan", json!({"scan_id": "latest"}), "list_scans"),
        (
            "list_check_results",
            json!({"check_id": "no.such_check"}),
            "list_check_results",
        ),
        ("list_check_results", json!({"service": ["fax"]}), "exchange"),
        (
            "start_scan",
            json!({"scan_type": "compliance", "platform": "okta"}),
            "okta",
        ),
    ] {
        let text = session.error(tool, arguments.clone()).await;
        assert!(
            text.to_lowercase().contains(says),
            "{tool} {arguments} says: {text}"
        );
    }
}
