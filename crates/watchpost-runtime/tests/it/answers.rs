//! A reading of the texts that users get from the demo, from an empty workspace and from one with an import only: every tool
//! with representative arguments, every prompt, every resource, every report. [`Reader`] finds the mistakes.

mod documents;

use crate::{client::Client, demo::Copy, imports::Fixture};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_testkit::prose::Reader;

/// Names of the vendors' permissions and of parameters, which are data among words.
const NAMES: &[&str] = &[
    "full_access_as_app",
    "max_age",
    "no_such_tool",
    "offline_access",
    "us_federal",
    "user_impersonation",
];

/// Fields whose texts are data: names that strangers gave, and values that platforms returned.
const DATA: &[&str] = &[
    "detected",
    "evidence",
    "name",
    "login",
    "pointer",
    "before",
    "after",
    "arguments",
    "values",
    "references",
    "reopen_command",
    "reject_command",
];

/// The texts of one workspace, each with where it is from.
struct Reading<'a> {
    client: &'a Client,
    reader: Reader,
    texts: u64,
    faults: BTreeSet<String>,
}

/// The names of tools, and of the fields of their arguments and answers, which sentences for an assistant mention.
fn names(tools: &[Value]) -> BTreeSet<String> {
    let mut out: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    for tool in tools {
        out.extend(tool["name"].as_str().map(str::to_owned));
        for schema in ["inputSchema", "outputSchema"] {
            let fields = tool[schema]["properties"].as_object();
            for (name, field) in fields.into_iter().flatten() {
                out.insert(name.clone());
                words(field, &mut out);
            }
        }
    }
    out
}

/// The words that an argument takes.
fn words(schema: &Value, out: &mut BTreeSet<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| words(item, out)),
        Value::Object(fields) => {
            let allowed = fields.get("enum").and_then(Value::as_array);
            out.extend(
                allowed
                    .into_iter()
                    .flatten()
                    .filter_map(|word| word.as_str().map(str::to_owned)),
            );
            fields.values().for_each(|field| words(field, out));
        }
        _ => {}
    }
}

impl<'a> Reading<'a> {
    async fn new(client: &'a Client) -> Self {
        let list = client.send("tools/list", json!({})).await;
        let tools = list["result"]["tools"].as_array().expect("tools");
        let mut reading = Self {
            client,
            reader: Reader::new(names(tools)),
            texts: 0,
            faults: BTreeSet::new(),
        };
        // The descriptions of arguments name their values.
        for tool in tools {
            reading.text("tools/list", tool["title"].as_str().expect("a title"));
        }
        reading
    }

    fn text(&mut self, source: &str, text: &str) {
        self.texts += 1;
        // Steps may be commands and requests for a terminal. Reports for administrators and auditors have ids.
        if documents::is_command(text) {
            return;
        }
        let has_ids =
            source.contains("-framework.") || source.contains("-evidence.") || source.contains("\"kind\":\"");
        let reader = if has_ids {
            self.reader.clone().with_ids()
        } else {
            self.reader.clone()
        };
        for fault in reader.faults(text) {
            self.faults.insert(format!("{source}: {fault}"));
        }
    }

    /// Reads the sentences in a structured answer: the strings with at least three words.
    fn value(&mut self, source: &str, value: &Value) {
        match value {
            Value::String(text) if text.split_whitespace().count() > 2 => self.text(source, text),
            Value::Array(items) => items.iter().for_each(|item| self.value(source, item)),
            Value::Object(fields) => {
                for (name, value) in fields.iter().filter(|(name, _)| !DATA.contains(&name.as_str())) {
                    match value.as_str() {
                        Some(text) if name == "markdown" => self.block(source, text),
                        _ => self.value(&format!("{source}/{name}"), value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Reads a text block: sentences, then data as JSON between two marker lines, or a document.
    fn block(&mut self, source: &str, text: &str) {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with(['{', '[']) && !line.starts_with("--- data "));
        for text in documents::markdown(lines) {
            self.text(source, &text);
        }
    }

    /// Calls a tool, reads the answer and returns its data.
    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let source = format!("{tool} {arguments}");
        let answer = self.client.call(tool, arguments).await;
        if let Some(message) = answer["error"]["message"].as_str() {
            self.text(&source, message);
        }
        let result = &answer["result"];
        for block in result["content"].as_array().into_iter().flatten() {
            self.block(&source, block["text"].as_str().unwrap_or_default());
        }
        self.value(&source, &result["inputRequests"]);
        self.value(&source, &result["structuredContent"]);
        result["structuredContent"].clone()
    }

    async fn read(&mut self, uri: &str) {
        let answer = self.client.send("resources/read", json!({"uri": uri})).await;
        if let Some(message) = answer["error"]["message"].as_str() {
            self.text(uri, message);
        }
        for content in answer["result"]["contents"].as_array().into_iter().flatten() {
            let text = content["text"].as_str().unwrap_or_default();
            documents::assert_board(uri, text);
            for text in documents::texts(uri, text) {
                self.text(uri, &text);
            }
        }
    }

    /// Ends the reading of at least `texts` texts.
    fn end(self, texts: u64) {
        assert!(self.texts >= texts, "only {} texts were read", self.texts);
        let faults: Vec<String> = self.faults.into_iter().collect();
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
    }
}

/// The id of each row of a list, under a name.
fn ids(answer: &Value, list: &str, id: &str) -> Vec<String> {
    let rows = answer[list].as_array().into_iter().flatten();
    rows.filter_map(|row| row[id].as_str().map(str::to_owned))
        .collect()
}

/// An id that nothing has.
const NO_ID: &str = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

/// The calls of queries that need nothing from other answers, and their errors.
fn queries() -> Vec<(&'static str, Value)> {
    let mut out = vec![
        ("get_risk_score", json!({})),
        ("get_posture_summary", json!({})),
        ("get_integrations", json!({})),
        ("get_integrations", json!({"extra": 1})),
        ("lookup_identity", json!({"email": "nobody@example.com"})),
        ("lookup_identity", json!({"email": "nobody"})),
        ("lookup_identity", json!({})),
        ("check_app_policy", json!({"app": "No such app"})),
        ("check_app_policy", json!({})),
        ("list_findings", json!({"text": "no such words", "limit": 1})),
        ("list_findings", json!({"limit": 0})),
        ("list_findings", json!({"limit": 1})),
        ("list_findings", json!({"limit": "many"})),
        ("list_findings", json!({"entity": "No such app"})),
        ("list_findings", json!({"cursor": "none"})),
        ("list_findings", json!({"severity": "bad"})),
        ("list_findings", json!({"colour": "red"})),
        ("list_findings", json!({"since": "7", "limit": 1})),
        ("list_findings", json!({"since": "last week"})),
        ("get_finding", json!({"finding_id": NO_ID})),
        ("get_finding", json!({"finding_id": "the first"})),
        ("get_finding", json!({})),
        ("list_scans", json!({})),
        ("list_scans", json!({"limit": 1})),
        ("list_scans", json!({"before": "x"})),
        ("list_check_results", json!({"check_id": "no.such_check"})),
        ("list_check_results", json!({"text": "no such words"})),
        ("get_scan", json!({"wait_seconds": 1_000})),
        ("get_scan", json!({"integration_id": NO_ID})),
        ("compare_scans", json!({"before": NO_ID, "after": NO_ID})),
        ("generate_report", json!({"scan_id": NO_ID})),
        ("generate_report", json!({"kind": "small"})),
        ("get_score_trend", json!({"days": 1})),
        ("get_score_trend", json!({"days": 0})),
        ("get_score_trend", json!({"days": 365})),
        ("no_such_tool", json!({})),
    ];
    let words: [(&str, &str, &[&str]); 11] = [
        (
            "list_findings",
            "severity",
            &["critical", "high", "medium", "low", "info"],
        ),
        (
            "list_findings",
            "status",
            &["open", "in_progress", "snoozed", "dismissed", "resolved"],
        ),
        (
            "list_findings",
            "category",
            &["identity_security", "shadow_it", "drift_signal", "license_waste"],
        ),
        ("list_findings", "platform", &["m365", "okta", "github", "import"]),
        ("list_findings", "framework", &["cis", "scuba", "nist_csf"]),
        ("list_rules", "severity", &["critical", "info"]),
        ("list_rules", "platform", &["okta", "slack"]),
        (
            "list_scans",
            "status",
            &["queued", "running", "completed", "failed", "cancelled"],
        ),
        (
            "list_check_results",
            "result",
            &["passed", "failed", "skipped", "error"],
        ),
        ("list_check_results", "framework", &["cis", "scuba", "other"]),
        ("list_check_results", "service", &["exchange", "teams", "okta"]),
    ];
    for (tool, name, words) in words {
        out.extend(words.iter().map(|word| (tool, json!({name: word, "limit": 50}))));
    }
    for scan_type in ["compliance", "exposure"] {
        for tool in [
            "get_scan",
            "list_check_results",
            "compare_scans",
            "get_score_trend",
        ] {
            out.push((tool, json!({"scan_type": scan_type})));
        }
        for kind in ["executive", "framework", "evidence"] {
            out.push(("generate_report", json!({"scan_type": scan_type, "kind": kind})));
        }
    }
    out.push(("get_scan", json!({"framework": "scuba", "service": "exchange"})));
    out.push(("get_score_trend", json!({"framework": "cis"})));
    out.push(("generate_report", json!({"framework": "cis", "service": "teams"})));
    out
}

/// The calls of write tools and of scans and syncs, for one finding and one app, each twice.
fn changes(finding: &str, app: &str) -> Vec<(&'static str, Value)> {
    let once = [
        ("snooze_finding", json!({"finding_id": finding, "days": 1})),
        ("snooze_finding", json!({"finding_id": finding, "days": 14})),
        ("remediate_finding", json!({"finding_id": finding})),
        (
            "dismiss_finding",
            json!({"finding_id": finding, "reason": "accepted_risk"}),
        ),
        (
            "dismiss_finding",
            json!({"finding_id": finding, "reason": "false_positive"}),
        ),
        ("snooze_finding", json!({"finding_id": finding, "days": 3})),
        (
            "remediate_finding",
            json!({"finding_id": finding, "note": "again"}),
        ),
        ("set_app_policy", json!({"app": app, "policy": "sanctioned"})),
        ("set_app_policy", json!({"app": app, "policy": "none"})),
        ("start_scan", json!({"scan_type": "exposure", "platform": "okta"})),
        (
            "start_scan",
            json!({"scan_type": "compliance", "platform": "okta"}),
        ),
        ("start_scan", json!({"scan_type": "compliance"})),
        ("start_scan", json!({"integration_id": NO_ID})),
        ("trigger_sync", json!({"platform": "okta"})),
        ("trigger_sync", json!({"platform": "slack"})),
        ("trigger_sync", json!({})),
        ("snooze_finding", json!({"finding_id": finding, "days": 400})),
        ("snooze_finding", json!({"finding_id": NO_ID, "days": 4})),
        (
            "dismiss_finding",
            json!({"finding_id": "x", "reason": "mitigated"}),
        ),
        ("remediate_finding", json!({"finding_id": NO_ID})),
        ("set_app_policy", json!({"app": NO_ID, "policy": "blocked"})),
        ("set_app_policy", json!({"app": app, "policy": "loved"})),
        (
            "set_app_policy",
            json!({"app": app, "policy": "none", "extra": true}),
        ),
    ];
    once.into_iter().flat_map(|call| [call.clone(), call]).collect()
}

/// Reads everything about the entities that the workspace has.
async fn details(reading: &mut Reading<'_>) -> Option<(String, String)> {
    let mut findings: Vec<Value> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = reading
            .call("list_findings", json!({"limit": 100, "cursor": cursor}))
            .await;
        findings.extend(page["findings"].as_array().into_iter().flatten().cloned());
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => break,
        }
    }
    let rules = reading.call("list_rules", json!({})).await;
    for rule in ids(&rules, "rules", "id") {
        reading.read(&format!("watchpost://rules/{rule}")).await;
    }
    // One finding of each rule or check, and its subject.
    let by_rule: BTreeMap<String, Value> = findings
        .iter()
        .filter_map(|row| Some((row["rule_id"].as_str()?.to_owned(), row.clone())))
        .collect();
    let mut app = None;
    for row in by_rule.values() {
        let subject = &row["subject"];
        let id = row["id"].as_str().expect("an id");
        reading.read(&format!("watchpost://findings/{id}")).await;
        reading
            .call("list_findings", json!({"entity": subject["id"]}))
            .await;
        if let Some(email) = subject["email"].as_str() {
            reading.call("lookup_identity", json!({"email": email})).await;
            reading.read(&format!("watchpost://identities/{email}")).await;
        }
        if subject["type"] == "app" {
            reading
                .call("check_app_policy", json!({"app": subject["id"]}))
                .await;
            let id = subject["id"].as_str().expect("an id").to_owned();
            reading.read(&format!("watchpost://apps/{id}")).await;
            app = Some(id);
        }
    }
    // A finding of each status and kind refuses or accepts a remediation in its own words.
    for rule in [
        "entra.mfa_all",
        "id.user_no_mfa",
        "app.unreviewed",
        "id.breakglass_missing",
    ] {
        if let Some(row) = by_rule.get(rule) {
            reading
                .call("remediate_finding", json!({"finding_id": row["id"]}))
                .await;
        }
    }
    let first = findings.last()?["id"].as_str()?.to_owned();
    Some((first, app?))
}

/// Reads all results and all reports of the scans.
async fn scans(reading: &mut Reading<'_>) {
    let scans = reading.call("list_scans", json!({"limit": 50})).await;
    let scans = ids(&scans, "scans", "scan_id");
    for (at, scan) in scans.iter().enumerate() {
        reading.call("get_scan", json!({"scan_id": scan})).await;
        reading.read(&format!("watchpost://scans/{scan}")).await;
        if at > 2 {
            continue;
        }
        let mut after = Value::Null;
        loop {
            let arguments = json!({"scan_id": scan, "limit": 100, "after": after});
            let page = reading.call("list_check_results", arguments).await;
            for check in ids(&page, "results", "check_id") {
                reading
                    .call("list_check_results", json!({"scan_id": scan, "check_id": check}))
                    .await;
            }
            match page.get("next_after") {
                Some(next) => after = next.clone(),
                None => break,
            }
        }
        for kind in ["executive", "framework", "evidence"] {
            for ending in ["html", "md", "json", "csv", "ocsf.jsonl"] {
                let uri = format!("watchpost://reports/{scan}-{kind}.{ending}");
                reading.read(&uri).await;
                reading.read(&format!("{uri}?framework=cis")).await;
                if let Some(earlier) = scans.get(at.saturating_add(3)) {
                    reading.read(&format!("{uri}?compare_with={earlier}")).await;
                }
            }
        }
    }
}

async fn prompts(reading: &mut Reading<'_>) {
    let list = reading.client.send("prompts/list", json!({})).await;
    for prompt in list["result"]["prompts"].as_array().expect("prompts") {
        let name = prompt["name"].as_str().expect("a name");
        reading.value(name, prompt);
        let arguments: serde_json::Map<String, Value> = prompt["arguments"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|argument| argument["name"].as_str())
            .map(|name| {
                let value = match name {
                    "email" => "mara.holt@example.com",
                    "framework" => "cis",
                    "category" => "identity_security",
                    _ => "Mara Holt",
                };
                (name.to_owned(), value.into())
            })
            .collect();
        for arguments in [json!(arguments), json!({}), json!({"unknown": "x"})] {
            let answer = reading
                .client
                .send("prompts/get", json!({"name": name, "arguments": arguments}))
                .await;
            if let Some(message) = answer["error"]["message"].as_str() {
                reading.text(name, message);
            }
            for message in answer["result"]["messages"].as_array().into_iter().flatten() {
                // The calls in a prompt have their arguments as JSON.
                let text = message["content"]["text"].as_str().expect("a text");
                let lines = text.lines().filter(|line| !line.contains("with {"));
                for line in lines {
                    reading.text(name, line);
                }
            }
        }
    }
}

async fn everything(client: &Client, texts: u64) {
    let mut reading = Reading::new(client).await;
    for (tool, arguments) in queries() {
        reading.call(tool, arguments).await;
    }
    prompts(&mut reading).await;
    for list in ["resources/list", "resources/templates/list"] {
        let answer = client.send(list, json!({})).await;
        for name in ["resources", "resourceTemplates"] {
            for row in answer["result"][name].as_array().into_iter().flatten() {
                for text in ["title", "description"] {
                    reading.text(list, row[text].as_str().unwrap_or_default());
                }
            }
        }
        for uri in ids(&answer["result"], "resources", "uri") {
            reading.read(&uri).await;
        }
    }
    for uri in [
        "watchpost://findings/x",
        "watchpost://rules/none",
        "watchpost://none",
    ] {
        reading.read(uri).await;
    }
    let chosen = details(&mut reading).await;
    scans(&mut reading).await;
    let (finding, app) = chosen.unwrap_or((NO_ID.to_owned(), NO_ID.to_owned()));
    for (tool, arguments) in changes(&finding, &app) {
        reading.call(tool, arguments).await;
    }
    reading.end(texts);
}

#[tokio::test]
async fn the_answers_of_the_demo_have_no_mistakes() {
    let copy = Copy::new();
    everything(&Client::new(&copy.instance).await, 5_000).await;
}

#[tokio::test]
async fn the_answers_of_an_empty_workspace_have_no_mistakes() {
    let fixture = Fixture::new().await;
    everything(&Client::new(&fixture.instance).await, 100).await;
}

#[tokio::test]
async fn the_answers_of_a_workspace_with_an_import_only_have_no_mistakes() {
    let fixture = Fixture::new().await;
    let file = crate::imports::export("2026-02-01T09:00:00Z", &["partner.example", "other.example"]);
    fixture.import(&file).await.expect("an import");
    everything(&Client::new(&fixture.instance).await, 100).await;
}

#[tokio::test]
async fn the_answers_without_data_have_a_state_and_a_next_step() {
    let fixture = Fixture::new().await;
    let client = Client::new(&fixture.instance).await;
    for tool in [
        "get_risk_score",
        "get_posture_summary",
        "list_findings",
        "list_rules",
    ] {
        let answer = client.call(tool, json!({})).await;
        let data = &answer["result"]["structuredContent"];
        assert_eq!(data["state"], "not_connected", "{tool}: {data}");
        let step = data["next_step"].as_str().expect("a step");
        assert!(step.contains("watchpost integrations add"), "{tool}: {step}");
        let sentence = answer["result"]["content"][0]["text"].as_str().expect("a text");
        assert!(sentence.contains(step), "{tool}: {sentence}");
    }
}

#[tokio::test]
async fn a_finding_of_a_check_has_the_steps_of_the_check() {
    let copy = Copy::new();
    let client = Client::new(&copy.instance).await;
    let list = client
        .call("list_findings", json!({"text": "entra.mfa_all"}))
        .await;
    let id = &list["result"]["structuredContent"]["findings"][0]["id"];
    let answer = client.call("remediate_finding", json!({"finding_id": id})).await;
    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("a person can do this instead: 1. "), "{text}");
}

#[tokio::test]
async fn a_sentence_about_mfa_says_which_platform_says_what() {
    let copy = Copy::new();
    let client = Client::new(&copy.instance).await;
    let mut disagreements = 0;
    let found = client
        .call("list_findings", json!({"text": "mfa", "limit": 100}))
        .await;
    for row in found["result"]["structuredContent"]["findings"]
        .as_array()
        .expect("rows")
    {
        let Some(email) = row["subject"]["email"].as_str() else {
            continue;
        };
        let answer = client.call("lookup_identity", json!({"email": email})).await;
        let (result, data) = (&answer["result"], &answer["result"]["structuredContent"]);
        let sources = data["mfa_sources"].as_array().expect("a list");
        for account in data["accounts"].as_array().expect("accounts") {
            if sources.contains(&account["platform"]) {
                assert_eq!(account["mfa"], data["mfa"], "{email}: {data}");
            }
        }
        let sentence = result["content"][0]["text"].as_str().expect("a text");
        let differ = data["accounts"]
            .as_array()
            .expect("accounts")
            .iter()
            .any(|account| account["mfa"] == "on" && data["mfa"] == "off");
        assert_eq!(sentence.contains(", but on according to "), differ, "{sentence}");
        disagreements += u32::from(differ);
    }
    assert!(disagreements > 0, "no platforms of the demo disagree");
}

#[test]
fn the_reader_reads_every_format() {
    let wrong = "An report was written.";
    for (uri, text) in [
        ("x.md", format!("# Title\n\n{wrong}\n")),
        ("x.html", format!("<style>a{{b:c}}</style><p>{wrong}</p>")),
        ("x.json", json!({"reason": wrong}).to_string()),
        ("x.csv", format!("a,b\n1,{wrong}\n")),
        ("x.ocsf.jsonl", json!({"message": wrong}).to_string()),
        ("watchpost://posture", json!({"summary": wrong}).to_string()),
    ] {
        let texts = documents::texts(uri, &text);
        let reader = Reader::new(NAMES.iter().copied());
        let faults: Vec<String> = texts.iter().flat_map(|text| reader.faults(text)).collect();
        assert_eq!(faults.len(), 1, "{uri}: {texts:?}");
    }
}
