//! A workspace with one of everything. Two of them are alike except for their ids and one person.

use super::super::{
    Tenant, World, account, account_fact, app_fact, grant_fact,
    imports::{header, row},
    life::somebody,
    live, observation,
};
use watchpost_core::{
    app::{AppLookup, AppMatch},
    check::{CheckResult, Exempted, ScanType},
    finding::Marks,
    import::{ImportedQuery, KeepOutcome, NewBatch},
    integration::{
        fact::{Dataset, Fact},
        setting::SettingDocument,
    },
    remediation::RequestRemediation,
    scan::{
        AddExemption, AddSchedule, Exemption, RecordedScan, Recurrence, ScanCounts, Schedule, StartScan,
        next_after,
    },
    value::{
        id::{
            AnalysisId, AppId, BatchId, ExemptionId, FindingId, IdentityId, ImportId, IntegrationId, JobId,
            KeyId, RemediationId, ScanId, ScheduleId, SyncId,
        },
        text::ForeignText,
        word::{CollectionState, GrantRisk, Platform, Severity},
    },
};

/// The ids of one workspace, or ids that nothing has.
pub(super) struct Ids {
    pub(super) key: KeyId,
    pub(super) integration: IntegrationId,
    pub(super) identity: IdentityId,
    /// The address of a person who is only in this workspace.
    pub(super) email: String,
    /// The name of the same person.
    pub(super) person: String,
    pub(super) app: AppId,
    pub(super) finding: FindingId,
    pub(super) job: JobId,
    pub(super) remediation: RemediationId,
    pub(super) sync: SyncId,
    pub(super) analysis: AnalysisId,
    /// A completed scan with its settings.
    pub(super) scan: ScanId,
    /// A queued scan.
    pub(super) queued_scan: ScanId,
    pub(super) schedule: ScheduleId,
    pub(super) exemption: ExemptionId,
    /// A staged import.
    pub(super) import: ImportId,
    /// A kept batch.
    pub(super) batch: BatchId,
    /// The integration that the batch is about.
    pub(super) imported: IntegrationId,
}

impl Ids {
    /// Returns ids that nothing has.
    pub(super) fn unused() -> Self {
        let none = [9; 16];
        Self {
            key: KeyId::from_bytes(none),
            integration: IntegrationId::from_bytes(none),
            identity: IdentityId::from_bytes(none),
            email: "only@nowhere.example".into(),
            person: "Only Person of nowhere".into(),
            app: AppId::from_bytes(none),
            finding: FindingId::from_bytes(none),
            job: JobId::from_bytes(none),
            remediation: RemediationId::from_bytes(none),
            sync: SyncId::from_bytes(none),
            analysis: AnalysisId::from_bytes(none),
            scan: ScanId::from_bytes(none),
            queued_scan: ScanId::from_bytes([8; 16]),
            schedule: ScheduleId::from_bytes(none),
            exemption: ExemptionId::from_bytes(none),
            import: ImportId::from_bytes(none),
            batch: BatchId::from_bytes(none),
            imported: IntegrationId::from_bytes([8; 16]),
        }
    }

    /// Returns the text forms of all ids.
    pub(super) fn all(&self) -> Vec<String> {
        vec![
            self.key.to_string(),
            self.integration.to_string(),
            self.identity.to_string(),
            self.email.clone(),
            self.app.to_string(),
            self.finding.to_string(),
            self.job.to_string(),
            self.remediation.to_string(),
            self.sync.to_string(),
            self.analysis.to_string(),
            self.scan.to_string(),
            self.queued_scan.to_string(),
            self.schedule.to_string(),
            self.exemption.to_string(),
            self.import.to_string(),
            self.batch.to_string(),
            self.imported.to_string(),
        ]
    }
}

/// Creates a workspace with one of everything and returns it with its ids.
pub(super) async fn filled(world: &World, name: &str) -> (Tenant, Ids) {
    let tenant = world.tenant(name).await;
    let email = format!("only@{name}.example");
    let person = format!("Only Person of {name}");
    let mut only = account("o2", Some(&email));
    only.display_name = ForeignText::name(&person);
    let integration = world.integration(&tenant, Platform::Okta).await;
    let pages = vec![
        (
            Dataset::Users,
            vec![
                account_fact("o1", "mara@birch.example"),
                Fact::Account(Box::new(only)),
            ],
        ),
        (Dataset::Apps, vec![app_fact("a1", "Pixel")]),
        (
            Dataset::Grants,
            vec![grant_fact("g1", "a1", Some("o1"), GrantRisk::High)],
        ),
    ];
    world.sync(&tenant, integration, pages).await;
    let (analysis, permit, job) = world.analysis(&tenant).await;
    let hit = observation("a.rule", somebody(1), Severity::High, Marks::new());
    world
        .store
        .observe_findings(&permit, analysis, vec![hit], world.now())
        .await
        .unwrap();
    world.end_job(&job).await;
    let identity = world
        .store
        .identity_by_email(&tenant.operator, &email)
        .await
        .unwrap()
        .unwrap()
        .id;
    let lookup = AppLookup::Name("pixel".into());
    let AppMatch::One(app) = world.store.find_app(&tenant.operator, &lookup).await.unwrap() else {
        panic!("the app is not found");
    };
    let finding = world.all_findings(&tenant.operator, live()).await[0].id;
    let remediation = requested(world, &tenant, finding).await;
    let (batch, imported, scan) = imported(world, &tenant).await;
    let import = world
        .staged(&tenant, &[row("staged", CheckResult::Failed)])
        .await
        .import();
    let (schedule, exemption) = schedule_and_exemption(world, &tenant, integration).await;
    let queued_scan = queued_scan(world, &tenant, integration).await;
    let syncing = world.begin(&tenant, integration).await;
    let ids = Ids {
        key: tenant.writer_key,
        integration,
        identity,
        email,
        person,
        app: app.id,
        finding,
        job: syncing.job.id(),
        remediation,
        sync: syncing.sync,
        analysis,
        scan,
        queued_scan,
        schedule,
        exemption,
        import,
        batch,
        imported,
    };
    (tenant, ids)
}

async fn requested(world: &World, tenant: &Tenant, finding: FindingId) -> RemediationId {
    let id = RemediationId::generate(world.clock.as_ref(), world.random.as_ref());
    let command = RequestRemediation {
        id,
        finding,
        action: "suspend_user".into(),
        note: None,
        now: world.now(),
    };
    world
        .store
        .request_remediation(world.write(&tenant.operator, command))
        .await
        .unwrap()
        .into_value();
    id
}

/// Imports a batch with a scan. Returns the ids of the batch, of its integration and of the scan.
async fn imported(world: &World, tenant: &Tenant) -> (BatchId, IntegrationId, ScanId) {
    let permit = world.staged(tenant, &[row("kept", CheckResult::Failed)]).await;
    let scan = ScanId::generate(world.clock.as_ref(), world.random.as_ref());
    let recorded = RecordedScan {
        id: scan,
        scan_type: ScanType::Compliance,
        read_at: world.now(),
        settings: vec![SettingDocument {
            path: "settings".into(),
            state: CollectionState::Complete,
            detail: None,
            source: "import",
            document: Some(r#"{"value":[]}"#.into()),
        }],
        results: Vec::new(),
        counts: ScanCounts::default(),
    };
    let new = NewBatch {
        scans: vec![recorded],
        settings: 1,
        ..world.batch_of(header("t1"), 1)
    };
    let batch = new.id;
    let command = world.command(&permit, 1, vec![new]);
    let KeepOutcome::Kept(places) = world.keep(tenant, command).await.unwrap() else {
        panic!("the import is not kept");
    };
    (batch, places[0].integration, scan)
}

/// Adds a schedule and an exemption.
async fn schedule_and_exemption(
    world: &World,
    tenant: &Tenant,
    integration: IntegrationId,
) -> (ScheduleId, ExemptionId) {
    let schedule = schedule_of(world, integration);
    let exemption = exemption(world);
    let (schedule_id, exemption_id) = (schedule.id, exemption.id);
    let write = world.write(&tenant.operator, AddSchedule { schedule });
    assert!(world.store.add_schedule(write).await.unwrap().into_value());
    let write = world.write(&tenant.operator, AddExemption { exemption });
    assert!(world.store.add_exemption(write).await.unwrap().into_value());
    (schedule_id, exemption_id)
}

/// Returns a new schedule for scans of an integration.
pub(super) fn schedule_of(world: &World, integration: IntegrationId) -> Schedule {
    let recurrence = Recurrence::Daily { hour: 3, minute: 0 };
    Schedule {
        id: ScheduleId::generate(world.clock.as_ref(), world.random.as_ref()),
        name: ForeignText::name("nightly"),
        integration,
        scan_types: vec![ScanType::Compliance],
        next_at: Some(next_after(&recurrence, "Europe/Berlin", world.now()).unwrap()),
        recurrence,
        zone: "Europe/Berlin".into(),
        enabled: true,
        last_triggered_at: None,
    }
}

/// Returns a new exemption.
pub(super) fn exemption(world: &World) -> Exemption {
    Exemption {
        id: ExemptionId::generate(world.clock.as_ref(), world.random.as_ref()),
        what: Exempted {
            check: "entra.consent".into(),
            kind: "user".into(),
            id: "u1".into(),
        },
        reason: ForeignText::name("emergency account"),
        owner: ForeignText::name("Head of IT"),
        created_at: world.now(),
        until: None,
    }
}

async fn queued_scan(world: &World, tenant: &Tenant, integration: IntegrationId) -> ScanId {
    let id = ScanId::generate(world.clock.as_ref(), world.random.as_ref());
    let command = StartScan {
        id,
        integration,
        scan_type: ScanType::Compliance,
        fresh: true,
        again: false,
        job: world.job_id(),
        now: world.now(),
    };
    world
        .store
        .start_scan(world.write(&tenant.operator, command))
        .await
        .unwrap()
        .into_value();
    id
}

/// Asserts that the staged import of a workspace can still be kept, with its row.
pub(super) async fn assert_staged_import_is_intact(world: &World, tenant: &Tenant, ids: &Ids) {
    let permit = watchpost_core::import::ImportPermit::new(&tenant.operator, ids.import).unwrap();
    let new = world.batch_of(header("t2"), 1);
    let batch = new.id;
    let kept = world
        .keep(tenant, world.command(&permit, 2, vec![new]))
        .await
        .unwrap();
    assert!(matches!(kept, KeepOutcome::Kept(_)), "{kept:?}");
    let query = ImportedQuery {
        limit: 9,
        ..ImportedQuery::default()
    };
    let page = world
        .store
        .imported_results(&tenant.operator, batch, &query)
        .await
        .unwrap();
    let controls: Vec<&str> = page.results.iter().map(|one| one.row.control.as_str()).collect();
    assert_eq!(controls, ["staged"]);
}
