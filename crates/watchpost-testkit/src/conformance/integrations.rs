//! Cases for integrations: failure, removal, credentials.

use super::{Harness, REJECTED, Tenant, World, account_fact, app_fact};
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;
use watchpost_core::{
    app::AppQuery,
    integration::{
        ChangeIntegration, CredentialChange, IntegrationAction, IntegrationChange, OpenedTenant,
        SetCredential, VerifyIntegration,
        connector::ConnectorConfig,
        fact::{Dataset, Fact},
    },
    job::JobKind,
    value::{
        id::IntegrationId,
        word::{IntegrationStatus, Platform, RunState},
    },
};

/// The reason of a failure and its first time are shown until a sync completes.
pub async fn the_reason_of_a_failed_sync_stays_until_a_sync_completes(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    assert_eq!(world.row(&tenant, okta).await.status, IntegrationStatus::Pending);
    world
        .begin(&tenant, okta)
        .await
        .finish(RunState::Failed, Some("refused"))
        .await;
    let first = world.row(&tenant, okta).await;
    assert_eq!(first.status, IntegrationStatus::Error);
    let failure = first.failure.unwrap();
    assert_eq!(failure.reason, "refused");
    world
        .begin(&tenant, okta)
        .await
        .finish(RunState::Failed, Some("refused again"))
        .await;
    let second = world.row(&tenant, okta).await.failure.unwrap();
    assert_eq!(
        (second.reason.as_str(), second.since),
        ("refused again", failure.since)
    );
    assert!(
        world
            .store
            .unfinished_jobs(&tenant.operator)
            .await
            .unwrap()
            .is_empty(),
        "no analysis is queued"
    );
    world.sync(&tenant, okta, vec![]).await;
    let row = world.row(&tenant, okta).await;
    assert_eq!((row.status, row.failure), (IntegrationStatus::Connected, None));
    assert!(row.last_completed_at.is_some());
    let jobs = world.store.unfinished_jobs(&tenant.operator).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].kind, JobKind::Analyse);
    world.sync(&tenant, okta, vec![]).await;
    assert_eq!(
        world.store.unfinished_jobs(&tenant.operator).await.unwrap().len(),
        1
    );
}

/// Removing an integration deletes everything but its findings, which the next analysis resolves.
pub async fn removal_deletes_facts_and_secrets(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    let users: Vec<Fact> = (0..700)
        .map(|i| account_fact(&format!("o{i}"), &format!("user{i}@birch.example")))
        .collect();
    world
        .sync(
            &tenant,
            okta,
            vec![
                (Dataset::Users, users),
                (Dataset::Apps, vec![app_fact("a1", "Pixel")]),
            ],
        )
        .await;
    world
        .sync(
            &tenant,
            m365,
            vec![(Dataset::Users, vec![account_fact("m1", "user1@birch.example")])],
        )
        .await;
    let command = ChangeIntegration {
        id: okta,
        action: IntegrationAction::Remove,
        job: world.job_id(),
        now: world.now(),
    };
    let write = world.write(&tenant.operator, command);
    let changed = world.store.change_integration(write).await.unwrap().into_value();
    assert_eq!(changed, IntegrationChange::Changed);
    assert!(
        world
            .store
            .integration(&tenant.operator, okta)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(world.store.count_identities(&tenant.operator).await.unwrap(), 1);
    let one = world
        .store
        .identity_by_email(&tenant.operator, "user1@birch.example")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(one.accounts.len(), 1);
    assert!(
        world
            .store
            .identity_by_email(&tenant.operator, "user2@birch.example")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        world
            .store
            .list_apps(
                &tenant.operator,
                &AppQuery {
                    limit: 5,
                    ..AppQuery::default()
                }
            )
            .await
            .unwrap()
            .is_empty()
    );
    let verify = world.write(&tenant.operator, VerifyIntegration { id: okta });
    assert!(
        world
            .store
            .open_config_for_verify(verify)
            .await
            .unwrap()
            .into_value()
            .is_none()
    );
    let again = ChangeIntegration {
        id: okta,
        action: IntegrationAction::Remove,
        job: world.job_id(),
        now: world.now(),
    };
    let again = world
        .store
        .change_integration(world.write(&tenant.operator, again))
        .await
        .unwrap()
        .into_value();
    assert_eq!(again, IntegrationChange::NotFound);
}

/// A sync and the operator read the credentials as they were given.
pub async fn credentials_are_read_back_unchanged(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let syncing = world.begin(&tenant, okta).await;
    let config = world
        .store
        .open_config(&syncing.permit, okta)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(config.values["org_url"], "https://org.example");
    assert_eq!(config.secrets["token"].expose_secret(), "secret of okta");
    let verify = world.write(&tenant.operator, VerifyIntegration { id: okta });
    let config = world
        .store
        .open_config_for_verify(verify)
        .await
        .unwrap()
        .into_value()
        .unwrap();
    assert_eq!(config.secrets["token"].expose_secret(), "secret of okta");
    assert_eq!(
        world
            .opened
            .open_again()
            .list_integrations(&tenant.operator)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn set_credential(
    world: &World,
    tenant: &Tenant,
    id: IntegrationId,
    tenant_key: &str,
) -> CredentialChange {
    let command = SetCredential {
        id,
        opened: OpenedTenant {
            key: tenant_key.into(),
            label: "org.example".into(),
        },
        config: ConnectorConfig {
            values: BTreeMap::from([("org_url".into(), "https://org.example".into())]),
            secrets: BTreeMap::from([("key".into(), "another secret".into())]),
        },
        sync: world.job_id(),
        now: world.now(),
    };
    let write = world.write(&tenant.operator, command);
    world.store.set_credential(write).await.unwrap().into_value()
}

/// Returns the credentials by field.
async fn secrets(world: &World, tenant: &Tenant, id: IntegrationId) -> BTreeMap<String, String> {
    let verify = world.write(&tenant.operator, VerifyIntegration { id });
    let opened = world.store.open_config_for_verify(verify).await.unwrap();
    let config = opened.into_value().unwrap();
    let secrets = config.secrets.iter();
    secrets
        .map(|(field, secret)| (field.clone(), secret.expose_secret().to_owned()))
        .collect()
}

/// New credentials take the place of all old ones and end the failure. Facts stay, a sync with the old credentials writes
/// nothing any more, and one with the new ones is queued.
pub async fn replaced_credentials_keep_everything_and_start_the_sync_again(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let users = vec![account_fact("o1", "user1@birch.example")];
    world.sync(&tenant, okta, vec![(Dataset::Users, users)]).await;
    let person = world
        .store
        .identity_by_email(&tenant.operator, "user1@birch.example")
        .await
        .unwrap()
        .unwrap();
    let failing = world.begin(&tenant, okta).await;
    failing.finish(RunState::Failed, Some(REJECTED)).await;
    let row = world.row(&tenant, okta).await;
    assert_eq!(row.status, IntegrationStatus::Error);
    assert!(row.failure.unwrap().needs_credential);

    let running = world.begin(&tenant, okta).await;
    let replaced = set_credential(&world, &tenant, okta, "tenant").await;
    let connected = IntegrationStatus::Connected;
    assert_eq!(replaced, CredentialChange::Replaced(Platform::Okta, connected));
    running.finish(RunState::Failed, Some(REJECTED)).await;
    let row = world.row(&tenant, okta).await;
    assert_eq!((row.status, row.failure), (connected, None));
    assert_eq!(
        secrets(&world, &tenant, okta).await,
        BTreeMap::from([("key".to_owned(), "another secret".to_owned())])
    );
    let jobs = world.store.unfinished_jobs(&tenant.operator).await.unwrap();
    let syncs: Vec<_> = jobs.iter().filter(|job| job.kind == JobKind::Sync).collect();
    assert_eq!(syncs.len(), 1);
    assert_eq!(syncs[0].state, RunState::Queued);
    let still = world
        .store
        .identity_by_email(&tenant.operator, "user1@birch.example")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((still.id, still.accounts), (person.id, person.accounts));
    let unknown = IntegrationId::generate(world.clock.as_ref(), world.random.as_ref());
    assert_eq!(
        set_credential(&world, &tenant, unknown, "tenant").await,
        CredentialChange::NotFound
    );
}

/// Credentials of another tenant change neither the stored ones nor the failure.
pub async fn credentials_of_another_tenant_replace_nothing(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let failing = world.begin(&tenant, okta).await;
    failing.finish(RunState::Failed, Some(REJECTED)).await;
    let before = world.row(&tenant, okta).await;
    assert_eq!(
        set_credential(&world, &tenant, okta, "other").await,
        CredentialChange::OtherTenant
    );
    assert_eq!(world.row(&tenant, okta).await, before);
    assert_eq!(
        secrets(&world, &tenant, okta).await,
        BTreeMap::from([("token".to_owned(), "secret of okta".to_owned())])
    );
}
