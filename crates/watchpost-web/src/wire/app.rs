//! Apps.

use super::{Foreign, Time, len};
use crate::fields::{Id, Word};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    app::App,
    value::{
        id::{AppId, IntegrationId},
        word::{AppPolicy, GrantRisk, Platform},
    },
};

/// The maximum number of permissions that an app in a list shows.
const SCOPES_SHOWN: usize = 20;

/// A third-party app.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "App")]
pub(crate) struct AppOut<'a> {
    id: Id<AppId>,
    name: Foreign<'a>,
    platform: Word<Platform>,
    integration_id: Id<IntegrationId>,
    policy: Word<AppPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_set_at: Option<Time>,
    /// The vendor's id of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Foreign<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher_verified: Option<bool>,
    /// Whether the platform's vendor made it.
    first_party: bool,
    enabled: bool,
    /// Accounts that granted it a permission or are assigned to it.
    accounts: u64,
    /// Whether it has permissions for the whole tenant.
    tenant_wide: bool,
    grants: u64,
    /// The worst risk among the grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<Word<GrantRisk>>,
    /// The permissions, most dangerous first.
    scopes: Vec<Foreign<'a>>,
    scopes_total: u64,
    first_seen_at: Time,
}

impl<'a> From<&'a App> for AppOut<'a> {
    fn from(app: &'a App) -> Self {
        Self {
            id: Id(app.id),
            name: Foreign(&app.name),
            platform: Word(app.platform),
            integration_id: Id(app.integration),
            policy: Word(app.policy),
            policy_set_at: app.policy_set_at.map(Time),
            client_id: app.client_id.as_deref(),
            publisher: app.publisher.as_ref().map(Foreign),
            publisher_verified: app.publisher_verified,
            first_party: app.first_party,
            enabled: app.enabled,
            accounts: app.accounts,
            tenant_wide: app.tenant_wide,
            grants: app.grants,
            risk: app.risk.map(Word),
            scopes: app.scopes.iter().take(SCOPES_SHOWN).map(Foreign).collect(),
            scopes_total: len(&app.scopes),
            first_seen_at: Time(app.first_seen_at),
        }
    }
}
