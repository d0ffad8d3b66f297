//! Cases for people's decisions on findings, for remediations, and for the facts of the risk score.

use super::{Harness, World, live, observation, with_statuses};
use watchpost_core::{
    access::JobPermit,
    finding::{FindingAction, FindingCommand, FindingOutcome, Marks},
    posture::{CoverageNumbers, RecordAnalysis, score::risk_score},
    remediation::{RejectOutcome, RejectRemediation, RemediationOutcome, RequestRemediation},
    rule::document::EntityRef,
    value::{
        id::{FindingId, IdentityId},
        text::ForeignText,
        time::{DAY_MS, HOUR_MS},
        word::{Category, DismissReason, FindingStatus, Platform, RemediationState, Severity},
    },
};

/// A subject about which the store has no facts.
pub(super) fn somebody(n: u8) -> EntityRef {
    EntityRef::Identity(IdentityId::from_bytes([n; 16]))
}

/// Creates a workspace with a running analysis.
pub(super) async fn with_analysis(
    world: &World,
) -> (super::Tenant, watchpost_core::value::id::AnalysisId, JobPermit) {
    let tenant = world.tenant("one").await;
    let integration = world.integration(&tenant, Platform::Okta).await;
    world.sync(&tenant, integration, vec![]).await;
    let (analysis, permit, _) = world.analysis(&tenant).await;
    (tenant, analysis, permit)
}

/// Makes every decision on a finding, and repeats them.
pub async fn repeating_a_decision_on_a_finding_changes_nothing(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (tenant, analysis, permit) = with_analysis(&world).await;
    let hit = observation("id.rule", somebody(1), Severity::High, Marks::new());
    world
        .store
        .observe_findings(&permit, analysis, vec![hit], world.now())
        .await
        .unwrap();
    let id = world.all_findings(&tenant.writer, live()).await[0].id;
    let action = |action: FindingAction| FindingCommand {
        finding: id,
        action,
        note: Some(ForeignText::sentence("because")),
        now: world.now(),
    };
    let run = async |command| {
        let write = world.write(&tenant.operator, command);
        world.store.change_finding(write).await.unwrap().into_value()
    };
    let generation = || async { world.store.generation(&tenant.operator).await.unwrap() };
    let before = generation().await;
    let snoozed = run(action(FindingAction::Snooze { days: 7 })).await;
    assert!(matches!(
        snoozed,
        FindingOutcome::Changed {
            before: FindingStatus::Open,
            ..
        }
    ));
    let moved = generation().await;
    assert!(moved > before);
    assert!(matches!(
        run(action(FindingAction::Snooze { days: 7 })).await,
        FindingOutcome::Unchanged { .. }
    ));
    assert_eq!(generation().await, moved, "a repeat changes nothing");
    assert!(world.all_findings(&tenant.writer, live()).await.is_empty());
    let stored = world.store.finding(&tenant.writer, id).await.unwrap().unwrap();
    assert_eq!(stored.note.unwrap().untrusted(), "because");
    assert!(stored.snoozed_until.is_some());
    assert_eq!(world.store.wake_snoozed(&permit, world.now()).await.unwrap(), 0);
    let later = world.now().plus_millis(8 * DAY_MS);
    assert_eq!(
        world.store.enqueue_due(i64::MAX / 4, later).await.unwrap(),
        1,
        "a wake-up is queued"
    );
    assert_eq!(world.store.wake_snoozed(&permit, later).await.unwrap(), 1);
    assert_eq!(world.all_findings(&tenant.writer, live()).await.len(), 1);
    let reason = DismissReason::AcceptedRisk;
    assert!(matches!(
        run(action(FindingAction::Dismiss { reason })).await,
        FindingOutcome::Changed { .. }
    ));
    assert!(matches!(
        run(action(FindingAction::Snooze { days: 1 })).await,
        FindingOutcome::NotPossible {
            status: FindingStatus::Dismissed
        }
    ));
    assert!(matches!(
        run(action(FindingAction::Reopen)).await,
        FindingOutcome::Changed { .. }
    ));
    assert!(matches!(
        run(action(FindingAction::Resolve)).await,
        FindingOutcome::Changed { .. }
    ));
    let mut unknown = action(FindingAction::Resolve);
    unknown.finding = FindingId::from_bytes([1; 16]);
    assert_eq!(run(unknown).await, FindingOutcome::NotFound);
    let counts = world.store.finding_counts(&tenant.operator).await.unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].status, counts[0].count), (FindingStatus::Resolved, 1));
}

/// Requests a remediation twice, rejects it, and closes the finding of a waiting one.
pub async fn remediations_are_requested_rejected_and_cancelled(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (tenant, analysis, permit) = with_analysis(&world).await;
    let hits = vec![
        observation("id.rule", somebody(1), Severity::High, Marks::new()),
        observation("id.rule", somebody(2), Severity::High, Marks::new()),
    ];
    world
        .store
        .observe_findings(&permit, analysis, hits, world.now())
        .await
        .unwrap();
    let found = world.all_findings(&tenant.writer, live()).await;
    let (world, tenant) = (&world, &tenant);
    let RemediationOutcome::Requested(first) = request(world, tenant, found[0].id).await else {
        panic!("the remediation is not requested");
    };
    assert_eq!(first.requested_by, tenant.writer_key.to_string());
    assert_eq!(first.target.untrusted(), "Mara Holt (mara.holt@birch.example)");
    let again = request(world, tenant, found[0].id).await;
    assert_eq!(again, RemediationOutcome::AlreadyWaiting(first.clone()));
    let reject = |id| async move {
        let write = world.write(&tenant.operator, RejectRemediation { id, now: world.now() });
        world.store.reject_remediation(write).await.unwrap().into_value()
    };
    assert_eq!(reject(first.id).await, RejectOutcome::Rejected);
    assert_eq!(reject(first.id).await, RejectOutcome::Unchanged);
    assert!(matches!(
        request(world, tenant, found[0].id).await,
        RemediationOutcome::Requested(_)
    ));
    let RemediationOutcome::Requested(second) = request(world, tenant, found[1].id).await else {
        panic!("the remediation is not requested");
    };
    let command = FindingCommand {
        finding: found[1].id,
        action: FindingAction::Resolve,
        note: None,
        now: world.now(),
    };
    world
        .store
        .change_finding(world.write(&tenant.operator, command))
        .await
        .unwrap()
        .into_value();
    let row = world
        .store
        .remediation(&tenant.operator, second.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.state, RemediationState::Cancelled);
    assert_eq!(
        reject(second.id).await,
        RejectOutcome::NotPossible(RemediationState::Cancelled)
    );
    let closed = request(world, tenant, found[1].id).await;
    assert_eq!(closed, RemediationOutcome::FindingClosed(FindingStatus::Resolved));
    assert_eq!(
        request(world, tenant, FindingId::from_bytes([1; 16])).await,
        RemediationOutcome::NotFound
    );
    let list = |state| async move {
        world
            .store
            .list_remediations(&tenant.operator, state, 10)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(list(None).await, 3);
    assert_eq!(list(Some(RemediationState::PendingApproval)).await, 1);
}

async fn request(world: &World, tenant: &super::Tenant, finding: FindingId) -> RemediationOutcome {
    let command = RequestRemediation {
        id: watchpost_core::value::id::RemediationId::generate(world.clock.as_ref(), world.random.as_ref()),
        finding,
        action: "suspend_user".into(),
        note: None,
        now: world.now(),
    };
    let write = world.write(&tenant.writer, command);
    world.store.request_remediation(write).await.unwrap().into_value()
}

/// Top findings are ordered by how much their repair saves, then by age. Findings that aren't scored come last.
pub async fn top_findings_are_ordered_by_saving_and_then_by_age(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (tenant, analysis, permit) = with_analysis(&world).await;
    let top = || async {
        let facts = world.store.risk_facts(&tenant.operator).await.unwrap();
        let rules: Vec<String> = facts.top.iter().map(|row| row.rule_id.clone()).collect();
        rules
    };
    for (rule, severity, scored) in [
        ("a.high_1", Severity::High, true),
        ("a.unscored_1", Severity::Critical, false),
        ("a.critical_1", Severity::Critical, true),
        ("a.critical_2", Severity::Critical, true),
        ("a.high_2", Severity::High, true),
        ("a.unscored_2", Severity::Critical, false),
    ] {
        let mut hit = observation(rule, somebody(1), severity, Marks::new());
        hit.scored = scored;
        world
            .store
            .observe_findings(&permit, analysis, vec![hit], world.now())
            .await
            .unwrap();
        world.clock.advance_ms(DAY_MS);
    }
    assert_eq!(
        top().await,
        [
            "a.critical_1",
            "a.critical_2",
            "a.high_1",
            "a.high_2",
            "a.unscored_1"
        ]
    );
    let facts = world.store.risk_facts(&tenant.operator).await.unwrap();
    let scored: Vec<bool> = facts.top.iter().map(|row| row.scored).collect();
    assert_eq!(scored, [true, true, true, true, false]);
    let dismissal = FindingCommand {
        finding: facts.top[0].id,
        action: FindingAction::Dismiss {
            reason: DismissReason::AcceptedRisk,
        },
        note: None,
        now: world.now(),
    };
    let write = world.write(&tenant.operator, dismissal);
    world.store.change_finding(write).await.unwrap().into_value();
    assert_eq!(
        top().await,
        [
            "a.critical_2",
            "a.high_1",
            "a.high_2",
            "a.unscored_1",
            "a.unscored_2"
        ]
    );
}

/// The worst scored findings come first, then others. Snapshots are selected by their age.
pub async fn risk_facts_list_the_worst_scored_findings_first(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (tenant, analysis, permit) = with_analysis(&world).await;
    let empty = world.store.risk_facts(&tenant.operator).await.unwrap();
    assert!(empty.top.is_empty() && empty.latest.is_none() && empty.sources.len() == 1);
    let mut hits = vec![
        observation("a.one", somebody(1), Severity::Low, Marks::new()),
        observation("a.two", somebody(2), Severity::Critical, Marks::new()),
        observation("a.three", somebody(3), Severity::Info, Marks::new()),
        observation("a.four", somebody(4), Severity::High, Marks::new()),
    ];
    hits[3].scored = false;
    hits[3].category = Category::LicenseWaste;
    world
        .store
        .observe_findings(&permit, analysis, hits, world.now())
        .await
        .unwrap();
    let record = || async {
        let command = RecordAnalysis {
            analysis: watchpost_core::value::id::AnalysisId::generate(
                world.clock.as_ref(),
                world.random.as_ref(),
            ),
            coverage: CoverageNumbers {
                admins: 3,
                ..CoverageNumbers::default()
            },
            now: world.now(),
        };
        let write = permit.scope().authorize(command, super::call()).unwrap();
        world.store.record_analysis(write).await.unwrap().into_value()
    };
    let first = record().await;
    // The first analysis is less than thirty days before the third, but on that day.
    world.clock.advance_ms(23 * DAY_MS - HOUR_MS);
    let second = record().await;
    world.clock.advance_ms(7 * DAY_MS);
    let third = record().await;
    let facts = world.store.risk_facts(&tenant.operator).await.unwrap();
    let rules: Vec<_> = facts.top.iter().map(|row| row.rule_id.as_str()).collect();
    assert_eq!(rules, ["a.two", "a.one", "a.four", "a.three"]);
    assert_eq!(facts.counts.iter().map(|row| row.count).sum::<u64>(), 4);
    assert_eq!(risk_score(&facts.counts, facts.identities).raw, 11);
    assert_eq!(third.live_by_severity, [1, 1, 0, 1, 1]);
    assert_eq!(
        (facts.latest.as_ref(), facts.previous.as_ref()),
        (Some(&third), Some(&second))
    );
    assert_eq!(
        (facts.week_ago.as_ref(), facts.month_ago.as_ref()),
        (Some(&second), Some(&first))
    );
    let fresh = world.store.freshness(&tenant.operator).await.unwrap();
    assert_eq!((fresh.as_of, &fresh.sources), (Some(third.at), &facts.sources));
    let since = world.store.snapshots(&tenant.operator, second.at).await.unwrap();
    assert_eq!(since, [second, third]);
    assert_eq!(
        world
            .all_findings(&tenant.operator, with_statuses(&[FindingStatus::Resolved]))
            .await
            .len(),
        0
    );
}
