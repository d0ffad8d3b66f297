//! Two workspaces that look alike: every method of every port, called from the one with the ids of the other.
//!
//! [`METHODS`] lists the methods that take a scope, an authorised write or a permit; `watchpost-tidy` compares it with the
//! traits of the domain. The case calls each by the macros [`ask`] and [`change`], which note what they call, and ends
//! by comparing what was called with the list. So a method that is added without its call here fails one or the other.

mod company;
mod everything;
mod read;
mod work;
mod write;

use super::{Harness, Tenant, World};
use company::{Ids, filled};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_core::access::JobPermit;

/// The methods of all storage ports, `Trait::method`, in order.
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
    "IntegrationStore::finish_dataset",
    "IntegrationStore::finish_sync",
    "IntegrationStore::integration",
    "IntegrationStore::integration_documents",
    "IntegrationStore::list_integrations",
    "IntegrationStore::open_config",
    "IntegrationStore::open_config_for_verify",
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

/// Calls methods in one workspace with ids that aren't its own, and keeps what came of each.
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
    fn note(&mut self, method: &'static str, answer: String) {
        self.answers.entry(method).or_default().push(answer);
    }
}

/// Calls a port's method that reads, or that a permit allows, and notes the answer.
macro_rules! ask {
    ($probe:expr, $port:ident :: $method:ident, $($argument:expr),+ $(,)?) => {{
        let answer = $port::$method(&*$probe.world.store, $($argument),+).await;
        $probe.note(
            concat!(stringify!($port), "::", stringify!($method)),
            format!("{answer:?}"),
        );
    }};
}

/// Gives a port's method a command that this scope allows, and notes what came of it.
macro_rules! change {
    ($probe:expr, $port:ident :: $method:ident, $scope:expr, $command:expr) => {{
        let write = $probe.world.write($scope, $command);
        let outcome = $port::$method(&*$probe.world.store, write).await;
        $probe.note(
            concat!(stringify!($port), "::", stringify!($method)),
            format!("{:?}", outcome.map(|done| done.into_value())),
        );
    }};
}

use {ask, change};

/// Answers about another workspace's ids equal those about ids of nothing, name nothing of the other workspace, and change
/// nothing there.
pub async fn another_workspaces_ids_answer_like_unknown_ones(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (one, own) = filled(&world, "one").await;
    let (two, theirs) = filled(&world, "two").await;
    let nothing = Ids::of_nothing();
    let permit = {
        let job = world.lease_sync_again(&one, own.integration).await;
        world.access.jobs.enter(&job)
    };
    let mut called = BTreeSet::new();

    // What lists everything lists one's own alone.
    let mut overview = async |tenant: &Tenant, others: &Ids| {
        let mut probe = Probe::new(&world, tenant, &permit, others);
        everything::ask_for(&mut probe).await;
        called.extend(probe.answers.keys().copied());
        names_nothing_of(others, &probe.answers);
        probe.answers
    };
    overview(&one, &theirs).await;
    let before = overview(&two, &own).await;

    // What is asked of the other's ids is asked of ids of nothing, too.
    let mut answers = Vec::new();
    for ids in [&theirs, &nothing] {
        let mut probe = Probe::new(&world, &one, &permit, ids);
        read::ask_for(&mut probe).await;
        answers.push(probe.answers);
    }
    names_nothing_of(&theirs, &answers[0]);
    same_answers(&answers[0], &answers[1]);
    called.extend(answers[0].keys().copied());

    let mut outcomes = Vec::new();
    for ids in [&theirs, &nothing] {
        let mut probe = Probe::new(&world, &one, &permit, ids);
        write::try_all(&mut probe).await;
        work::try_all(&mut probe).await;
        outcomes.push(probe.answers);
    }
    same_answers(&outcomes[0], &outcomes[1]);
    called.extend(outcomes[0].keys().copied());

    // What makes something new makes it in one's own workspace.
    let mut probe = Probe::new(&world, &one, &permit, &theirs);
    write::make_all(&mut probe).await;
    work::make_all(&mut probe).await;
    called.extend(probe.answers.keys().copied());

    let mut after = Probe::new(&world, &two, &permit, &own);
    everything::ask_for(&mut after).await;
    same_answers(&before, &after.answers);
    company::keeps_its_staged_import(&world, &two, &theirs).await;

    let listed: BTreeSet<&str> = METHODS.iter().copied().collect();
    let differing: Vec<_> = called.symmetric_difference(&listed).collect();
    assert!(
        differing.is_empty(),
        "called and not listed, or listed and not called: {differing:?}"
    );
}

fn same_answers(left: &BTreeMap<&str, Vec<String>>, right: &BTreeMap<&str, Vec<String>>) {
    for (method, answers) in left {
        assert_eq!(right.get(method), Some(answers), "{method}");
    }
}

fn names_nothing_of(others: &Ids, answers: &BTreeMap<&str, Vec<String>>) {
    for (method, answers) in answers {
        for known in others.all() {
            assert!(
                !answers.iter().any(|answer| answer.contains(&known)),
                "{method} names `{known}` of another workspace"
            );
        }
    }
}
