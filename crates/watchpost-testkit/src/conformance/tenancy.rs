//! Two workspaces that look alike: every method with the other's ids.

use super::{Harness, Tenant, World, account_fact, app_fact, grant_fact, life::somebody, live, observation};
use watchpost_core::{
    access::{KeyRevocation, RevokeKey},
    app::{AppLookup, AppMatch, AppPolicyOutcome, AppQuery, SetAppPolicy},
    audit::AuditQuery,
    error::StoreError,
    finding::{Act, EntityFilter, FindingCommand, FindingOutcome, FindingQuery, Marks},
    identity::{TagBreakGlass, TagOutcome},
    integration::{
        ChangeIntegration, IntegrationAct, IntegrationChange, VerifyIntegration,
        fact::{Collection, Dataset, FactPage},
    },
    job::TriggerSync,
    remediation::{RejectOutcome, RejectRemediation, RemediationOutcome, RequestRemediation},
    value::{
        id::{AppId, FindingId, IdentityId, IntegrationId, JobId, KeyId, RemediationId, SyncId},
        word::{AppPolicy, CollectionState, GrantRisk, Platform, Severity},
    },
};

/// Ids of one workspace, or of nothing.
struct Ids {
    key: KeyId,
    integration: IntegrationId,
    identity: IdentityId,
    app: AppId,
    finding: FindingId,
    job: JobId,
    remediation: RemediationId,
    sync: SyncId,
}

async fn filled(world: &World, name: &str) -> (Tenant, Ids) {
    let tenant = world.tenant(name).await;
    let integration = world.integration(&tenant, Platform::Okta).await;
    let pages = vec![
        (Dataset::Users, vec![account_fact("o1", "mara@birch.example")]),
        (Dataset::Apps, vec![app_fact("a1", "Pixel")]),
        (
            Dataset::Grants,
            vec![grant_fact("g1", "a1", Some("o1"), GrantRisk::High)],
        ),
    ];
    world.sync(&tenant, integration, pages).await;
    let (analysis, permit, job) = world.analysis(&tenant).await;
    let hit = observation("a.rule", somebody(1), Severity::High, Marks::new());
    world
        .store
        .observe_findings(&permit, analysis, vec![hit], world.now())
        .await
        .unwrap();
    world.end_job(&job).await;
    let identity = world
        .store
        .identity_by_email(&tenant.operator, "mara@birch.example")
        .await
        .unwrap()
        .unwrap()
        .id;
    let lookup = AppLookup::Name("pixel".into());
    let AppMatch::One(app) = world.store.find_app(&tenant.operator, &lookup).await.unwrap() else {
        panic!("the app is known");
    };
    let finding = world.all_findings(&tenant.operator, live()).await[0].id;
    let remediation = RemediationId::generate(world.clock.as_ref(), world.random.as_ref());
    let command = RequestRemediation {
        id: remediation,
        finding,
        action: "suspend_user".into(),
        note: None,
        now: world.now(),
    };
    world
        .store
        .request_remediation(world.write(&tenant.operator, command))
        .await
        .unwrap()
        .into_value();
    let syncing = world.begin(&tenant, integration).await;
    let ids = Ids {
        key: tenant.writer_key,
        integration,
        identity,
        app: app.id,
        finding,
        job: syncing.job.id(),
        remediation,
        sync: syncing.sync,
    };
    (tenant, ids)
}

/// What a workspace answers about ids. Everything that isn't an answer about an id is left out.
async fn answers(world: &World, tenant: &Tenant, ids: &Ids) -> Vec<String> {
    let store = &world.store;
    let scope = &tenant.operator;
    let mut out = Vec::new();
    out.push(format!(
        "{:?}",
        store.integration(scope, ids.integration).await.unwrap()
    ));
    out.push(format!(
        "{:?}",
        store.identity(scope, ids.identity).await.unwrap()
    ));
    out.push(format!(
        "{:?}",
        store.find_app(scope, &AppLookup::Id(ids.app)).await.unwrap()
    ));
    out.push(format!("{:?}", store.finding(scope, ids.finding).await.unwrap()));
    out.push(format!("{:?}", store.job(scope, ids.job).await.unwrap()));
    out.push(format!(
        "{:?}",
        store.remediation(scope, ids.remediation).await.unwrap()
    ));
    for entity in [
        EntityFilter::Identity(ids.identity),
        EntityFilter::App(ids.app),
        EntityFilter::Integration(ids.integration),
    ] {
        let query = FindingQuery {
            entity: Some(entity),
            ..live()
        };
        out.push(format!("{:?}", store.list_findings(scope, &query).await.unwrap()));
    }
    let revoked = store
        .revoke_key(world.write(scope, RevokeKey { id: ids.key }))
        .await
        .unwrap()
        .into_value();
    assert_eq!(revoked, KeyRevocation::NotFound);
    let command = FindingCommand {
        finding: ids.finding,
        act: Act::Resolve,
        note: None,
        now: world.now(),
    };
    let changed = store
        .change_finding(world.write(scope, command))
        .await
        .unwrap()
        .into_value();
    assert_eq!(changed, FindingOutcome::NotFound);
    let command = SetAppPolicy {
        app: ids.app,
        policy: AppPolicy::Blocked,
        analysis: world.job_id(),
        now: world.now(),
    };
    let set = store
        .set_app_policy(world.write(scope, command))
        .await
        .unwrap()
        .into_value();
    assert_eq!(set, AppPolicyOutcome::NotFound);
    let command = TagBreakGlass {
        id: ids.identity,
        tagged: true,
        analysis: world.job_id(),
        now: world.now(),
    };
    let tagged = store
        .tag_break_glass(world.write(scope, command))
        .await
        .unwrap()
        .into_value();
    assert_eq!(tagged, TagOutcome::NotFound);
    let command = RequestRemediation {
        id: RemediationId::generate(world.clock.as_ref(), world.random.as_ref()),
        finding: ids.finding,
        action: "suspend_user".into(),
        note: None,
        now: world.now(),
    };
    let asked = store
        .request_remediation(world.write(scope, command))
        .await
        .unwrap()
        .into_value();
    assert_eq!(asked, RemediationOutcome::NotFound);
    let command = RejectRemediation {
        id: ids.remediation,
        now: world.now(),
    };
    let rejected = store
        .reject_remediation(world.write(scope, command))
        .await
        .unwrap()
        .into_value();
    assert_eq!(rejected, RejectOutcome::NotFound);
    for act in [
        IntegrationAct::Pause,
        IntegrationAct::Resume,
        IntegrationAct::Remove,
    ] {
        let command = ChangeIntegration {
            id: ids.integration,
            act,
            job: world.job_id(),
            now: world.now(),
        };
        let changed = store
            .change_integration(world.write(scope, command))
            .await
            .unwrap()
            .into_value();
        assert_eq!(changed, IntegrationChange::NotFound);
    }
    let verify = world.write(scope, VerifyIntegration { id: ids.integration });
    assert!(
        store
            .open_config_for_verify(verify)
            .await
            .unwrap()
            .into_value()
            .is_none()
    );
    let command = TriggerSync {
        integration: Some(ids.integration),
        platform: None,
        jobs: vec![world.job_id()],
        now: world.now(),
    };
    let triggered = store
        .trigger_sync(world.write(scope, command))
        .await
        .unwrap()
        .into_value();
    assert!(triggered.is_empty());
    out
}

/// Answers about another workspace's ids equal those about ids of nothing, and change nothing there.
pub async fn another_workspaces_ids_answer_like_unknown_ones(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (one, own) = filled(&world, "one").await;
    let (two, theirs) = filled(&world, "two").await;
    let nothing = Ids {
        key: KeyId::from_bytes([9; 16]),
        integration: IntegrationId::from_bytes([9; 16]),
        identity: IdentityId::from_bytes([9; 16]),
        app: AppId::from_bytes([9; 16]),
        finding: FindingId::from_bytes([9; 16]),
        job: JobId::from_bytes([9; 16]),
        remediation: RemediationId::from_bytes([9; 16]),
        sync: SyncId::from_bytes([9; 16]),
    };
    let state = |tenant: &Tenant| {
        let (store, scope) = (world.store.clone(), tenant.operator.clone());
        async move {
            format!(
                "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                store.list_keys(&scope).await.unwrap(),
                store.list_integrations(&scope).await.unwrap(),
                store.finding_counts(&scope).await.unwrap(),
                store
                    .list_apps(
                        &scope,
                        &AppQuery {
                            limit: 9,
                            ..AppQuery::default()
                        }
                    )
                    .await
                    .unwrap(),
                store.list_remediations(&scope, None, 9).await.unwrap(),
                store.unfinished_jobs(&scope).await.unwrap(),
                store.generation(&scope).await.unwrap(),
            )
        }
    };
    let before = state(&two).await;
    assert_eq!(
        answers(&world, &one, &theirs).await,
        answers(&world, &one, &nothing).await
    );
    assert_eq!(state(&two).await, before);
    // With a job of its own, a workspace writes into no other's integration or sync.
    let syncing_permit = {
        let job = world.lease_sync_again(&one, own.integration).await;
        world.access.jobs.enter(&job)
    };
    for ids in [&theirs, &nothing] {
        let page = FactPage {
            dataset: Dataset::Users,
            facts: vec![account_fact("x", "x@birch.example")],
        };
        let refused = world
            .store
            .store_facts(&syncing_permit, ids.sync, ids.integration, page, world.now())
            .await;
        assert!(matches!(refused, Err(StoreError::Conflict)));
        let collection = Collection {
            dataset: Dataset::Users,
            state: CollectionState::Complete,
            rows: 0,
            row_errors: 0,
            detail: None,
        };
        let refused = world
            .store
            .finish_dataset(
                &syncing_permit,
                ids.sync,
                ids.integration,
                collection,
                world.now(),
            )
            .await;
        assert!(matches!(refused, Err(StoreError::Conflict)));
        let refused = world
            .store
            .begin_sync(&syncing_permit, ids.sync, ids.integration, world.now())
            .await;
        assert!(matches!(refused, Err(StoreError::Conflict)));
        assert!(
            world
                .store
                .open_config(&syncing_permit, ids.integration)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(state(&two).await, before);
    // What lists everything lists one's own alone.
    for tenant in [&one, &two] {
        let scope = &tenant.operator;
        assert_eq!(world.store.count_identities(scope).await.unwrap(), 1);
        assert_eq!(
            world
                .store
                .identity_documents(scope, None, 9)
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(world.store.app_documents(scope, None, 9).await.unwrap().len(), 1);
        assert_eq!(world.store.integration_documents(scope).await.unwrap().len(), 1);
        assert_eq!(world.all_findings(scope, live()).await.len(), 1);
        let text = FindingQuery {
            text: Some("mara".into()),
            ..live()
        };
        assert_eq!(world.all_findings(scope, text).await.len(), 1);
        assert_eq!(world.store.risk_facts(scope).await.unwrap().top.len(), 1);
        let entries = AuditQuery {
            limit: 1_000,
            ..AuditQuery::default()
        };
        let rows = world.store.list_entries(scope, &entries).await.unwrap();
        assert_eq!(rows.last().unwrap().target_id, tenant.id.to_string());
    }
}
