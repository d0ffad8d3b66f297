//! Identities: the people and machines behind accounts, and the joining of accounts to them.

mod standing;

pub use standing::MfaReports;

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    app::{AppRef, name_key},
    audit::{AuditOutcome, AuditTarget},
    error::StoreError,
    integration::fact::LastActive,
    rule::document::IdentityDocument,
    value::{
        id::{AccountId, IdentityId, IntegrationId},
        text::ForeignText,
        time::Timestamp,
        word::{AccountKind, AccountStatus, GrantKind, GrantRisk, Mfa, Platform, RoleHold},
    },
};
use async_trait::async_trait;

/// Maximum number of rows of one kind that a lookup shows; the others are only counted.
pub const SHOWN_MAX: usize = 50;

/// A person or machine with everything that a lookup shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The identity's id.
    pub id: IdentityId,
    /// The main email address, in lower case.
    pub email: Option<String>,
    /// All email addresses of the identity, in lower case, the main one first.
    pub emails: Vec<String>,
    /// The display name.
    pub display_name: ForeignText,
    /// The kind of principal.
    pub kind: AccountKind,
    /// Whether the operator tagged the identity as a break-glass account.
    pub break_glass: bool,
    /// The accounts that aren't retired, ordered by platform.
    pub accounts: Vec<Account>,
}

/// One login on one integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// The integration that the account belongs to.
    pub integration: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The integration's name.
    pub integration_name: ForeignText,
    /// The name used to sign in.
    pub login: ForeignText,
    /// The state at the vendor.
    pub status: AccountStatus,
    /// The kind of principal.
    pub kind: AccountKind,
    /// The state of multi-factor authentication on this platform.
    pub mfa: Mfa,
    /// The registered methods of multi-factor authentication.
    pub mfa_methods: Vec<ForeignText>,
    /// The last activity that this platform recorded.
    pub last_active: LastActive,
    /// The time of creation.
    pub created_at: Option<Timestamp>,
    /// The department.
    pub department: Option<ForeignText>,
    /// The job title.
    pub title: Option<ForeignText>,
    /// The manager's email address.
    pub manager_email: Option<String>,
    /// The assigned roles, privileged ones first; at most [`SHOWN_MAX`].
    pub roles: Vec<Role>,
    /// Apps and tokens with permissions from this account, highest risk first; at most [`SHOWN_MAX`].
    pub grants: Vec<Grant>,
    /// The total number of grants.
    pub grants_total: u64,
}

/// An assigned role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's display name.
    pub name: ForeignText,
    /// Whether the role is privileged.
    pub privileged: bool,
    /// The kind of assignment.
    pub hold: RoleHold,
}

/// A permission granted to an app, or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The app; `None` for a token that belongs to no app.
    pub app: Option<AppRef>,
    /// The token's name.
    pub name: Option<ForeignText>,
    /// The way in which the permission was granted.
    pub kind: GrantKind,
    /// The permissions, at most 64.
    pub scopes: Vec<ForeignText>,
    /// The highest risk among the permissions.
    pub risk: GrantRisk,
    /// The last use.
    pub last_used: LastActive,
}

/// Minimum number of characters that a display name is found by if it only begins with them, so that the list of people
/// can't be read one letter at a time.
pub const PREFIX_CHARS_MIN: usize = 3;

/// A person's name in the forms in which names are compared, regardless of case, spacing and commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameKey {
    /// The words in their order.
    pub whole: String,
    /// The words in alphabetical order, since directories also write "Holt, Mara".
    pub words: String,
}

impl NameKey {
    /// Returns the forms of a name. They are empty if the name has no words.
    pub fn of(name: &str) -> Self {
        let key = name_key(name);
        let mut words: Vec<&str> = key
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .collect();
        let whole = words.join(" ");
        words.sort_unstable();
        Self {
            whole,
            words: words.join(" "),
        }
    }

    /// Returns whether names that only begin with this one are found.
    pub fn finds_longer(&self) -> bool {
        self.whole.chars().nth(PREFIX_CHARS_MIN - 1).is_some()
    }
}

/// The identities that a name may mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedIdentities {
    /// The ids, at most as many as requested.
    pub ids: Vec<IdentityId>,
    /// Whether there are others.
    pub more: bool,
}

impl NamedIdentities {
    /// Returns the first `limit` ids. Whether there are others is known only if `ids` has one more.
    pub fn first(mut ids: Vec<IdentityId>, limit: usize) -> Self {
        let more = ids.len() > limit;
        ids.truncate(limit);
        Self { ids, more }
    }
}

/// Storage of identities.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Returns the identity with an email address. `email` is compared in lower case.
    async fn identity_by_email(
        &self,
        scope: &WorkspaceScope,
        email: &str,
    ) -> Result<Option<Identity>, StoreError>;
    /// Returns at most `limit` ids of identities that have an account that isn't retired and that `name` may mean: those
    /// with this display name, or else those whose display name has the same words in another order, or else, for a name
    /// of at least [`PREFIX_CHARS_MIN`] characters, those whose display name begins with it. Names are compared by
    /// [`NameKey`].
    async fn identities_named(
        &self,
        scope: &WorkspaceScope,
        name: &str,
        limit: usize,
    ) -> Result<NamedIdentities, StoreError>;
    /// Returns the identity with an id.
    async fn identity(&self, scope: &WorkspaceScope, id: IdentityId) -> Result<Option<Identity>, StoreError>;
    /// Returns the number of identities with an account that isn't retired.
    async fn count_identities(&self, scope: &WorkspaceScope) -> Result<u64, StoreError>;
    /// Returns at most `limit` documents for the rules with an id above `after`, ordered by id. This is a long
    /// read, which may run on another thread.
    async fn identity_documents(
        &self,
        scope: &WorkspaceScope,
        after: Option<IdentityId>,
        limit: usize,
    ) -> Result<Vec<IdentityDocument>, StoreError>;
    /// Tags or untags a break-glass account. Enqueues an analysis.
    async fn tag_break_glass(
        &self,
        write: AuthorizedWrite<TagBreakGlass>,
    ) -> Result<Audited<TagOutcome>, StoreError>;
}

/// Tags or untags a break-glass account.
#[derive(Debug)]
pub struct TagBreakGlass {
    /// The identity.
    pub id: IdentityId,
    /// Whether to set or to clear the tag.
    pub tagged: bool,
    /// The id of the analysis job to enqueue.
    pub analysis: crate::value::id::JobId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for TagBreakGlass {
    fn permission(&self) -> Permission {
        Permission::TagIdentity
    }
    fn action(&self) -> &'static str {
        "identity.tagged"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("identity", &self.id)
    }
}

/// The outcome of [`TagBreakGlass`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagOutcome {
    /// The tag was changed.
    Changed,
    /// The tag was in the requested state already.
    Unchanged,
    /// The workspace has no such identity.
    NotFound,
}

/// Decides a [`TagBreakGlass`]. `current` is whether the identity is tagged, or `None` if there is no such
/// identity.
pub const fn decide_tag(current: Option<bool>, wanted: bool) -> TagOutcome {
    match current {
        None => TagOutcome::NotFound,
        Some(tagged) if tagged == wanted => TagOutcome::Unchanged,
        Some(_) => TagOutcome::Changed,
    }
}

impl TagOutcome {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Changed => AuditOutcome::Ok,
            Self::Unchanged => AuditOutcome::Unchanged,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// The break-glass tag of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakGlassTag {
    /// Whether the tag is set.
    pub tagged: bool,
    /// The time at which a person last set or cleared the tag; `None` if never.
    pub at: Option<Timestamp>,
}

/// Merges the tags of two identities that become one: set if either was set.
pub fn merge_tags(one: BreakGlassTag, other: BreakGlassTag) -> BreakGlassTag {
    BreakGlassTag {
        tagged: one.tagged || other.tagged,
        at: one.at.max(other.at),
    }
}

/// Returns the rank of an account among those that may provide an identity's name, main address and kind. The
/// lowest rank provides them: accounts that aren't retired before retired ones, identity providers before other
/// platforms, then the oldest account (`order`). An unknown platform (`None`) isn't an identity provider.
pub fn naming_rank(retired: bool, platform: Option<Platform>, order: i64) -> (bool, bool, i64) {
    let provider = platform.is_some_and(Platform::is_identity_provider);
    (retired, !provider, order)
}

/// A role assigned to a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRole {
    /// The vendor's key for the role.
    pub key: String,
    /// The role's display name.
    pub name: ForeignText,
    /// Whether the role is privileged.
    pub privileged: bool,
    /// Whether the role is the platform's highest.
    pub super_admin: bool,
    /// The kind of assignment.
    pub hold: RoleHold,
    /// The group through which the role is assigned.
    pub via_group: Option<ForeignText>,
    /// The time at which the assignment ends.
    pub ends_at: Option<Timestamp>,
}

/// Returns the distinct roles of a principal, highest first, at most `limit`. If two datasets contain the same
/// role, the entry with a known kind of assignment is kept.
pub fn distinct_roles(mut roles: Vec<HeldRole>, limit: usize) -> Vec<HeldRole> {
    let known: Vec<String> = roles
        .iter()
        .filter(|role| role.hold != RoleHold::Unknown)
        .map(|role| role.key.clone())
        .collect();
    roles.retain(|role| role.hold != RoleHold::Unknown || !known.contains(&role.key));
    roles.sort_by(|a, b| {
        (!a.super_admin, !a.privileged, &a.name, a.hold).cmp(&(
            !b.super_admin,
            !b.privileged,
            &b.name,
            b.hold,
        ))
    });
    roles.truncate(limit);
    roles
}

/// The result of joining an account to the existing identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// No identity has these addresses: create a new one.
    New,
    /// The account belongs to this identity.
    Existing(IdentityId),
    /// The account's addresses belong to several identities, which are merged into the oldest.
    Merge {
        /// The identity to keep.
        keep: IdentityId,
        /// The identities to merge into it.
        absorb: Vec<IdentityId>,
    },
}

/// Joins an account to an identity. `current` is the account's present identity; `by_address` are the identities
/// with one of its addresses. Ids are ordered by time, so the smallest id is the oldest.
///
/// An account never loses its identity here. An address that moved to another person merges the two, which an
/// administrator can see and undo. The alternative would silently assign one person's history to another.
pub fn join(current: Option<IdentityId>, by_address: &[IdentityId]) -> Join {
    let mut all: Vec<IdentityId> = by_address.to_vec();
    all.extend(current);
    all.sort_unstable();
    all.dedup();
    match all.as_slice() {
        [] => Join::New,
        [one] => Join::Existing(*one),
        [keep, absorb @ ..] => Join::Merge {
            keep: *keep,
            absorb: absorb.to_vec(),
        },
    }
}

/// Returns the addresses by which an account is joined: its email address and aliases, and its login if that is
/// an email address. They are in lower case and distinct. Shared mailboxes and services are joined like people,
/// by their own address.
pub fn join_addresses(email: Option<&str>, aliases: &[String], login: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |raw: &str| {
        if let Some(address) = normalize_address(raw)
            && !out.contains(&address)
        {
            out.push(address);
        }
    };
    if let Some(email) = email {
        add(email);
    }
    // A guest's login (`name_partner.example#EXT#@tenant`) is not an email address.
    if !login.contains('#') {
        add(login);
    }
    for alias in aliases.iter().take(16) {
        add(alias);
    }
    out
}

/// Normalizes an email address for comparison: trimmed and in lower case. Returns `None` if it can't be one.
pub fn normalize_address(raw: &str) -> Option<String> {
    let raw = raw.trim();
    let (local, domain) = raw.rsplit_once('@')?;
    let is_plausible = !local.is_empty()
        && domain.contains('.')
        && raw.len() <= 320
        && !raw.contains(char::is_whitespace)
        && !raw.chars().any(char::is_control);
    is_plausible.then(|| raw.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> IdentityId {
        IdentityId::from_bytes([n; 16])
    }

    #[test]
    fn accounts_are_joined_by_address_and_the_oldest_identity_is_kept() {
        let check = |current: Option<u8>, by_address: &[u8], expected: Join| {
            let by_address: Vec<_> = by_address.iter().map(|n| id(*n)).collect();
            assert_eq!(join(current.map(id), &by_address), expected);
        };
        check(None, &[], Join::New);
        check(None, &[2], Join::Existing(id(2)));
        check(Some(2), &[], Join::Existing(id(2)));
        check(Some(2), &[2, 2], Join::Existing(id(2)));
        check(
            Some(3),
            &[2],
            Join::Merge {
                keep: id(2),
                absorb: vec![id(3)],
            },
        );
        check(
            None,
            &[4, 1, 3],
            Join::Merge {
                keep: id(1),
                absorb: vec![id(3), id(4)],
            },
        );
    }

    #[test]
    fn names_are_compared_regardless_of_case_spacing_and_commas() {
        for (name, whole, words) in [
            (" Soraya  DUNMORE ", "soraya dunmore", "dunmore soraya"),
            ("Dunmore,Soraya", "dunmore soraya", "dunmore soraya"),
            ("ÉLODIE Öberg", "élodie öberg", "élodie öberg"),
            (" , ", "", ""),
        ] {
            let key = NameKey::of(name);
            assert_eq!((key.whole.as_str(), key.words.as_str()), (whole, words), "{name}");
        }
        assert!(NameKey::of("Élo").finds_longer());
        assert!(!NameKey::of(" Él ").finds_longer());
    }

    #[test]
    fn a_tag_survives_a_merge_and_setting_it_again_changes_nothing() {
        let at = |n| Some(Timestamp::from_millis(n));
        let tag = |tagged, at| BreakGlassTag { tagged, at };
        for (one, other, expected) in [
            (tag(false, None), tag(false, None), tag(false, None)),
            (tag(true, at(1)), tag(false, None), tag(true, at(1))),
            (tag(false, at(5)), tag(true, at(2)), tag(true, at(5))),
        ] {
            assert_eq!(merge_tags(one, other), expected);
            assert_eq!(merge_tags(other, one), expected);
        }
        assert_eq!(decide_tag(None, true), TagOutcome::NotFound);
        assert_eq!(decide_tag(Some(true), true), TagOutcome::Unchanged);
        assert_eq!(decide_tag(Some(true), false), TagOutcome::Changed);
    }

    #[test]
    fn the_oldest_account_at_an_identity_provider_provides_the_name() {
        let ranks = [
            naming_rank(false, Some(Platform::Okta), 7),
            naming_rank(false, Some(Platform::Okta), 8),
            naming_rank(false, Some(Platform::Github), 1),
            naming_rank(false, None, 2),
            naming_rank(true, Some(Platform::M365), 0),
        ];
        assert!(ranks.is_sorted(), "{ranks:?}");
    }

    #[test]
    fn of_two_entries_for_a_role_the_one_with_a_known_assignment_is_kept() {
        let role = |key: &str, privileged, super_admin, hold| HeldRole {
            key: key.into(),
            name: ForeignText::name(key),
            privileged,
            super_admin,
            hold,
            via_group: None,
            ends_at: None,
        };
        let found = distinct_roles(
            vec![
                role("reader", false, false, RoleHold::Permanent),
                role("admin", true, true, RoleHold::Unknown),
                role("admin", true, true, RoleHold::Eligible),
                role("helpdesk", true, false, RoleHold::Unknown),
            ],
            3,
        );
        let keys: Vec<_> = found.iter().map(|role| (role.key.as_str(), role.hold)).collect();
        assert_eq!(
            keys,
            [
                ("admin", RoleHold::Eligible),
                ("helpdesk", RoleHold::Unknown),
                ("reader", RoleHold::Permanent)
            ]
        );
        assert_eq!(distinct_roles(found, 1).len(), 1);
    }

    #[test]
    fn addresses_are_in_lower_case_and_exclude_guest_logins() {
        assert_eq!(
            join_addresses(
                Some("Mara.Holt@Birchworks.example"),
                &["MH@birchworks.example".into()],
                "mara.holt@birchworks.example"
            ),
            ["mara.holt@birchworks.example", "mh@birchworks.example"]
        );
        assert_eq!(
            join_addresses(
                Some("ann@partner.example"),
                &[],
                "ann_partner.example#EXT#@t.example"
            ),
            ["ann@partner.example"]
        );
        assert_eq!(join_addresses(None, &[], "svc-backup"), Vec::<String>::new());
    }
}
