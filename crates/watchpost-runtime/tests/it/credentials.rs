//! Tests of replacing the credentials of an integration, over HTTP.

use crate::rig::{Rig, call, config};
use serde_json::Value;
use std::collections::BTreeMap;
use watchpost_core::{
    app::{AppLookup, AppQuery, AppStore as _},
    audit::{AuditOutcome, AuditQuery, AuditStore as _},
    check::Exempted,
    error::{Error, NextStep},
    integration::{Integration, IntegrationStore as _, connector::ConnectorConfig},
    scan::ScanStore as _,
    value::{
        id::{FindingId, IntegrationId},
        time::Timestamp,
        word::{AppPolicy, DismissReason, FindingStatus, IntegrationStatus, Platform},
    },
};
use watchpost_simulator::{Company, Simulator, SimulatorConfig};

impl Rig {
    async fn row(&self, id: IntegrationId) -> Integration {
        let row = self.instance.store().integration(&self.scope, id).await;
        row.expect("a read").expect("an integration")
    }

    /// Sets the API token of Okta.
    async fn set_token(&self, id: IntegrationId, token: &str) -> Result<IntegrationStatus, Error> {
        self.set(id, config(&[], ("api_token", token))).await
    }

    async fn set(&self, id: IntegrationId, changes: ConnectorConfig) -> Result<IntegrationStatus, Error> {
        let watchpost = self.instance.watchpost_with_connectors().expect("connectors");
        let call = call("integrations set-credential");
        let set = watchpost.set_credential(&self.scope, id, changes, call).await?;
        Ok(set.status)
    }

    /// Returns what the vendor's refusal does to an integration.
    async fn failure(&self, id: IntegrationId) -> Option<(String, Option<NextStep>)> {
        let failure = self.row(id).await.failure?;
        let next = failure.next_step(self.row(id).await.platform);
        Some((failure.reason, next))
    }

    /// Returns every finding with its status.
    async fn decided(&self) -> BTreeMap<FindingId, FindingStatus> {
        let mut all = BTreeMap::new();
        for status in [
            FindingStatus::Open,
            FindingStatus::Snoozed,
            FindingStatus::Dismissed,
        ] {
            all.extend(self.findings(status).await.into_iter().map(|id| (id, status)));
        }
        all
    }

    async fn apps(&self) -> BTreeMap<String, AppPolicy> {
        let query = AppQuery {
            limit: 100,
            ..AppQuery::default()
        };
        let apps = self.instance.store().list_apps(&self.scope, &query).await;
        let apps = apps.expect("apps").into_iter();
        apps.map(|app| (app.id.to_string(), app.policy)).collect()
    }

    /// Returns the outcomes of the changes of credentials, oldest first.
    async fn audited(&self) -> Vec<AuditOutcome> {
        let query = AuditQuery {
            action: Some("integration.credential_set".to_owned()),
            limit: 100,
            ..AuditQuery::default()
        };
        let entries = self.instance.store().list_entries(&self.scope, &query).await;
        let entries = entries.expect("entries").into_iter().rev();
        entries.map(|entry| entry.outcome).collect()
    }
}

#[tokio::test]
async fn replacing_an_expired_credential_keeps_ids_findings_and_decisions() {
    let rig = Rig::new(60).await;
    let (okta, m365) = (rig.connect_okta().await, rig.connect_m365().await);
    rig.sync().await;
    let open: Vec<_> = rig.findings(FindingStatus::Open).await.into_iter().collect();
    assert!(open.len() > 3, "{} findings", open.len());
    let watchpost = rig.instance.watchpost();
    watchpost
        .snooze_finding(&rig.scope, open[0], 90, None, call("findings snooze"))
        .await
        .expect("a snooze");
    let reason = DismissReason::AcceptedRisk;
    watchpost
        .dismiss_finding(&rig.scope, open[1], reason, None, call("findings dismiss"))
        .await
        .expect("a dismissal");
    let app = rig.apps().await.into_keys().next().expect("an app");
    let app = AppLookup::Id(app.parse().expect("an id"));
    watchpost
        .set_app_policy(&rig.scope, &app, AppPolicy::Blocked, call("apps policy"))
        .await
        .expect("a policy");
    let what = Exempted {
        check: "entra.mfa_all".to_owned(),
        kind: "*".to_owned(),
        id: String::new(),
    };
    watchpost
        .add_exemption(
            &rig.scope,
            what,
            "in a test",
            "Head of IT",
            None,
            call("exemption add"),
        )
        .await
        .expect("an exemption");
    rig.sync().await;
    let exemptions = rig.instance.store().exemptions(&rig.scope).await.expect("a read");
    let (decided, apps, people) = (rig.decided().await, rig.apps().await, rig.people().await);
    assert_eq!(decided[&open[0]], FindingStatus::Snoozed);
    assert_eq!(decided[&open[1]], FindingStatus::Dismissed);

    rig.simulator.replace_credentials();
    rig.sync().await;
    for (id, platform) in [(okta, Platform::Okta), (m365, Platform::M365)] {
        let (reason, next) = rig.failure(id).await.expect("a failure");
        assert!(reason.starts_with("authentication failed"), "{reason}");
        assert_eq!(next, Some(NextStep::SetCredential(platform)));
        assert_eq!(rig.row(id).await.status, IntegrationStatus::Error);
    }
    let shown = rig.ask("get_integrations").await;
    let next = shown["next_step"].as_str().expect("a step");
    for platform in ["okta", "m365"] {
        let command = format!("`watchpost integrations set-credential {platform}`");
        assert!(next.contains(&command), "{next}");
    }
    let warnings = rig.ask("get_risk_score").await["warnings"].to_string();
    assert!(warnings.contains("set-credential okta"), "{warnings}");

    let access = rig.simulator.m365();
    let secret = config(&[], ("client_secret", &access.client_secret));
    assert_eq!(
        rig.set(m365, secret).await.ok(),
        Some(IntegrationStatus::Connected)
    );
    let token = rig.simulator.okta().api_token;
    assert_eq!(
        rig.set_token(okta, &token).await.ok(),
        Some(IntegrationStatus::Connected)
    );
    assert_eq!(rig.audited().await, [AuditOutcome::Ok, AuditOutcome::Ok]);
    // The next sync is queued.
    let before = rig.row(okta).await.last_completed_at;
    rig.work().await;
    for id in [okta, m365] {
        let row = rig.row(id).await;
        assert_eq!((row.status, row.failure), (IntegrationStatus::Connected, None));
        assert!(row.last_completed_at > before);
    }
    assert_eq!(rig.decided().await, decided);
    assert_eq!(rig.apps().await, apps);
    assert_eq!(rig.people().await, people);
    let kept = rig.instance.store().exemptions(&rig.scope).await.expect("a read");
    assert_eq!(kept, exemptions);
    let warnings = &rig.ask("get_risk_score").await["warnings"];
    assert!(matches!(warnings, Value::Null) || !warnings.to_string().contains("set-credential"));
}

#[tokio::test]
async fn a_credential_that_the_vendor_rejects_leaves_the_current_one_in_use() {
    let rig = Rig::new(8).await;
    let okta = rig.connect_okta().await;
    let refused = rig.set_token(okta, "wrong").await.expect_err("a wrong token");
    let text = refused.to_string();
    assert!(matches!(refused, Error::Invalid { .. }), "{text}");
    assert!(text.contains("the current credential is kept"), "{text}");
    let refused = rig.set(okta, ConnectorConfig::default()).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    rig.sync().await;
    assert_eq!(rig.failure(okta).await, None);
    assert_eq!(rig.row(okta).await.status, IntegrationStatus::Connected);
    assert_eq!(rig.audited().await, []);
}

#[tokio::test]
async fn a_credential_of_another_tenant_is_refused_and_changes_nothing() {
    let start: Timestamp = "2026-03-02T09:00:00Z".parse().expect("a time");
    let company = Company::synthetic(20).expect("a company");
    let mut other = SimulatorConfig::new(company, start.as_millis());
    other.seed = 2;
    let other = Simulator::start(other).await.expect("a simulator");
    let rig = Rig::allowing(20, &[other.origin()]).await;
    let (okta, m365) = (rig.connect_okta().await, rig.connect_m365().await);
    let before = (rig.row(okta).await, rig.row(m365).await, rig.people().await);

    let access = other.okta();
    let changes = config(&[("org_url", &access.org_url)], ("api_token", &access.api_token));
    let refused = rig.set(okta, changes).await.expect_err("another org");
    assert!(
        refused.to_string().contains("opens another Okta tenant"),
        "{refused}"
    );
    let access = other.m365();
    let values = [
        ("tenant_id", access.tenant_id.as_str()),
        ("login_url", &access.login_url),
        ("graph_url", &access.graph_url),
    ];
    let changes = config(&values, ("client_secret", &access.client_secret));
    let refused = rig.set(m365, changes).await.expect_err("another tenant");
    assert!(matches!(refused, Error::Conflict { .. }), "{refused}");
    assert_eq!(
        rig.audited().await,
        [AuditOutcome::Conflict, AuditOutcome::Conflict]
    );
    assert_eq!(
        (rig.row(okta).await, rig.row(m365).await, rig.people().await),
        before
    );
    rig.sync().await;
    assert_eq!((rig.failure(okta).await, rig.failure(m365).await), (None, None));
    assert_eq!(rig.people().await, before.2);
}

#[tokio::test]
async fn a_paused_integration_stays_paused_with_its_new_credential() {
    let rig = Rig::new(8).await;
    let okta = rig.connect_okta().await;
    let watchpost = rig.instance.watchpost();
    let pause = watchpost_core::integration::IntegrationAction::Pause;
    watchpost
        .change_integration(&rig.scope, okta, pause, call("integrations pause"))
        .await
        .expect("a pause");
    rig.simulator.replace_credentials();
    let token = rig.simulator.okta().api_token;
    assert_eq!(
        rig.set_token(okta, &token).await.ok(),
        Some(IntegrationStatus::Paused)
    );
    let before = rig.row(okta).await.last_started_at;
    rig.work().await;
    assert_eq!(rig.row(okta).await.last_started_at, before);
}

#[tokio::test]
async fn a_credential_that_was_changed_in_the_file_fails_the_sync_and_is_set_again() {
    let rig = Rig::new(8).await;
    let okta = rig.connect_okta().await;
    rig.sync().await;
    let raw = rusqlite::Connection::open(rig.instance.store().path()).expect("the file");
    raw.execute_batch("UPDATE integration_secrets SET sealed = zeroblob(length(sealed))")
        .expect("a change");
    drop(raw);
    rig.sync().await;
    let (reason, next) = rig.failure(okta).await.expect("a failure");
    assert!(reason.contains("can't be opened"), "{reason}");
    assert_eq!(next, Some(NextStep::SetCredential(Platform::Okta)));
    let token = rig.simulator.okta().api_token;
    assert_eq!(
        rig.set_token(okta, &token).await.ok(),
        Some(IntegrationStatus::Connected)
    );
    rig.work().await;
    assert_eq!(rig.failure(okta).await, None);
}
