//! Third-party apps and what people decided about them.

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

/// Candidates that a look-up lists.
pub const CANDIDATES_MAX: u64 = 10;
/// Permissions that are kept with an app.
pub const SCOPES_KEPT: usize = 64;

/// How names and client ids of apps are compared: without regard to case and blanks at the ends.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether somebody must look at an app: others than the platform's vendor made it, it is used, and nobody decided.
pub fn needs_review(policy: AppPolicy, first_party: bool, has_grants: bool) -> bool {
    policy == AppPolicy::None && !first_party && has_grants
}

/// An app as other answers name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRef {
    /// Its id.
    pub id: AppId,
    /// Its name.
    pub name: ForeignText,
    /// What people decided.
    pub policy: AppPolicy,
}

/// An app with its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Where it was seen.
    pub integration: IntegrationId,
    /// On which platform.
    pub platform: Platform,
    /// Its name.
    pub name: ForeignText,
    /// The second id by which people know it.
    pub client_id: Option<String>,
    /// Who publishes it.
    pub publisher: Option<ForeignText>,
    /// Whether the vendor verified the publisher.
    pub publisher_verified: Option<bool>,
    /// Made by the platform's vendor.
    pub first_party: bool,
    /// Whether it can be used.
    pub enabled: bool,
    /// What people decided.
    pub policy: AppPolicy,
    /// When that was decided.
    pub policy_set_at: Option<Timestamp>,
    /// When Watchpost first saw it, or the vendor's date if earlier.
    pub first_seen_at: Timestamp,
    /// How many accounts gave it a permission or may sign in to it.
    pub accounts: u64,
    /// How many grants it has.
    pub grants: u64,
    /// The worst risk among them; `None` without grants.
    pub risk: Option<GrantRisk>,
    /// The permissions, most dangerous first, at most 64.
    pub scopes: Vec<ForeignText>,
}

/// How an app is named by a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppLookup {
    /// By our id.
    Id(AppId),
    /// By name or client id, without regard to case or blanks at the ends. An exact name wins over parts of names.
    Name(String),
}

impl AppLookup {
    /// What a caller may mean by a text: one of our ids, then a name. A vendor's own id may look like one of ours.
    pub fn all(text: &str) -> Vec<Self> {
        let by_name = Self::Name(text.to_owned());
        match text.parse() {
            Ok(id) => vec![Self::Id(id), by_name],
            Err(_) => vec![by_name],
        }
    }
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppMatch {
    /// Nothing.
    None,
    /// Exactly one.
    One(Box<App>),
    /// Several: the caller must choose by id. At most 10, most used first; the number is of all.
    Several(Vec<App>, u64),
}

/// Which apps to list.
#[derive(Debug, Clone, Default)]
pub struct AppQuery {
    /// Only with this policy.
    pub policy: Option<AppPolicy>,
    /// Only on this platform.
    pub platform: Option<Platform>,
    /// Only names that contain this.
    pub text: Option<String>,
    /// After this one (by name, id), for the next page.
    pub after: Option<(String, AppId)>,
    /// 1 to 100.
    pub limit: usize,
}

/// Apps' port.
#[async_trait]
pub trait AppStore: Send + Sync {
    /// Finds an app by id, name or client id.
    async fn find_app(&self, scope: &WorkspaceScope, lookup: &AppLookup) -> Result<AppMatch, StoreError>;
    /// Apps by name.
    async fn list_apps(&self, scope: &WorkspaceScope, query: &AppQuery) -> Result<Vec<App>, StoreError>;
    /// Documents for the rules, by id, after `after`, at most `limit`; each with at most 100 principals.
    async fn app_documents(
        &self,
        scope: &WorkspaceScope,
        after: Option<AppId>,
        limit: usize,
    ) -> Result<Vec<AppDocument>, StoreError>;
    /// Sets an app's policy. If that changed it, an analysis is enqueued in the same transaction.
    async fn set_app_policy(
        &self,
        write: AuthorizedWrite<SetAppPolicy>,
    ) -> Result<Audited<AppPolicyOutcome>, StoreError>;
}

/// Set an app's policy.
#[derive(Debug)]
pub struct SetAppPolicy {
    /// Which app.
    pub app: AppId,
    /// Which policy.
    pub policy: AppPolicy,
    /// The analysis job to enqueue.
    pub analysis: JobId,
    /// When.
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

/// What came of setting a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppPolicyOutcome {
    /// It was this before and is as asked now.
    Changed {
        /// The policy before.
        before: AppPolicy,
    },
    /// It was so already.
    Unchanged,
    /// There is no such app.
    NotFound,
}

/// Decides the setting of a policy. `current`: the app's policy, if there is such an app.
pub fn decide_policy(current: Option<AppPolicy>, wanted: AppPolicy) -> AppPolicyOutcome {
    match current {
        None => AppPolicyOutcome::NotFound,
        Some(before) if before == wanted => AppPolicyOutcome::Unchanged,
        Some(before) => AppPolicyOutcome::Changed { before },
    }
}

impl AppPolicyOutcome {
    /// How the audit entry ends.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Changed { .. } => AuditOutcome::Ok,
            Self::Unchanged => AuditOutcome::Unchanged,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

impl AppMatch {
    /// What a look-up found: at most [`CANDIDATES_MAX`] apps, and the number of all.
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
    fn a_policy_is_set_once() {
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
