//! Look-up of people by their names.

use super::{Harness, Tenant, World, account};
use watchpost_core::{
    identity::NamedIdentities,
    integration::fact::{Dataset, Fact},
    value::{id::IdentityId, text::ForeignText, word::Platform},
};

/// A member's account with a display name, whose address is without the name.
fn named(vendor_id: &str, name: &str) -> Fact {
    let mut facts = account(vendor_id, Some(&format!("{vendor_id}@birch.example")));
    facts.display_name = ForeignText::name(name);
    Fact::Account(Box::new(facts))
}

async fn find(world: &World, tenant: &Tenant, name: &str, limit: usize) -> NamedIdentities {
    let found = world.store.identities_named(&tenant.operator, name, limit).await;
    found.unwrap()
}

async fn id_of(world: &World, tenant: &Tenant, vendor_id: &str) -> IdentityId {
    let email = format!("{vendor_id}@birch.example");
    let found = world.store.identity_by_email(&tenant.operator, &email).await;
    found.unwrap().unwrap().id
}

/// A display name is found regardless of case and of the order of its words. Those that only begin with the name are found
/// if no name equals it.
pub async fn people_are_found_by_their_display_name(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let users = vec![
        named("u1", "Soraya Dunmore"),
        named("u2", "Åsa Öberg"),
        named("u3", "Lind,Per Erik"),
        named("u4", "Jo Quay"),
        named("u5", "Jo Quayle"),
        named("u6", "Quay Jo"),
        named("u7", "100% Per_son"),
    ];
    world.sync(&tenant, okta, vec![(Dataset::Users, users)]).await;
    for (name, expected) in [
        ("Soraya Dunmore", &["u1"][..]),
        (" soraya   DUNMORE ", &["u1"]),
        ("Dunmore, Soraya", &["u1"]),
        ("soraya", &["u1"]),
        ("SORAYA D", &["u1"]),
        ("åsa öberg", &["u2"]),
        ("ÖBERG ÅSA", &["u2"]),
        ("ÅSA", &["u2"]),
        ("Per Erik Lind", &["u3"]),
        ("Jo Quay", &["u4"]),
        ("Quay, Jo", &["u6"]),
        ("Jo Qu", &["u4", "u5"]),
        ("jo quayl", &["u5"]),
        ("100%", &["u7"]),
        // No pattern, no part of a name, and too short for the beginning of one.
        ("%Per", &[]),
        ("___", &[]),
        ("Dunmore", &[]),
        ("so", &[]),
        ("", &[]),
        (" , ", &[]),
        ("u1@birch.example", &[]),
        ("Soraya Dunmores", &[]),
    ] {
        let mut ids = Vec::new();
        for vendor_id in expected {
            ids.push(id_of(&world, &tenant, vendor_id).await);
        }
        let found = find(&world, &tenant, name, 9).await;
        assert_eq!(found, NamedIdentities { ids, more: false }, "{name}");
    }
    // A person who changes the name is found by the new one only.
    let users = vec![named("u1", "Soraya Ek")];
    world.sync(&tenant, okta, vec![(Dataset::Users, users)]).await;
    let id = id_of(&world, &tenant, "u1").await;
    assert_eq!(find(&world, &tenant, "ek soraya", 9).await.ids, [id]);
    assert_eq!(find(&world, &tenant, "Soraya Dunmore", 9).await.ids, []);
}

/// People all of whose accounts are retired aren't found, until an account comes back.
pub async fn only_people_with_an_account_are_found_by_name(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let both = || vec![named("u1", "Soraya Dunmore"), named("u2", "Per Lind")];
    let one = vec![named("u2", "Per Lind")];
    let pages = |users| vec![(Dataset::Users, users)];
    world.sync(&tenant, okta, pages(both())).await;
    let id = id_of(&world, &tenant, "u1").await;
    assert_eq!(find(&world, &tenant, "soraya dunmore", 9).await.ids, [id]);
    world.sync(&tenant, okta, pages(one)).await;
    for name in ["soraya dunmore", "dunmore soraya", "soraya"] {
        assert_eq!(find(&world, &tenant, name, 9).await.ids, [], "{name}");
    }
    world.sync(&tenant, okta, pages(both())).await;
    assert_eq!(find(&world, &tenant, "soraya dunmore", 9).await.ids, [id]);
}

/// At most as many people are returned as requested, and whether there are others.
pub async fn the_number_of_people_with_a_name_is_bounded(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let users = vec![
        named("u1", "Per Lind"),
        named("u2", "per LIND"),
        named("u3", "PER lind"),
    ];
    world.sync(&tenant, okta, vec![(Dataset::Users, users)]).await;
    for name in ["Per Lind", "Lind, Per", "per"] {
        for (limit, number, more) in [(2, 2, true), (3, 3, false), (0, 0, true)] {
            let found = find(&world, &tenant, name, limit).await;
            assert_eq!((found.ids.len(), found.more), (number, more), "{name}: {limit}");
        }
    }
}
