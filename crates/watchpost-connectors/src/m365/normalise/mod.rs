//! From Graph's words to ours. Pure; `None` is a row that can't be used.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

mod account;
mod app;
mod role;

pub(super) use account::{MailboxPlans, account, registration};
pub(super) use app::{Registered, app, app_grant, app_roles, grant, owner, registered};
pub(super) use role::{Held, Holding, RoleName, role, role_definition};

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a table test that stops has failed"
)]
mod tests;
