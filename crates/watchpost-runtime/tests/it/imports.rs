//! Tests of the whole import of another scanner's file: reader, staging, checks on its settings, comparison.

use serde_json::{Value, json};
use std::{io::Cursor, sync::Arc};
use tempfile::TempDir;
use watchpost_core::{
    access::WorkspaceScope,
    audit::{AuditOutcome, AuditQuery, AuditStore as _, CallRecord, ReadRecord},
    check::{CheckResult, ScanType},
    error::Error,
    finding::{FindingQuery, FindingStore as _},
    import::{BatchQuery, Difference},
    scan::ScanQuery,
    service::{ImportAnswer, ImportRequest, ResultChoice, Unrecorded, Watchpost},
    value::word::Platform,
};
use watchpost_runtime::{
    config::Settings,
    data_dir::DataDir,
    import::read_file,
    instance::{Environment, Instance, init},
};

const TENANT: &str = "c0ffee00-1111-4222-8333-444444444444";

/// A store of its own, into which files are imported.
pub(crate) struct Fixture {
    _folder: TempDir,
    pub(crate) instance: Instance,
    pub(crate) watchpost: Watchpost,
    pub(crate) scope: Arc<WorkspaceScope>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = DataDir::locate(Some(&folder.path().join("data")), &|_| None).expect("a data folder");
        init(&dir, None, &Environment::system()).await.expect("a store");
        let instance = Instance::open(&dir, Settings::default(), Environment::system()).expect("an instance");
        let workspace = instance.workspace(None).await.expect("one workspace");
        Self {
            scope: instance.operator(&workspace),
            watchpost: instance.watchpost(),
            instance,
            _folder: folder,
        }
    }

    pub(crate) async fn import(&self, file: &[u8]) -> Result<ImportAnswer, Error> {
        let mut feed = read_file(Box::new(Cursor::new(file.to_vec())), &self.watchpost).expect("a thread");
        let call = CallRecord::new("cli", "import", "{}");
        let request = ImportRequest::default();
        self.watchpost
            .import(&self.scope, &mut feed, request, call, &|_| {})
            .await
    }

    /// Stores the audit entry of a read and returns its result.
    pub(crate) async fn open<T>(&self, read: Unrecorded<Result<T, Error>>) -> Result<T, Error> {
        let call = CallRecord::new("test", "read", "{}");
        self.watchpost
            .record(&self.scope, read, |read| ReadRecord::of("test.read", call, read))
            .await
            .expect("the entry is stored")
    }
}

pub(crate) fn run<F: Future>(case: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(case)
}

/// An export of a tenant that forwards mail to the given domains. The tool's configuration allows `partner.example`.
pub(crate) fn export(at: &str, forwarding: &[&str]) -> Vec<u8> {
    let domains: Vec<Value> = forwarding
        .iter()
        .map(|name| json!({"DomainName": name, "Identity": name, "AutoForwardEnabled": true}))
        .chain([json!({"DomainName": "*", "Identity": "Default", "AutoForwardEnabled": false})])
        .collect();
    json!({
        "module_version": "1.8.0",
        "timestamp_zulu": at,
        "scuba_config": {"Exo": {"MS.EXO.1.1v2": {"AllowedForwardingDomains": ["partner.example"]}}},
        "tenant_details": {"TenantId": TENANT, "DisplayName": "Birchworks"},
        "remote_domains": domains,
    })
    .to_string()
    .into_bytes()
}

/// ScubaGear's verdicts on two policies.
fn results(first: &str, second: &str) -> Vec<u8> {
    let control = |id: &str, result: &str| {
        json!({
            "Control ID": id, "Requirement": "The setting SHALL be on.", "Result": result, "Criticality": "Shall",
            "Details": format!("The tool says {result}."), "OriginalResult": result,
        })
    };
    json!({
        "MetaData": {
            "TenantId": TENANT, "DisplayName": "Birchworks", "Tool": "ScubaGear", "ToolVersion": "1.8.0",
            "TimestampZulu": "2026-02-01T09:00:00Z",
        },
        "Results": {"EXO": [{"GroupName": "Mail", "Controls": [
            control("MS.EXO.1.1v2", first), control("MS.EXO.5.1v1", second),
        ]}]},
    })
    .to_string()
    .into_bytes()
}

#[test]
fn imported_settings_are_judged_compared_and_replayed_like_a_scan() {
    run(async {
        let fixture = Fixture::new().await;
        let (watchpost, scope) = (&fixture.watchpost, fixture.scope.as_ref());
        let newer = fixture
            .import(&export(
                "2026-02-01T09:00:00Z",
                &["partner.example", "other.example"],
            ))
            .await
            .expect("the import succeeds");
        let batch = &newer.batches[0];
        assert_eq!(newer.created, [batch.integration]);
        assert_eq!((batch.platform, batch.counts.rows), (Platform::Import, 0));
        // Imported later, but of an earlier time.
        let older = fixture
            .import(&export("2026-01-01T09:00:00Z", &["partner.example"]))
            .await
            .expect("the import succeeds");
        assert!(older.created.is_empty());
        assert_eq!(older.batches[0].integration, batch.integration);

        let latest = fixture
            .open(watchpost.find_scan(scope, None, None, ScanType::Compliance).await)
            .await
            .expect("an import can be scanned");
        assert!(
            batch.scans.contains(&latest.id),
            "the newer export is the latest scan"
        );
        let before = fixture
            .open(watchpost.scan_before(scope, &latest).await)
            .await
            .expect("the store works")
            .expect("the older export is the one before");
        let compared = fixture
            .open(
                watchpost
                    .compare_scans(scope, Some(before.id), latest.clone(), &Default::default())
                    .await,
            )
            .await
            .expect("they can be compared");
        let new: Vec<_> = compared
            .comparison
            .new_failures
            .iter()
            .filter_map(|change| change.after.as_ref())
            .map(|row| row.check_id.as_str())
            .collect();
        assert_eq!(
            new,
            ["exo.no_auto_forward"],
            "the allowed domain must not fail a check"
        );

        let choice = ResultChoice {
            filter: &Default::default(),
            after: None,
            limit: 1_000,
        };
        let rows = fixture
            .open(watchpost.scan_results(scope, latest.clone(), choice).await)
            .await
            .expect("results")
            .page
            .results;
        let judged = rows
            .iter()
            .filter(|row| matches!(row.result, CheckResult::Passed | CheckResult::Failed));
        for row in judged {
            let replays = fixture
                .open(watchpost.replay(scope, latest.clone(), &row.check_id).await)
                .await
                .expect("the check is evaluated again");
            let [replay] = &replays[..] else {
                panic!("not one result: {replays:?}");
            };
            assert!(replay.agrees(), "{}: {:?}", row.check_id, replay.now.row.result);
        }
        let findings = FindingQuery {
            limit: 10,
            ..FindingQuery::default()
        };
        let page = fixture.instance.store().list_findings(scope, &findings).await;
        assert!(
            page.expect("findings").findings.is_empty(),
            "imports create no findings"
        );
    });
}

#[test]
fn verdicts_that_differ_are_listed_with_both_reasons() {
    run(async {
        let fixture = Fixture::new().await;
        let answer = fixture
            .import(&export("2026-02-01T09:00:00Z", &["other.example"]))
            .await
            .expect("the import succeeds");
        fixture
            .import(&results("Pass", "Pass"))
            .await
            .expect("the import succeeds");
        let found = fixture
            .open(fixture.watchpost.disagreements(&fixture.scope, None).await)
            .await
            .expect("they can be compared");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].integration.id, answer.batches[0].integration);
        assert_eq!(found[0].compared, 2);
        let rows = &found[0].rows;
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].difference, Difference::Opposite);
        assert_eq!(rows[0].ours.row.check_id, "exo.no_auto_forward");
        assert_eq!(rows[0].ours.row.result, CheckResult::Failed);
        assert!(rows[0].ours.row.reason.untrusted().contains("other.example"));
        assert_eq!(rows[0].theirs.verdict.reason.untrusted(), "The tool says Pass.");
        // The export lacks the mail transport settings, so Watchpost skips the check, whatever the tool's result is.
        assert_eq!(rows[1].difference, Difference::JudgedByThem);
        assert_eq!(rows[1].ours.row.result, CheckResult::Skipped);
    });
}

#[test]
fn an_invalid_file_leaves_only_an_audit_entry() {
    run(async {
        let fixture = Fixture::new().await;
        let (watchpost, scope) = (&fixture.watchpost, fixture.scope.as_ref());
        let whole = results("Pass", "Fail");
        let rejected = fixture.import(&whole[..whole.len() / 2]).await;
        assert!(matches!(rejected, Err(Error::Invalid { field: "file", .. })));
        let query = BatchQuery {
            limit: 10,
            ..BatchQuery::default()
        };
        let batches = fixture
            .open(watchpost.import_batches(scope, &query).await)
            .await
            .expect("batches");
        assert_eq!(batches.total, 0);
        let scans = ScanQuery {
            limit: 10,
            ..ScanQuery::default()
        };
        assert_eq!(
            fixture
                .open(watchpost.scans(scope, &scans).await)
                .await
                .expect("scans")
                .total,
            0
        );
        assert!(
            !fixture
                .import(&whole)
                .await
                .expect("it is imported")
                .already_imported
        );
        assert!(
            fixture
                .import(&whole)
                .await
                .expect("it is known")
                .already_imported
        );
        let query = AuditQuery {
            action: Some("import.".into()),
            limit: 10,
            ..AuditQuery::default()
        };
        let mut entries = fixture
            .instance
            .store()
            .list_entries(scope, &query)
            .await
            .expect("the trail");
        entries.reverse();
        let entries: Vec<_> = entries
            .iter()
            .map(|row| (row.action.as_ref(), row.outcome))
            .collect();
        assert_eq!(
            entries,
            [
                ("import.refused", AuditOutcome::Invalid),
                ("import.kept", AuditOutcome::Ok),
                ("import.kept", AuditOutcome::Unchanged),
            ]
        );
    });
}

#[test]
fn batches_are_listed_in_the_order_of_the_file() {
    run(async {
        let fixture = Fixture::new().await;
        let names: Vec<String> = (0..20).map(|at| format!("tenant-{}", at * 7 % 20)).collect();
        let tenants: Vec<Value> = names
            .iter()
            .map(|name| json!({"TenantId": name, "Tests": [{"Id": "MT.1001", "Title": "A", "Result": "Passed"}]}))
            .collect();
        let file = json!({"Tenants": tenants}).to_string().into_bytes();
        for again in [false, true] {
            let answer = fixture.import(&file).await.expect("it is imported");
            assert_eq!(answer.already_imported, again);
            let listed: Vec<&str> = answer
                .batches
                .iter()
                .map(|batch| batch.header.tenant_key.as_str())
                .collect();
            assert_eq!(listed, names);
        }
    });
}
