//! Cases for jobs, leases and due syncs.

use super::{Harness, World};
use std::sync::Arc;
use watchpost_core::{
    access::{KeyScope, RevokeKey},
    integration::{ChangeIntegration, IntegrationAction, IntegrationChange},
    job::{JobEnd, JobKind, LEASE_MS, TriggerSync},
    value::{
        id::IntegrationId,
        time::HOUR_MS,
        word::{IntegrationStatus, Platform, RunState},
    },
};

/// Of many parallel requests for a lease, exactly one gets the job.
pub async fn a_job_is_leased_once_by_two_stores(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    world.integration(&tenant, Platform::Okta).await;
    let second = world.opened.open_again();
    let now = world.now();
    let mut tasks = Vec::new();
    for i in 0..16 {
        let store = if i % 2 == 0 {
            Arc::clone(&world.store)
        } else {
            Arc::clone(&second)
        };
        tasks.push(tokio::spawn(async move {
            store.lease_job(&format!("worker {i}"), now).await.unwrap()
        }));
    }
    let mut leased = 0;
    for task in tasks {
        leased += usize::from(task.await.unwrap().is_some());
    }
    assert_eq!(leased, 1);
    assert_eq!(
        world.store.unfinished_jobs(&tenant.operator).await.unwrap().len(),
        1
    );
}

/// A worker that has lost its lease can neither extend it nor end the job.
pub async fn a_lost_lease_can_neither_be_extended_nor_end_the_job(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    world.integration(&tenant, Platform::Okta).await;
    let now = world.now();
    let first = world.lease("a", now).await.unwrap();
    assert!(world.lease("b", now).await.is_none());
    assert!(
        world
            .store
            .heartbeat(&first, "a", Some("half way"), now.plus_millis(1_000))
            .await
            .unwrap()
    );
    let job = world
        .store
        .job(&tenant.operator, first.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.progress.as_deref(), Some("half way"));
    let late = now.plus_millis(1_000 + LEASE_MS);
    let second = world.lease("b", late).await.unwrap();
    assert_eq!((second.id(), second.row().attempts), (first.id(), 2));
    assert!(!world.store.heartbeat(&first, "a", None, late).await.unwrap());
    world
        .store
        .finish_job(&first, "a", JobEnd::Completed, late)
        .await
        .unwrap();
    let job = world
        .store
        .job(&tenant.operator, first.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.state, RunState::InProgress);
    // An earlier lease of the same worker can't end the job either.
    let later = late.plus_millis(LEASE_MS);
    let third = world.lease("b", later).await.unwrap();
    world
        .store
        .finish_job(&second, "b", JobEnd::Completed, later)
        .await
        .unwrap();
    let id = first.id();
    let job = world.store.job(&tenant.operator, id).await.unwrap().unwrap();
    assert_eq!(job.state, RunState::InProgress);
    world
        .store
        .finish_job(&third, "b", JobEnd::Completed, later)
        .await
        .unwrap();
    let job = world.store.job(&tenant.operator, id).await.unwrap().unwrap();
    assert_eq!(job.state, RunState::Completed);
}

/// A job has three attempts, none of them before its retry time.
pub async fn a_failing_job_fails_for_good_after_three_attempts(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let integration = world.integration(&tenant, Platform::Okta).await;
    let mut now = world.now();
    let mut last = None;
    for attempt in 1..=3 {
        let job = world.lease("a", now).await.unwrap();
        assert_eq!(job.row().attempts, attempt);
        let retry = now.plus_millis(60_000);
        let end = JobEnd::Failed {
            reason: "it broke".into(),
            retry_at: Some(retry),
        };
        world.store.finish_job(&job, "a", end, now).await.unwrap();
        assert!(world.lease("a", retry.plus_millis(-1)).await.is_none());
        now = retry;
        last = Some(job.id());
    }
    assert!(world.lease("a", now).await.is_none());
    let job = world
        .store
        .job(&tenant.operator, last.unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (job.state, job.reason.as_deref()),
        (RunState::Failed, Some("it broke"))
    );
    let row = world.row(&tenant, integration).await;
    assert_eq!(row.status, IntegrationStatus::Error);
    assert_eq!(row.failure.unwrap().reason, "it broke");
}

/// The job of a revoked key is cancelled unless somebody else has requested it too.
pub async fn a_job_of_a_revoked_key_does_not_start(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let integration = world.integration(&tenant, Platform::Okta).await;
    world.sync(&tenant, integration, vec![]).await;
    let (_, _, analysis) = world.analysis(&tenant).await;
    world.end_job(&analysis).await;
    for joined in [false, true] {
        let (id, secret, _) = world.create_key(&tenant.operator, KeyScope::Write).await;
        let scope = world.access.gate.authenticate(&secret).await.unwrap();
        let command = |job| TriggerSync {
            integration: None,
            platform: None,
            jobs: vec![job],
            now: world.now(),
        };
        let job = world.job_id();
        world
            .store
            .trigger_sync(world.write(&scope, command(job)))
            .await
            .unwrap()
            .into_value();
        if joined {
            let write = world.write(&tenant.operator, command(world.job_id()));
            let parts = world.store.trigger_sync(write).await.unwrap().into_value();
            assert!(!parts[0].is_new && parts[0].job == job);
        }
        let write = world.write(&tenant.operator, RevokeKey { id });
        world.store.revoke_key(write).await.unwrap().into_value();
        let leased = world.lease("a", world.now()).await;
        assert_eq!(leased.is_some(), joined);
        let row = world.store.job(&tenant.operator, job).await.unwrap().unwrap();
        assert_eq!(
            row.state,
            if joined {
                RunState::InProgress
            } else {
                RunState::Cancelled
            }
        );
        if !joined {
            assert!(row.reason.unwrap().contains("revoked"));
        }
    }
}

/// A trigger returns the job that is queued or running.
pub async fn triggering_a_sync_twice_returns_the_same_job(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let trigger = |platform, integration| TriggerSync {
        integration,
        platform,
        jobs: (0..5).map(|_| world.job_id()).collect(),
        now: world.now(),
    };
    let run = async |command| {
        let write = world.write(&tenant.writer, command);
        world.store.trigger_sync(write).await.unwrap().into_value()
    };
    assert!(run(trigger(None, None)).await.is_empty());
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    let queued = run(trigger(None, None)).await;
    assert_eq!(queued.len(), 2);
    assert!(queued.iter().all(|part| !part.is_new), "adding queued them");
    let leased = world.lease_sync(&tenant, okta).await;
    let running = run(trigger(Some(Platform::Okta), None)).await;
    assert_eq!((running[0].job, running[0].is_new), (leased.id(), false));
    assert_eq!(world.row(&tenant, okta).await.running, Some(leased.id()));
    world.end_job(&leased).await;
    let fresh = run(trigger(None, Some(okta))).await;
    assert!(fresh.len() == 1 && fresh[0].is_new && fresh[0].job != leased.id());
    assert!(
        run(trigger(None, Some(IntegrationId::from_bytes([3; 16]))))
            .await
            .is_empty()
    );
    let action = |action| ChangeIntegration {
        id: m365,
        action,
        job: world.job_id(),
        now: world.now(),
    };
    let change = async |act_| {
        let write = world.write(&tenant.operator, action(act_));
        world.store.change_integration(write).await.unwrap().into_value()
    };
    assert_eq!(change(IntegrationAction::Pause).await, IntegrationChange::Changed);
    assert_eq!(
        change(IntegrationAction::Pause).await,
        IntegrationChange::Unchanged
    );
    assert_eq!(
        run(trigger(None, None)).await.len(),
        1,
        "a paused integration isn't synced"
    );
    assert_eq!(
        change(IntegrationAction::Resume).await,
        IntegrationChange::Changed
    );
    assert!(world.row(&tenant, m365).await.running.is_some());
}

/// A sync is queued an hour after the last one began.
pub async fn syncs_are_queued_when_they_are_due(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let integration = world.integration(&tenant, Platform::Okta).await;
    world.sync(&tenant, integration, vec![]).await;
    let (_, _, analysis) = world.analysis(&tenant).await;
    world.end_job(&analysis).await;
    let now = world.now();
    assert_eq!(world.store.enqueue_due(HOUR_MS, now).await.unwrap(), 0);
    let due = world.store.next_due(HOUR_MS, now).await.unwrap().unwrap();
    assert!(due > now && due <= now.plus_millis(HOUR_MS));
    assert!(due >= now.plus_millis(HOUR_MS / 2));
    assert_eq!(world.store.enqueue_due(HOUR_MS, due).await.unwrap(), 1);
    assert_eq!(
        world.store.enqueue_due(HOUR_MS, due).await.unwrap(),
        0,
        "it is queued already"
    );
    let jobs = world.store.unfinished_jobs(&tenant.operator).await.unwrap();
    assert_eq!(
        (jobs[0].kind, jobs[0].integration),
        (JobKind::Sync, Some(integration))
    );
}
