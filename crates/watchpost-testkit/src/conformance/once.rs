//! Cases for changes that are made at most once.

use super::{
    Harness, Tenant, World, app_fact, call,
    life::{somebody, with_analysis},
    live, observation,
};
use std::sync::Arc;
use watchpost_core::{
    access::{Audited, ChangeReceipt, Command, ONCE_KEPT_MS, OnceToken, OnceTokenKind, WorkspaceScope},
    app::{AppLookup, AppMatch, AppPolicyOutcome, SetAppPolicy},
    audit::{AuditKey, AuditOutcome, AuditQuery, AuditRow, CallRecord},
    error::StoreError,
    finding::{FindingAction, FindingCommand, FindingOutcome, Marks},
    integration::fact::Dataset,
    job::{JobKind, TriggerSync},
    remediation::{RejectRemediation, RemediationOutcome, RequestRemediation},
    value::{
        id::FindingId,
        word::{AppPolicy, DismissReason, FindingStatus, Platform, Severity},
    },
};

/// Creates a token for a request, as a server does.
fn token(kind: OnceTokenKind, text: &str, arguments: &str) -> OnceToken {
    OnceToken::new(&AuditKey::new([9; 32]), kind, text.as_bytes(), "case", arguments)
}

fn key(text: &str, arguments: &str) -> CallRecord {
    call().once(token(OnceTokenKind::IdempotencyKey, text, arguments))
}

struct Fixture {
    world: World,
    tenant: Tenant,
    finding: FindingId,
}

impl Fixture {
    async fn new(harness: &dyn Harness) -> Self {
        let world = World::new(harness).await;
        let (tenant, analysis, permit) = with_analysis(&world).await;
        let hit = observation("id.rule", somebody(1), Severity::High, Marks::new());
        world
            .store
            .observe_findings(&permit, analysis, vec![hit], world.now())
            .await
            .unwrap();
        let finding = world.all_findings(&tenant.writer, live()).await[0].id;
        Self {
            world,
            tenant,
            finding,
        }
    }

    fn command(&self, action: FindingAction) -> FindingCommand {
        FindingCommand {
            finding: self.finding,
            action,
            note: None,
            now: self.world.now(),
        }
    }

    async fn act(
        &self,
        scope: &WorkspaceScope,
        action: FindingAction,
        call: CallRecord,
    ) -> Result<(FindingOutcome, ChangeReceipt), StoreError> {
        let write = scope.authorize(self.command(action), call).unwrap();
        self.world.store.change_finding(write).await.map(split)
    }

    async fn generation(&self) -> u64 {
        self.world.store.generation(&self.tenant.operator).await.unwrap()
    }

    async fn status(&self) -> FindingStatus {
        let found = self
            .world
            .store
            .finding(&self.tenant.operator, self.finding)
            .await;
        found.unwrap().unwrap().summary.status
    }

    async fn entries(&self, limit: usize) -> Vec<AuditRow> {
        let query = AuditQuery {
            limit,
            ..AuditQuery::default()
        };
        self.world
            .store
            .list_entries(&self.tenant.operator, &query)
            .await
            .unwrap()
    }
}

fn split<T>(done: Audited<T>) -> (T, ChangeReceipt) {
    let made = done.receipt();
    (done.into_value(), made)
}

const DISMISS: FindingAction = FindingAction::Dismiss {
    reason: DismissReason::AcceptedRisk,
};

/// A repeated call returns the outcome of the first call and changes nothing, even if the state has changed since. The same
/// token for another request is rejected. After a day the token has expired.
pub async fn a_token_is_spent_by_one_change(harness: &dyn Harness) {
    let case = Fixture::new(harness).await;
    let writer = &case.tenant.writer;
    let before = case.world.now();
    let (first, made) = case.act(writer, DISMISS, key("k", "{}")).await.unwrap();
    assert!(matches!(first, FindingOutcome::Changed { .. }));
    assert_eq!(made.earlier, None);
    case.act(&case.tenant.operator, FindingAction::Reopen, call())
        .await
        .unwrap();
    let moved = case.generation().await;
    let (again, repeat) = case.act(writer, DISMISS, key("k", "{}")).await.unwrap();
    assert_eq!(again, first, "the outcome of the first call");
    assert!(repeat.seq > made.seq, "a repeat has its own audit entry");
    assert!(repeat.earlier.unwrap() >= before);
    assert_eq!(case.status().await, FindingStatus::Open);
    assert_eq!(case.generation().await, moved, "a repeat changes nothing");
    let entries = case.entries(1).await;
    assert_eq!(
        (entries[0].seq, entries[0].outcome, entries[0].action.as_ref()),
        (repeat.seq, AuditOutcome::Unchanged, "finding.dismissed")
    );

    let other = case.act(writer, DISMISS, key("k", r#"{"note":"x"}"#)).await;
    assert!(
        matches!(other, Err(StoreError::Reused(OnceTokenKind::IdempotencyKey))),
        "{other:?}"
    );
    assert_eq!(case.status().await, FindingStatus::Open);

    case.world.clock.advance_ms(ONCE_KEPT_MS + 60_000);
    let (late, made) = case.act(writer, DISMISS, key("k", "{}")).await.unwrap();
    assert!(matches!(late, FindingOutcome::Changed { .. }), "{late:?}");
    assert_eq!(made.earlier, None);
}

/// The same token of another kind, actor, operation or workspace is a different token.
pub async fn tokens_are_independent(harness: &dyn Harness) {
    let case = Fixture::new(harness).await;
    let (writer, operator) = (&case.tenant.writer, &case.tenant.operator);
    let changed = async |scope: &Arc<WorkspaceScope>, action: FindingAction, call: CallRecord| {
        let (outcome, made) = case.act(scope, action, call).await.unwrap();
        assert_eq!(made.earlier, None);
        assert!(matches!(outcome, FindingOutcome::Changed { .. }), "{outcome:?}");
    };
    changed(writer, DISMISS, key("k", "{}")).await;
    changed(operator, FindingAction::Reopen, call()).await;
    changed(writer, DISMISS, key("another", "{}")).await;
    changed(operator, FindingAction::Reopen, call()).await;
    changed(operator, DISMISS, key("k", "{}")).await;
    changed(operator, FindingAction::Reopen, call()).await;
    let confirmation = call().once(token(OnceTokenKind::Confirmation, "k", "{}"));
    changed(writer, DISMISS, confirmation).await;
    changed(operator, FindingAction::Reopen, call()).await;
    let mut elsewhere = key("k", "{}");
    elsewhere.operation = "another case".into();
    changed(writer, DISMISS, elsewhere).await;
    changed(operator, FindingAction::Reopen, call()).await;

    // The same operator, token and request in another workspace.
    let other = case.world.tenant("two").await;
    let (unknown, made) = case.act(&other.operator, DISMISS, key("k", "{}")).await.unwrap();
    assert_eq!((unknown, made.earlier), (FindingOutcome::NotFound, None));
    assert_eq!(case.status().await, FindingStatus::Open);
}

/// A call with a key and a confirmation spends both: either one marks a repeat.
pub async fn each_token_of_a_call_is_spent(harness: &dyn Harness) {
    let case = Fixture::new(harness).await;
    let writer = &case.tenant.writer;
    let confirmed = || token(OnceTokenKind::Confirmation, "nonce", "{}");
    case.act(writer, DISMISS, key("k", "{}").once(confirmed()))
        .await
        .unwrap();
    for repeat in [
        key("k", "{}"),
        call().once(confirmed()),
        key("k", "{}").once(token(OnceTokenKind::Confirmation, "fresh", "{}")),
    ] {
        let (_, made) = case.act(writer, DISMISS, repeat).await.unwrap();
        assert!(made.earlier.is_some());
    }
    let foreign = call().once(token(OnceTokenKind::Confirmation, "nonce", "[]"));
    assert!(matches!(
        case.act(writer, DISMISS, foreign).await,
        Err(StoreError::Reused(OnceTokenKind::Confirmation))
    ));
}

/// A call whose change wasn't possible spends its token too: its repeat changes nothing, even if the change is possible now.
pub async fn a_token_is_spent_even_if_the_change_is_not_possible(harness: &dyn Harness) {
    let case = Fixture::new(harness).await;
    let writer = &case.tenant.writer;
    case.act(&case.tenant.operator, FindingAction::Resolve, call())
        .await
        .unwrap();
    let refused = FindingOutcome::NotPossible {
        status: FindingStatus::Resolved,
    };
    let (first, _) = case.act(writer, DISMISS, key("k", "{}")).await.unwrap();
    assert_eq!(first, refused);
    case.act(&case.tenant.operator, FindingAction::Reopen, call())
        .await
        .unwrap();
    let (again, made) = case.act(writer, DISMISS, key("k", "{}")).await.unwrap();
    assert_eq!(again, refused);
    assert!(made.earlier.is_some());
    assert_eq!(case.status().await, FindingStatus::Open);
}

/// If the audit entry can't be stored, the change isn't made and the token isn't spent.
pub async fn a_failed_transaction_spends_no_token(harness: &dyn Harness) {
    let case = Fixture::new(harness).await;
    case.world.opened.break_audit(true);
    let failed = case.act(&case.tenant.writer, DISMISS, key("k", "{}")).await;
    assert!(
        matches!(failed, Err(StoreError::AuditUnavailable(_))),
        "{failed:?}"
    );
    case.world.opened.break_audit(false);
    assert_eq!(case.status().await, FindingStatus::Open);
    let (outcome, made) = case
        .act(&case.tenant.writer, DISMISS, key("k", "{}"))
        .await
        .unwrap();
    assert!(matches!(outcome, FindingOutcome::Changed { .. }));
    assert_eq!(made.earlier, None);
}

/// Of racing calls with one token, through two processes, one makes the change and all return the same outcome.
pub async fn racing_calls_with_one_token_make_one_change(harness: &dyn Harness) {
    let case = Fixture::new(harness).await;
    let stores = [Arc::clone(&case.world.store), case.world.opened.open_again()];
    let before = case.generation().await;
    let mut calls = Vec::new();
    for n in 0..16 {
        let store = Arc::clone(&stores[n % 2]);
        let snooze = case.command(FindingAction::Snooze { days: 7 });
        let write = case.tenant.writer.authorize(snooze, key("k", "{}")).unwrap();
        calls.push(tokio::spawn(async move {
            store.change_finding(write).await.map(split)
        }));
    }
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap().unwrap());
    }
    let made: Vec<_> = outcomes
        .iter()
        .filter(|(_, made)| made.earlier.is_none())
        .collect();
    assert_eq!(made.len(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|(outcome, _)| *outcome == made[0].0));
    assert_eq!(case.generation().await, before + 1);
}

/// Every method that spends tokens returns the outcome of the first call for a repeat.
pub async fn every_kind_of_change_returns_the_same_outcome_when_repeated(harness: &dyn Harness) {
    let case = Fixture::new(harness).await;
    let (world, tenant) = (&case.world, &case.tenant);
    let store = &world.store;
    async fn twice<C: Command, T: PartialEq + std::fmt::Debug, F>(
        scope: &WorkspaceScope,
        command: impl Fn() -> C,
        run: impl Fn(watchpost_core::access::AuthorizedWrite<C>) -> F,
        between: impl AsyncFnOnce(&T),
    ) where
        F: Future<Output = Result<Audited<T>, StoreError>>,
    {
        let write = || {
            let command = command();
            let mut call = key("k", "{}");
            call.operation = command.action().into();
            scope.authorize(command, call).unwrap()
        };
        let (first, made) = split(run(write()).await.unwrap());
        assert_eq!(made.earlier, None);
        between(&first).await;
        let (again, made) = split(run(write()).await.unwrap());
        assert!(made.earlier.is_some());
        assert_eq!(first, again);
    }

    let sync = || TriggerSync {
        integration: None,
        platform: None,
        jobs: (0..100).map(|_| world.job_id()).collect(),
        now: world.now(),
    };
    twice(
        &tenant.writer,
        sync,
        |write| store.trigger_sync(write),
        async |first| {
            assert!(first.len() == 1 && first[0].is_new);
            while let Some(job) = world.lease("case", world.now()).await {
                world.end_job(&job).await;
            }
        },
    )
    .await;
    let jobs = store.unfinished_jobs(&tenant.operator).await.unwrap();
    assert!(jobs.iter().all(|job| job.kind != JobKind::Sync), "{jobs:?}");

    let integration = world.integration(tenant, Platform::M365).await;
    let pages = vec![(Dataset::Apps, vec![app_fact("a1", "Pixel")])];
    world.sync(tenant, integration, pages).await;
    let lookup = AppLookup::Name("pixel".into());
    let AppMatch::One(app) = store.find_app(&tenant.operator, &lookup).await.unwrap() else {
        panic!("the app is not found");
    };
    let set = |policy| SetAppPolicy {
        app: app.id,
        policy,
        analysis: world.job_id(),
        now: world.now(),
    };
    twice(
        &tenant.writer,
        || set(AppPolicy::Blocked),
        |write| store.set_app_policy(write),
        async |first: &AppPolicyOutcome| {
            assert!(matches!(first, AppPolicyOutcome::Changed { .. }));
            let back = world.write(&tenant.writer, set(AppPolicy::Sanctioned));
            store.set_app_policy(back).await.unwrap().into_value();
        },
    )
    .await;
    let AppMatch::One(app) = store.find_app(&tenant.operator, &lookup).await.unwrap() else {
        panic!("the app is not found");
    };
    assert_eq!(app.policy, AppPolicy::Sanctioned);

    let ask = || RequestRemediation {
        id: watchpost_core::value::id::RemediationId::generate(world.clock.as_ref(), world.random.as_ref()),
        finding: case.finding,
        action: "suspend_user".into(),
        note: None,
        now: world.now(),
    };
    let write = || tenant.writer.authorize(ask(), key("k", "{}")).unwrap();
    let (first, _) = split(store.request_remediation(write()).await.unwrap());
    let RemediationOutcome::Requested(first) = first else {
        panic!("the remediation is not requested");
    };
    let reject = RejectRemediation {
        id: first.id,
        now: world.now(),
    };
    store
        .reject_remediation(world.write(&tenant.operator, reject))
        .await
        .unwrap()
        .into_value();
    let (again, made) = split(store.request_remediation(write()).await.unwrap());
    assert!(made.earlier.is_some());
    let RemediationOutcome::Requested(again) = again else {
        panic!("the repeat has another outcome");
    };
    assert_eq!(again.id, first.id, "no second request");
    assert_eq!(
        store
            .list_remediations(&tenant.operator, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}
