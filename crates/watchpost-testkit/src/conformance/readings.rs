//! Cases about datasets that are read with a request for each account or app.

use super::{Harness, RunningSync, Tenant, World, account_fact, grant_fact, mfa_fact};
use std::collections::BTreeMap;
use watchpost_core::{
    integration::{
        fact::{Dataset, EntityReading, Fact},
        reading::Readings,
    },
    value::{
        id::IntegrationId,
        time::Timestamp,
        word::{CollectionState, GrantRisk, Mfa, Platform, RunState},
    },
};

fn reading(entity: &str, rows: u64, kept: bool) -> Fact {
    Fact::Reading(EntityReading {
        entity_vendor_id: entity.into(),
        rows,
        kept,
    })
}

async fn known(syncing: &RunningSync<'_>, world: &World, integration: IntegrationId) -> Readings {
    world
        .store
        .readings(&syncing.permit, integration)
        .await
        .expect("the store works")
}

/// Syncs one dataset.
async fn sync_one(
    world: &World,
    tenant: &Tenant,
    integration: IntegrationId,
    dataset: Dataset,
    facts: Vec<Fact>,
    state: CollectionState,
) {
    let syncing = world.begin(tenant, integration).await;
    syncing.facts(dataset, facts).await;
    syncing.finish_dataset(dataset, state).await;
    syncing.finish(RunState::Completed, None).await;
}

/// Returns the second factors of the accounts `o0@birch.example` and so on.
async fn factors(world: &World, tenant: &Tenant, accounts: &[&str]) -> BTreeMap<String, Mfa> {
    let mut found = BTreeMap::new();
    for account in accounts {
        let email = format!("{account}@birch.example");
        let identity = world
            .store
            .identity_by_email(&tenant.writer, &email)
            .await
            .expect("the store works")
            .expect("the identity exists");
        found.insert((*account).to_owned(), identity.accounts[0].mfa);
    }
    found
}

/// The data of an account from an earlier sync stays until the account is read again or is no longer listed.
pub async fn what_was_read_of_an_account_is_kept_until_it_is_read_again(harness: &dyn Harness) {
    use CollectionState::{Complete, Partial};
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let names = ["o0", "o1", "o2"];
    let users = names.map(|name| account_fact(name, &format!("{name}@birch.example")));
    world
        .sync(&tenant, okta, vec![(Dataset::Users, users.to_vec())])
        .await;

    // The first sync doesn't get to the third account.
    let first = vec![
        mfa_fact("o0", Mfa::Off),
        reading("o0", 1, false),
        mfa_fact("o1", Mfa::On),
        reading("o1", 1, false),
    ];
    let first_at = world.now();
    sync_one(&world, &tenant, okta, Dataset::Mfa, first, Partial).await;
    let expected = [Mfa::Off, Mfa::On, Mfa::Unknown];
    assert_eq!(
        factors(&world, &tenant, &names).await,
        names.map(str::to_owned).into_iter().zip(expected).collect()
    );

    // The second one reads it, reads the first again, and keeps the second.
    world.clock.advance_ms(3_600_000);
    let syncing = world.begin(&tenant, okta).await;
    let before = known(&syncing, &world, okta).await;
    let at = |entity: &str| before.of(Dataset::Mfa, entity);
    assert_eq!(at("o1").map(|(_, rows)| rows), Some(1));
    assert!(at("o1").is_some_and(|(at, _)| at >= first_at && at < world.now()));
    assert_eq!(at("o2"), None);
    assert_eq!(before.of(Dataset::AppAssignments, "o1"), None);
    syncing
        .facts(
            Dataset::Mfa,
            vec![
                mfa_fact("o0", Mfa::On),
                reading("o0", 1, false),
                reading("o1", 1, true),
                mfa_fact("o2", Mfa::Off),
                reading("o2", 1, false),
            ],
        )
        .await;
    syncing.finish_dataset(Dataset::Mfa, Complete).await;
    syncing.finish(RunState::Completed, None).await;
    let expected = [Mfa::On, Mfa::On, Mfa::Off];
    assert_eq!(
        factors(&world, &tenant, &names).await,
        names.map(str::to_owned).into_iter().zip(expected).collect()
    );

    // The third one no longer lists the second account.
    let third = vec![reading("o0", 1, true), reading("o2", 1, true)];
    sync_one(&world, &tenant, okta, Dataset::Mfa, third, Complete).await;
    let expected = [Mfa::On, Mfa::Unknown, Mfa::Off];
    assert_eq!(
        factors(&world, &tenant, &names).await,
        names.map(str::to_owned).into_iter().zip(expected).collect()
    );
    let syncing = world.begin(&tenant, okta).await;
    let after = known(&syncing, &world, okta).await;
    assert_eq!(after.of(Dataset::Mfa, "o1"), None);
    let read_again: Option<(Timestamp, u64)> = after.of(Dataset::Mfa, "o2");
    assert!(
        read_again.is_some_and(|(at, _)| at > first_at),
        "keeping is not reading"
    );
}

/// An app has any number of rows: a row that the last reading of the app didn't contain is gone, the others stay.
pub async fn the_rows_of_a_kept_app_are_those_of_its_last_reading(harness: &dyn Harness) {
    use CollectionState::{Complete, Partial};
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let users = ["o0", "o1"].map(|name| account_fact(name, &format!("{name}@birch.example")));
    world
        .sync(&tenant, okta, vec![(Dataset::Users, users.to_vec())])
        .await;
    let grants = || async {
        let mut ids = Vec::new();
        for name in ["o0", "o1"] {
            let email = format!("{name}@birch.example");
            let identity = world
                .store
                .identity_by_email(&tenant.writer, &email)
                .await
                .expect("the store works")
                .expect("the identity exists");
            ids.push(identity.accounts[0].grants_total);
        }
        ids
    };
    let grant = |app: &str, account: &str| {
        grant_fact(&format!("{app}:{account}"), app, Some(account), GrantRisk::Low)
    };
    let both = vec![grant("a1", "o0"), grant("a1", "o1"), reading("a1", 2, false)];
    sync_one(&world, &tenant, okta, Dataset::AppAssignments, both, Complete).await;
    assert_eq!(grants().await, [1, 1]);
    // A partial sync reads the app again. The row that is gone stays until the dataset is complete.
    let one = vec![grant("a1", "o1"), reading("a1", 1, false)];
    sync_one(&world, &tenant, okta, Dataset::AppAssignments, one, Partial).await;
    assert_eq!(grants().await, [1, 1]);
    let kept = vec![reading("a1", 1, true), grant("a2", "o1"), reading("a2", 1, false)];
    sync_one(&world, &tenant, okta, Dataset::AppAssignments, kept, Complete).await;
    assert_eq!(grants().await, [0, 2]);
}
