//! Tests of requests for scans, over the protocol: repeated requests, waiting without an id, and ids of controls.

use crate::{
    demo::now,
    scan_tools::{Session, ids},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;
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
