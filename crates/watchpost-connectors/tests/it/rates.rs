//! Tests of the rate budgets, over HTTP and on tokio's paused clock.

use crate::support::{ORIGIN_MS, Outcome, Rig};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use watchpost_connectors::ReadLimits;
use watchpost_core::{
    integration::{
        fact::Dataset,
        reading::{Reading, Readings},
    },
    value::{
        time::Timestamp,
        word::{CollectionState, Platform},
    },
};
use watchpost_simulator::{Company, SimulatorConfig};

/// Starts a simulator whose clock follows tokio's, and whose Okta allows this number of requests per minute.
async fn metered(people: u32, requests_per_minute: u32) -> Rig {
    metered_for(people, requests_per_minute, ReadLimits::default().sync_budget).await
}

async fn metered_for(people: u32, requests_per_minute: u32, sync_budget: Duration) -> Rig {
    let mut config = SimulatorConfig::new(Company::synthetic(people).unwrap(), ORIGIN_MS);
    let began = Instant::now();
    config.clock = Some(std::sync::Arc::new(move || {
        ORIGIN_MS + i64::try_from(began.elapsed().as_millis()).unwrap()
    }));
    let rig = Rig::of(config, |limits| {
        limits.meters_exempt = true;
        limits.sync_budget = sync_budget;
    })
    .await;
    rig.simulator.set_okta_rates(requests_per_minute);
    rig
}

/// Returns the buckets with more requests in one minute than half of what the org has.
fn over_half(rig: &Rig, requests_per_minute: u32) -> BTreeMap<&'static str, u32> {
    let (mut most, rejected) = rig.simulator.okta_rates();
    assert_eq!(rejected, 0, "{most:?}");
    most.retain(|bucket, most| {
        let limit = if *bucket == "/api/v1/apps/*" {
            100
        } else {
            requests_per_minute
        };
        *most > limit / 2
    });
    most
}

#[tokio::test(start_paused = true)]
async fn a_sync_uses_at_most_half_of_each_rate_limit_of_okta() {
    for (requests_per_minute, least_secs, most_secs) in [(100, 60, 480), (600, 0, 180), (1_200, 0, 180)] {
        let rig = metered(200, requests_per_minute).await;
        let began = Instant::now();
        let outcome = rig.sync(Platform::Okta).await;
        let took = began.elapsed().as_secs();
        assert_eq!(outcome.error, None);
        assert_eq!(outcome.incomplete(), [], "{requests_per_minute}");
        assert!(outcome.mfa().len() > 100, "{}", outcome.mfa().len());
        assert_eq!(over_half(&rig, requests_per_minute), BTreeMap::new());
        assert!(
            (least_secs..most_secs).contains(&took),
            "{requests_per_minute}: {took} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_and_a_verification_share_the_budget() {
    let rig = metered(30, 100).await;
    let connector = rig.connector(Platform::Okta);
    for _ in 0..8 {
        connector.verify(&rig.okta()).await.unwrap();
    }
    let mut run = connector.sync(&rig.okta(), Readings::default()).await.unwrap();
    while run.next_page().await.unwrap().is_some() {}
    assert_eq!(over_half(&rig, 100), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn a_dataset_is_partial_if_the_rate_budget_outlasts_the_sync() {
    let rig = metered_for(200, 40, Duration::from_secs(90)).await;
    let outcome = rig.sync(Platform::Okta).await;
    assert_eq!(outcome.error, None);
    let state = outcome.state(Dataset::Mfa);
    assert_eq!(state, CollectionState::Partial);
}

/// Lets the rate limits of the last sync expire: each sync of a test has a connector of its own, which knows nothing of them.
async fn next_minute() {
    tokio::time::advance(Duration::from_secs(61)).await;
}

/// Adds what a sync has read to what was known before.
fn remember(before: &[Reading], outcome: &Outcome, now: Timestamp) -> Vec<Reading> {
    let mut all = before.to_vec();
    for (dataset, readings) in &outcome.readings {
        for reading in readings.iter().filter(|reading| !reading.kept) {
            all.push(Reading {
                dataset: *dataset,
                entity_vendor_id: reading.entity_vendor_id.clone(),
                read_at: now,
                rows: reading.rows,
            });
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn factors_are_read_over_several_syncs_if_the_budget_is_small() {
    let rig = metered(1_300, 100).await;
    let now = || rig.outbound.clock().now();
    let first = rig.sync(Platform::Okta).await;
    assert_eq!(first.error, None);
    assert_eq!(first.incomplete(), [(Dataset::Mfa, CollectionState::Partial)]);
    let read = first.mfa().len();
    assert!((900..1_100).contains(&read), "{read}");
    let detail = first.detail(Dataset::Mfa);
    assert!(
        detail.starts_with(&format!("{read} of "))
            && detail.ends_with("accounts read; the next sync continues"),
        "{detail}"
    );

    let known = remember(&[], &first, now());
    next_minute().await;
    let second = rig
        .sync_after(Platform::Okta, &rig.okta(), known.iter().cloned().collect())
        .await;
    assert_eq!(second.incomplete(), []);
    let accounts = second.collections[&Dataset::Mfa].rows;
    let fresh: Vec<&str> = second
        .mfa()
        .iter()
        .map(|mfa| mfa.account_vendor_id.as_str())
        .collect();
    let before: std::collections::HashSet<&str> = known
        .iter()
        .map(|reading| reading.entity_vendor_id.as_str())
        .collect();
    let admins: std::collections::HashSet<&str> = second
        .roles(Dataset::Roles)
        .iter()
        .map(|role| role.principal_vendor_id.as_str())
        .collect();
    // All that were never read, the administrators, and a few others.
    let unread = fresh.iter().filter(|account| !before.contains(**account)).count();
    assert_eq!(unread + read, usize::try_from(accounts).unwrap());
    assert!(
        admins.iter().all(|admin| fresh.contains(admin)),
        "administrators are read by each sync"
    );
    assert!(
        second
            .detail(Dataset::Mfa)
            .contains("were read by earlier syncs, the oldest ")
    );
    assert_eq!(over_half(&rig, 100), BTreeMap::new());

    // A day later, everything is due again.
    tokio::time::advance(Duration::from_secs(25 * 3_600)).await;
    let known = remember(&known, &second, Timestamp::from_millis(ORIGIN_MS));
    let third = rig
        .sync_after(Platform::Okta, &rig.okta(), known.into_iter().collect())
        .await;
    assert!((900..1_100).contains(&third.mfa().len()), "{}", third.mfa().len());
    assert_eq!(third.incomplete(), [], "what was read two days ago still counts");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_too_long_ago_does_not_count() {
    let rig = metered(1_300, 100).await;
    let first = rig.sync(Platform::Okta).await;
    next_minute().await;
    let long_ago = Timestamp::from_millis(ORIGIN_MS - 4 * 24 * 3_600_000);
    let all: Vec<Reading> = first
        .accounts()
        .iter()
        .map(|account| Reading {
            dataset: Dataset::Mfa,
            entity_vendor_id: account.vendor_id.clone(),
            read_at: long_ago,
            rows: 1,
        })
        .collect();
    let second = rig
        .sync_after(Platform::Okta, &rig.okta(), all.into_iter().collect())
        .await;
    assert_eq!(second.incomplete(), [(Dataset::Mfa, CollectionState::Partial)]);
    let kept = second.readings[&Dataset::Mfa]
        .iter()
        .filter(|reading| reading.kept);
    assert!(kept.count() > 100, "what is known stays stored");
}

/// Measures whole syncs of simulated organizations in the time that they wait for the budget. The pages on connecting quote
/// the results: `cargo test -p watchpost-connectors measured_times -- --nocapture`.
#[tokio::test(start_paused = true)]
async fn measured_times_are_those_of_the_pages_on_connecting() {
    // People, Okta's requests per minute, the most minutes of the first sync, and whether it reads all accounts.
    for (people, requests_per_minute, minutes_max, all) in [
        (1_000, 100, 25, true),
        (1_000, 600, 5, true),
        (1_000, 1_200, 3, true),
        (10_000, 1_200, 20, true),
        (10_000, 600, 25, false),
    ] {
        let rig = metered(people, requests_per_minute).await;
        let began = Instant::now();
        let outcome = rig.sync(Platform::Okta).await;
        let took = began.elapsed();
        assert_eq!(outcome.error, None);
        println!(
            "okta: {people} people, {requests_per_minute} requests per minute: {} s, {} accounts read",
            took.as_secs(),
            outcome.mfa().len()
        );
        assert!(
            took.as_secs() <= minutes_max * 60,
            "{people} {requests_per_minute}: {took:?}"
        );
        assert_eq!(
            outcome.state(Dataset::Mfa) == CollectionState::Complete,
            all,
            "{people} {requests_per_minute}: {}",
            outcome.detail(Dataset::Mfa)
        );
        assert_eq!(over_half(&rig, requests_per_minute), BTreeMap::new());
    }
    for (people, seconds_max) in [(1_000, 15), (10_000, 150)] {
        // On a busy machine the paused clock can move on while an answer is on its way. That only adds to the time, so the
        // shortest of several measurements is the true one.
        let mut took = u64::MAX;
        for _ in 0..3 {
            let rig = metered(people, 600).await;
            let began = Instant::now();
            let outcome = rig.sync(Platform::M365).await;
            took = took.min(began.elapsed().as_secs());
            assert_eq!((outcome.error.as_ref(), outcome.incomplete()), (None, Vec::new()));
            if took <= seconds_max {
                break;
            }
        }
        println!("m365: {people} people: {took} s");
        assert!(took <= seconds_max, "{people}: {took} s");
    }
}
