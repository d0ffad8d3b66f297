//! Tests of requests for scans, over the protocol: repeated requests, waiting without an id, ids of controls, the scan to
//! compare with, periods of days, and numbers within a filter.

use crate::{
    demo::now,
    scan_tools::{Session, ids},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;
use watchpost_core::{scan::ComplianceScore, value::time::Timestamp};
use watchpost_runtime::{metrics::Counters, worker::Worker};

impl Session {
    /// Runs the queued jobs in this process. Scans of stored settings need no vendor.
    async fn work(&self) {
        let instance = &self.company.instance;
        let watchpost = instance.watchpost_with_connectors().expect("connectors");
        let worker = Worker::with_watchpost(instance, watchpost, Arc::new(Counters::default()));
        let (_stopping, stop) = watch::channel(false);
        worker.drain(&stop).await.expect("the jobs run");
    }
}

fn stored(scan_type: &str) -> Value {
    json!({"scan_type": scan_type, "platform": "m365", "read_settings": false})
}

#[tokio::test]
async fn a_repeated_start_scan_returns_the_same_scan_until_a_minute_after_its_end() {
    let session = Session::new().await;
    let at = |seconds: i64| session.company.clock.freeze(now().plus_millis(seconds * 1_000));
    let start = || session.say("start_scan", stored("compliance"));

    let ((one_text, one), (two_text, two)) = tokio::join!(start(), start());
    assert_eq!(
        one["scan_id"], two["scan_id"],
        "two calls at the same time start one scan"
    );
    let mut outcomes = [&one["outcome"], &two["outcome"]];
    outcomes.sort_by_key(|outcome| outcome.to_string());
    assert_eq!(outcomes, ["already_running", "started"]);
    assert!(
        [&one_text, &two_text]
            .iter()
            .any(|text| text.starts_with("Nothing was started:")),
        "{one_text} {two_text}"
    );

    at(10);
    session.work().await;
    let id = &one["scan_id"];
    let ended = session.ask("get_scan", json!({"scan_id": id})).await;
    assert_eq!(ended["scan"]["status"], "completed");
    for seconds in [10, 70] {
        at(seconds);
        let (text, again) = start().await;
        assert_eq!(
            (&again["scan_id"], &again["outcome"]),
            (id, &json!("just_completed"))
        );
        assert_eq!(again["status"], "completed");
        let end = ended["scan"]["completed_at"].as_str().expect("a time");
        assert!(
            text.contains("Nothing was started") && text.contains(end),
            "{text}"
        );
    }
    let read = |scan_type| json!({"scan_type": scan_type, "platform": "m365"});
    for other in [stored("exposure"), read("compliance")] {
        let new = session.ask("start_scan", other.clone()).await;
        assert_eq!(new["outcome"], "started", "{other}");
        assert_ne!(&new["scan_id"], id);
        session.work().await;
    }
    at(71);
    let (_, new) = start().await;
    assert_eq!(new["outcome"], "started", "a minute has passed");
    assert_ne!(&new["scan_id"], id);
}

#[tokio::test]
async fn get_scan_that_waits_without_an_id_waits_for_the_unfinished_scan() {
    let session = Session::new().await;
    let latest = session.ask("get_scan", json!({})).await;
    let idle = session.ask("get_scan", json!({"wait_seconds": 50})).await;
    assert_eq!(idle["scan"], latest["scan"], "nothing to wait for");

    let started = session.ask("start_scan", stored("exposure")).await;
    let (wait, ()) = tokio::join!(
        session.ask("get_scan", json!({"wait_seconds": 50})),
        session.work()
    );
    assert_eq!(wait["scan"]["scan_id"], started["scan_id"]);
    assert_eq!(wait["scan"]["status"], "completed");
    assert!(wait["scan"]["exposure"].is_string());

    let started = session.ask("start_scan", stored("compliance")).await;
    let id = &started["scan_id"];
    let queued = session.ask("get_scan", json!({"wait_seconds": 1})).await;
    assert_eq!(
        (&queued["scan"]["scan_id"], &queued["scan"]["status"]),
        (id, &json!("queued"))
    );
    // A call that names another type or another scan, or that doesn't wait, isn't about the unfinished scan.
    for other in [
        json!({"wait_seconds": 1, "scan_type": "exposure"}),
        json!({"wait_seconds": 1, "scan_id": latest["scan"]["scan_id"]}),
        json!({}),
    ] {
        let answer = session.ask("get_scan", other.clone()).await;
        assert_ne!(&answer["scan"]["scan_id"], id, "{other}");
        assert_eq!(answer["scan"]["status"], "completed", "{other}");
    }
}

#[tokio::test]
async fn the_id_of_a_control_selects_all_checks_that_carry_it_failed_first() {
    let session = Session::new().await;
    let every = session.ask("list_check_results", json!({"limit": 100})).await;
    let mut rows = every["results"].as_array().expect("rows").clone();
    let mut next = every.get("next_after").cloned();
    while let Some(after) = next {
        let page = session
            .ask("list_check_results", json!({"limit": 100, "after": after}))
            .await;
        rows.extend(page["results"].as_array().expect("rows").iter().cloned());
        next = page.get("next_after").cloned();
    }
    let carrying = |control: &str| -> Vec<&str> {
        rows.iter()
            .filter(|row| {
                row["framework_ids"]
                    .as_array()
                    .expect("ids")
                    .contains(&json!(control))
            })
            .map(|row| row["check_id"].as_str().expect("an id"))
            .collect()
    };
    for (control, names) in [
        (
            "CIS.M365.6.2.1",
            ["CIS.M365.6.2.1", "cis.m365.6.2.1", "6.2.1", "CIS 6.2.1"],
        ),
        (
            "NIST.800-53.AC-3",
            ["NIST.800-53.AC-3", "nist.800-53.ac-3", "AC-3", "NIST ac-3"],
        ),
    ] {
        let expected = carrying(control);
        assert!(expected.len() > 1, "{control}: {expected:?}");
        for name in names {
            let (text, answer) = session
                .say("list_check_results", json!({"check_id": name, "limit": 100}))
                .await;
            // The order of `rows` is that of lists: failed first.
            assert_eq!(ids(&answer["results"]), expected, "{name}");
            assert_eq!(answer["total"], expected.len(), "{name}");
            assert_eq!(answer["detail"]["check_id"], expected[0], "{name}");
            assert!(text.contains(&format!("{} checks", expected.len())), "{text}");
        }
    }

    let control = "NIST.800-53.AC-3";
    let failed = session
        .ask(
            "list_check_results",
            json!({"check_id": control, "result": "failed", "limit": 100}),
        )
        .await;
    assert!(
        failed["results"]
            .as_array()
            .expect("rows")
            .iter()
            .all(|row| row["result"] == "failed")
    );
    assert!(failed["total"].as_u64() < Some(carrying(control).len() as u64));
    let first = session
        .ask("list_check_results", json!({"check_id": control, "limit": 1}))
        .await;
    let second = session
        .ask(
            "list_check_results",
            json!({"check_id": control, "limit": 1, "after": first["next_after"]}),
        )
        .await;
    assert_eq!(ids(&second["results"]), [carrying(control)[1]]);

    let one = session
        .ask("list_check_results", json!({"check_id": "SPO.Sharing_Limited"}))
        .await;
    assert_eq!(ids(&one["results"]), ["spo.sharing_limited"]);
    assert_eq!(one["detail"]["check_id"], "spo.sharing_limited");
}

#[tokio::test]
async fn comparisons_are_with_the_last_scan_of_another_day_and_say_which() {
    let session = Session::new().await;
    let list = session
        .ask("list_scans", json!({"scan_type": "compliance"}))
        .await;
    let scan = |at: usize| list["scans"][at].clone();
    let (latest, week_ago) = (scan(0), scan(1));
    // Another scan on the day of the latest one.
    session.company.clock.freeze(now().plus_millis(3_600_000));
    let started = session.ask("start_scan", stored("compliance")).await;
    session.work().await;

    let (text, compared) = session.say("compare_scans", json!({})).await;
    assert_eq!(compared["scan_id"], started["scan_id"]);
    assert_eq!(compared["before_scan_id"], week_ago["scan_id"]);
    assert_eq!(compared["compared_with"], "last_scan_of_another_day");
    let at = |scan: &Value| scan["completed_at"].as_str().expect("a time").to_owned();
    assert!(
        text.contains(&format!(
            "compared with {}, the last scan of another day",
            at(&week_ago)
        )),
        "{text}"
    );
    let asked = json!({"before_scan_id": latest["scan_id"]});
    let (text, requested) = session.say("compare_scans", asked).await;
    assert_eq!(requested["compared_with"], "requested_scan");
    assert!(
        text.contains(&format!("compared with {}, the requested scan", at(&latest))),
        "{text}"
    );

    let (text, report) = session.say("generate_report", json!({})).await;
    assert_eq!(report["scan_id"], started["scan_id"]);
    assert_eq!(report["before_scan_id"], week_ago["scan_id"]);
    assert_eq!(report["compared_with"], "last_scan_of_another_day");
    assert!(
        text.contains(&at(&week_ago)) && text.contains("the last scan of another day"),
        "{text}"
    );
    assert!(
        report["markdown"]
            .as_str()
            .expect("a text")
            .contains("the last scan of another day")
    );

    // If all earlier scans are of the same day, the previous one takes the place.
    let first = session.ask("list_scans", json!({"scan_type": "exposure"})).await;
    let oldest = first["scans"]
        .as_array()
        .expect("scans")
        .last()
        .expect("a scan")
        .clone();
    let none = session
        .error("compare_scans", json!({"scan_id": oldest["scan_id"]}))
        .await;
    assert!(none.contains("no earlier completed scan"), "{none}");
}

#[tokio::test]
async fn a_trend_includes_the_whole_day_with_which_its_period_begins() {
    let session = Session::new().await;
    let list = session
        .ask("list_scans", json!({"scan_type": "compliance"}))
        .await;
    let oldest = list["scans"]
        .as_array()
        .expect("scans")
        .last()
        .expect("a scan")
        .clone();
    let begun: Timestamp = oldest["completed_at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    let count = async |days: i64| {
        let trend = session.ask("get_score_trend", json!({"days": days})).await;
        trend["points"].as_array().expect("points").len()
    };
    // Thirty days later, at the same time, and at the end of the day.
    for time in [
        begun.plus_days(30),
        begun.plus_days(30).plus_millis(1),
        begun.plus_days(30).end_of_day(),
    ] {
        session.company.clock.freeze(time);
        assert_eq!(count(30).await, 3, "{time}");
        assert_eq!(count(29).await, 2, "{time}");
    }
    session.company.clock.freeze(begun.plus_days(31).start_of_day());
    assert_eq!(count(30).await, 2);
}

#[tokio::test]
async fn answers_and_documents_within_a_filter_have_the_score_of_its_checks() {
    let session = Session::new().await;
    let filter = json!({"framework": ["cis"], "service": ["exchange"]});
    let with = |more: Value| {
        let mut arguments = filter.clone();
        for (name, value) in more.as_object().expect("an object") {
            arguments[name] = value.clone();
        }
        arguments
    };
    let score = async |scan: &Value| {
        let list = session
            .ask("list_check_results", with(json!({"scan_id": scan, "limit": 100})))
            .await;
        let rows = list["results"].as_array().expect("rows").clone();
        assert_eq!(list["total"], rows.len());
        let count = |result: &str| rows.iter().filter(|row| row["result"] == result).count() as u64;
        ComplianceScore::of(count("passed"), count("failed")).expect("a score")
    };
    let (text, compared) = session.say("compare_scans", filter.clone()).await;
    let (before, after) = (
        score(&compared["before_scan_id"]).await,
        score(&compared["scan_id"]).await,
    );
    let whole = session.ask("get_scan", json!({})).await;
    assert_ne!(
        whole["scan"]["score"].as_f64(),
        Some(after.percent()),
        "the filter has an effect"
    );
    assert!(text.contains(&format!("Score {before}, now {after}")), "{text}");
    assert!(
        text.contains("limited to") && text.contains("Exchange Online"),
        "{text}"
    );
    let change = f64::from(after.difference(before)) / 10.0;
    assert_eq!(compared["score_change"].as_f64(), Some(change));
    let frameworks = compared["frameworks"].as_object().expect("frameworks");
    assert_eq!(frameworks.keys().collect::<Vec<_>>(), ["cis"]);
    assert_eq!(frameworks["cis"]["after"].as_f64(), Some(after.percent()));

    let (text, scan) = session.say("get_scan", filter.clone()).await;
    assert_eq!(scan["selected"]["score"].as_f64(), Some(after.percent()));
    assert!(text.contains(&format!(": {after} (")), "{text}");

    let (text, report) = session.say("generate_report", filter.clone()).await;
    assert!(
        text.contains(&format!(": {after} (")) && text.contains("limited to"),
        "{text}"
    );
    assert_eq!(report["score"].as_f64(), Some(after.percent()));
    assert!(
        report["markdown"]
            .as_str()
            .expect("a text")
            .contains(&format!("**{after} of 100"))
    );
    let uri = report["report_uri"].as_str().expect("a uri");
    for (ending, expected) in [
        ("html", after.to_string()),
        ("md", format!("**{after} of 100")),
        ("json", format!("\"score\": {}", after.percent())),
    ] {
        let uri = uri.replace(".html?", &format!(".{ending}?"));
        let read = session.client.send("resources/read", json!({"uri": uri})).await;
        let page = read["result"]["contents"][0]["text"].as_str().expect("a text");
        assert!(page.contains(&expected), "{ending}: no {expected}");
        assert!(page.contains(&before.to_string()), "{ending}: no {before}");
    }
    for ending in ["csv", "ocsf.jsonl"] {
        let uri = uri.replace(".html?", &format!(".{ending}?"));
        let read = session.client.send("resources/read", json!({"uri": uri})).await;
        let page = read["result"]["contents"][0]["text"].as_str().expect("a text");
        let head = usize::from(ending == "csv");
        for line in page.lines().skip(head) {
            assert!(line.contains("exo."), "{ending}: {line}");
        }
    }
}
