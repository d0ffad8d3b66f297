//! The conversion of Graph's data into facts. The functions are pure; they return `None` for a row that can't be used.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

mod account;
mod app;
mod domain;
mod role;

pub(super) use account::{MailboxPlans, account, registration};
pub(super) use app::{
    AppRegistration, app, app_grant, app_registration, app_roles, assignment, grant, is_assignable, owner,
};
pub(super) use domain::Domains;
pub(super) use role::{Held, Holding, RoleName, role, role_definition};

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a panic in a table test is a failure"
)]
mod tests;
