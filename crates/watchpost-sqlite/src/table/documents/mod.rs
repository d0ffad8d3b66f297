//! Documents that rules evaluate. All of these functions are long reads, which run on threads of their own.

use watchpost_core::{identity::HeldRole, rule::document::RoleDocument};

mod app;

mod context;

mod identity;

mod integration;

pub(crate) use app::apps;

pub(crate) use context::Contexts;

pub(crate) use identity::identities;

pub(crate) use integration::integrations;

fn role(role: HeldRole) -> RoleDocument {
    RoleDocument {
        key: role.key,
        name: role.name,
        privileged: role.privileged,
        super_admin: role.super_admin,
        hold: role.hold,
        via_group: role.via_group,
        ends_at_ms: role
            .ends_at
            .map(watchpost_core::value::time::Timestamp::as_millis),
    }
}
