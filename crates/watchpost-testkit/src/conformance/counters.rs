//! A case that compares the stored counts with recounts.

use super::{Harness, Tenant, World, account_fact, life::somebody, observation, with_statuses};
use crate::iterations;
use std::collections::BTreeMap;
use watchpost_core::{
    finding::{FindingAction, FindingCommand, FindingCount, Marks},
    integration::fact::{Dataset, Fact},
    value::word::{Category, CollectionState, DismissReason, FindingStatus, Platform, RunState, Severity},
};

/// Compares every stored count with a count over complete lists.
pub(super) async fn check_counts(world: &World, tenant: &Tenant) {
    let kept = world.store.finding_counts(&tenant.operator).await.unwrap();
    let mut counted: BTreeMap<(FindingStatus, Severity, Category), u64> = BTreeMap::new();
    for row in world
        .all_findings(&tenant.operator, with_statuses(FindingStatus::ALL))
        .await
    {
        *counted
            .entry((row.status, row.severity, row.category))
            .or_default() += 1;
    }
    let mut sums: BTreeMap<(FindingStatus, Severity, Category), u64> = BTreeMap::new();
    for FindingCount {
        status,
        severity,
        category,
        count,
        ..
    } in kept
    {
        *sums.entry((status, severity, category)).or_default() += count;
    }
    assert_eq!(sums, counted);
    let mut identities = 0;
    let mut after = None;
    loop {
        let page = world
            .store
            .identity_documents(&tenant.operator, after, 100)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        assert!(page.iter().all(|doc| !doc.accounts.is_empty()));
        identities += page.len() as u64;
    }
    assert_eq!(
        world.store.count_identities(&tenant.operator).await.unwrap(),
        identities
    );
}

/// The stored counts are right after random operations in random order.
pub async fn counts_equal_recounts_after_random_operations(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    world.sync(&tenant, okta, vec![(Dataset::Users, vec![])]).await;
    let random = &world.random;
    for round in 0..iterations(25, 2_000) {
        let source = if random.below(2) == 0 { okta } else { m365 };
        let users: Vec<Fact> = (0..random.below(30))
            .map(|_| {
                let n = random.below(40);
                // Different accounts get the same address now and then, so that identities are merged.
                account_fact(
                    &format!("u{n}"),
                    &format!("user{}@birch.example", n / (1 + random.below(2))),
                )
            })
            .collect();
        let syncing = world.begin(&tenant, source).await;
        syncing.facts(Dataset::Users, users).await;
        let state = if random.below(3) == 0 {
            CollectionState::Partial
        } else {
            CollectionState::Complete
        };
        syncing.finish_dataset(Dataset::Users, state).await;
        syncing.finish(RunState::Completed, None).await;
        let (analysis, permit, job) = world.analysis(&tenant).await;
        let documents = world
            .store
            .identity_documents(&tenant.operator, None, 40)
            .await
            .unwrap();
        let hits: Vec<_> = (0..random.below(60))
            .map(|_| {
                let entity = match documents.get(random.below(40) as usize) {
                    Some(doc) => watchpost_core::rule::document::EntityRef::Identity(doc.id),
                    None => somebody(random.below(20) as u8),
                };
                let severity = random.one_of(Severity::ALL).unwrap();
                let rule = format!("rule.{}", random.below(4));
                let marks = Marks::from([((okta, Dataset::Users), random.below(30))]);
                let mut hit = observation(&rule, entity, severity, marks);
                hit.category = random.one_of(Category::ALL).unwrap();
                hit
            })
            .collect();
        world
            .store
            .observe_findings(&permit, analysis, hits, world.now())
            .await
            .unwrap();
        if random.below(2) == 0 {
            let input = world.sweep_input(&tenant, &["rule.0", "rule.1", "rule.2"]).await;
            world
                .store
                .sweep_findings(&permit, analysis, &input, world.now())
                .await
                .unwrap();
        }
        let found = world
            .all_findings(&tenant.operator, with_statuses(FindingStatus::ALL))
            .await;
        for _ in 0..5 {
            let Some(row) = found.get(random.below(found.len() as u64) as usize) else {
                continue;
            };
            let action = match random.below(4) {
                0 => FindingAction::Snooze { days: 1 },
                1 => FindingAction::Dismiss {
                    reason: DismissReason::FalsePositive,
                },
                2 => FindingAction::Resolve,
                _ => FindingAction::Reopen,
            };
            let command = FindingCommand {
                finding: row.id,
                action,
                note: None,
                now: world.now(),
            };
            world
                .store
                .change_finding(world.write(&tenant.operator, command))
                .await
                .unwrap()
                .into_value();
        }
        if round % 7 == 6 {
            let later = world.now().plus_days(2);
            world.store.wake_snoozed(&permit, later).await.unwrap();
        }
        world.end_job(&job).await;
        check_counts(&world, &tenant).await;
    }
    assert!(matches!(
        world.verify_chain(&tenant).await,
        watchpost_core::audit::ChainVerdict::Intact { .. }
    ));
}
