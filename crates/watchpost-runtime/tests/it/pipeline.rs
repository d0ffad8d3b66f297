//! Tests from the vendors' answers to findings, against the findings that the fixture company is planted with: the connectors over HTTP, the
//! store, the built-in rules, the life cycle.

use crate::demo::{self, Copy};
use serde_json::Value;
use std::collections::BTreeSet;
use watchpost_core::{
    app::{AppLookup, AppMatch, AppStore as _},
    finding::{EntityFilter, FindingQuery, FindingStore as _, FindingSummary},
    identity::IdentityStore as _,
    integration::IntegrationStore as _,
    posture::{
        PostureStore as _,
        score::{live_by_severity, risk_score},
    },
    rule::document::EntityRef,
    value::word::{CollectionState, FindingStatus},
};
use watchpost_policy::Pack;
use watchpost_runtime::instance::Instance;
use watchpost_simulator::Company;

/// A finding in `expected.json`: its rule and its subject.
type Expected = (String, String);

fn expected(stage: &str) -> BTreeSet<Expected> {
    let rows: Vec<Value> = serde_json::from_str(Company::expected_json()).expect("the fixture is JSON");
    rows.iter()
        .filter(|row| row["stage"] == stage)
        .map(|row| {
            let subject = &row["subject"];
            let text = |name: &str| subject[name].as_str().unwrap_or_default();
            let subject = match text("type") {
                "identity" => text("email").to_lowercase(),
                "app" => format!("{} app {}", text("platform"), text("name")),
                _ => text("platform").to_owned(),
            };
            (row["rule"].as_str().expect("a rule").to_owned(), subject)
        })
        .collect()
}

async fn found(instance: &Instance, statuses: &[FindingStatus]) -> BTreeSet<Expected> {
    let workspace = instance.workspace(None).await.expect("one workspace");
    let scope = instance.operator(&workspace);
    let (store, watchpost) = (instance.store(), instance.watchpost());
    let integrations = store.list_integrations(&scope).await.expect("integrations");
    let mut query = FindingQuery {
        statuses: statuses.to_vec(),
        limit: 100,
        ..FindingQuery::default()
    };
    let mut out = BTreeSet::new();
    loop {
        let page = store.list_findings(&scope, &query).await.expect("a page");
        for FindingSummary { rule_id, subject, .. } in page.findings {
            // Another test compares the findings of checks.
            if watchpost.check(&rule_id).is_some() {
                continue;
            }
            let subject = match subject.entity {
                EntityRef::Identity(_) => subject.email.expect("a planted person has an address"),
                EntityRef::App(id) => {
                    let found = store.find_app(&scope, &AppLookup::Id(id)).await.expect("an app");
                    let AppMatch::One(app) = found else {
                        panic!("the app of a finding is there")
                    };
                    format!("{} app {}", app.platform, app.name.untrusted())
                }
                EntityRef::Integration(id) => integrations
                    .iter()
                    .find(|row| row.id == id)
                    .expect("an integration")
                    .platform
                    .to_string(),
            };
            assert!(out.insert((rule_id, subject)), "one finding per rule and entity");
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return out,
        }
    }
}

fn assert_same(what: &str, found: &BTreeSet<Expected>, expected: &BTreeSet<Expected>) {
    let missing: Vec<_> = expected.difference(found).collect();
    let wrong: Vec<_> = found.difference(expected).collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "{what}\nnot found: {missing:#?}\nfound but not planted: {wrong:#?}"
    );
}

#[tokio::test]
async fn every_dataset_of_the_fixture_company_is_read_completely() {
    let company = Copy::new();
    let instance = &company.instance;
    let workspace = instance.workspace(None).await.expect("one workspace");
    let scope = instance.operator(&workspace);
    let integrations = instance
        .store()
        .list_integrations(&scope)
        .await
        .expect("integrations");
    assert_eq!(integrations.len(), 2);
    for integration in &integrations {
        for collection in &integration.collections {
            assert_eq!(
                collection.state,
                CollectionState::Complete,
                "{} {}: {:?}",
                integration.platform,
                collection.dataset,
                collection.detail
            );
        }
    }
}

#[tokio::test]
async fn the_fixture_company_has_exactly_the_findings_that_were_planted() {
    let company = Copy::new();
    let instance = &company.instance;
    let (month, week, now) = (expected("-30d"), expected("-7d"), expected("now"));
    assert!(
        now.len() > 80 && month != week && week != now,
        "the company must change over time"
    );
    // The demo ends with two analyses of new syncs, which resolve the findings that are gone.
    assert_same(
        "live findings",
        &found(instance, &[FindingStatus::Open, FindingStatus::InProgress]).await,
        &now,
    );
    let ended: BTreeSet<_> = month
        .union(&week)
        .filter(|row| !now.contains(*row))
        .cloned()
        .collect();
    assert!(!ended.is_empty());
    assert_same(
        "resolved findings",
        &found(instance, &[FindingStatus::Resolved]).await,
        &ended,
    );
}

/// The coverage agrees with the findings: it doesn't count an administrator without a second factor as covered.
#[tokio::test]
async fn coverage_excludes_people_with_a_finding() {
    let company = Copy::new();
    let instance = &company.instance;
    let workspace = instance.workspace(None).await.expect("one workspace");
    let scope = instance.operator(&workspace);
    let coverage = instance
        .store()
        .measure_coverage(&scope, demo::now())
        .await
        .expect("coverage");
    let now = expected("now");
    let named = |rules: &[&str]| {
        now.iter()
            .filter(|(rule, _)| rules.contains(&rule.as_str()))
            .count() as u64
    };
    for (what, off, findings) in [
        (
            "administrators",
            coverage.admin_mfa.off,
            named(&["id.admin_no_mfa"]),
        ),
        (
            "everybody",
            coverage.mfa.off,
            named(&["id.admin_no_mfa", "id.user_no_mfa"]),
        ),
    ] {
        assert!(
            off > 0 && off <= findings,
            "{what}: {off} of {findings} findings, {coverage:?}"
        );
    }
}

/// A condition that several checks judge has one finding, even if the checks belong to different scans.
#[tokio::test]
async fn checks_of_the_same_condition_have_one_finding() {
    let company = Copy::new();
    let instance = &company.instance;
    let workspace = instance.workspace(None).await.expect("one workspace");
    let scope = instance.operator(&workspace);
    let rows: Vec<Value> =
        serde_json::from_str(Company::expected_checks_json()).expect("the fixture is JSON");
    let failed: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row["now"] == "failed")
        .filter_map(|row| row["check"].as_str())
        .collect();
    let shared = Pack::builtin().shared_conditions().expect("conditions");
    let mut shared_findings = 0;
    for condition in shared {
        let failing: BTreeSet<&str> = condition
            .judged_by
            .iter()
            .map(String::as_str)
            .filter(|id| failed.contains(id))
            .collect();
        for id in &failing {
            let query = FindingQuery {
                statuses: vec![FindingStatus::Open, FindingStatus::InProgress],
                rule_id: Some((*id).to_owned()),
                limit: 10,
                ..FindingQuery::default()
            };
            let found = instance
                .store()
                .list_findings(&scope, &query)
                .await
                .expect("a page");
            assert_eq!(found.findings.len(), 1, "{id}");
            let finding = &found.findings[0];
            let seen_by = finding
                .also
                .iter()
                .map(String::as_str)
                .chain([finding.rule_id.as_str()]);
            assert!(failing.is_subset(&seen_by.collect()), "{id}: {finding:?}");
            shared_findings += usize::from(!finding.also.is_empty());
        }
    }
    assert!(shared_findings > 0, "no finding has more than one check");
}

/// The sample dialogue in the README has the numbers of the demo.
#[tokio::test]
async fn the_readme_has_the_numbers_of_the_demo() {
    let company = Copy::new();
    let instance = &company.instance;
    let workspace = instance.workspace(None).await.expect("one workspace");
    let scope = instance.operator(&workspace);
    let facts = instance.store().risk_facts(&scope).await.expect("facts");
    let risk = risk_score(&facts.counts, facts.identities);
    let [critical, high, medium, low, info] = live_by_severity(&facts.counts);
    let sentence = format!(
        "The risk score is {} of 100 (higher is worse): {}; open findings: {critical} critical, {high} high, {medium} \
         medium, {low} low, {info} info.",
        risk.score, risk.rating
    );
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md"))
        .expect("the page is there");
    assert!(readme.contains(&sentence), "README.md doesn't say: {sentence}");

    let address = "adm.marlow.keane@birchworks.example";
    assert!(readme.contains(address), "README.md doesn't mention {address}");
    let person = instance.store().identity_by_email(&scope, address).await;
    let person = person.expect("a look-up").expect("the person is planted");
    let query = FindingQuery {
        statuses: vec![FindingStatus::Open, FindingStatus::InProgress],
        entity: Some(EntityFilter::Identity(person.id)),
        limit: 25,
        ..FindingQuery::default()
    };
    let found = instance
        .store()
        .list_findings(&scope, &query)
        .await
        .expect("a page");
    let sentence = format!("{} open findings.*", found.total.value);
    assert!(readme.contains(&sentence), "README.md doesn't say: {sentence}");
}
