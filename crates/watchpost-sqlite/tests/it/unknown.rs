//! Words that only a newer version knows, written to the same file: such rows are skipped or read as the fallback.

use crate::conformance::open;
use async_trait::async_trait;
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use watchpost_core::{
    access::{AuthError, JobPermit, KeyScope},
    app::AppQuery,
    check::ScanType,
    error::StoreError,
    finding::{FindingAction, FindingCommand, FindingQuery, Marks},
    import::BatchQuery,
    integration::{
        ConfirmShrink, ShrinkConfirmation,
        fact::{Dataset, Fact},
    },
    job::{JobKind, TriggerSync},
    remediation::RequestRemediation,
    rule::document::EntityRef,
    scan::{AddSchedule, Recurrence, ScanQuery, Schedule, StartScan},
    value::{
        id::{AnalysisId, FindingId, IdentityId, IntegrationId, JobId, RemediationId, ScanId, ScheduleId},
        text::ForeignText,
        time::{DAY_MS, HOUR_MS},
        word::{
            AccountKind, AccountStatus, AppPolicy, CollectionState, FindingStatus, GrantRisk,
            IntegrationStatus, Mfa, Platform, RoleHold, RunState, Severity,
        },
    },
};
use watchpost_sqlite::{SqliteStore, unknown_words};
use watchpost_testkit::{
    SeededRandom, SteppingClock,
    conformance::{
        Harness, Opened, Tenant, World, account_fact, app_fact, grant_fact, live, mfa_fact, observation,
        role_fact, run, with_statuses,
    },
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

/// A workspace with an integration that was synced once, and a connection to its file.
struct Fixture {
    world: World,
    conn: Connection,
    tenant: Tenant,
    integration: IntegrationId,
}

impl Fixture {
    async fn new() -> Self {
        let harness = Exposed::default();
        let world = World::new(&harness).await;
        let conn = Connection::open(&*harness.0.lock().unwrap()).unwrap();
        conn.busy_timeout(Duration::from_secs(5)).unwrap();
        let tenant = world.tenant("one").await;
        let integration = world.integration(&tenant, Platform::Okta).await;
        let facts: Vec<(Dataset, Vec<Fact>)> = vec![
            (Dataset::Users, vec![account_fact("a", "ann@birch.example")]),
            (Dataset::Mfa, vec![mfa_fact("a", Mfa::On)]),
            (Dataset::Roles, vec![role_fact("r", "a")]),
            (Dataset::Apps, vec![app_fact("p", "Zapier")]),
            (
                Dataset::Grants,
                vec![
                    grant_fact("g", "p", Some("a"), GrantRisk::High),
                    grant_fact("h", "p", Some("a"), GrantRisk::Low),
                ],
            ),
        ];
        world.sync(&tenant, integration, facts).await;
        Self {
            world,
            conn,
            tenant,
            integration,
        }
    }

    /// Runs a statement that stores what a newer version would write.
    fn write_as_newer(&self, sql: &str) {
        let changed = self.conn.execute(sql, []).unwrap();
        assert!(changed > 0, "{sql}");
    }

    fn number(&self, sql: &str) -> i64 {
        self.conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Stores findings of these rules in the analysis that the sync queued.
    async fn findings(&self, rules: &[&str]) -> (AnalysisId, JobPermit) {
        let (analysis, permit, _) = self.world.analysis(&self.tenant).await;
        self.observe(rules, analysis, &permit).await;
        (analysis, permit)
    }

    async fn observe(&self, rules: &[&str], analysis: AnalysisId, permit: &JobPermit) {
        let hits = rules
            .iter()
            .map(|rule| observation(rule, somebody(), Severity::High, Marks::new()))
            .collect();
        self.world
            .store
            .observe_findings(permit, analysis, hits, self.world.now())
            .await
            .unwrap();
    }

    async fn listed(&self, query: FindingQuery) -> Vec<String> {
        let mut rules: Vec<String> = self
            .world
            .all_findings(&self.tenant.operator, query)
            .await
            .into_iter()
            .map(|finding| finding.rule_id)
            .collect();
        rules.sort();
        rules
    }

    async fn start_scan(&self) -> ScanId {
        let id = ScanId::generate(self.world.clock.as_ref(), self.world.random.as_ref());
        let command = StartScan {
            id,
            integration: self.integration,
            scan_type: ScanType::Compliance,
            fresh: true,
            again: false,
            job: self.world.job_id(),
            now: self.world.now(),
        };
        let write = self.world.write(&self.tenant.operator, command);
        self.world.store.start_scan(write).await.unwrap();
        id
    }
}

fn somebody() -> EntityRef {
    EntityRef::Identity(IdentityId::from_bytes([1; 16]))
}

fn is_corrupt<T>(found: &Result<T, StoreError>) -> bool {
    matches!(found, Err(StoreError::Corrupt { .. }))
}

#[test]
fn jobs_of_unknown_kinds_and_states_do_not_block_other_jobs() {
    run(async {
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let met = unknown_words();
        let now = fixture.world.now();
        // More jobs than one query returns, all of them older than the known one.
        for n in 0..150_u8 {
            let sql = "INSERT INTO jobs (workspace_id, id, kind, subject, state, queued_at, not_before) \
                       SELECT workspace_id, ?1, ?2, ?1, 0, 0, 0 FROM workspaces";
            fixture
                .conn
                .execute(sql, (JobId::from_bytes([n; 16]).as_bytes(), 99))
                .unwrap();
        }
        let of_state = JobId::from_bytes([200; 16]);
        let sql = "INSERT INTO jobs (workspace_id, id, kind, subject, state, queued_at, not_before) \
                   SELECT workspace_id, ?1, 0, x'', 99, 0, 0 FROM workspaces";
        fixture.conn.execute(sql, [of_state.as_bytes()]).unwrap();

        let unfinished = store.unfinished_jobs(&fixture.tenant.operator).await.unwrap();
        assert!(
            unfinished.iter().all(|job| job.kind == JobKind::Analyse),
            "{unfinished:?}"
        );
        let job = fixture.world.lease("case", now).await.expect("the known one");
        assert_eq!(job.row().kind, JobKind::Analyse);
        fixture.world.end_job(&job).await;
        assert!(fixture.world.lease("case", fixture.world.now()).await.is_none());
        // The unknown jobs aren't waited for.
        let next = store.next_due(HOUR_MS, fixture.world.now()).await.unwrap();
        assert!(next.is_none_or(|at| at > fixture.world.now()), "{next:?}");
        store.enqueue_due(HOUR_MS, fixture.world.now()).await.unwrap();
        assert!(is_corrupt(
            &store
                .job(&fixture.tenant.operator, JobId::from_bytes([7; 16]))
                .await
        ));
        assert!(is_corrupt(&store.job(&fixture.tenant.operator, of_state).await));
        assert_eq!(
            fixture.number("SELECT count(*) FROM jobs WHERE kind = 99 AND state = 0"),
            150
        );
        assert!(unknown_words() > met, "they are counted");
    });
}

#[test]
fn a_key_with_an_unknown_scope_does_not_authenticate_and_its_job_does_not_start() {
    run(async {
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let (_, secret, _) = fixture
            .world
            .create_key(&fixture.tenant.operator, KeyScope::Write)
            .await;
        fixture
            .world
            .end_job(&fixture.world.lease("case", fixture.world.now()).await.unwrap())
            .await;
        let command = TriggerSync {
            integration: None,
            platform: None,
            jobs: vec![fixture.world.job_id()],
            now: fixture.world.now(),
        };
        let write = fixture.world.write(&fixture.tenant.writer, command);
        let queued = store.trigger_sync(write).await.unwrap().into_value();
        fixture.write_as_newer("UPDATE api_keys SET scope = 99");
        fixture.write_as_newer("UPDATE workspaces SET key_generation = key_generation + 1");
        fixture.world.clock.advance_ms(1_000);
        let found = fixture.world.access.gate.authenticate(&secret).await;
        assert!(matches!(found, Err(AuthError::Invalid)), "{found:?}");
        assert!(
            store
                .list_keys(&fixture.tenant.operator)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(fixture.world.lease("case", fixture.world.now()).await.is_none());
        let job = store
            .job(&fixture.tenant.operator, queued[0].job)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(job.state, RunState::Cancelled);
        assert_eq!(fixture.number("SELECT min(scope) FROM api_keys"), 99);
    });
}

#[test]
fn an_integration_with_an_unknown_status_reads_as_disconnected_and_keeps_its_status() {
    run(async {
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let syncing = fixture.world.begin(&fixture.tenant, fixture.integration).await;
        fixture.write_as_newer("UPDATE integrations SET status = 99");
        let row = fixture.world.row(&fixture.tenant, fixture.integration).await;
        assert_eq!(row.status, IntegrationStatus::Disconnected);
        assert!(!row.is_active());
        syncing.finish(RunState::Completed, None).await;
        let command = TriggerSync {
            integration: None,
            platform: None,
            jobs: vec![fixture.world.job_id()],
            now: fixture.world.now(),
        };
        let write = fixture.world.write(&fixture.tenant.operator, command);
        assert!(store.trigger_sync(write).await.unwrap().into_value().is_empty());
        store
            .enqueue_due(HOUR_MS, fixture.world.now().plus_millis(DAY_MS))
            .await
            .unwrap();
        let sql = "SELECT count(*) FROM jobs WHERE kind = 0 AND state IN (0, 1)";
        assert_eq!(fixture.number(sql), 0, "no sync is queued");
        assert_eq!(
            fixture.number("SELECT status FROM integrations"),
            99,
            "the word is kept"
        );
    });
}

#[test]
fn integrations_with_unknown_platforms_or_datasets_do_not_affect_the_others() {
    run(async {
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let scope = &fixture.tenant.operator;
        let other = fixture.world.integration(&fixture.tenant, Platform::Github).await;
        fixture.write_as_newer("UPDATE collections SET dataset = 99 WHERE dataset = 3");
        fixture.write_as_newer("UPDATE collections SET state = 99 WHERE dataset = 0");
        let row = fixture.world.row(&fixture.tenant, fixture.integration).await;
        assert_eq!(row.collection(Dataset::Roles), None);
        assert_eq!(
            row.collection(Dataset::Users).map(|row| row.state),
            Some(CollectionState::Failed)
        );
        assert!(row.collection(Dataset::Apps).is_some());

        fixture.write_as_newer("UPDATE collections SET doubt = 99, complete_rows = 100 WHERE dataset = 6");
        let row = fixture.world.row(&fixture.tenant, fixture.integration).await;
        let apps = row.collection(Dataset::Apps).unwrap();
        assert_eq!((apps.doubt, apps.shrink()), (None, None));
        let command = ConfirmShrink {
            id: fixture.integration,
            dataset: Dataset::Apps,
            rows: apps.rows,
            now: fixture.world.now(),
        };
        let write = fixture.world.write(scope, command);
        assert_eq!(
            store.confirm_shrink(write).await.unwrap().into_value(),
            ShrinkConfirmation::NothingToConfirm
        );

        fixture.write_as_newer("UPDATE integrations SET platform = 99 WHERE platform = 1");
        let ids: Vec<IntegrationId> = store
            .list_integrations(scope)
            .await
            .unwrap()
            .iter()
            .map(|row| row.id)
            .collect();
        assert_eq!(ids, [other]);
        assert_eq!(store.freshness(scope).await.unwrap().sources.len(), 1);
        assert_eq!(store.integration_documents(scope).await.unwrap().len(), 1);
        assert!(store.enqueue_due(HOUR_MS, fixture.world.now()).await.is_ok());
        assert!(store.next_due(HOUR_MS, fixture.world.now()).await.is_ok());
        assert!(store.measure_coverage(scope, fixture.world.now()).await.is_ok());
        let ann = store
            .identity_by_email(scope, "ann@birch.example")
            .await
            .unwrap()
            .unwrap();
        assert!(ann.accounts.is_empty());
        assert!(
            store
                .list_apps(
                    scope,
                    &AppQuery {
                        limit: 10,
                        ..AppQuery::default()
                    }
                )
                .await
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn unknown_words_of_accounts_and_apps_read_as_the_fallback() {
    run(async {
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let scope = &fixture.tenant.operator;
        for sql in [
            "UPDATE accounts SET status = 99, kind = 99",
            "UPDATE account_mfa SET mfa = 99",
            "UPDATE roles SET hold = 99",
            "UPDATE grants SET risk = 99 WHERE vendor_id = 'g'",
            "UPDATE apps SET policy = 99",
        ] {
            fixture.write_as_newer(sql);
        }
        let ann = store
            .identity_by_email(scope, "ann@birch.example")
            .await
            .unwrap()
            .unwrap();
        let account = &ann.accounts[0];
        assert_eq!(account.status, AccountStatus::Pending, "never active");
        assert_eq!(account.kind, AccountKind::Service);
        assert_eq!(account.mfa, Mfa::Unknown);
        assert_eq!(account.roles[0].hold, RoleHold::Unknown);
        let risks: Vec<GrantRisk> = account.grants.iter().map(|grant| grant.risk).collect();
        assert_eq!(risks, [GrantRisk::Low]);
        let apps = store
            .list_apps(
                scope,
                &AppQuery {
                    limit: 10,
                    ..AppQuery::default()
                },
            )
            .await
            .unwrap();
        assert_eq!(apps[0].policy, AppPolicy::None);
        fixture.write_as_newer("UPDATE grants SET kind = 99 WHERE vendor_id = 'h'");
        let people = store.identity_documents(scope, None, 10).await.unwrap();
        assert!(people[0].accounts[0].grants.is_empty());
        assert_eq!(
            store.app_documents(scope, None, 10).await.unwrap()[0]
                .grant_counts
                .len(),
            0
        );
        let coverage = store.measure_coverage(scope, fixture.world.now()).await.unwrap();
        assert_eq!(
            coverage.mfa.on + coverage.mfa.off + coverage.mfa.unknown,
            0,
            "no active person"
        );
        // Another sync reads all of these rows and measures usage.
        let facts = vec![account_fact("b", "bob@birch.example")];
        fixture
            .world
            .sync(
                &fixture.tenant,
                fixture.integration,
                vec![(Dataset::Users, facts)],
            )
            .await;
    });
}

#[test]
fn findings_with_unknown_words_are_not_listed_resolved_woken_or_overwritten() {
    run(async {
        for column in ["status", "severity", "category", "entity_type"] {
            let fixture = Fixture::new().await;
            let store = &fixture.world.store;
            let scope = &fixture.tenant.operator;
            let (analysis, permit) = fixture.findings(&["known", "newer"]).await;
            fixture.write_as_newer(&format!(
                "UPDATE findings SET {column} = 99 WHERE rule_id = 'newer'"
            ));
            if column != "entity_type" {
                fixture.write_as_newer(&format!("UPDATE finding_counts SET {column} = 99"));
                assert!(store.finding_counts(scope).await.unwrap().is_empty(), "{column}");
                let old = match column {
                    "status" => 0,
                    "severity" => 1,
                    _ => 8,
                };
                fixture.write_as_newer(&format!("UPDATE finding_counts SET {column} = {old}"));
            }
            assert_eq!(fixture.listed(live()).await, ["known"], "{column}");
            let by_text = FindingQuery {
                text: Some("Mara".into()),
                ..live()
            };
            assert_eq!(fixture.listed(by_text).await, ["known"], "{column}");
            assert!(store.risk_facts(scope).await.is_ok(), "{column}");
            let id = fixture
                .conn
                .query_row("SELECT id FROM findings WHERE rule_id = 'newer'", [], |row| {
                    row.get(0)
                })
                .map(FindingId::from_bytes)
                .unwrap();
            let problem = match store.finding(scope, id).await {
                Err(StoreError::Corrupt { table, source }) => format!("{table}: {source}"),
                other => panic!("{column}: {other:?}"),
            };
            assert_eq!(
                problem,
                format!("findings: column `{column}` of the row with the id {id}: no word has the code 99")
            );

            fixture.observe(&["known", "newer"], analysis, &permit).await;
            let mut input = fixture.world.sweep_input(&fixture.tenant, &[]).await;
            input.rules.clear();
            let next = AnalysisId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref());
            store
                .sweep_findings(&permit, next, &input, fixture.world.now())
                .await
                .unwrap();
            let resolved = fixture.listed(with_statuses(&[FindingStatus::Resolved])).await;
            assert_eq!(resolved, ["known"], "{column}");
            fixture.write_as_newer("UPDATE findings SET snoozed_until = 1 WHERE rule_id = 'newer'");
            assert_eq!(store.wake_snoozed(&permit, fixture.world.now()).await.unwrap(), 0);
            assert!(store.enqueue_due(i64::MAX / 4, fixture.world.now()).await.is_ok());
            let sql = format!("SELECT {column} FROM findings WHERE rule_id = 'newer'");
            assert_eq!(fixture.number(&sql), 99, "the word is kept");
        }
    });
}

#[test]
fn merging_identities_leaves_findings_with_unknown_words_unchanged() {
    run(async {
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let scope = &fixture.tenant.operator;
        let facts = vec![account_fact("b", "bob@birch.example")];
        let other = fixture.world.integration(&fixture.tenant, Platform::Github).await;
        fixture
            .world
            .sync(&fixture.tenant, other, vec![(Dataset::Users, facts)])
            .await;
        let (analysis, permit, _) = fixture.world.analysis(&fixture.tenant).await;
        let mut hits = Vec::new();
        for email in ["ann@birch.example", "bob@birch.example"] {
            let id = store.identity_by_email(scope, email).await.unwrap().unwrap().id;
            let entity = EntityRef::Identity(id);
            hits.push(observation("both", entity, Severity::High, Marks::new()));
        }
        store
            .observe_findings(&permit, analysis, hits, fixture.world.now())
            .await
            .unwrap();
        fixture.write_as_newer("UPDATE findings SET status = 99");
        // Bob's account gets Ann's address, so the two identities are merged.
        let mut bob = watchpost_testkit::conformance::account("b", Some("bob@birch.example"));
        bob.aliases.push("ann@birch.example".into());
        let pages = vec![(Dataset::Users, vec![Fact::Account(Box::new(bob))])];
        fixture.world.sync(&fixture.tenant, other, pages).await;
        let ann = store
            .identity_by_email(scope, "ann@birch.example")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(ann.accounts.len(), 2);
        assert_eq!(
            fixture.number("SELECT count(*) FROM findings WHERE status = 99"),
            2
        );
    });
}

#[test]
fn optional_unknown_words_read_as_none_and_remediations_with_unknown_states_are_skipped() {
    run(async {
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let scope = &fixture.tenant.operator;
        fixture.findings(&["known"]).await;
        let id = fixture.world.all_findings(scope, live()).await[0].id;
        for action in ["suspend_user", "reset_password"] {
            let command = RequestRemediation {
                id: RemediationId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref()),
                finding: id,
                action: action.into(),
                note: None,
                now: fixture.world.now(),
            };
            let write = fixture.world.write(&fixture.tenant.writer, command);
            store.request_remediation(write).await.unwrap();
        }
        fixture.write_as_newer("UPDATE remediations SET state = 99 WHERE action = 'suspend_user'");
        let actions: Vec<String> = store
            .list_remediations(scope, None, 10)
            .await
            .unwrap()
            .into_iter()
            .map(|row| row.action)
            .collect();
        assert_eq!(actions, ["reset_password"]);

        let command = FindingCommand {
            finding: id,
            action: FindingAction::Dismiss {
                reason: watchpost_core::value::word::DismissReason::AcceptedRisk,
            },
            note: None,
            now: fixture.world.now(),
        };
        let write = fixture.world.write(scope, command);
        store.change_finding(write).await.unwrap();
        fixture.write_as_newer("UPDATE findings SET dismiss_reason = 99, service = 99");
        let found = store.finding(scope, id).await.unwrap().unwrap();
        assert_eq!((found.dismiss_reason, found.summary.service), (None, None));
        assert_eq!(
            fixture.number("SELECT state FROM remediations WHERE action = 'suspend_user'"),
            99
        );
    });
}

#[test]
fn scans_results_and_schedules_with_unknown_words_are_skipped() {
    run(async {
        for column in ["state", "scan_type", "trigger"] {
            let fixture = Fixture::new().await;
            let store = &fixture.world.store;
            let id = fixture.start_scan().await;
            fixture.write_as_newer(&format!("UPDATE scans SET {column} = 99"));
            let query = ScanQuery {
                limit: 10,
                ..ScanQuery::default()
            };
            let page = store.list_scans(&fixture.tenant.operator, &query).await.unwrap();
            assert!(page.scans.is_empty(), "{column}");
            assert!(
                is_corrupt(&store.scan(&fixture.tenant.operator, id).await),
                "{column}"
            );
        }
        let fixture = Fixture::new().await;
        let store = &fixture.world.store;
        let scope = &fixture.tenant.operator;
        let id = fixture.start_scan().await;
        for (n, check) in ["a", "b", "c", "d"].iter().enumerate() {
            let (severity, service, result) = match n {
                0 => (99, 0, 0),
                1 => (0, 99, 0),
                2 => (0, 0, 99),
                _ => (0, 0, 0),
            };
            fixture.write_as_newer(&format!(
                "INSERT INTO result_bodies SELECT workspace_id, '{check}', 1, '', NULL, '[]', '[]', NULL FROM workspaces"
            ));
            fixture.write_as_newer(&format!(
                "INSERT INTO scan_results SELECT workspace_id, id, '{check}', '', {severity}, {service}, '', {result}, \
                 99, 0, 1 FROM scans"
            ));
        }
        let results = store.scan_results(scope, id).await.unwrap();
        let checks: Vec<&str> = results.iter().map(|row| row.check_id.as_str()).collect();
        assert_eq!(checks, ["d"]);
        assert_eq!(results[0].skip, None);
        assert_eq!(store.scan_details(scope, id).await.unwrap().len(), 1);

        let next = fixture.world.now().plus_millis(HOUR_MS);
        for name in ["known", "newer"] {
            let schedule = Schedule {
                id: ScheduleId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref()),
                name: ForeignText::name(name),
                integration: fixture.integration,
                scan_types: vec![ScanType::Exposure],
                recurrence: Recurrence::Daily { hour: 1, minute: 0 },
                zone: "UTC".into(),
                enabled: true,
                last_triggered_at: None,
                next_at: Some(next),
            };
            let write = fixture.world.write(scope, AddSchedule { schedule });
            assert!(store.add_schedule(write).await.unwrap().into_value());
        }
        fixture.write_as_newer("UPDATE schedules SET recurrence = '{\"frequency\":\"hourly\"}', next_at = 1 WHERE name = 'newer'");
        let names: Vec<ForeignText> = store
            .schedules(scope)
            .await
            .unwrap()
            .into_iter()
            .map(|row| row.name)
            .collect();
        assert_eq!(names, [ForeignText::name("known")]);
        fixture.write_as_newer("UPDATE jobs SET state = 2, finished_at = 1");
        fixture.write_as_newer("UPDATE scans SET state = 2");
        fixture.write_as_newer("UPDATE integrations SET last_started_at = 1");
        let every = i64::MAX / 4;
        assert_eq!(
            store.next_due(every, fixture.world.now()).await.unwrap(),
            Some(next)
        );
        assert_eq!(
            store.enqueue_due(every, next).await.unwrap(),
            1,
            "the scan of the known schedule"
        );
        assert_eq!(
            fixture.number("SELECT next_at FROM schedules WHERE name = 'newer'"),
            1
        );
    });
}

#[test]
fn imports_with_unknown_tools_or_formats_are_skipped() {
    run(async {
        for (tool, format, shown) in [(0, 0, 1), (99, 0, 0), (0, 99, 0)] {
            let fixture = Fixture::new().await;
            fixture.write_as_newer(
                "INSERT INTO imports (workspace_id, import, id, state, touched_at, kept_at) \
                 SELECT workspace_id, 1, zeroblob(16), 1, 0, 0 FROM workspaces",
            );
            fixture.write_as_newer(&format!(
                "INSERT INTO import_batches SELECT workspace_id, zeroblob(16), 1, 0, integration, {format}, {tool}, '', '', \
                 '', NULL, 0, 1, 1, 0, 0, 0, '[]', 0, '0,0,0,0,0', 1, '[]' FROM integrations"
            ));
            fixture.write_as_newer(
                "INSERT INTO import_verdicts SELECT workspace_id, id, 'c', '', 0, 99, 99, '', '0,0,0,0,0' \
                 FROM import_batches",
            );
            let query = BatchQuery {
                integration: None,
                import: None,
                tool: None,
                before: None,
                limit: 10,
            };
            let scope = &fixture.tenant.operator;
            let page = fixture.world.store.list_batches(scope, &query).await.unwrap();
            assert_eq!(page.batches.len(), shown, "{tool} {format}");
            let verdicts = fixture
                .world
                .store
                .imported_verdicts(scope, fixture.integration)
                .await
                .unwrap();
            assert_eq!(verdicts.len(), usize::from(tool == 0), "{tool} {format}");
            assert!(verdicts.iter().all(|row| row.verdict.skip.is_none()));
        }
    });
}

#[test]
fn an_unknown_word_in_the_audit_log_is_an_error_instead_of_a_gap() {
    run(async {
        let fixture = Fixture::new().await;
        let scope = &fixture.tenant.operator;
        assert!(fixture.world.store.audit_page(scope, 0, 100).await.is_ok());
        fixture.write_as_newer(
            "INSERT INTO audit_entries SELECT workspace_id, seq + 1, at, 99, actor_id, action, target_kind, target_id, \
             outcome, channel, operation, arguments, row_hash, row_hash FROM audit_entries ORDER BY seq DESC LIMIT 1",
        );
        assert!(is_corrupt(&fixture.world.store.audit_page(scope, 0, 100).await));
    });
}

#[test]
fn unknown_words_are_found_with_their_table_column_and_row() {
    run(async {
        let fixture = Fixture::new().await;
        fixture.findings(&["known", "newer"]).await;
        let path = fixture.conn.path().unwrap().to_owned();
        let random = Arc::new(SeededRandom::new(1));
        let clock = Arc::clone(&fixture.world.clock);
        let store = SqliteStore::open_read_only(path.as_ref(), clock, random).unwrap();
        assert_eq!(store.unknown_words().await.unwrap(), Vec::<String>::new());
        fixture.write_as_newer("UPDATE findings SET severity = 99 WHERE rule_id = 'newer'");
        // Words that are read as a fallback are found too.
        fixture.write_as_newer("UPDATE accounts SET status = 98");
        fixture.write_as_newer("UPDATE grants SET network = 97 WHERE vendor_id = 'h'");
        let id = fixture
            .conn
            .query_row("SELECT id FROM findings WHERE rule_id = 'newer'", [], |row| {
                row.get(0)
            })
            .map(FindingId::from_bytes)
            .unwrap();
        let found = store.unknown_words().await.unwrap();
        let expected = [
            "column `status` of `accounts`: no word has the code 98 (first in the row with workspace_id 1, integration 1, \
             vendor_id a)"
                .to_owned(),
            format!("column `network` of `grants`: no word has the code 97 (first in the row with workspace_id 1, integration 1, dataset {}, vendor_id h)", Dataset::Grants.code()),
            format!("column `severity` of `findings`: no word has the code 99 (first in the row with workspace_id 1, id {id})"),
        ];
        assert_eq!(found, expected);
    });
}
