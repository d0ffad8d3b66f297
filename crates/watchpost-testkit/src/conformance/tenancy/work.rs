//! Methods of jobs and of imports, which take a permit.

use super::{
    super::{account_fact, imports::row, life::somebody, observation},
    Probe, ask, change,
};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_core::{
    audit::{AuditOutcome, AuditStore, AuditTarget},
    check::CheckResult,
    finding::{FindingStore, Marks, SweepInput, SweepRule},
    import::{ImportPermit, ImportStore},
    integration::{
        FinishSync, IntegrationStore,
        fact::{Collection, Dataset, FactPage},
        setting::SettingDocument,
    },
    posture::{CoverageNumbers, PostureStore, RecordAnalysis},
    scan::{CheckReconciliation, FinishScan, ScanCounts, ScanPermit, ScanStore},
    value::{
        id::AnalysisId,
        word::{CollectionState, RunState, Severity},
    },
};

/// Calls each method with the ids of the probe.
pub(super) async fn try_all(probe: &mut Probe<'_>) {
    syncs(probe).await;
    scans(probe).await;
    imports(probe).await;
    analyses(probe).await;
}

async fn syncs(probe: &mut Probe<'_>) {
    let (world, permit, ids) = (probe.world, probe.permit, probe.ids);
    ask!(probe, IntegrationStore::open_config, permit, ids.integration);
    ask!(probe, IntegrationStore::readings, permit, ids.integration);
    ask!(
        probe,
        IntegrationStore::begin_sync,
        permit,
        ids.sync,
        ids.integration,
        world.now()
    );
    let page = FactPage {
        dataset: Dataset::Users,
        facts: vec![account_fact("x", "x@birch.example")],
    };
    ask!(
        probe,
        IntegrationStore::store_facts,
        permit,
        ids.sync,
        ids.integration,
        page,
        world.now()
    );
    let collection = Collection {
        dataset: Dataset::Users,
        state: CollectionState::Complete,
        rows: 0,
        row_errors: 0,
        detail: None,
    };
    ask!(
        probe,
        IntegrationStore::finish_dataset,
        permit,
        ids.sync,
        ids.integration,
        collection.into(),
        world.now()
    );
    let command = FinishSync {
        sync: ids.sync,
        integration: ids.integration,
        state: RunState::Completed,
        reason: None,
        needs_credential: false,
        analysis: world.job_id(),
        now: world.now(),
    };
    change!(probe, IntegrationStore::finish_sync, permit.scope(), command);
}

async fn scans(probe: &mut Probe<'_>) {
    let (world, ids) = (probe.world, probe.ids);
    let permit = ScanPermit::of_job(probe.permit, ids.queued_scan);
    ask!(probe, ScanStore::begin_scan, &permit, world.now());
    ask!(probe, ScanStore::open_config_for_scan, &permit);
    let setting = SettingDocument {
        path: "settings".into(),
        state: CollectionState::Complete,
        detail: None,
        source: "graph",
        document: Some(r#"{"value":[1]}"#.into()),
    };
    ask!(probe, ScanStore::store_setting, &permit, setting, world.now());
    ask!(probe, ScanStore::copy_settings, &permit, ids.scan);
    let command = FinishScan {
        id: ids.queued_scan,
        state: RunState::Completed,
        reason: None,
        results: Vec::new(),
        counts: ScanCounts::default(),
        findings: Some(CheckReconciliation::default()),
        now: world.now(),
    };
    change!(probe, ScanStore::finish_scan, probe.permit.scope(), command);
}

async fn imports(probe: &mut Probe<'_>) {
    let (world, ids) = (probe.world, probe.ids);
    let permit = ImportPermit::new(&probe.own.operator, ids.import).unwrap();
    let rows = || vec![(0, row("foreign", CheckResult::Passed))];
    // The import hasn't begun in this workspace.
    ask!(probe, ImportStore::stage_rows, &permit, 1, rows(), world.now());
    ask!(probe, ImportStore::begin_import, &permit, world.now());
    ask!(probe, ImportStore::stage_rows, &permit, 0, rows(), world.now());
    ask!(probe, ImportStore::discard_import, &permit);
}

async fn analyses(probe: &mut Probe<'_>) {
    let (world, permit, ids) = (probe.world, probe.permit, probe.ids);
    let input = SweepInput {
        rules: BTreeMap::from([(
            "a.rule".to_owned(),
            SweepRule {
                depends_on_decisions: false,
            },
        )]),
        integrations: BTreeSet::from([ids.integration]),
        // The caller's own finding must stay unchanged.
        failed: BTreeSet::from([("a.rule".to_owned(), somebody(1))]),
        ..SweepInput::default()
    };
    ask!(
        probe,
        FindingStore::sweep_findings,
        permit,
        ids.analysis,
        &input,
        world.now()
    );
    // The same fingerprint as the finding of the other workspace: the finding here is kept, the other stays unchanged.
    let hit = observation("a.rule", somebody(1), Severity::Critical, Marks::new());
    ask!(
        probe,
        FindingStore::observe_findings,
        permit,
        ids.analysis,
        vec![hit],
        world.now()
    );
    ask!(probe, FindingStore::wake_snoozed, permit, world.now());
}

/// Calls the methods that create something without referring to an existing id.
pub(super) async fn make_all(probe: &mut Probe<'_>) {
    let world = probe.world;
    let command = RecordAnalysis {
        analysis: AnalysisId::generate(world.clock.as_ref(), world.random.as_ref()),
        coverage: CoverageNumbers::default(),
        now: world.now(),
    };
    change!(
        probe,
        PostureStore::record_analysis,
        probe.permit.scope(),
        command
    );
    let entry = probe.own.operator.observe(
        "case.read",
        AuditTarget::new("finding", &probe.ids.finding),
        AuditOutcome::Ok,
        super::super::call(),
    );
    ask!(probe, AuditStore::append, entry);
}
