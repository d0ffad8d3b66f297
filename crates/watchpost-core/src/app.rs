//! Third-party apps and the policies that people set for them.

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget},
    error::StoreError,
    rule::document::AppDocument,
    value::{
        id::{AppId, IntegrationId, JobId},
        text::ForeignText,
        time::Timestamp,
        word::{AppPolicy, GrantRisk, Platform},
    },
};
use async_trait::async_trait;

/// Maximum number of candidates that a lookup lists.
pub const CANDIDATES_MAX: u64 = 10;
/// Maximum number of permissions that are stored with an app.
pub const SCOPES_KEPT: usize = 64;

/// Returns the form in which names and client ids of apps are compared: trimmed and in lower case.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Returns whether a person must review an app: it isn't made by the platform's vendor, it has grants, and no
/// policy is set.
pub fn needs_review(policy: AppPolicy, first_party: bool, has_grants: bool) -> bool {
    policy == AppPolicy::None && !first_party && has_grants
}

/// A reference to an app from another entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRef {
    /// The app's id.
    pub id: AppId,
    /// The app's name.
    pub name: ForeignText,
    /// The app's policy.
    pub policy: AppPolicy,
}

/// An app with data on its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The app's id.
    pub id: AppId,
    /// The integration in which the app was seen.
    pub integration: IntegrationId,
    /// The platform of the integration.
    pub platform: Platform,
    /// The app's name.
    pub name: ForeignText,
    /// The vendor's client id, a second id by which people know the app.
    pub client_id: Option<String>,
    /// The publisher.
    pub publisher: Option<ForeignText>,
    /// Whether the vendor verified the publisher.
    pub publisher_verified: Option<bool>,
    /// Whether the platform's vendor made the app.
    pub first_party: bool,
    /// Whether the app can be used.
    pub enabled: bool,
    /// The app's policy.
    pub policy: AppPolicy,
    /// The time at which the policy was set.
    pub policy_set_at: Option<Timestamp>,
    /// The time at which Watchpost first saw the app, or the vendor's date if that is earlier.
    pub first_seen_at: Timestamp,
    /// The number of accounts that granted the app a permission or are assigned to it.
    pub accounts: u64,
    /// Whether the app has permissions for the whole tenant: granted on behalf of all users, or to the app itself.
    pub tenant_wide: bool,
    /// The number of grants.
    pub grants: u64,
    /// The worst risk among the grants; `None` without grants.
    pub risk: Option<GrantRisk>,
    /// The permissions, most dangerous first; at most [`SCOPES_KEPT`].
    pub scopes: Vec<ForeignText>,
}

/// The way in which a caller refers to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppLookup {
    /// By the app's id in Watchpost.
    Id(AppId),
    /// By name or client id, trimmed and in any case. An exact match takes precedence over a partial match of the
    /// name.
    Name(String),
}

impl AppLookup {
    /// Returns the possible meanings of a text, in order: an id in Watchpost, then a name. A vendor's id may look
    /// like an id in Watchpost.
    pub fn all(text: &str) -> Vec<Self> {
        let by_name = Self::Name(text.to_owned());
        match text.parse() {
            Ok(id) => vec![Self::Id(id), by_name],
            Err(_) => vec![by_name],
        }
    }
}

/// The result of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppMatch {
    /// No app matches.
    None,
    /// Exactly one app matches.
    One(Box<App>),
    /// Several apps match, and the caller must choose one by id: at most [`CANDIDATES_MAX`], most used first, and
    /// the total number.
    Several(Vec<App>, u64),
}

/// Conditions on apps.
#[derive(Debug, Clone, Default)]
pub struct AppQuery {
    /// Only apps with this policy.
    pub policy: Option<AppPolicy>,
    /// Only apps on this platform.
    pub platform: Option<Platform>,
    /// Only apps with this text in their name.
    pub text: Option<String>,
    /// The name and id of the last app on the previous page.
    pub after: Option<(String, AppId)>,
    /// Maximum number of apps, 1 to 200.
    pub limit: usize,
}

/// Storage of apps.
#[async_trait]
pub trait AppStore: Send + Sync {
    /// Finds an app by id, name or client id.
    async fn find_app(&self, scope: &WorkspaceScope, lookup: &AppLookup) -> Result<AppMatch, StoreError>;
    /// Returns apps ordered by name.
    async fn list_apps(&self, scope: &WorkspaceScope, query: &AppQuery) -> Result<Vec<App>, StoreError>;
    /// Returns at most `limit` documents for the rules with an id above `after`, ordered by id. Each contains at
    /// most 100 principals.
    async fn app_documents(
        &self,
        scope: &WorkspaceScope,
        after: Option<AppId>,
        limit: usize,
    ) -> Result<Vec<AppDocument>, StoreError>;
    /// Sets an app's policy. If the policy changed, an analysis is enqueued in the same transaction.
    async fn set_app_policy(
        &self,
        write: AuthorizedWrite<SetAppPolicy>,
    ) -> Result<Audited<AppPolicyOutcome>, StoreError>;
}

/// Sets an app's policy.
#[derive(Debug)]
pub struct SetAppPolicy {
    /// The app.
    pub app: AppId,
    /// The new policy.
    pub policy: AppPolicy,
    /// The id of the analysis job to enqueue.
    pub analysis: JobId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for SetAppPolicy {
    fn permission(&self) -> Permission {
        Permission::SetAppPolicy
    }
    fn action(&self) -> &'static str {
        "app_policy.set"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("app", &self.app)
    }
}

/// The outcome of [`SetAppPolicy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppPolicyOutcome {
    /// The policy was changed.
    Changed {
        /// The previous policy.
        before: AppPolicy,
    },
    /// The app had the requested policy already.
    Unchanged,
    /// The workspace has no such app.
    NotFound,
}

/// Decides a [`SetAppPolicy`]. `current` is the app's policy, or `None` if there is no such app.
pub fn decide_policy(current: Option<AppPolicy>, wanted: AppPolicy) -> AppPolicyOutcome {
    match current {
        None => AppPolicyOutcome::NotFound,
        Some(before) if before == wanted => AppPolicyOutcome::Unchanged,
        Some(before) => AppPolicyOutcome::Changed { before },
    }
}

impl AppPolicyOutcome {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Changed { .. } => AuditOutcome::Ok,
            Self::Unchanged => AuditOutcome::Unchanged,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

impl AppMatch {
    /// Converts the result of a search: at most [`CANDIDATES_MAX`] apps, and the total number.
    pub fn of(mut found: Vec<App>, total: u64) -> Self {
        match found.len() {
            0 => Self::None,
            1 => found.pop().map_or(Self::None, |app| Self::One(Box::new(app))),
            _ => Self::Several(found, total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_same_policy_again_changes_nothing() {
        for (current, wanted, expected) in [
            (None, AppPolicy::Blocked, AppPolicyOutcome::NotFound),
            (
                Some(AppPolicy::Blocked),
                AppPolicy::Blocked,
                AppPolicyOutcome::Unchanged,
            ),
            (
                Some(AppPolicy::None),
                AppPolicy::Blocked,
                AppPolicyOutcome::Changed {
                    before: AppPolicy::None,
                },
            ),
        ] {
            assert_eq!(decide_policy(current, wanted), expected);
        }
        assert_eq!(name_key("  Zapier App "), "zapier app");
    }
}
