//! Upgrades of files that older versions wrote.

use crate::conformance::open;
use async_trait::async_trait;
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use watchpost_core::{
    check::Service,
    finding::{FindingAction, FindingCommand, FindingSummary, Marks, Observation, fingerprint},
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, IntegrationId},
        text::ForeignText,
        word::{DismissReason, FindingStatus, Platform, Severity},
    },
};
use watchpost_testkit::{
    SeededRandom, SteppingClock,
    conformance::{AnyStore, Harness, Opened, Tenant, World, live, observation, run, with_statuses},
};

/// A harness that exposes the path of its file.
#[derive(Default)]
struct Exposed(Mutex<PathBuf>);

#[async_trait]
impl Harness for Exposed {
    async fn open(&self, clock: Arc<SteppingClock>, _random: Arc<SeededRandom>) -> Box<dyn Opened> {
        let file = open(clock);
        *self.0.lock().unwrap() = file.path();
        Box::new(file)
    }
}

/// An observation of a check, in a version without conditions.
fn seen(rule: &str, integration: IntegrationId) -> Observation {
    Observation {
        service: Some(Service::Entra),
        ..observation(
            rule,
            EntityRef::Integration(integration),
            Severity::Critical,
            Marks::new(),
        )
    }
}

/// Reverts the fifth migration and the later ones.
fn revert_conditions(path: &PathBuf) {
    let raw = Connection::open(path).unwrap();
    raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    raw.execute_batch(
        "ALTER TABLE accounts DROP COLUMN password_expiry_exempt; \
         ALTER TABLE account_mfa DROP COLUMN phishing_resistant_known; \
         ALTER TABLE account_mfa DROP COLUMN weak_only_known; ALTER TABLE grants DROP COLUMN network; \
         ALTER TABLE apps DROP COLUMN tenant_wide; \
         DROP INDEX findings_also; DROP TABLE finding_sightings; DROP TABLE condition_moves; \
         ALTER TABLE findings DROP COLUMN condition; ALTER TABLE findings DROP COLUMN also; \
         ALTER TABLE findings DROP COLUMN services; ALTER TABLE findings DROP COLUMN sightings; \
         DROP TABLE entity_readings; \
         PRAGMA user_version = 4;",
    )
    .unwrap();
}

async fn findings(
    store: &Arc<dyn AnyStore>,
    tenant: &Tenant,
    statuses: &[FindingStatus],
) -> Vec<FindingSummary> {
    let page = store
        .list_findings(&tenant.operator, &with_statuses(statuses))
        .await;
    page.unwrap().findings
}

#[test]
fn an_upgrade_merges_findings_of_one_condition_and_keeps_decisions() {
    let harness = Exposed::default();
    run(async {
        let world = World::new(&harness).await;
        let tenant = world.tenant("one").await;
        let m365 = world.integration(&tenant, Platform::M365).await;
        world.sync(&tenant, m365, vec![]).await;
        let (_, permit, _) = world.analysis(&tenant).await;
        let analysis = AnalysisId::generate(world.clock.as_ref(), world.random.as_ref());
        for rule in [
            "entra.legacy_auth_blocked",
            "exp.legacy_auth_open",
            "exp.direct_send_open",
            "entra.mfa_all",
        ] {
            world.clock.advance_ms(60_000);
            let (hits, now) = (vec![seen(rule, m365)], world.now());
            world
                .store
                .observe_findings(&permit, analysis, hits, now)
                .await
                .unwrap();
        }
        let before = world.all_findings(&tenant.operator, live()).await;
        assert_eq!(before.len(), 4);
        let id_of = |rule: &str| before.iter().find(|row| row.rule_id == rule).unwrap().id;
        let dismissal = FindingCommand {
            finding: id_of("exp.legacy_auth_open"),
            action: FindingAction::Dismiss {
                reason: DismissReason::Mitigated,
            },
            note: Some(ForeignText::sentence("the proxy asks for it")),
            now: world.now(),
        };
        let write = world.write(&tenant.operator, dismissal);
        world.store.change_finding(write).await.unwrap().into_value();
        let path = harness.0.lock().unwrap().clone();
        revert_conditions(&path);

        let store = world.opened.open_again();
        let dismissed = findings(&store, &tenant, &[FindingStatus::Dismissed]).await;
        assert_eq!(dismissed.len(), 1);
        assert_eq!(
            dismissed[0].id,
            id_of("entra.legacy_auth_blocked"),
            "the older finding is kept"
        );
        assert_eq!(dismissed[0].rule_id, "entra.legacy_auth_blocked");
        assert_eq!(dismissed[0].also, ["exp.legacy_auth_open"]);
        let one = store
            .finding(&tenant.operator, dismissed[0].id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(one.dismiss_reason, Some(DismissReason::Mitigated));
        assert_eq!(one.note.unwrap().untrusted(), "the proxy asks for it");

        let open = findings(&store, &tenant, &[FindingStatus::Open]).await;
        let rules: Vec<&str> = open.iter().map(|row| row.rule_id.as_str()).collect();
        assert_eq!(rules, ["entra.mfa_all", "exp.direct_send_open"]);
        let counts = store.finding_counts(&tenant.operator).await.unwrap();
        let counted: Vec<_> = counts.iter().map(|row| (row.status, row.count)).collect();
        assert_eq!(counted, [(FindingStatus::Open, 2), (FindingStatus::Dismissed, 1)]);

        // Later observations of the checks match these findings.
        world.clock.advance_ms(60_000);
        let hits = [
            ("exp.legacy_auth_open", "entra.legacy_auth_blocked"),
            ("exp.direct_send_open", "exo.direct_send_rejected"),
            ("exo.direct_send_rejected", "exo.direct_send_rejected"),
        ];
        let hits = hits.map(|(rule, condition)| Observation {
            condition: condition.into(),
            fingerprint: fingerprint(condition, EntityRef::Integration(m365)),
            ..seen(rule, m365)
        });
        let done = store
            .observe_findings(&permit, analysis, hits.to_vec(), world.now())
            .await
            .unwrap();
        assert_eq!((done.new, done.kept), (0, 3));
        let open = findings(&store, &tenant, &[FindingStatus::Open]).await;
        assert_eq!(open[1].also, ["exo.direct_send_rejected"]);
    });
}
