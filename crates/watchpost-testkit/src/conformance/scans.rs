//! Cases for scans, their results, settings and findings, for schedules, and for exemptions.

use super::{Harness, Tenant, World, with_statuses};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use watchpost_core::{
    audit::ChainVerdict,
    check::{
        Check, CheckDocument, CheckEngine, CheckOver, CheckResult, Exempted, Framework, FrameworkId, Outcome,
        Profile, ScanType, Service, SkipReason, Verdict,
    },
    finding::{FindingQuery, FindingSummary},
    integration::{
        ChangeIntegration, DatasetSpec, IntegrationAction,
        connector::{ConfigField, Connector, ConnectorConfig, ConnectorError, SyncRun, Verification},
        reading::Readings,
        setting::{CollectRequest, SettingDocument, SettingRun},
    },
    job::{JobEnd, JobKind, LeasedJob},
    rule::EngineError,
    scan::{
        AddExemption, AddSchedule, CancelOutcome, CancelScan, ChangeSchedule, Exemption, REPEAT_MS,
        Recurrence, RemoveExemption, Scan, ScanQuery, ScanStart, Schedule, ScheduleChange, StartScan,
        next_after, run_scan,
    },
    value::{
        id::{ExemptionId, IntegrationId, ScanId, ScheduleId},
        text::ForeignText,
        time::DAY_MS,
        word::{Category, CollectionState, FindingStatus, Platform, RunState, Severity},
    },
};

const SHARING: &str = "spo.sharing";
const CONSENT: &str = "entra.consent";

pub(super) fn check(id: &str, severity: Severity, service: Service, input: &str) -> Check {
    Check {
        id: id.into(),
        condition: id.into(),
        title: format!("Check {id}"),
        description: String::new(),
        scan: Some(ScanType::Compliance),
        severity,
        category: Category::AccessHygiene,
        service,
        platforms: vec![Platform::M365],
        over: CheckOver::Settings,
        inputs: vec![input.into()],
        optional_inputs: vec![],
        manual: false,
        variant_of: None,
        frameworks: vec![FrameworkId::new("CIS.M365.1.2.3")],
        remediation: vec!["Switch it off.".into()],
        references: vec![],
    }
}

/// A check engine whose results a case sets. Checks without a result pass.
pub(super) struct StubEngine {
    pub(super) checks: Vec<Check>,
    results: Mutex<BTreeMap<String, CheckResult>>,
}

impl StubEngine {
    fn new() -> Self {
        Self {
            checks: vec![
                check(
                    CONSENT,
                    Severity::High,
                    Service::Entra,
                    "policies/authorizationPolicy",
                ),
                check(
                    SHARING,
                    Severity::Medium,
                    Service::Sharepoint,
                    "sharepoint/Tenant",
                ),
            ],
            results: Mutex::default(),
        }
    }
    pub(super) fn set_result(&self, id: &str, result: CheckResult) {
        self.results.lock().unwrap().insert(id.into(), result);
    }
}

#[async_trait]
impl CheckEngine for StubEngine {
    fn checks(&self) -> &[Check] {
        &self.checks
    }
    async fn evaluate_checks(
        &self,
        _: Arc<CheckDocument>,
        checks: Vec<usize>,
        _: Profile,
        _: i64,
    ) -> Result<Vec<Verdict>, EngineError> {
        let results = self.results.lock().unwrap();
        Ok(checks
            .into_iter()
            .map(|at| {
                let result = results
                    .get(&self.checks[at].id)
                    .copied()
                    .unwrap_or(CheckResult::Passed);
                let skip = (result == CheckResult::Skipped).then_some(SkipReason::Unreadable);
                Verdict {
                    check: at,
                    outcome: Outcome {
                        detected: Some("{\"SharingCapability\":2}".into()),
                        ..Outcome::plain(result, skip, "Set by the case")
                    },
                }
            })
            .collect())
    }
}

/// A connector whose SharePoint settings a case sets.
struct StubConnector(Mutex<String>);

struct StubSettingRun(Vec<SettingDocument>);

#[async_trait]
impl SettingRun for StubSettingRun {
    async fn next_setting(&mut self) -> Result<Option<SettingDocument>, ConnectorError> {
        Ok(self.0.pop())
    }
}

#[async_trait]
impl Connector for StubConnector {
    fn platform(&self) -> Platform {
        Platform::M365
    }
    fn fields(&self) -> &'static [ConfigField] {
        &[]
    }
    fn datasets(&self) -> &'static [DatasetSpec] {
        &[]
    }
    async fn verify(&self, _: &ConnectorConfig) -> Result<Verification, ConnectorError> {
        Err(ConnectorError::Api {
            reason: "not supported by the stub".into(),
        })
    }
    async fn sync(&self, _: &ConnectorConfig, _: Readings) -> Result<Box<dyn SyncRun>, ConnectorError> {
        Err(ConnectorError::Api {
            reason: "not supported by the stub".into(),
        })
    }
    fn setting_paths(&self) -> &'static [&'static str] {
        &["policies/authorizationPolicy", "sharepoint/Tenant"]
    }
    async fn collect(
        &self,
        _: &ConnectorConfig,
        _: CollectRequest,
    ) -> Result<Box<dyn SettingRun>, ConnectorError> {
        let document = |path: &str, text: &str| SettingDocument {
            path: path.into(),
            state: CollectionState::Complete,
            detail: None,
            source: "graph",
            document: Some(text.into()),
        };
        Ok(Box::new(StubSettingRun(vec![
            document("sharepoint/Tenant", &self.0.lock().unwrap()),
            document("policies/authorizationPolicy", "{\"allowInvitesFrom\":\"none\"}"),
        ])))
    }
}

/// A workspace with an integration that can be scanned.
pub(super) struct ScanFixture {
    pub(super) world: World,
    pub(super) tenant: Tenant,
    integration: IntegrationId,
    pub(super) engine: StubEngine,
    connector: Arc<StubConnector>,
}

impl ScanFixture {
    pub(super) async fn new(harness: &dyn Harness) -> Self {
        let world = World::new(harness).await;
        let tenant = world.tenant("one").await;
        let integration = world.integration(&tenant, Platform::M365).await;
        // Runs the jobs that adding the integration queued.
        world.sync(&tenant, integration, vec![]).await;
        let (_, _, analysis) = world.analysis(&tenant).await;
        world.end_job(&analysis).await;
        Self {
            world,
            tenant,
            integration,
            engine: StubEngine::new(),
            connector: Arc::new(StubConnector(Mutex::new("{\"SharingCapability\":2}".into()))),
        }
    }

    async fn start(&self, scan_type: ScanType) -> (ScanId, ScanStart) {
        self.request(scan_type, true, false).await
    }

    async fn request(&self, scan_type: ScanType, fresh: bool, again: bool) -> (ScanId, ScanStart) {
        let id = ScanId::generate(self.world.clock.as_ref(), self.world.random.as_ref());
        let command = StartScan {
            id,
            integration: self.integration,
            scan_type,
            fresh,
            again,
            job: self.world.job_id(),
            now: self.world.now(),
        };
        let write = self.world.write(&self.tenant.operator, command);
        (id, self.world.store.start_scan(write).await.unwrap().into_value())
    }

    async fn lease(&self) -> LeasedJob {
        let job = self.world.lease("case", self.world.now()).await.unwrap();
        assert_eq!(job.row().kind, JobKind::Scan);
        job
    }

    async fn run(&self, job: &LeasedJob) {
        let permit = self.world.access.jobs.enter(job);
        let connectors = [Arc::clone(&self.connector) as Arc<dyn Connector>];
        run_scan(
            self.world.store.as_ref(),
            &self.engine,
            &connectors,
            self.world.clock.as_ref(),
            &permit,
            job.row().scan.unwrap(),
            &|_| (),
        )
        .await
        .unwrap();
    }

    /// Runs a complete compliance scan.
    async fn scan(&self) -> ScanId {
        self.scan_for(ScanType::Compliance).await
    }

    /// Runs a complete scan.
    pub(super) async fn scan_for(&self, scan_type: ScanType) -> ScanId {
        let (id, start) = self.request(scan_type, true, true).await;
        assert_eq!(start, ScanStart::Started);
        let job = self.lease().await;
        self.run(&job).await;
        self.world.end_job(&job).await;
        id
    }

    async fn get(&self, id: ScanId) -> Scan {
        self.world
            .store
            .scan(&self.tenant.operator, id)
            .await
            .unwrap()
            .unwrap()
    }

    pub(super) async fn findings(&self, statuses: &[FindingStatus]) -> Vec<FindingSummary> {
        self.world
            .all_findings(&self.tenant.operator, with_statuses(statuses))
            .await
    }
}

/// Starting a second scan returns the id of the unfinished one. After that has ended, another can start.
pub async fn an_integration_has_one_unfinished_scan_at_a_time(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    let (first, start) = fixture.start(ScanType::Compliance).await;
    assert_eq!(start, ScanStart::Started);
    assert_eq!(fixture.get(first).await.state, RunState::Queued);
    let another = fixture.start(ScanType::Exposure).await.1;
    assert_eq!(another, ScanStart::AlreadyRunning(first));
    let job = fixture.lease().await;
    assert_eq!(
        fixture.start(ScanType::Compliance).await.1,
        ScanStart::AlreadyRunning(first)
    );
    fixture.run(&job).await;
    fixture.world.end_job(&job).await;
    let done = fixture.get(first).await;
    assert_eq!((done.state, done.settings), (RunState::Completed, (2, 0)));
    assert!(done.started_at.is_some() && done.completed_at.is_some());
    assert_eq!(fixture.start(ScanType::Exposure).await.1, ScanStart::Started);
    let verdict = fixture.world.verify_chain(&fixture.tenant).await;
    assert!(matches!(verdict, ChainVerdict::Intact { .. }), "{verdict:?}");
}

/// Of several requests at the same time, one starts a scan, and the others return it. So do repeated requests until a
/// minute after the scan's end. Another type, other settings, a newer exemption or an explicit request starts a new scan.
pub async fn repeated_requests_for_a_scan_start_one(harness: &dyn Harness) {
    use ScanType::{Compliance, Exposure};
    let fixture = ScanFixture::new(harness).await;
    let request = || fixture.start(Compliance);
    let starts: [_; 4] = tokio::join!(request(), request(), request(), request()).into();
    let mut started = starts.iter().filter(|(_, start)| *start == ScanStart::Started);
    let first = started.next().expect("one starts the scan").0;
    assert!(started.next().is_none(), "{starts:?}");
    for (_, start) in starts.iter().filter(|(id, _)| *id != first) {
        assert_eq!(start, &ScanStart::AlreadyRunning(first));
    }
    let job = fixture.lease().await;
    fixture.run(&job).await;
    fixture.world.end_job(&job).await;

    let same = ScanStart::JustCompleted(first);
    assert_eq!(fixture.start(Compliance).await.1, same);
    let end = fixture.get(first).await.completed_at.expect("the end");
    let passed = fixture.world.now().millis_since(end);
    fixture.world.clock.advance_ms(REPEAT_MS - passed - 1_000);
    assert_eq!(fixture.start(Compliance).await.1, same);
    let cancel = async |id| {
        let command = CancelScan {
            id,
            now: fixture.world.now(),
        };
        let write = fixture.world.write(&fixture.tenant.operator, command);
        let outcome = fixture.world.store.cancel_scan(write).await.unwrap().into_value();
        assert_eq!(outcome, CancelOutcome::Cancelled);
    };
    for (scan_type, fresh, again) in [
        (Exposure, true, false),
        (Compliance, false, false),
        (Compliance, true, true),
    ] {
        let (id, start) = fixture.request(scan_type, fresh, again).await;
        assert_eq!(start, ScanStart::Started, "{scan_type} {fresh} {again}");
        cancel(id).await;
    }
    // Each request advances the clock a little.
    fixture.world.clock.advance_ms(1_000);
    let (id, start) = fixture.start(Compliance).await;
    assert_eq!(start, ScanStart::Started, "a minute has passed");
    cancel(id).await;

    let second = fixture.scan().await;
    assert_eq!(
        fixture.start(Compliance).await.1,
        ScanStart::JustCompleted(second)
    );
    let exemption = Exemption {
        id: ExemptionId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref()),
        what: Exempted {
            check: SHARING.into(),
            kind: "*".into(),
            id: String::new(),
        },
        reason: ForeignText::sentence("Agreed."),
        owner: ForeignText::name("Head of IT"),
        created_at: fixture.world.now(),
        until: None,
    };
    let write = fixture
        .world
        .write(&fixture.tenant.operator, AddExemption { exemption });
    assert!(
        fixture
            .world
            .store
            .add_exemption(write)
            .await
            .unwrap()
            .into_value()
    );
    assert_eq!(
        fixture.start(Compliance).await.1,
        ScanStart::Started,
        "it applies the exemption"
    );
}

/// Cancelling a scan cancels its job, and results that a worker delivers afterwards are not stored.
pub async fn a_cancelled_scan_stores_no_results(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    let (id, _) = fixture.start(ScanType::Compliance).await;
    let job = fixture.lease().await;
    let cancel = async |id| {
        let command = CancelScan {
            id,
            now: fixture.world.now(),
        };
        let write = fixture.world.write(&fixture.tenant.operator, command);
        fixture.world.store.cancel_scan(write).await.unwrap().into_value()
    };
    assert_eq!(cancel(id).await, CancelOutcome::Cancelled);
    fixture.engine.set_result(SHARING, CheckResult::Failed);
    fixture.run(&job).await;
    assert_eq!(fixture.get(id).await.state, RunState::Cancelled);
    let rows = fixture
        .world
        .store
        .scan_results(&fixture.tenant.operator, id)
        .await
        .unwrap();
    assert!(rows.is_empty());
    assert!(fixture.findings(&[FindingStatus::Open]).await.is_empty());
    assert_eq!(cancel(id).await, CancelOutcome::Ended(RunState::Cancelled));
    let unknown = ScanId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref());
    assert_eq!(cancel(unknown).await, CancelOutcome::NotFound);
    assert_eq!(fixture.start(ScanType::Compliance).await.1, ScanStart::Started);
}

/// A scan whose job fails for good fails with the job's reason.
pub async fn a_scan_ends_with_its_job(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    let (id, _) = fixture.start(ScanType::Compliance).await;
    let job = fixture.lease().await;
    let end = JobEnd::Failed {
        reason: "the disk is full".into(),
        retry_at: None,
    };
    fixture
        .world
        .store
        .finish_job(&job, "case", end, fixture.world.now())
        .await
        .unwrap();
    let scan = fixture.get(id).await;
    assert_eq!(scan.state, RunState::Failed);
    assert_eq!(scan.reason.as_deref(), Some("the disk is full"));
    assert_eq!(fixture.start(ScanType::Compliance).await.1, ScanStart::Started);
}

/// Results, settings, lists and trend points contain what the scans found.
pub async fn scans_are_read_back_as_they_were_written(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    let (store, scope) = (&fixture.world.store, &fixture.tenant.operator);
    fixture.engine.set_result(SHARING, CheckResult::Failed);
    let first = fixture.scan().await;
    fixture.engine.set_result(CONSENT, CheckResult::Skipped);
    *fixture.connector.0.lock().unwrap() = "{\"SharingCapability\":0}".into();
    let second = fixture.scan().await;

    let rows = store.scan_results(scope, first).await.unwrap();
    let results: Vec<_> = rows
        .iter()
        .map(|row| (row.check_id.as_str(), row.result))
        .collect();
    assert_eq!(
        results,
        [(CONSENT, CheckResult::Passed), (SHARING, CheckResult::Failed)]
    );
    let one = store.scan_result(scope, second, CONSENT).await.unwrap().unwrap();
    assert_eq!(one.row.skip, Some(SkipReason::Unreadable));
    assert_eq!(one.row.detected.as_deref(), Some("{\"SharingCapability\":2}"));
    assert_eq!(one.row.frameworks, [FrameworkId::new("CIS.M365.1.2.3")]);
    assert!(
        store
            .scan_result(scope, second, "no.such")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(store.scan_details(scope, second).await.unwrap().len(), 2);

    // Equal documents have equal hashes. Of the document that changed, each scan has its own text.
    let (old, new) = (
        store.scan_settings(scope, first).await.unwrap(),
        store.scan_settings(scope, second).await.unwrap(),
    );
    assert_eq!((old.len(), new.len()), (2, 2));
    assert_eq!(old[0].hash, new[0].hash);
    assert_ne!(old[1].hash, new[1].hash);
    for (id, text) in [
        (first, "{\"SharingCapability\":2}"),
        (second, "{\"SharingCapability\":0}"),
    ] {
        let values = store
            .setting_values(scope, id, &["sharepoint/Tenant".into()])
            .await
            .unwrap();
        assert_eq!(values.len(), 1);
        assert_eq!(values[0].document.as_deref(), Some(text));
    }

    let latest = store
        .latest_scan(scope, fixture.integration, ScanType::Compliance, None, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(latest.id, second);
    assert_eq!((latest.counts.failed, latest.counts.skipped_total()), (1, 1));
    let before = store
        .latest_scan(
            scope,
            fixture.integration,
            ScanType::Compliance,
            Some(second),
            None,
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(before.id, first);
    assert!(
        store
            .latest_scan(scope, fixture.integration, ScanType::Exposure, None, None)
            .await
            .unwrap()
            .is_none()
    );

    // The scan that was completed at the limit is not before it.
    let ends = (
        fixture.get(first).await.completed_at,
        fixture.get(second).await.completed_at,
    );
    for (limit, expected) in [(ends.0, None), (ends.1, Some(first)), (None, Some(second))] {
        let found = store
            .latest_scan(scope, fixture.integration, ScanType::Compliance, None, limit)
            .await
            .unwrap();
        assert_eq!(found.map(|scan| scan.id), expected);
    }

    let query = ScanQuery {
        limit: 1,
        ..ScanQuery::default()
    };
    let page = store.list_scans(scope, &query).await.unwrap();
    assert_eq!((page.scans[0].id, page.total, page.more), (second, 2, true));
    let query = ScanQuery {
        before: Some(second),
        ..query
    };
    let page = store.list_scans(scope, &query).await.unwrap();
    assert_eq!((page.scans[0].id, page.more), (first, false));
    let points = store
        .scan_points(scope, fixture.integration, ScanType::Compliance, before.queued_at)
        .await
        .unwrap();
    assert_eq!(
        points.iter().map(|point| point.scan).collect::<Vec<_>>(),
        [first, second]
    );
    assert_eq!(points[0].frameworks[0].0, Framework::Cis);
    assert_eq!(points[0].frameworks[0].1.failed, 1);
}

/// A failed check creates a finding and keeps it; two passing scans in a row resolve it; another failure reopens it. Scans
/// that couldn't read the settings resolve nothing.
pub async fn findings_of_checks_have_the_same_life_cycle_as_findings_of_rules(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    fixture.engine.set_result(SHARING, CheckResult::Failed);
    fixture.scan().await;
    fixture.scan().await;
    let open = fixture.findings(&[FindingStatus::Open]).await;
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].rule_id.as_str(), open[0].service),
        (SHARING, Some(Service::Sharepoint))
    );

    fixture.engine.set_result(SHARING, CheckResult::Skipped);
    fixture.scan().await;
    fixture.scan().await;
    fixture.scan().await;
    assert_eq!(
        fixture.findings(&[FindingStatus::Open]).await.len(),
        1,
        "unreadable doesn't mean fixed"
    );

    fixture.engine.set_result(SHARING, CheckResult::Passed);
    fixture.scan().await;
    assert_eq!(
        fixture.findings(&[FindingStatus::Open]).await.len(),
        1,
        "one passing scan is not enough"
    );
    fixture.scan().await;
    assert!(fixture.findings(&[FindingStatus::Open]).await.is_empty());
    assert_eq!(fixture.findings(&[FindingStatus::Resolved]).await.len(), 1);

    fixture.engine.set_result(SHARING, CheckResult::Failed);
    fixture.scan().await;
    let again = fixture.findings(&[FindingStatus::Open]).await;
    assert_eq!(again.iter().map(|row| row.id).collect::<Vec<_>>(), [open[0].id]);

    // Findings of checks can be filtered by service and framework.
    let of = async |services: Vec<Service>, frameworks: Vec<Framework>| {
        let query = FindingQuery {
            services,
            frameworks,
            ..with_statuses(&[FindingStatus::Open])
        };
        fixture
            .world
            .all_findings(&fixture.tenant.operator, query)
            .await
            .len()
    };
    assert_eq!(of(vec![Service::Sharepoint], vec![]).await, 1);
    assert_eq!(of(vec![Service::Exchange], vec![]).await, 0);
    assert_eq!(of(vec![], vec![Framework::Cis]).await, 1);
    assert_eq!(of(vec![], vec![Framework::Scuba]).await, 0);
}

fn schedule(fixture: &ScanFixture, recurrence: Recurrence) -> Schedule {
    let next = next_after(&recurrence, "Europe/Berlin", fixture.world.now()).unwrap();
    Schedule {
        id: ScheduleId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref()),
        name: ForeignText::name("nightly"),
        integration: fixture.integration,
        scan_types: vec![ScanType::Compliance, ScanType::Exposure],
        recurrence,
        zone: "Europe/Berlin".into(),
        enabled: true,
        last_triggered_at: None,
        next_at: Some(next),
    }
}

/// A schedule starts its scans when it is due, one after the other. Manual scans don't change its next time.
pub async fn schedules_start_scans_one_after_the_other(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    let (store, scope) = (&fixture.world.store, &fixture.tenant.operator);
    let row = schedule(&fixture, Recurrence::Daily { hour: 6, minute: 30 });
    let next = row.next_at.unwrap();
    let add = |schedule| fixture.world.write(scope, AddSchedule { schedule });
    assert!(store.add_schedule(add(row.clone())).await.unwrap().into_value());
    assert_eq!(store.schedules(scope).await.unwrap(), std::slice::from_ref(&row));

    fixture.scan().await;
    assert_eq!(store.schedules(scope).await.unwrap()[0].next_at, Some(next));

    store.enqueue_due(DAY_MS * 365, next).await.unwrap();
    let scans = async |state| {
        let query = ScanQuery {
            state: Some(state),
            limit: 100,
            ..ScanQuery::default()
        };
        store.list_scans(scope, &query).await.unwrap().scans
    };
    let queued = scans(RunState::Queued).await;
    assert_eq!(queued.len(), 1, "one at a time");
    let moved = store.schedules(scope).await.unwrap().remove(0);
    assert_eq!(moved.last_triggered_at, Some(next));
    assert_eq!(moved.next_at, Some(next.plus_millis(DAY_MS)));
    // The scan of the other type starts when the first has ended.
    fixture
        .world
        .clock
        .advance_ms(next.as_millis() - fixture.world.now().as_millis());
    let job = fixture.lease().await;
    fixture.run(&job).await;
    fixture.world.end_job(&job).await;
    store
        .enqueue_due(DAY_MS * 365, next.plus_millis(60_000))
        .await
        .unwrap();
    let second = scans(RunState::Queued).await;
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].scan_type, queued[0].scan_type);

    let change = async |change| {
        let write = fixture.world.write(scope, ChangeSchedule { id: row.id, change });
        store.change_schedule(write).await.unwrap().into_value()
    };
    assert!(change(ScheduleChange::Disable).await);
    let off = store.schedules(scope).await.unwrap().remove(0);
    assert_eq!((off.enabled, off.next_at), (false, None));
    assert!(change(ScheduleChange::Delete).await);
    assert!(!change(ScheduleChange::Delete).await);
    assert!(store.schedules(scope).await.unwrap().is_empty());
}

/// Exemptions are read back as they were added, and can be removed.
pub async fn exemptions_are_stored_and_removed(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    let (store, scope) = (&fixture.world.store, &fixture.tenant.operator);
    let row = Exemption {
        id: ExemptionId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref()),
        what: Exempted {
            check: CONSENT.into(),
            kind: "user".into(),
            id: "u1".into(),
        },
        reason: ForeignText::name("emergency account"),
        owner: ForeignText::name("Head of IT"),
        created_at: fixture.world.now(),
        until: Some(fixture.world.now().plus_millis(DAY_MS)),
    };
    let add = AddExemption {
        exemption: row.clone(),
    };
    let write = fixture.world.write(scope, add);
    assert!(store.add_exemption(write).await.unwrap().into_value());
    assert_eq!(store.exemptions(scope).await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(store.exemption(scope, row.id).await.unwrap(), Some(row.clone()));
    let remove = async || {
        let write = fixture.world.write(scope, RemoveExemption { id: row.id });
        store.remove_exemption(write).await.unwrap().into_value()
    };
    assert!(remove().await);
    assert!(!remove().await);
    assert!(store.exemptions(scope).await.unwrap().is_empty());
}

/// Another workspace can't see or change scans and schedules, and a paused integration can't be scanned.
pub async fn scans_belong_to_their_workspace_and_integration(harness: &dyn Harness) {
    let fixture = ScanFixture::new(harness).await;
    let store = &fixture.world.store;
    let row = schedule(&fixture, Recurrence::Daily { hour: 1, minute: 0 });
    let write = fixture
        .world
        .write(&fixture.tenant.operator, AddSchedule { schedule: row });
    assert!(store.add_schedule(write).await.unwrap().into_value());
    let id = fixture.scan().await;

    let other = fixture.world.tenant("two").await;
    let scope = &other.operator;
    assert!(store.scan(scope, id).await.unwrap().is_none());
    assert!(store.scan_results(scope, id).await.unwrap().is_empty());
    assert!(store.scan_settings(scope, id).await.unwrap().is_empty());
    assert!(store.setting_values(scope, id, &[]).await.unwrap().is_empty());
    assert!(store.schedules(scope).await.unwrap().is_empty());
    let command = CancelScan {
        id,
        now: fixture.world.now(),
    };
    let write = fixture.world.write(scope, command);
    assert_eq!(
        store.cancel_scan(write).await.unwrap().into_value(),
        CancelOutcome::NotFound
    );
    let command = StartScan {
        id: ScanId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref()),
        integration: fixture.integration,
        scan_type: ScanType::Compliance,
        fresh: true,
        again: false,
        job: fixture.world.job_id(),
        now: fixture.world.now(),
    };
    let write = fixture.world.write(scope, command);
    assert_eq!(
        store.start_scan(write).await.unwrap().into_value(),
        ScanStart::NoIntegration
    );

    let pause = ChangeIntegration {
        id: fixture.integration,
        action: IntegrationAction::Pause,
        job: fixture.world.job_id(),
        now: fixture.world.now(),
    };
    let write = fixture.world.write(&fixture.tenant.operator, pause);
    store.change_integration(write).await.unwrap();
    assert_eq!(
        fixture.start(ScanType::Compliance).await.1,
        ScanStart::NoIntegration
    );
}
