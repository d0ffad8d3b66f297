//! A case with two workspaces that are alike: every method of every port is called from one with the ids of the other.
//!
//! [`METHODS`] lists the methods that take a scope, an authorized write or a permit; `watchpost-tidy` compares it with the
//! traits of the domain. The case calls each method with the macros `ask` and `change`, which record the method's
//! name. At the end it compares the recorded names with the list. A method that is added without a call here therefore
//! fails one of the two tests.

mod company;
mod everything;
mod read;
mod work;
mod write;

use super::{Harness, Tenant, World};
use company::{Ids, filled};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_core::access::JobPermit;

/// The methods of all storage ports as `Trait::method`, in alphabetical order.
pub const METHODS: &[&str] = &[
    "AppStore::app_documents",
    "AppStore::find_app",
    "AppStore::list_apps",
    "AppStore::set_app_policy",
    "AuditStore::append",
    "AuditStore::audit_page",
    "AuditStore::list_entries",
    "CompletionStore::complete",
    "FindingStore::change_finding",
    "FindingStore::finding",
    "FindingStore::finding_counts",
    "FindingStore::list_findings",
    "FindingStore::observe_findings",
    "FindingStore::sweep_findings",
    "FindingStore::wake_snoozed",
    "IdentityStore::count_identities",
    "IdentityStore::identities_named",
    "IdentityStore::identity",
    "IdentityStore::identity_by_email",
    "IdentityStore::identity_documents",
    "IdentityStore::tag_break_glass",
    "ImportStore::batch",
    "ImportStore::begin_import",
    "ImportStore::discard_import",
    "ImportStore::imported_results",
    "ImportStore::imported_verdicts",
    "ImportStore::keep_import",
    "ImportStore::list_batches",
    "ImportStore::stage_rows",
    "IntegrationStore::add_integration",
    "IntegrationStore::begin_sync",
    "IntegrationStore::change_integration",
    "IntegrationStore::confirm_shrink",
    "IntegrationStore::finish_dataset",
    "IntegrationStore::finish_sync",
    "IntegrationStore::integration",
    "IntegrationStore::integration_documents",
    "IntegrationStore::list_integrations",
    "IntegrationStore::open_config",
    "IntegrationStore::open_config_for_verify",
    "IntegrationStore::readings",
    "IntegrationStore::set_credential",
    "IntegrationStore::store_facts",
    "JobStore::job",
    "JobStore::trigger_sync",
    "JobStore::unfinished_jobs",
    "KeyStore::create_key",
    "KeyStore::list_keys",
    "KeyStore::revoke_key",
    "PostureStore::freshness",
    "PostureStore::generation",
    "PostureStore::measure_coverage",
    "PostureStore::record_analysis",
    "PostureStore::risk_facts",
    "PostureStore::snapshots",
    "RemediationStore::list_remediations",
    "RemediationStore::reject_remediation",
    "RemediationStore::remediation",
    "RemediationStore::request_remediation",
    "ScanStore::add_exemption",
    "ScanStore::add_schedule",
    "ScanStore::begin_scan",
    "ScanStore::cancel_scan",
    "ScanStore::change_schedule",
    "ScanStore::copy_settings",
    "ScanStore::exemption",
    "ScanStore::exemptions",
    "ScanStore::finish_scan",
    "ScanStore::latest_scan",
    "ScanStore::list_scans",
    "ScanStore::open_config_for_scan",
    "ScanStore::remove_exemption",
    "ScanStore::scan",
    "ScanStore::scan_details",
    "ScanStore::scan_points",
    "ScanStore::scan_result",
    "ScanStore::scan_results",
    "ScanStore::scan_settings",
    "ScanStore::schedules",
    "ScanStore::setting_values",
    "ScanStore::start_scan",
    "ScanStore::store_setting",
];

/// Calls methods in one workspace with ids that aren't its own, and records the answers.
struct Probe<'a> {
    world: &'a World,
    own: &'a Tenant,
    permit: &'a JobPermit,
    ids: &'a Ids,
    answers: BTreeMap<&'static str, Vec<String>>,
}

impl<'a> Probe<'a> {
    fn new(world: &'a World, own: &'a Tenant, permit: &'a JobPermit, ids: &'a Ids) -> Self {
        Self {
            world,
            own,
            permit,
            ids,
            answers: BTreeMap::new(),
        }
    }
    fn record(&mut self, method: &'static str, answer: String) {
        self.answers.entry(method).or_default().push(answer);
    }
}

/// Calls a port's method that reads, or that takes a permit, and records the answer.
macro_rules! ask {
    ($probe:expr, $port:ident :: $method:ident, $($argument:expr),+ $(,)?) => {{
        let answer = $port::$method(&*$probe.world.store, $($argument),+).await;
        $probe.record(
            concat!(stringify!($port), "::", stringify!($method)),
            format!("{answer:?}"),
        );
    }};
}

/// Calls a port's method with a command that the scope allows, and records the outcome.
macro_rules! change {
    ($probe:expr, $port:ident :: $method:ident, $scope:expr, $command:expr) => {{
        let write = $probe.world.write($scope, $command);
        let outcome = $port::$method(&*$probe.world.store, write).await;
        $probe.record(
            concat!(stringify!($port), "::", stringify!($method)),
            format!("{:?}", outcome.map(|done| done.into_value())),
        );
    }};
}

use {ask, change};

/// The answers for ids of another workspace equal the answers for unknown ids, contain no id of the other workspace, and
/// change nothing there.
pub async fn ids_of_another_workspace_are_treated_like_unknown_ids(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (one, own) = filled(&world, "one").await;
    let (two, theirs) = filled(&world, "two").await;
    let unused = Ids::unused();
    let permit = {
        let job = world.take_over_sync(&one, own.integration).await;
        world.access.jobs.enter(&job)
    };
    let mut called = BTreeSet::new();

    // Methods that list everything list only the caller's workspace.
    let mut overview = async |tenant: &Tenant, others: &Ids| {
        let mut probe = Probe::new(&world, tenant, &permit, others);
        everything::call_all(&mut probe).await;
        called.extend(probe.answers.keys().copied());
        assert_names_nothing_of(others, &probe.answers);
        probe.answers
    };
    overview(&one, &theirs).await;
    let before = overview(&two, &own).await;

    // Each read is called with the ids of the other workspace and with unused ids.
    let mut answers = Vec::new();
    for ids in [&theirs, &unused] {
        let mut probe = Probe::new(&world, &one, &permit, ids);
        read::call_all(&mut probe).await;
        answers.push(probe.answers);
    }
    assert_names_nothing_of(&theirs, &answers[0]);
    assert_same_answers(&answers[0], &answers[1]);
    called.extend(answers[0].keys().copied());

    let mut outcomes = Vec::new();
    for ids in [&theirs, &unused] {
        let mut probe = Probe::new(&world, &one, &permit, ids);
        write::try_all(&mut probe).await;
        work::try_all(&mut probe).await;
        outcomes.push(probe.answers);
    }
    assert_same_answers(&outcomes[0], &outcomes[1]);
    called.extend(outcomes[0].keys().copied());

    // Methods that create something create it in the caller's workspace.
    let mut probe = Probe::new(&world, &one, &permit, &theirs);
    write::make_all(&mut probe).await;
    work::make_all(&mut probe).await;
    called.extend(probe.answers.keys().copied());

    let mut after = Probe::new(&world, &two, &permit, &own);
    everything::call_all(&mut after).await;
    assert_same_answers(&before, &after.answers);
    company::assert_staged_import_is_intact(&world, &two, &theirs).await;

    let listed: BTreeSet<&str> = METHODS.iter().copied().collect();
    let differing: Vec<_> = called.symmetric_difference(&listed).collect();
    assert!(
        differing.is_empty(),
        "called and not listed, or listed and not called: {differing:?}"
    );
}

fn assert_same_answers(left: &BTreeMap<&str, Vec<String>>, right: &BTreeMap<&str, Vec<String>>) {
    for (method, answers) in left {
        assert_eq!(right.get(method), Some(answers), "{method}");
    }
}

fn assert_names_nothing_of(others: &Ids, answers: &BTreeMap<&str, Vec<String>>) {
    for (method, answers) in answers {
        for known in others.all() {
            assert!(
                !answers.iter().any(|answer| answer.contains(&known)),
                "{method} names `{known}` of another workspace"
            );
        }
    }
}
