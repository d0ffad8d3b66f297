//! Tests of the scans in the demo's history against the results that the fixture company is planted with: settings over HTTP and from a name
//! server, the store, and every built-in check of the company's platforms.

use crate::demo::Copy;
use serde_json::Value;
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, ScanType, SkipReason},
    scan::{ResultDetail, Scan, ScanQuery, ScanStore as _},
    value::word::{CollectionState, Platform, RunState},
};
use watchpost_simulator::Company;

/// The result as `expected-checks.json` writes it.
fn verdict(result: &ResultDetail) -> String {
    match (result.row.result, result.row.skip) {
        (CheckResult::Skipped, Some(reason)) => format!("skipped:{reason}"),
        (result, _) => result.to_string(),
    }
}

/// Compares the first and the last scan of each integration and type with the fixture, in both directions.
#[tokio::test]
async fn every_check_has_the_planted_result() {
    let company = Copy::new();
    let instance = &company.instance;
    let workspace = instance.workspace(None).await.expect("one workspace");
    let scope = instance.operator(&workspace);
    let store = instance.store();
    let query = ScanQuery {
        limit: 100,
        ..ScanQuery::default()
    };
    let mut scans = store.list_scans(&scope, &query).await.expect("scans").scans;
    scans.sort_by_key(|scan| scan.queued_at);
    let planted: Vec<Value> = serde_json::from_str(Company::expected_checks_json()).expect("JSON");
    let mut wrong = Vec::new();
    for moment in ["-30d", "now"] {
        let mut found: BTreeMap<String, ResultDetail> = BTreeMap::new();
        for platform in [Platform::M365, Platform::Okta] {
            for scan_type in ScanType::ALL {
                let fits = |scan: &&Scan| scan.platform == platform && scan.scan_type == *scan_type;
                let mut fitting = scans.iter().filter(fits);
                let scan = if moment == "now" {
                    fitting.next_back()
                } else {
                    fitting.next()
                };
                let Some(scan) = scan else { continue };
                assert_eq!(scan.state, RunState::Completed, "{:?}", scan.reason);
                for setting in store.scan_settings(&scope, scan.id).await.expect("settings") {
                    assert!(
                        matches!(
                            setting.state,
                            CollectionState::Complete | CollectionState::Unlicensed
                        ),
                        "{}: {} {:?}",
                        setting.path,
                        setting.state,
                        setting.detail
                    );
                }
                for result in store.scan_details(&scope, scan.id).await.expect("results") {
                    // If both platforms have a check, the fixture has the result for Microsoft 365.
                    found.entry(result.row.check_id.clone()).or_insert(result);
                }
            }
        }
        assert!(found.len() > 150, "{} checks ran", found.len());
        for row in &planted {
            let text = |name: &str| row[name].as_str().expect("a text");
            let Some(result) = found.remove(text("check")) else {
                wrong.push(format!("{moment} {}: no scan has a result", text("check")));
                continue;
            };
            let actual = verdict(&result);
            let mut note = |what: String| {
                let reason = result.row.reason.untrusted();
                wrong.push(format!("{moment} {}: {what} ({reason})", text("check")));
            };
            if actual != text(moment) {
                note(format!("{actual} instead of {}", text(moment)));
            }
            let entities = &row["entities"][moment];
            if entities.is_u64() && entities.as_u64() != Some(result.row.entities) {
                note(format!("{} entities instead of {entities}", result.row.entities));
            }
            let would_pass = row["would_pass"] == true;
            if moment == "now" && would_pass != result.would_pass.is_some() {
                note(format!("would pass: {:?}", result.would_pass));
            }
            if result.row.skip == Some(SkipReason::Unreadable) {
                note("unreadable".to_owned());
            }
        }
        for result in found.values() {
            let (check, actual) = (&result.row.check_id, verdict(result));
            wrong.push(format!(
                "{moment} {check}: {actual}, but the fixture has no result"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
