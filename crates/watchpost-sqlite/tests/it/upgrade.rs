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
    integration::{
        Doubt,
        fact::{Collection, Dataset, Fact},
    },
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, IntegrationId},
        text::ForeignText,
        word::{CollectionState, DismissReason, FindingStatus, Platform, RunState, Severity},
    },
};
use watchpost_testkit::{
    SeededRandom, SteppingClock,
    conformance::{
        AnyStore, Harness, Opened, REJECTED, Tenant, World, account, account_fact, live, observation, run,
        with_statuses,
    },
};

/// A harness that exposes the path of its file.
#[derive(Default)]
pub(crate) struct Exposed(Mutex<PathBuf>);

impl Exposed {
    /// Returns the path of the last file that was opened.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.lock().unwrap().clone()
    }
}

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

/// Reverts the eleventh migration.
fn revert_names(raw: &Connection) {
    raw.execute_batch(
        "DROP INDEX identities_name; DROP INDEX identities_words; DROP INDEX identities_unnamed; \
         ALTER TABLE identities DROP COLUMN name_key; ALTER TABLE identities DROP COLUMN name_words; \
         PRAGMA user_version = 10;",
    )
    .unwrap();
}

/// Reverts the sixth migration and the later ones.
fn revert_doubt(path: &PathBuf) -> Connection {
    let raw = Connection::open(path).unwrap();
    raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    for column in [
        "doubt",
        "complete_rows",
        "complete_at",
        "confirmed_rows",
        "confirmed_at",
    ] {
        raw.execute_batch(&format!("ALTER TABLE collections DROP COLUMN {column}"))
            .unwrap();
    }
    revert_names(&raw);
    raw.execute_batch(
        "ALTER TABLE api_keys DROP COLUMN lapsed; ALTER TABLE integrations DROP COLUMN failure_credential; \
         DROP TABLE entity_readings; ALTER TABLE accounts DROP COLUMN password_expiry_exempt; \
         ALTER TABLE account_mfa DROP COLUMN phishing_resistant_known; \
         ALTER TABLE account_mfa DROP COLUMN weak_only_known; ALTER TABLE grants DROP COLUMN network; \
         ALTER TABLE apps DROP COLUMN tenant_wide; \
         PRAGMA user_version = 5;",
    )
    .unwrap();
    raw
}

/// Reverts the fifth migration and the later ones.
fn revert_conditions(path: &PathBuf) {
    revert_doubt(path)
        .execute_batch(
            "DROP INDEX findings_also; DROP TABLE finding_sightings; DROP TABLE condition_moves; \
         ALTER TABLE findings DROP COLUMN condition; ALTER TABLE findings DROP COLUMN also; \
         ALTER TABLE findings DROP COLUMN services; ALTER TABLE findings DROP COLUMN sightings; \
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
        let path = harness.path();
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

#[test]
fn after_an_upgrade_the_next_read_is_compared_with_the_last_complete_one() {
    let harness = Exposed::default();
    run(async {
        let world = World::new(&harness).await;
        let tenant = world.tenant("one").await;
        let okta = world.integration(&tenant, Platform::Okta).await;
        let datasets = [Dataset::Users, Dataset::Roles, Dataset::Apps, Dataset::Mfa];
        let syncing = world.begin(&tenant, okta).await;
        for dataset in datasets {
            let state = match dataset {
                Dataset::Mfa => CollectionState::Partial,
                _ => CollectionState::Complete,
            };
            syncing.end_dataset(read(dataset, state, 100).into()).await;
        }
        syncing.finish(RunState::Completed, None).await;
        let path = harness.path();
        drop(revert_doubt(&path));

        let store = world.opened.open_again();
        let row = store.integration(&tenant.operator, okta).await.unwrap().unwrap();
        let rows: Vec<_> = row
            .collections
            .iter()
            .map(|row| (row.dataset, row.complete_rows))
            .collect();
        assert_eq!(
            rows,
            [
                (Dataset::Users, Some(100)),
                (Dataset::Mfa, None),
                // These counted the rows of two lists.
                (Dataset::Roles, None),
                (Dataset::Apps, None),
            ]
        );
        assert!(row.collections[0].complete_at.is_some());
        let syncing = world.begin(&tenant, okta).await;
        for dataset in datasets {
            let end = read(dataset, CollectionState::Complete, 10).into();
            let judged = syncing.end_dataset(end).await;
            let expected = (dataset == Dataset::Users).then_some(Doubt::Shrank);
            assert_eq!(judged.doubt, expected, "{dataset}");
        }
        syncing.finish(RunState::Completed, None).await;
    });
}

fn read(dataset: Dataset, state: CollectionState, rows: u64) -> Collection {
    Collection {
        dataset,
        state,
        rows,
        row_errors: 0,
        detail: None,
    }
}

#[test]
fn after_an_upgrade_a_failure_of_the_credentials_is_known_as_one() {
    for (reason, expected) in [
        (REJECTED, true),
        ("the vendor's API failed: authentication failed: no", false),
    ] {
        let harness = Exposed::default();
        run(async {
            let world = World::new(&harness).await;
            let tenant = world.tenant("one").await;
            let okta = world.integration(&tenant, Platform::Okta).await;
            let syncing = world.begin(&tenant, okta).await;
            syncing.finish(RunState::Failed, Some(reason)).await;
            let path = harness.path();
            drop(revert_doubt(&path));
            let store = world.opened.open_again();
            let row = store.integration(&tenant.operator, okta).await.unwrap().unwrap();
            assert_eq!(row.failure.unwrap().needs_credential, expected, "{reason}");
        });
    }
}

#[test]
fn after_an_upgrade_people_are_found_by_their_names() {
    let harness = Exposed::default();
    run(async {
        let world = World::new(&harness).await;
        let tenant = world.tenant("one").await;
        let okta = world.integration(&tenant, Platform::Okta).await;
        let mut facts = account("u1", Some("ao@birch.example"));
        facts.display_name = ForeignText::name("Åsa ÖBERG");
        let users = vec![
            Fact::Account(Box::new(facts)),
            account_fact("u2", "u2@birch.example"),
        ];
        world.sync(&tenant, okta, vec![(Dataset::Users, users)]).await;
        let raw = Connection::open(harness.path()).unwrap();
        raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        revert_names(&raw);
        drop(raw);

        let store = world.opened.open_again();
        let person = store
            .identity_by_email(&tenant.operator, "ao@birch.example")
            .await;
        let id = person.unwrap().unwrap().id;
        for name in ["åsa öberg", "Öberg, Åsa", "ÅSA"] {
            let found = store.identities_named(&tenant.operator, name, 9).await.unwrap();
            assert_eq!(found.ids, [id], "{name}");
        }
    });
}
