//! Cases for lists that are empty or much shorter than before.

use super::{Harness, Tenant, World, account_fact, role_fact};
use watchpost_core::{
    audit::{AuditOutcome, AuditQuery},
    error::StoreError,
    integration::{
        ConfirmShrink, DatasetEnd, Doubt, IfEmpty, Judged, Shrink, ShrinkConfirmation,
        fact::{Collection, Dataset, Fact},
    },
    value::{
        id::IntegrationId,
        word::{CollectionState, Platform, RunState},
    },
};

fn accounts(count: u64) -> Vec<Fact> {
    (0..count)
        .map(|i| account_fact(&format!("o{i:03}"), &format!("user{i}@birch.example")))
        .collect()
}

fn end(dataset: Dataset, rows: u64, if_empty: IfEmpty) -> DatasetEnd {
    let collection = Collection {
        dataset,
        state: CollectionState::Complete,
        rows,
        row_errors: 0,
        detail: None,
    };
    DatasetEnd {
        collection,
        if_empty,
        followed: None,
    }
}

/// Runs a sync in which the vendor returns a list of accounts of this length without an error.
async fn read(world: &World, tenant: &Tenant, okta: IntegrationId, count: u64) -> Judged {
    let syncing = world.begin(tenant, okta).await;
    syncing.facts(Dataset::Users, accounts(count)).await;
    let judged = syncing
        .end_dataset(end(Dataset::Users, count, IfEmpty::Denied("a role")))
        .await;
    syncing.finish(RunState::Completed, None).await;
    judged
}

async fn confirm(world: &World, tenant: &Tenant, okta: IntegrationId, rows: u64) -> ShrinkConfirmation {
    let command = ConfirmShrink {
        id: okta,
        dataset: Dataset::Users,
        rows,
        now: world.now(),
    };
    let write = world.write(&tenant.operator, command);
    world.store.confirm_shrink(write).await.unwrap().into_value()
}

async fn people(world: &World, tenant: &Tenant) -> u64 {
    world.store.count_identities(&tenant.operator).await.unwrap()
}

/// A list that lost more than half of its rows retires nothing, at the second sync as at the first, until a person
/// confirms its length.
pub async fn a_list_that_shrank_retires_nothing_until_it_is_confirmed(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    assert_eq!(
        confirm(&world, &tenant, okta, 40).await,
        ShrinkConfirmation::NotRead
    );
    let first = read(&world, &tenant, okta, 100).await;
    assert_eq!(first.collection.state, CollectionState::Complete);
    let complete_at = world.row(&tenant, okta).await.collections[0].complete_at;
    assert!(complete_at.is_some());
    assert_eq!(
        confirm(&world, &tenant, okta, 100).await,
        ShrinkConfirmation::NothingToConfirm
    );
    for _ in 0..2 {
        world.clock.advance_ms(60_000);
        let judged = read(&world, &tenant, okta, 40).await;
        assert_eq!(judged.collection.state, CollectionState::Partial);
        assert_eq!(judged.doubt, Some(Doubt::Shrank));
        assert_eq!(people(&world, &tenant).await, 100);
        let row = world.row(&tenant, okta).await.collections[0].clone();
        assert_eq!((row.state, row.rows), (CollectionState::Partial, 40));
        assert_eq!(row.completions, 1, "no finding ends");
        assert_eq!((row.complete_rows, row.complete_at), (Some(100), complete_at));
        assert_eq!(row.shrink(), Some(Shrink { from: 100, to: 40 }));
        assert_eq!(row.detail, judged.collection.detail);
    }
    let shrink = Shrink { from: 100, to: 40 };
    let generation = world.store.generation(&tenant.operator).await.unwrap();
    assert_eq!(
        confirm(&world, &tenant, okta, 40).await,
        ShrinkConfirmation::Confirmed(shrink)
    );
    assert!(
        world.store.generation(&tenant.operator).await.unwrap() > generation,
        "answers change"
    );
    assert_eq!(people(&world, &tenant).await, 100, "the next sync retires them");
    assert!(world.row(&tenant, okta).await.collections[0].is_shrink_confirmed());
    let judged = read(&world, &tenant, okta, 40).await;
    assert_eq!(
        (judged.collection.state, judged.doubt),
        (CollectionState::Complete, None)
    );
    assert_eq!(people(&world, &tenant).await, 40);
    let row = world.row(&tenant, okta).await.collections[0].clone();
    assert_eq!((row.completions, row.complete_rows), (2, Some(40)));
    assert_eq!((row.confirmed_rows, row.doubt), (None, None));

    let query = AuditQuery {
        action: Some("integration.shrink_confirmed".into()),
        limit: 10,
        ..AuditQuery::default()
    };
    let entries = world.store.list_entries(&tenant.operator, &query).await.unwrap();
    let mut outcomes: Vec<AuditOutcome> = entries.iter().map(|row| row.outcome).collect();
    outcomes.sort_unstable();
    assert_eq!(
        outcomes,
        [AuditOutcome::Ok, AuditOutcome::Conflict, AuditOutcome::Conflict],
        "attempts are recorded too"
    );
    assert!(entries.iter().all(|row| row.target_id == okta.to_string()));
}

/// A confirmation is bound to the number of rows that the person has seen, and is used up by the next complete read.
pub async fn a_confirmation_is_for_one_number_of_rows_and_used_once(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    read(&world, &tenant, okta, 100).await;
    read(&world, &tenant, okta, 40).await;
    let seen = |to| Shrink { from: 100, to };
    assert_eq!(
        confirm(&world, &tenant, okta, 39).await,
        ShrinkConfirmation::Changed(seen(40))
    );
    assert_eq!(
        confirm(&world, &tenant, okta, 40).await,
        ShrinkConfirmation::Confirmed(seen(40))
    );
    assert_eq!(
        confirm(&world, &tenant, okta, 40).await,
        ShrinkConfirmation::Unchanged(seen(40))
    );
    let shorter = read(&world, &tenant, okta, 15).await;
    assert_eq!(shorter.doubt, Some(Doubt::Shrank), "15 is less than half of 40");
    assert_eq!(people(&world, &tenant).await, 100);
    let back = read(&world, &tenant, okta, 100).await;
    assert_eq!(back.collection.state, CollectionState::Complete);
    let again = read(&world, &tenant, okta, 40).await;
    assert_eq!(again.doubt, Some(Doubt::Shrank), "the confirmation was used up");
    assert_eq!(people(&world, &tenant).await, 100);
}

/// Other datasets retire rows as before; a list that can't be empty is denied, however short it was, and can't be
/// confirmed.
pub async fn an_empty_list_that_cannot_be_empty_is_denied_and_retires_nothing(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let first = read(&world, &tenant, okta, 0).await;
    assert_eq!(first.collection.state, CollectionState::Denied);
    let row = world.row(&tenant, okta).await.collections[0].clone();
    assert_eq!((row.doubt, row.completions), (Some(Doubt::Empty), 0));
    assert_eq!(row.detail.as_deref(), Some("a role"));
    read(&world, &tenant, okta, 19).await;
    world
        .sync(
            &tenant,
            okta,
            vec![(
                Dataset::Roles,
                vec![role_fact("r1", "o000"), role_fact("r2", "o001")],
            )],
        )
        .await;
    let empty = read(&world, &tenant, okta, 0).await;
    assert_eq!(empty.collection.state, CollectionState::Denied);
    assert_eq!(people(&world, &tenant).await, 19);
    assert_eq!(
        confirm(&world, &tenant, okta, 0).await,
        ShrinkConfirmation::NothingToConfirm
    );
    let syncing = world.begin(&tenant, okta).await;
    let roles = syncing.end_dataset(end(Dataset::Roles, 0, IfEmpty::Empty)).await;
    syncing.finish(RunState::Completed, None).await;
    assert_eq!(roles.collection.state, CollectionState::Complete);
    let holder = world
        .store
        .identity_by_email(&tenant.operator, "user0@birch.example")
        .await
        .unwrap()
        .unwrap();
    assert!(holder.accounts.iter().all(|account| account.roles.is_empty()));
}

/// A confirmation and its audit entry are stored together or not at all.
pub async fn a_confirmation_that_cannot_be_audited_is_not_made(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    read(&world, &tenant, okta, 100).await;
    read(&world, &tenant, okta, 40).await;
    world.opened.break_audit(true);
    let command = ConfirmShrink {
        id: okta,
        dataset: Dataset::Users,
        rows: 40,
        now: world.now(),
    };
    let refused = world
        .store
        .confirm_shrink(world.write(&tenant.operator, command))
        .await;
    assert!(
        matches!(refused, Err(StoreError::AuditUnavailable(_))),
        "{refused:?}"
    );
    world.opened.break_audit(false);
    let judged = read(&world, &tenant, okta, 40).await;
    assert_eq!(judged.doubt, Some(Doubt::Shrank));
    assert_eq!(people(&world, &tenant).await, 100);
}
