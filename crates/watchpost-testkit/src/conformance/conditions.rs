//! Cases for conditions: all rules and checks that judge the same condition share one finding.

use super::{
    Harness, Tenant, World, account, account_fact,
    life::{somebody, with_analysis},
    live, observation,
    scans::{ScanFixture, check},
    with_statuses,
};
use watchpost_core::{
    access::JobPermit,
    check::{Check, CheckResult, Exempted, ScanType, Service},
    finding::{
        FindingAction, FindingCommand, FindingQuery, FindingSummary, Marks, Observation, ObserveCounts,
        SweepCounts, fingerprint,
    },
    integration::fact::{Dataset, Fact},
    rule::document::EntityRef,
    scan::{AddExemption, Exemption},
    value::{
        id::{AnalysisId, ExemptionId},
        text::ForeignText,
        word::{DismissReason, FindingStatus, Platform, Severity},
    },
};

const ONE: &str = "c.one";
const TWO: &str = "c.two";

/// An observation of one of the two rules of a condition.
fn hit(rule: &str) -> Observation {
    let severity = if rule == TWO {
        Severity::Critical
    } else {
        Severity::High
    };
    let seen = observation(rule, somebody(1), severity, Marks::new());
    Observation {
        condition: "c.shared".into(),
        fingerprint: fingerprint("c.shared", seen.entity),
        title: ForeignText::sentence(&format!("{rule} reports it")),
        ..seen
    }
}

struct Fixture {
    world: World,
    tenant: Tenant,
    permit: JobPermit,
}

impl Fixture {
    async fn new(harness: &dyn Harness) -> Self {
        let world = World::new(harness).await;
        let (tenant, _, permit) = with_analysis(&world).await;
        Self {
            world,
            tenant,
            permit,
        }
    }

    /// Runs an analysis in which the rules `active` are active and the rules `reporting` report the finding.
    async fn analyse(&self, active: &[&str], reporting: &[&str]) -> (ObserveCounts, SweepCounts) {
        let world = &self.world;
        let analysis = AnalysisId::generate(world.clock.as_ref(), world.random.as_ref());
        let hits = reporting.iter().map(|rule| hit(rule)).collect();
        let observed = world
            .store
            .observe_findings(&self.permit, analysis, hits, world.now())
            .await
            .unwrap();
        let input = world.sweep_input(&self.tenant, active).await;
        let swept = world
            .store
            .sweep_findings(&self.permit, analysis, &input, world.now())
            .await
            .unwrap();
        (observed, swept)
    }

    async fn findings(&self, query: FindingQuery) -> Vec<FindingSummary> {
        self.world.all_findings(&self.tenant.operator, query).await
    }

    /// Returns the only live finding and checks that the stored counts contain no other.
    async fn only_finding(&self) -> FindingSummary {
        let mut found = self.findings(live()).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let counts = self
            .world
            .store
            .finding_counts(&self.tenant.operator)
            .await
            .unwrap();
        let of: Vec<_> = counts
            .iter()
            .map(|row| (row.status, row.severity, row.count))
            .collect();
        assert_eq!(of, [(found[0].status, found[0].severity, 1)]);
        found.remove(0)
    }
}

/// Two rules of a condition that report the same entity share one finding. It is counted once and found by either rule.
pub async fn rules_of_one_condition_share_a_finding(harness: &dyn Harness) {
    let fixture = Fixture::new(harness).await;
    let (observed, _) = fixture.analyse(&[ONE, TWO], &[ONE, TWO]).await;
    assert_eq!((observed.new, observed.kept), (1, 1));
    let found = fixture.only_finding().await;
    assert_eq!(
        (found.rule_id.as_str(), found.also.as_slice()),
        (ONE, [TWO.to_owned()].as_slice())
    );
    assert_eq!(found.severity, Severity::Critical, "the worst is shown");
    assert_eq!(found.title.untrusted(), "c.two reports it");
    for rule in [ONE, TWO] {
        let query = FindingQuery {
            rule_id: Some(rule.into()),
            ..live()
        };
        assert_eq!(fixture.findings(query).await.len(), 1, "{rule}");
    }
    // Reporting it again, in another order, changes nothing.
    let (observed, _) = fixture.analyse(&[ONE, TWO], &[TWO, ONE]).await;
    assert_eq!((observed.new, observed.kept), (0, 2));
    assert_eq!(fixture.only_finding().await, found);
    let detail = fixture
        .world
        .store
        .finding(&fixture.tenant.operator, found.id)
        .await
        .unwrap();
    assert_eq!(detail.unwrap().summary, found);
}

/// The finding stays open while any of its rules reports it, is resolved when none does, and is reopened with the same id.
pub async fn a_finding_stays_open_while_one_of_its_rules_reports_it(harness: &dyn Harness) {
    let fixture = Fixture::new(harness).await;
    let both = [ONE, TWO];
    fixture.analyse(&both, &both).await;
    let id = fixture.only_finding().await.id;
    assert_eq!(fixture.analyse(&both, &[ONE]).await.1.missed, 1);
    assert_eq!(fixture.only_finding().await.also, [TWO], "one miss is not enough");
    fixture.analyse(&both, &[ONE]).await;
    let found = fixture.only_finding().await;
    assert_eq!((found.severity, found.also.len()), (Severity::High, 0));
    assert_eq!(found.title.untrusted(), "c.one reports it");

    fixture.analyse(&both, &[]).await;
    assert_eq!(fixture.only_finding().await.id, id);
    assert_eq!(fixture.analyse(&both, &[]).await.1.resolved, 1);
    assert!(fixture.findings(live()).await.is_empty());

    // The other rule alone reopens it.
    assert_eq!(fixture.analyse(&both, &[TWO]).await.0.reopened, 1);
    let found = fixture.only_finding().await;
    assert_eq!(
        (found.id, found.rule_id.as_str(), found.also.as_slice()),
        (id, ONE, [TWO.to_owned()].as_slice())
    );

    // Switching a rule off leaves the finding to the other rule; switching off the last one resolves it.
    fixture.analyse(&both, &[ONE]).await;
    fixture.analyse(&[ONE], &[ONE]).await;
    assert!(fixture.only_finding().await.also.is_empty());
    fixture.analyse(&[], &[]).await;
    assert!(fixture.findings(live()).await.is_empty());
}

/// A person's decision applies to all rules of the condition.
pub async fn a_decision_applies_to_all_rules_of_a_condition(harness: &dyn Harness) {
    let fixture = Fixture::new(harness).await;
    fixture.analyse(&[ONE, TWO], &[ONE]).await;
    let dismissal = FindingCommand {
        finding: fixture.only_finding().await.id,
        action: FindingAction::Dismiss {
            reason: DismissReason::AcceptedRisk,
        },
        note: None,
        now: fixture.world.now(),
    };
    let write = fixture.world.write(&fixture.tenant.operator, dismissal);
    fixture
        .world
        .store
        .change_finding(write)
        .await
        .unwrap()
        .into_value();
    let (observed, _) = fixture.analyse(&[ONE, TWO], &[ONE, TWO]).await;
    assert_eq!((observed.new, observed.reopened), (0, 0));
    assert!(fixture.findings(live()).await.is_empty());
    assert_eq!(
        fixture
            .findings(with_statuses(&[FindingStatus::Dismissed]))
            .await
            .len(),
        1
    );
}

/// The finding of a rule that later shares a condition is merged with the finding of the condition.
pub async fn a_rule_that_joins_a_condition_brings_its_finding(harness: &dyn Harness) {
    let fixture = Fixture::new(harness).await;
    let world = &fixture.world;
    let analysis = AnalysisId::generate(world.clock.as_ref(), world.random.as_ref());
    let own = observation(ONE, somebody(1), Severity::High, Marks::new());
    for seen in [own, hit(TWO)] {
        let (store, now) = (&world.store, world.now());
        store
            .observe_findings(&fixture.permit, analysis, vec![seen], now)
            .await
            .unwrap();
        world.clock.advance_ms(1_000);
    }
    let before = fixture.findings(live()).await;
    assert_eq!(before.len(), 2);
    let older = before.iter().find(|row| row.rule_id == ONE).unwrap().id;
    let (observed, _) = fixture.analyse(&[ONE, TWO], &[ONE]).await;
    assert_eq!((observed.new, observed.kept), (0, 1));
    let found = fixture.only_finding().await;
    assert_eq!(
        (found.id, found.also.as_slice()),
        (older, [TWO.to_owned()].as_slice())
    );
}

/// Merging two identities also merges the findings that different rules of a condition reported about each. The result is
/// resolved once neither rule reports it.
pub async fn merged_identities_keep_one_finding_of_a_condition(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    for (integration, account, email) in [
        (okta, "o1", "mara@birch.example"),
        (m365, "m1", "m.holt@birch.example"),
    ] {
        let facts = vec![account_fact(account, email)];
        world
            .sync(&tenant, integration, vec![(Dataset::Users, facts)])
            .await;
    }
    let person = async |email: &str| {
        let found = world.store.identity_by_email(&tenant.operator, email).await;
        found.unwrap().unwrap().id
    };
    let (older, younger) = (
        person("mara@birch.example").await,
        person("m.holt@birch.example").await,
    );
    let (_, permit, job) = world.analysis(&tenant).await;
    let seen = |rule: &str, id| {
        let entity = EntityRef::Identity(id);
        Observation {
            entity,
            fingerprint: fingerprint("c.shared", entity),
            ..hit(rule)
        }
    };
    let analyse = async |hits: Vec<Observation>| {
        let (store, now) = (&world.store, world.now());
        let analysis = AnalysisId::generate(world.clock.as_ref(), world.random.as_ref());
        let observed = store.observe_findings(&permit, analysis, hits, now).await;
        let input = world.sweep_input(&tenant, &[ONE, TWO]).await;
        store
            .sweep_findings(&permit, analysis, &input, now)
            .await
            .unwrap();
        world.clock.advance_ms(1_000);
        observed.unwrap()
    };
    analyse(vec![seen(ONE, older)]).await;
    analyse(vec![seen(ONE, older), seen(TWO, younger)]).await;
    let before = world.all_findings(&tenant.operator, live()).await;
    assert_eq!(before.len(), 2);
    let first = before.iter().find(|row| row.rule_id == ONE).unwrap().id;

    let mut joined = account("m1", Some("m.holt@birch.example"));
    joined.aliases = vec!["mara@birch.example".into()];
    let facts = vec![Fact::Account(Box::new(joined))];
    world.sync(&tenant, m365, vec![(Dataset::Users, facts)]).await;
    let after = world.all_findings(&tenant.operator, live()).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!((after[0].id, after[0].rule_id.as_str()), (first, ONE));
    assert_eq!(after[0].also, [TWO]);
    assert_eq!(after[0].subject.entity, EntityRef::Identity(older));
    assert_eq!(after[0].severity, Severity::Critical);
    let counts = world.store.finding_counts(&tenant.operator).await.unwrap();
    assert_eq!(counts.iter().map(|row| row.count).collect::<Vec<_>>(), [1]);

    let observed = analyse(vec![seen(TWO, older)]).await;
    assert_eq!((observed.new, observed.kept), (0, 1));
    analyse(vec![seen(TWO, older)]).await;
    assert_eq!(world.all_findings(&tenant.operator, live()).await.len(), 1);
    analyse(vec![]).await;
    analyse(vec![]).await;
    assert!(world.all_findings(&tenant.operator, live()).await.is_empty());
    world.end_job(&job).await;
}

/// Creates a fixture with a compliance check and an exposure check of one condition.
async fn scanned(harness: &dyn Harness) -> ScanFixture {
    let path = "policies/authorizationPolicy";
    let mut fixture = ScanFixture::new(harness).await;
    fixture.engine.checks = vec![
        check(ONE, Severity::High, Service::Entra, path),
        Check {
            condition: ONE.into(),
            scan: Some(ScanType::Exposure),
            ..check(TWO, Severity::Critical, Service::Dns, path)
        },
    ];
    fixture
}

async fn open(fixture: &ScanFixture) -> Vec<FindingSummary> {
    fixture.findings(&[FindingStatus::Open]).await
}

/// A compliance check and an exposure check share one finding. It is resolved once both pass.
pub async fn checks_of_two_scan_types_share_a_finding(harness: &dyn Harness) {
    let fixture = scanned(harness).await;
    fixture.engine.set_result(ONE, CheckResult::Failed);
    fixture.scan_for(ScanType::Compliance).await;
    // Passing scans of a check that never reported the finding don't affect it.
    for _ in 0..3 {
        fixture.scan_for(ScanType::Exposure).await;
    }
    let first = open(&fixture).await;
    assert_eq!((first.len(), first[0].also.len()), (1, 0));

    fixture.engine.set_result(TWO, CheckResult::Failed);
    fixture.scan_for(ScanType::Exposure).await;
    let both = open(&fixture).await;
    assert_eq!(
        (both.len(), both[0].id, both[0].severity),
        (1, first[0].id, Severity::Critical)
    );
    assert_eq!(
        (both[0].rule_id.as_str(), both[0].also.as_slice()),
        (ONE, [TWO.to_owned()].as_slice())
    );
    for service in [Service::Entra, Service::Dns] {
        let query = FindingQuery {
            services: vec![service],
            ..with_statuses(&[FindingStatus::Open])
        };
        assert_eq!(
            fixture
                .world
                .all_findings(&fixture.tenant.operator, query)
                .await
                .len(),
            1,
            "{service}"
        );
    }

    fixture.engine.set_result(ONE, CheckResult::Passed);
    for _ in 0..3 {
        fixture.scan_for(ScanType::Compliance).await;
    }
    assert_eq!(open(&fixture).await.len(), 1, "the other still fails");
    fixture.engine.set_result(TWO, CheckResult::Skipped);
    for _ in 0..3 {
        fixture.scan_for(ScanType::Exposure).await;
    }
    assert_eq!(open(&fixture).await.len(), 1, "unreadable doesn't mean fixed");
    fixture.engine.set_result(TWO, CheckResult::Passed);
    fixture.scan_for(ScanType::Exposure).await;
    assert_eq!(open(&fixture).await.len(), 1, "one passing scan is not enough");
    fixture.scan_for(ScanType::Exposure).await;
    assert!(open(&fixture).await.is_empty());

    fixture.engine.set_result(TWO, CheckResult::Failed);
    fixture.scan_for(ScanType::Exposure).await;
    let again = open(&fixture).await;
    assert_eq!((again.len(), again[0].id), (1, first[0].id));
}

/// Exempting one check leaves the finding to the other.
pub async fn an_exempted_check_leaves_the_finding_to_the_other_check(harness: &dyn Harness) {
    let fixture = scanned(harness).await;
    fixture.engine.set_result(ONE, CheckResult::Failed);
    fixture.engine.set_result(TWO, CheckResult::Failed);
    fixture.scan_for(ScanType::Compliance).await;
    fixture.scan_for(ScanType::Exposure).await;
    let exempt = async |check: &str| {
        let exemption = Exemption {
            id: ExemptionId::generate(fixture.world.clock.as_ref(), fixture.world.random.as_ref()),
            what: Exempted {
                check: check.into(),
                kind: "*".into(),
                id: String::new(),
            },
            reason: ForeignText::name("agreed"),
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
    };
    exempt(TWO).await;
    fixture.scan_for(ScanType::Exposure).await;
    let left = open(&fixture).await;
    assert_eq!(
        (left.len(), left[0].severity, left[0].also.len()),
        (1, Severity::High, 0)
    );
    exempt(ONE).await;
    fixture.scan_for(ScanType::Compliance).await;
    assert!(open(&fixture).await.is_empty());
}
