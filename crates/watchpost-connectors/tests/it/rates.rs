//! Tests of the rate budgets, over HTTP and on tokio's paused clock.

use crate::support::{ORIGIN_MS, Rig};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use watchpost_core::{integration::fact::Dataset, value::word::Platform};
use watchpost_simulator::{Company, SimulatorConfig};

/// Starts a simulator whose clock follows tokio's, and whose Okta allows this number of requests per minute.
async fn metered(people: u32, requests_per_minute: u32) -> Rig {
    let mut config = SimulatorConfig::new(Company::synthetic(people).unwrap(), ORIGIN_MS);
    let began = Instant::now();
    config.clock = Some(std::sync::Arc::new(move || {
        ORIGIN_MS + i64::try_from(began.elapsed().as_millis()).unwrap()
    }));
    let rig = Rig::of(config, |limits| limits.meters_exempt = true).await;
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
    let mut run = connector.sync(&rig.okta()).await.unwrap();
    while run.next_page().await.unwrap().is_some() {}
    assert_eq!(over_half(&rig, 100), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn a_dataset_is_partial_if_the_rate_budget_outlasts_the_sync() {
    let mut config = SimulatorConfig::new(Company::synthetic(200).unwrap(), ORIGIN_MS);
    let began = Instant::now();
    config.clock = Some(std::sync::Arc::new(move || {
        ORIGIN_MS + i64::try_from(began.elapsed().as_millis()).unwrap()
    }));
    let rig = Rig::of(config, |limits| {
        limits.meters_exempt = true;
        limits.sync_budget = Duration::from_secs(90);
    })
    .await;
    rig.simulator.set_okta_rates(40);
    let outcome = rig.sync(Platform::Okta).await;
    assert_eq!(outcome.error, None);
    let state = outcome.state(Dataset::Mfa);
    assert_eq!(state, watchpost_core::value::word::CollectionState::Partial);
}
