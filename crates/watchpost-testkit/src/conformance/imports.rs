//! Cases for imports: staged rows are invisible, an import is kept completely or not at all, and it is removed with its
//! integration.

use super::{Harness, Tenant, World};
use watchpost_core::{
    access::WorkspaceScope,
    audit::ChainVerdict,
    check::{CheckResult, FrameworkId, ScanType, Service, SkipReason},
    error::StoreError,
    import::{
        Batch, BatchQuery, CheckVerdict, ExceptionKind, ImportBatchHeader, ImportCounts, ImportFormat,
        ImportPermit, ImportRejection, ImportTool, ImportedEntity, ImportedException, ImportedQuery,
        ImportedRow, KeepImport, KeepOutcome, NewBatch, ResultCounts, RowError,
    },
    integration::{ChangeIntegration, IntegrationAction, setting::SettingDocument},
    scan::{RecordedScan, ScanCounts, ScanTrigger},
    value::{
        id::{BatchId, ImportId, IntegrationId, ScanId},
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, IntegrationStatus, Platform, RunState, Severity},
    },
};

pub(super) fn header(tenant: &str) -> ImportBatchHeader {
    ImportBatchHeader {
        format: ImportFormat::Ocsf,
        tool: ImportTool::Prowler,
        tool_version: ForeignText::name("5.38.0"),
        tenant_key: tenant.into(),
        tenant_name: ForeignText::name("Birchworks"),
        ran_at: None,
    }
}

pub(super) fn row(control: &str, result: CheckResult) -> ImportedRow {
    ImportedRow {
        control: control.into(),
        check: Some("entra.mfa_all".into()),
        title: ForeignText::name("Everybody has a second factor"),
        result,
        skip: (result == CheckResult::Skipped).then_some(SkipReason::Manual),
        severity: Severity::High,
        service: Service::Entra,
        details: ForeignText::lines("Mara Holt has none", 600),
        entity: Some(ImportedEntity {
            kind: "user".into(),
            id: "u1".into(),
            name: ForeignText::name("Mara Holt"),
        }),
        frameworks: vec![
            FrameworkId::new("CIS-7.0 5.2.3.4"),
            FrameworkId::new("Other \"1\""),
        ],
        exception: Some(ImportedException {
            kind: ExceptionKind::Suppressed,
            reason: ForeignText::name("agreed"),
            until: Some(Timestamp::from_millis(1_800_000_000_000)),
        }),
        fingerprint: "00112233445566778899aabbccddeeff".into(),
    }
}

fn verdict(check: &str, result: CheckResult) -> CheckVerdict {
    CheckVerdict {
        check: check.into(),
        control: "users_mfa".into(),
        result,
        skip: None,
        exception: None,
        reason: ForeignText::name("Mara Holt has none"),
        rows: ResultCounts {
            passed: 1,
            failed: 2,
            skipped: 3,
            errors: 4,
            excepted: 5,
        },
    }
}

impl World {
    fn permit(&self, tenant: &Tenant) -> ImportPermit {
        let id = ImportId::generate(self.clock.as_ref(), self.random.as_ref());
        ImportPermit::new(&tenant.operator, id).unwrap()
    }

    pub(super) async fn staged(&self, tenant: &Tenant, rows: &[ImportedRow]) -> ImportPermit {
        let permit = self.permit(tenant);
        self.store.begin_import(&permit, self.now()).await.unwrap();
        let rows = rows.iter().map(|row| (0, row.clone())).collect();
        self.store.stage_rows(&permit, 0, rows, self.now()).await.unwrap();
        permit
    }

    pub(super) fn batch_of(&self, header: ImportBatchHeader, rows: u64) -> NewBatch {
        NewBatch {
            id: BatchId::generate(self.clock.as_ref(), self.random.as_ref()),
            integration: IntegrationId::generate(self.clock.as_ref(), self.random.as_ref()),
            header,
            counts: ImportCounts {
                rows: rows + 1,
                rows_ok: rows,
                rows_skipped: 1,
                rows_not_run: 0,
                partial: true,
                errors: vec![RowError {
                    index: 7,
                    reason: "it is not an object".into(),
                }],
            },
            settings: 0,
            results: ResultCounts {
                failed: rows,
                ..ResultCounts::default()
            },
            verdicts: vec![verdict("entra.mfa_all", CheckResult::Failed)],
            scans: Vec::new(),
        }
    }

    pub(super) fn command(&self, permit: &ImportPermit, file: u8, batches: Vec<NewBatch>) -> KeepImport {
        KeepImport {
            id: permit.import(),
            file_name: ForeignText::name("results.json"),
            sha256: format!("{file:02x}").repeat(32),
            bytes: 1_234,
            named: None,
            any_tenant: false,
            batches,
            now: self.now(),
        }
    }

    pub(super) async fn keep(&self, tenant: &Tenant, command: KeepImport) -> Result<KeepOutcome, StoreError> {
        let write = self.write(&tenant.operator, command);
        Ok(self.store.keep_import(write).await?.into_value())
    }

    /// Imports one row for a tenant and returns the integration.
    async fn imported(&self, tenant: &Tenant, file: u8, header: ImportBatchHeader) -> IntegrationId {
        let permit = self
            .staged(tenant, &[row("users_mfa", CheckResult::Failed)])
            .await;
        let command = self.command(&permit, file, vec![self.batch_of(header, 1)]);
        match self.keep(tenant, command).await.unwrap() {
            KeepOutcome::Kept(places) => places[0].integration,
            other => panic!("{other:?}"),
        }
    }

    async fn batches(&self, scope: &WorkspaceScope) -> Vec<Batch> {
        let query = BatchQuery {
            limit: 100,
            ..BatchQuery::default()
        };
        let page = self.store.list_batches(scope, &query).await.unwrap();
        assert_eq!(page.total, page.batches.len() as u64);
        assert!(!page.more);
        page.batches
    }
}

/// Staged rows aren't visible; a kept import is read back as it was given.
pub async fn an_import_is_visible_once_it_is_kept(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let mut rows: Vec<ImportedRow> = (0..1_100)
        .map(|at| row(&format!("c{at}"), CheckResult::Failed))
        .collect();
    let plain = ImportedRow {
        check: None,
        entity: None,
        exception: None,
        frameworks: Vec::new(),
        ..row("users_mfa", CheckResult::Skipped)
    };
    rows[1_050] = plain.clone();
    let permit = world.staged(&tenant, &rows).await;
    assert!(world.batches(&tenant.operator).await.is_empty());
    assert!(
        world
            .store
            .list_integrations(&tenant.operator)
            .await
            .unwrap()
            .is_empty()
    );

    let new = world.batch_of(header("t1"), 1_100);
    let (id, integration) = (new.id, new.integration);
    let outcome = world
        .keep(&tenant, world.command(&permit, 1, vec![new]))
        .await
        .unwrap();
    let KeepOutcome::Kept(places) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(places[0].integration, integration);
    let found = world.batches(&tenant.operator).await;
    assert_eq!(found.len(), 1);
    let batch = &found[0];
    assert_eq!(
        (batch.id, batch.integration, batch.platform),
        (id, integration, Platform::Import)
    );
    assert_eq!(batch.header, header("t1"));
    assert_eq!(
        (batch.file.bytes, batch.file.name.untrusted()),
        (1_234, "results.json")
    );
    assert_eq!(batch.file.sha256, "01".repeat(32));
    assert_eq!(batch.counts, world.batch_of(header("t1"), 1_100).counts);
    assert_eq!((batch.results.failed, batch.checks), (1_100, 1));
    assert_eq!(
        world.store.batch(&tenant.operator, id).await.unwrap().as_ref(),
        Some(batch)
    );

    let made = world.row(&tenant, integration).await;
    assert_eq!(made.name.untrusted(), "Birchworks");
    assert_eq!(made.tenant_key.as_deref(), Some("t1"));
    assert_eq!(made.status, IntegrationStatus::Connected);
    assert!(made.running.is_none(), "it is never synced");

    let mut query = ImportedQuery {
        limit: 500,
        ..ImportedQuery::default()
    };
    let mut read = Vec::new();
    loop {
        let page = world
            .store
            .imported_results(&tenant.operator, id, &query)
            .await
            .unwrap();
        query.after = page.results.last().map(|one| one.position);
        read.extend(page.results.into_iter().map(|one| one.row));
        if !page.more {
            break;
        }
    }
    assert_eq!(read, rows);
    let only = ImportedQuery {
        result: Some(CheckResult::Skipped),
        limit: 10,
        ..ImportedQuery::default()
    };
    let page = world
        .store
        .imported_results(&tenant.operator, id, &only)
        .await
        .unwrap();
    assert_eq!((page.results.len(), page.more), (1, false));
    assert_eq!(page.results[0].row, plain);
    let only = ImportedQuery {
        check: Some("entra.mfa_all".into()),
        control: Some("c3".into()),
        limit: 10,
        ..ImportedQuery::default()
    };
    let page = world
        .store
        .imported_results(&tenant.operator, id, &only)
        .await
        .unwrap();
    assert_eq!(page.results.len(), 1);
    // A kept import can't be discarded.
    world.store.discard_import(&permit).await.unwrap();
    assert_eq!(world.batches(&tenant.operator).await.len(), 1);
    assert!(matches!(
        world.verify_chain(&tenant).await,
        ChainVerdict::Intact { .. }
    ));
}

/// A discarded import leaves no rows and can't be kept.
pub async fn a_discarded_import_leaves_no_rows(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let rows = vec![row("users_mfa", CheckResult::Failed); 900];
    let permit = world.staged(&tenant, &rows).await;
    world.store.discard_import(&permit).await.unwrap();
    let command = world.command(&permit, 1, vec![world.batch_of(header("t1"), 900)]);
    assert!(matches!(
        world.keep(&tenant, command).await,
        Err(StoreError::Conflict)
    ));
    let late = vec![(0, rows[0].clone())];
    assert!(matches!(
        world.store.stage_rows(&permit, 900, late, world.now()).await,
        Err(StoreError::Conflict)
    ));
    assert!(world.batches(&tenant.operator).await.is_empty());
    world.imported(&tenant, 1, header("t1")).await;
    assert_eq!(world.batches(&tenant.operator).await.len(), 1);
}

/// A staged import that hasn't been touched for a long time is deleted when another begins; one that is still written isn't.
pub async fn an_abandoned_import_is_deleted_when_another_begins(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let one = row("users_mfa", CheckResult::Failed);
    let abandoned = world.staged(&tenant, std::slice::from_ref(&one)).await;
    let alive = world.staged(&tenant, std::slice::from_ref(&one)).await;
    world.clock.advance_ms(10 * 60 * 1_000);
    world
        .store
        .stage_rows(&alive, 1, vec![(0, one.clone())], world.now())
        .await
        .unwrap();
    world.clock.advance_ms(10 * 60 * 1_000);
    world.imported(&tenant, 1, header("t1")).await;
    let batches = vec![world.batch_of(header("t1"), 1)];
    let command = world.command(&abandoned, 2, batches);
    assert!(matches!(
        world.keep(&tenant, command).await,
        Err(StoreError::Conflict)
    ));
    let command = world.command(&alive, 2, vec![world.batch_of(header("t1"), 2)]);
    assert!(matches!(
        world.keep(&tenant, command).await,
        Ok(KeepOutcome::Kept(_))
    ));
}

/// A file is kept at most once in each workspace.
pub async fn the_same_file_is_imported_only_once(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    world.imported(&tenant, 1, header("t1")).await;
    let first = world.batches(&tenant.operator).await;
    let permit = world
        .staged(&tenant, &[row("users_mfa", CheckResult::Failed)])
        .await;
    let command = world.command(&permit, 1, vec![world.batch_of(header("t1"), 1)]);
    let outcome = world.keep(&tenant, command).await.unwrap();
    assert_eq!(outcome, KeepOutcome::AlreadyImported(first[0].file.id));
    world.store.discard_import(&permit).await.unwrap();
    assert_eq!(world.batches(&tenant.operator).await, first);
    let other = world.tenant("two").await;
    world.imported(&other, 1, header("t1")).await;
    assert_eq!(
        world.batches(&other.operator).await.len(),
        1,
        "another workspace has its own"
    );
}

/// A batch is assigned to the integration of its tenant unless the caller names an integration. A file of another tenant is
/// rejected.
pub async fn a_batch_is_assigned_to_the_integration_of_its_tenant(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    // The tenant key of this integration is "tenant".
    let live = world.integration(&tenant, Platform::M365).await;
    assert_eq!(world.imported(&tenant, 1, header("TENANT")).await, live);
    let made = world.imported(&tenant, 2, header("t2")).await;
    assert_ne!(made, live);
    assert_eq!(world.imported(&tenant, 3, header("T2")).await, made);

    let permit = world
        .staged(&tenant, &[row("users_mfa", CheckResult::Failed)])
        .await;
    let before = world.batches(&tenant.operator).await.len();
    let ask = |any: bool| KeepImport {
        named: Some(live),
        any_tenant: any,
        ..world.command(&permit, 4, vec![world.batch_of(header("t2"), 1)])
    };
    let refused = world.keep(&tenant, ask(false)).await.unwrap();
    let expected = ImportRejection::OtherTenant {
        found: "t2".into(),
        expected: "tenant".into(),
    };
    assert_eq!(refused, KeepOutcome::Rejected(expected));
    assert_eq!(world.batches(&tenant.operator).await.len(), before);
    let KeepOutcome::Kept(places) = world.keep(&tenant, ask(true)).await.unwrap() else {
        panic!("another tenant's file was allowed");
    };
    assert_eq!((places[0].integration, &places[0].new), (live, &None));
}

/// The verdicts of each tool are those of its newest run, whichever file was imported last.
pub async fn the_latest_run_of_each_tool_provides_its_verdicts(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let at = |day: i64| Some(Timestamp::from_millis(1_770_000_000_000 + day * 86_400_000));
    let keep = async |file: u8, tool: ImportTool, day: i64, rows: u64, verdicts: Vec<CheckVerdict>| {
        let permit = world.staged(&tenant, &[]).await;
        let head = ImportBatchHeader {
            tool,
            ran_at: at(day),
            ..header("t1")
        };
        let batch = NewBatch {
            verdicts,
            ..world.batch_of(head, rows)
        };
        let command = world.command(&permit, file, vec![batch]);
        match world.keep(&tenant, command).await.unwrap() {
            KeepOutcome::Kept(places) => places[0].integration,
            other => panic!("{other:?}"),
        }
    };
    let (passed, failed) = (CheckResult::Passed, CheckResult::Failed);
    let integration = keep(
        1,
        ImportTool::Prowler,
        5,
        1,
        vec![verdict("a", passed), verdict("b", failed)],
    )
    .await;
    keep(
        2,
        ImportTool::Prowler,
        3,
        1,
        vec![verdict("a", failed), verdict("c", failed)],
    )
    .await;
    keep(3, ImportTool::Maester, 1, 1, vec![verdict("a", failed)]).await;
    // A file with settings alone doesn't replace verdicts.
    keep(4, ImportTool::Prowler, 9, 0, Vec::new()).await;
    let found = world
        .store
        .imported_verdicts(&tenant.operator, integration)
        .await
        .unwrap();
    let lines: Vec<_> = found.iter().map(|one| (one.tool, one.verdict.clone())).collect();
    assert_eq!(
        lines,
        [
            (ImportTool::Prowler, verdict("a", passed)),
            (ImportTool::Prowler, verdict("b", failed)),
            (ImportTool::Maester, verdict("a", failed)),
        ]
    );
    assert_eq!(found[0].ran_at, at(5));
}

/// Imported settings become a completed scan with the time at which they were read.
pub async fn imported_settings_become_a_scan_at_the_time_they_were_read(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let scan = |day: i64| {
        let read_at = Timestamp::from_millis(1_770_000_000_000 + day * 86_400_000);
        let mut id = [day.to_le_bytes()[0]; 16];
        id[..6].copy_from_slice(&read_at.as_millis().to_be_bytes()[2..]);
        RecordedScan {
            id: ScanId::from_bytes(id),
            scan_type: ScanType::Compliance,
            read_at,
            settings: vec![SettingDocument {
                path: "settings".into(),
                state: CollectionState::Complete,
                detail: None,
                source: "import",
                document: Some(r#"{"value":[]}"#.into()),
            }],
            results: Vec::new(),
            counts: ScanCounts::default(),
        }
    };
    let mut integration = None;
    for (file, day) in [(1, 5), (2, 2)] {
        let permit = world.staged(&tenant, &[]).await;
        let batch = NewBatch {
            scans: vec![scan(day)],
            settings: 1,
            ..world.batch_of(header("t1"), 0)
        };
        let command = world.command(&permit, file, vec![batch]);
        match world.keep(&tenant, command).await.unwrap() {
            KeepOutcome::Kept(places) => integration = Some(places[0].integration),
            other => panic!("{other:?}"),
        }
    }
    let latest = world
        .store
        .latest_scan(
            &tenant.operator,
            integration.unwrap(),
            ScanType::Compliance,
            None,
            None,
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(latest.id, scan(5).id, "an older export isn't the latest scan");
    assert_eq!(
        (latest.state, latest.trigger),
        (RunState::Completed, ScanTrigger::Import)
    );
    assert_eq!(latest.completed_at, Some(scan(5).read_at));
    assert_eq!(latest.settings, (1, 0));
    assert_eq!(world.batches(&tenant.operator).await[1].scans, [scan(5).id]);
}

/// If the audit entry can't be stored, the import isn't kept.
pub async fn an_import_that_cannot_be_audited_is_not_kept(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let permit = world
        .staged(&tenant, &[row("users_mfa", CheckResult::Failed)])
        .await;
    world.opened.break_audit(true);
    let command = world.command(&permit, 1, vec![world.batch_of(header("t1"), 1)]);
    assert!(world.keep(&tenant, command).await.is_err());
    assert!(world.batches(&tenant.operator).await.is_empty());
    assert!(
        world
            .store
            .list_integrations(&tenant.operator)
            .await
            .unwrap()
            .is_empty()
    );
    world.opened.break_audit(false);
    let command = world.command(&permit, 1, vec![world.batch_of(header("t1"), 1)]);
    assert!(matches!(
        world.keep(&tenant, command).await,
        Ok(KeepOutcome::Kept(_))
    ));
}

/// Imports are removed with their integration, and the file can then be imported again.
pub async fn removing_an_integration_deletes_its_imports(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let integration = world.imported(&tenant, 1, header("t1")).await;
    world.imported(&tenant, 2, header("t2")).await;
    let gone = world.batches(&tenant.operator).await[1].id;
    let command = ChangeIntegration {
        id: integration,
        action: IntegrationAction::Remove,
        job: world.job_id(),
        now: world.now(),
    };
    let write = world.write(&tenant.operator, command);
    world.store.change_integration(write).await.unwrap().into_value();
    let left = world.batches(&tenant.operator).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].header.tenant_key, "t2");
    let query = ImportedQuery {
        limit: 10,
        ..ImportedQuery::default()
    };
    let page = world
        .store
        .imported_results(&tenant.operator, gone, &query)
        .await
        .unwrap();
    assert!(page.results.is_empty());
    let again = world.imported(&tenant, 1, header("t1")).await;
    assert_ne!(again, integration);
}

/// The imports of another workspace are neither visible nor changed.
pub async fn another_workspace_sees_no_imports(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (one, two) = (world.tenant("one").await, world.tenant("two").await);
    let integration = world.imported(&one, 1, header("t1")).await;
    let batch = world.batches(&one.operator).await[0].id;
    assert!(world.batches(&two.operator).await.is_empty());
    assert!(world.store.batch(&two.operator, batch).await.unwrap().is_none());
    let query = ImportedQuery {
        limit: 10,
        ..ImportedQuery::default()
    };
    let page = world
        .store
        .imported_results(&two.operator, batch, &query)
        .await
        .unwrap();
    assert!(page.results.is_empty());
    let verdicts = world
        .store
        .imported_verdicts(&two.operator, integration)
        .await
        .unwrap();
    assert!(verdicts.is_empty());
    // A permit of one workspace doesn't affect the imports of the other.
    let staged = world.staged(&one, &[row("users_mfa", CheckResult::Failed)]).await;
    let foreign = ImportPermit::new(&two.operator, staged.import()).unwrap();
    world.store.discard_import(&foreign).await.unwrap();
    let command = world.command(&staged, 3, vec![world.batch_of(header("t1"), 1)]);
    assert!(matches!(
        world.keep(&one, command).await,
        Ok(KeepOutcome::Kept(_))
    ));
    assert!(
        ImportPermit::new(&two.writer, staged.import()).is_err(),
        "a key may not import"
    );
}
