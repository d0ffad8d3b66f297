//! Tests of vendors that hide rows without an error, from the vendors' answers to the score: the connectors over HTTP, the store, the rules,
//! the answers.

use crate::rig::{LOST, Rig, call};
use std::collections::BTreeSet;
use watchpost_core::{
    error::Error,
    finding::{FindingQuery, FindingStore as _},
    integration::{Doubt, Shrink, fact::Dataset},
    value::word::{CollectionState, FindingStatus},
};
use watchpost_simulator::{Fault, FaultKind, OktaRole, Vendor};

impl Rig {
    fn hide(&self, vendor: Vendor, path: &str, percent_left: u8) {
        self.simulator.fault(Fault {
            vendor,
            path_contains: path.to_owned(),
            times: u32::MAX,
            kind: FaultKind::HiddenRows(percent_left),
        });
    }
}

/// Without an administrator role, Okta returns an empty list of users. That isn't an empty company with grade A.
#[tokio::test]
async fn an_okta_app_without_a_role_yields_no_score() {
    let rig = Rig::new(30).await;
    rig.simulator.set_okta_role(OktaRole::None);
    let okta = rig.connect_okta().await;
    for dataset in [Dataset::Users, Dataset::SignIn, Dataset::Mfa, Dataset::Roles] {
        let row = rig.collection(okta, dataset).await;
        assert_eq!(row.state, CollectionState::Denied, "{dataset}: {row:?}");
        assert_eq!(row.completions, 0, "{dataset}");
    }
    let users = rig.collection(okta, Dataset::Users).await;
    assert_eq!(users.doubt, Some(Doubt::Empty));
    assert_eq!(users.detail.as_deref(), Some("Read-only Administrator"));

    let answer = rig.ask("get_risk_score").await;
    assert_eq!(answer["state"], "failed", "{answer}");
    assert!(answer.get("grade").is_none(), "{answer}");
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("its people could not be read"), "{warnings}");
    let summary = rig.ask("get_posture_summary").await;
    assert_eq!(summary["state"], "failed", "{summary}");
    let integrations = rig.ask("get_integrations").await;
    let problems = integrations["integrations"][0]["problems"].to_string();
    assert!(problems.contains("Read-only Administrator"), "{problems}");

    // With the role, the same connection is complete.
    rig.simulator.set_okta_role(OktaRole::SuperAdministrator);
    rig.sync().await;
    assert_eq!(
        rig.collection(okta, Dataset::Users).await.state,
        CollectionState::Complete
    );
    assert!(rig.ask("get_risk_score").await["grade"].is_string());
    let people = rig.people().await;
    assert!(people > 20, "{people}");

    // If the role is taken away, nothing is gone.
    let open = rig.findings(FindingStatus::Open).await;
    rig.simulator.set_okta_role(OktaRole::None);
    for _ in 0..3 {
        rig.sync().await;
        assert_eq!(rig.people().await, people);
        assert_eq!(rig.findings(FindingStatus::Open).await, open);
    }
    let query = FindingQuery {
        statuses: vec![FindingStatus::Open],
        rule_id: Some(LOST.to_owned()),
        limit: 10,
        ..FindingQuery::default()
    };
    let lost = rig.instance.store().list_findings(&rig.scope, &query).await;
    let lost = lost.expect("a page").findings;
    assert_eq!(lost.len(), 1);
    let answer = rig.ask("get_risk_score").await;
    let warnings = answer["warnings"].to_string();
    assert!(
        warnings.contains("could not be read at the last sync (denied: Read-only Administrator"),
        "{warnings}"
    );
}

/// If another platform can be read, there is a score, which says whose people it knows nothing about.
#[tokio::test]
async fn a_score_names_the_platform_whose_people_were_never_read() {
    let rig = Rig::new(30).await;
    rig.simulator.set_okta_role(OktaRole::None);
    rig.connect_m365().await;
    assert!(!rig.read("get_risk_score").await.contains("says nothing about"));
    rig.connect_okta().await;
    for tool in ["get_risk_score", "get_posture_summary"] {
        let text = rig.read(tool).await;
        assert!(
            text.contains("It says nothing about the people of Okta, who could not be read."),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_list_that_shrank_ends_nothing_until_a_person_confirms_it() {
    let rig = Rig::new(100).await;
    let m365 = rig.connect_m365().await;
    let first = rig.collection(m365, Dataset::Users).await;
    assert_eq!(first.state, CollectionState::Complete, "{:?}", first.detail);
    let people = rig.people().await;
    let open = rig.findings(FindingStatus::Open).await;
    assert!(open.len() > 3, "{} findings", open.len());

    rig.hide(Vendor::Graph, "/v1.0/users", 40);
    for _ in 0..3 {
        rig.sync().await;
        let users = rig.collection(m365, Dataset::Users).await;
        assert_eq!(
            (users.state, users.doubt),
            (CollectionState::Partial, Some(Doubt::Shrank))
        );
        assert!(users.rows * 2 < first.rows);
        assert_eq!(users.completions, first.completions);
        let sign_in = rig.collection(m365, Dataset::SignIn).await;
        assert_eq!(
            (sign_in.state, sign_in.doubt),
            (CollectionState::Partial, Some(Doubt::Follows))
        );
        assert_eq!(rig.people().await, people);
        assert_eq!(rig.findings(FindingStatus::Open).await, open);
    }
    let shrunk = rig.collection(m365, Dataset::Users).await;
    let warnings = rig.ask("get_risk_score").await["warnings"].to_string();
    let sentence = format!("`users` shrank from {} rows to {}", first.rows, shrunk.rows);
    assert!(warnings.contains(&sentence), "{warnings}");
    assert!(
        warnings.contains("watchpost integrations confirm-shrink"),
        "{warnings}"
    );

    let watchpost = rig.instance.watchpost();
    let confirm = async |dataset, rows| {
        watchpost
            .confirm_shrink(
                &rig.scope,
                m365,
                dataset,
                rows,
                call("integrations confirm-shrink"),
            )
            .await
    };
    for (dataset, rows) in [(Dataset::Users, 1), (Dataset::Apps, 0), (Dataset::Tokens, 0)] {
        let refused = confirm(dataset, rows).await;
        assert!(
            matches!(refused, Err(Error::Conflict { .. })),
            "{dataset}: {refused:?}"
        );
    }
    let done = confirm(Dataset::Users, shrunk.rows)
        .await
        .expect("a confirmation");
    assert!(done.changed);
    let (from, to) = (first.rows, shrunk.rows);
    assert_eq!(done.shrink, Shrink { from, to });
    let warnings = rig.ask("get_risk_score").await["warnings"].to_string();
    assert!(!warnings.contains("shrank from"), "{warnings}");

    rig.sync().await;
    let users = rig.collection(m365, Dataset::Users).await;
    assert_eq!((users.state, users.doubt), (CollectionState::Complete, None));
    assert_eq!(users.confirmed_rows, None);
    let sign_in = rig.collection(m365, Dataset::SignIn).await;
    assert_eq!((sign_in.state, sign_in.doubt), (CollectionState::Complete, None));
    assert!(rig.people().await < people);
    rig.sync().await;
    let gone: BTreeSet<_> = open
        .difference(&rig.findings(FindingStatus::Open).await)
        .copied()
        .collect();
    assert!(!gone.is_empty(), "findings about people who are gone end");
    assert!(gone.is_subset(&rig.findings(FindingStatus::Resolved).await));
}

#[tokio::test]
async fn short_lists_may_become_empty_unless_they_never_are() {
    let rig = Rig::new(8).await;
    let m365 = rig.connect_m365().await;
    let grants = rig.collection(m365, Dataset::Grants).await;
    let users = rig.collection(m365, Dataset::Users).await;
    assert!((1..20).contains(&grants.rows), "{}", grants.rows);
    assert!((1..20).contains(&users.rows), "{}", users.rows);
    let people = rig.people().await;
    rig.hide(Vendor::Graph, "/v1.0/oauth2PermissionGrants", 0);
    rig.hide(Vendor::Graph, "/v1.0/users", 0);
    rig.sync().await;
    let grants = rig.collection(m365, Dataset::Grants).await;
    assert_eq!((grants.state, grants.rows), (CollectionState::Complete, 0));
    let users = rig.collection(m365, Dataset::Users).await;
    assert_eq!(
        (users.state, users.doubt),
        (CollectionState::Denied, Some(Doubt::Empty))
    );
    assert_eq!(users.detail.as_deref(), Some("User.Read.All"));
    assert_eq!(rig.people().await, people);
}
