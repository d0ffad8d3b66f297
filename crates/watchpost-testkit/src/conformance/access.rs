//! Cases for API keys, generations and the audit log.

use super::{AnyStore, Harness, World, call};
use std::sync::Arc;
use watchpost_core::{
    access::{KeyCreation, KeyHash, KeyRevocation, KeyScope, KeyState, RevokeKey},
    audit::{AuditOutcome, AuditQuery, AuditTarget, ChainVerdict, checkpoint::ChainHead},
    error::StoreError,
    value::{
        id::{KeyId, WorkspaceId},
        time::DAY_MS,
    },
};

/// A key that has expired is marked. From then on it is rejected whatever the clock says, and doesn't count among
/// the active ones.
pub async fn an_expired_key_stays_expired_if_the_clock_is_set_back(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let (id, secret, _) = world.create_key(&tenant.operator, KeyScope::Read).await;
    let authenticate = || async { world.access.gate.authenticate(&secret).await.is_ok() };
    world.access.gate.mark_expired().await.unwrap();
    assert!(authenticate().await, "a key that hasn't expired isn't marked");

    world.clock.advance_ms(91 * DAY_MS);
    assert!(!authenticate().await);
    let generation = world.store.key_generation(tenant.id).await.unwrap();
    world.access.gate.mark_expired().await.unwrap();
    assert!(world.store.key_generation(tenant.id).await.unwrap() > generation);
    world.clock.advance_ms(-30 * DAY_MS);
    assert!(!authenticate().await);
    let keys = world.store.list_keys(&tenant.operator).await.unwrap();
    let key = keys.iter().find(|key| key.id == id).unwrap();
    assert!(key.expires_at.unwrap() > world.now());
    assert_eq!(key.state(world.now()), KeyState::Expired);
    // A key that is created now isn't affected.
    let (_, secret, made) = world.create_key(&tenant.operator, KeyScope::Read).await;
    assert_eq!(made, KeyCreation::Created);
    assert!(world.access.gate.authenticate(&secret).await.is_ok());
}

/// Creates, uses and revokes a key, and checks the gate and the list after each step.
pub async fn a_key_is_found_listed_used_and_revoked(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let (id, secret, _) = world.create_key(&tenant.operator, KeyScope::Read).await;
    let keys = world.store.list_keys(&tenant.operator).await.unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0].id, id, "newest first");
    assert_eq!(keys[0].prefix, secret[..12]);
    assert_eq!(keys[0].last_used_at, None);
    // The generation that is found with a key is that of the same state.
    let found = || async {
        let found = world
            .store
            .find_key(&KeyHash::of(&secret))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            found.generation,
            world.store.key_generation(tenant.id).await.unwrap()
        );
        found
    };
    let before = found().await;
    assert_eq!(before.row.id, id);
    let scope = world.access.gate.authenticate(&secret).await.unwrap();
    world.access.gate.flush_uses().await.unwrap();
    let used =
        |keys: &[watchpost_core::access::KeyRow]| keys.iter().find(|key| key.id == id).unwrap().last_used_at;
    assert!(used(&world.store.list_keys(&scope).await.unwrap()).is_some());
    let revoke = |id: KeyId| world.write(&tenant.operator, RevokeKey { id });
    let revoked = world.store.revoke_key(revoke(id)).await.unwrap().into_value();
    assert_eq!(revoked, KeyRevocation::Revoked);
    let after = found().await;
    assert_eq!(after.row.state(world.now()), KeyState::Revoked);
    assert!(after.generation > before.generation);
    assert!(world.store.find_key(&KeyHash([9; 32])).await.unwrap().is_none());
    let again = world.store.revoke_key(revoke(id)).await.unwrap().into_value();
    assert_eq!(again, KeyRevocation::AlreadyRevoked);
    let unknown = KeyId::from_bytes([9; 16]);
    let missing = world
        .store
        .revoke_key(revoke(unknown))
        .await
        .unwrap()
        .into_value();
    assert_eq!(missing, KeyRevocation::NotFound);
    world.clock.advance_ms(100);
    assert!(world.access.gate.authenticate(&secret).await.is_err());
    let keys = world.store.list_keys(&tenant.operator).await.unwrap();
    let row = keys.iter().find(|key| key.id == id).unwrap();
    assert_eq!(row.state(world.now()), KeyState::Revoked);
}

/// The limit of active keys holds for parallel requests.
pub async fn parallel_creations_never_exceed_the_key_limit(harness: &dyn Harness) {
    let world = Arc::new(World::new(harness).await);
    let tenant = world.tenant("one").await;
    // The workspace has one key already.
    let mut tasks = Vec::new();
    for _ in 0..32 {
        let (world, operator) = (Arc::clone(&world), Arc::clone(&tenant.operator));
        tasks.push(tokio::spawn(async move {
            world.create_key(&operator, KeyScope::Read).await.2
        }));
    }
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            KeyCreation::Created => made += 1,
            KeyCreation::LimitReached { active_max } => assert_eq!(active_max, 10),
        }
    }
    assert_eq!(made, 9);
    assert_eq!(world.store.list_keys(&tenant.operator).await.unwrap().len(), 10);
    // Revoking a key makes room for another.
    let write = world.write(
        &tenant.operator,
        RevokeKey {
            id: tenant.writer_key,
        },
    );
    world.store.revoke_key(write).await.unwrap().into_value();
    let (.., made) = world.create_key(&tenant.operator, KeyScope::Read).await;
    assert_eq!(made, KeyCreation::Created);
}

/// Changes increase the generations; reads and heartbeats don't.
pub async fn generations_increase_only_with_changes(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let keys = || async { world.store.key_generation(tenant.id).await.unwrap() };
    let data = || async { world.store.generation(&tenant.operator).await.unwrap() };
    let version = || async { world.store.data_version().await.unwrap() };
    let before = (keys().await, data().await, version().await);
    world.observe(&tenant.operator).await;
    world.access.gate.flush_uses().await.unwrap();
    world.store.check_ready(world.now()).await.unwrap();
    assert_eq!(
        (keys().await, data().await, version().await),
        before,
        "reads change no generation"
    );
    world.create_key(&tenant.operator, KeyScope::Read).await;
    assert!(keys().await > before.0);
    assert_eq!(data().await, before.1);
    assert!(version().await > before.2);
    let integration = world
        .integration(&tenant, watchpost_core::value::word::Platform::Okta)
        .await;
    let added = data().await;
    assert!(added > before.1);
    let job = world.lease_sync(&tenant, integration).await;
    let leased = data().await;
    let kept = world
        .store
        .heartbeat(&job, "case", Some("half"), world.now())
        .await;
    assert!(kept.unwrap());
    assert_eq!(data().await, leased, "heartbeats change no generation");
    assert_eq!(
        world
            .store
            .key_generation(WorkspaceId::from_bytes([0; 16]))
            .await
            .unwrap(),
        0
    );
}

/// Entries are numbered without gaps, form a chain, and are listed newest first.
pub async fn a_chain_has_no_gaps_and_its_entries_can_be_filtered(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let other = world.tenant("two").await;
    let mut last = 0;
    for i in 0..50 {
        let seq = world.observe(&tenant.writer).await;
        assert!(i == 0 || seq == last + 1);
        last = seq;
        world.observe(&other.writer).await;
    }
    assert!(matches!(world.verify_chain(&tenant).await, ChainVerdict::Intact { rows, .. } if rows == last));
    assert!(matches!(
        world.verify_chain(&other).await,
        ChainVerdict::Intact { .. }
    ));
    let list = |query: AuditQuery| {
        let (store, scope) = (Arc::clone(&world.store), Arc::clone(&tenant.operator));
        async move { store.list_entries(&scope, &query).await.unwrap() }
    };
    let limit = 10;
    let page = list(AuditQuery {
        limit,
        ..AuditQuery::default()
    })
    .await;
    assert_eq!(
        page.iter().map(|row| row.seq).collect::<Vec<_>>(),
        (last - 9..=last).rev().collect::<Vec<_>>()
    );
    let next = list(AuditQuery {
        limit,
        before_seq: Some(last - 9),
        ..AuditQuery::default()
    })
    .await;
    assert_eq!(next[0].seq, last - 10);
    let keys = list(AuditQuery {
        limit,
        action: Some("key.".into()),
        ..AuditQuery::default()
    })
    .await;
    assert!(keys.len() == 1 && keys[0].action == "key.created");
    let genesis = list(AuditQuery {
        limit,
        action: Some("audit_chain.genesis".into()),
        ..AuditQuery::default()
    })
    .await;
    assert!(genesis.len() == 1 && genesis[0].seq == 1);
    let nobody = list(AuditQuery {
        limit,
        actor_id: Some("nobody".into()),
        ..AuditQuery::default()
    })
    .await;
    assert!(nobody.is_empty());
    let later = list(AuditQuery {
        limit,
        from: Some(world.now()),
        ..AuditQuery::default()
    })
    .await;
    assert!(later.is_empty());
}

/// If the audit entry can't be stored, a change isn't made and a read fails.
pub async fn a_change_that_cannot_be_audited_is_not_made(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let integration = world
        .integration(&tenant, watchpost_core::value::word::Platform::Okta)
        .await;
    let before = (
        world.store.list_keys(&tenant.operator).await.unwrap().len(),
        world.store.generation(&tenant.operator).await.unwrap(),
        world.store.key_generation(tenant.id).await.unwrap(),
        world.row(&tenant, integration).await,
    );
    world.opened.break_audit(true);
    let write = world.write(
        &tenant.operator,
        RevokeKey {
            id: tenant.writer_key,
        },
    );
    let refused = world.store.revoke_key(write).await;
    assert!(
        matches!(refused, Err(StoreError::AuditUnavailable(_))),
        "{refused:?}"
    );
    let command = watchpost_core::integration::ChangeIntegration {
        id: integration,
        action: watchpost_core::integration::IntegrationAction::Pause,
        job: world.job_id(),
        now: world.now(),
    };
    let refused = world
        .store
        .change_integration(world.write(&tenant.operator, command))
        .await;
    assert!(matches!(refused, Err(StoreError::AuditUnavailable(_))));
    let entry = tenant
        .operator
        .observe("case.read", AuditTarget::default(), AuditOutcome::Ok, call());
    let refused = world.store.append(entry).await;
    assert!(matches!(refused, Err(StoreError::AuditUnavailable(_))));
    world.opened.break_audit(false);
    let after = (
        world.store.list_keys(&tenant.operator).await.unwrap().len(),
        world.store.generation(&tenant.operator).await.unwrap(),
        world.store.key_generation(tenant.id).await.unwrap(),
        world.row(&tenant, integration).await,
    );
    assert_eq!(before, after);
    world.observe(&tenant.operator).await;
    assert!(matches!(
        world.verify_chain(&tenant).await,
        ChainVerdict::Intact { .. }
    ));
}

/// The heads of the chains are those of the rows, and increase with entries and changes of keys.
pub async fn the_heads_of_the_chains_are_those_of_the_rows(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (one, two) = (world.tenant("one").await, world.tenant("two").await);
    world.observe(&one.writer).await;
    let heads = world.store.chain_heads(true).await.unwrap();
    assert_eq!(heads, world.store.chain_heads(false).await.unwrap());
    let mut expected = Vec::new();
    for tenant in [&one, &two] {
        let rows = world.store.audit_page(&tenant.operator, 0, 100).await.unwrap();
        let last = rows.last().unwrap();
        expected.push(ChainHead {
            workspace: tenant.id,
            rows: last.seq,
            tip: last.row_hash,
            key_generation: world.store.key_generation(tenant.id).await.unwrap(),
        });
    }
    expected.sort_by_key(|head| *head.workspace.as_bytes());
    assert_eq!(heads, expected);
    world.create_key(&one.operator, KeyScope::Read).await;
    let head_of = |heads: &[ChainHead], id| heads.iter().find(|head| head.workspace == id).cloned().unwrap();
    let later = world.store.chain_heads(true).await.unwrap();
    let (before, after) = (head_of(&heads, one.id), head_of(&later, one.id));
    assert_eq!(after.rows, before.rows + 1);
    assert!(after.key_generation > before.key_generation);
    assert_eq!(head_of(&later, two.id), head_of(&heads, two.id));
}

/// Two processes with the same store write one chain and see each other's changes.
pub async fn two_stores_write_one_chain(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let second: Arc<dyn AnyStore> = world.opened.open_again();
    for _ in 0..20 {
        world.observe(&tenant.writer).await;
        let entry = tenant
            .writer
            .observe("case.read", AuditTarget::default(), AuditOutcome::Ok, call());
        second.append(entry).await.unwrap().into_value();
    }
    assert!(matches!(
        world.verify_chain(&tenant).await,
        ChainVerdict::Intact { rows: 42, .. }
    ));
    let before = second.key_generation(tenant.id).await.unwrap();
    world.create_key(&tenant.operator, KeyScope::Read).await;
    assert!(second.key_generation(tenant.id).await.unwrap() > before);
    assert_eq!(second.list_keys(&tenant.operator).await.unwrap().len(), 2);
}
