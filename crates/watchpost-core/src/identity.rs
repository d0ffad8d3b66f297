//! Identities: the people and machines behind accounts, and how accounts are joined to them.

use crate::{
    access::{Audited, AuthorizedWrite, Command, Permission, WorkspaceScope},
    app::AppRef,
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

/// Rows of one kind that a look-up shows at the most; more are counted.
pub const SHOWN_MAX: usize = 50;

/// A person or machine with everything that a look-up shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// The main address, lower case.
    pub email: Option<String>,
    /// All addresses that lead to it, lower case, the main one first.
    pub emails: Vec<String>,
    /// The displayed name.
    pub display_name: ForeignText,
    /// What kind of principal.
    pub kind: AccountKind,
    /// Declared by the operator as an account for emergencies.
    pub break_glass: bool,
    /// Its accounts that aren't retired, by platform.
    pub accounts: Vec<Account>,
}

/// One login on one integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// On which integration.
    pub integration: IntegrationId,
    /// Of which platform.
    pub platform: Platform,
    /// The integration's name.
    pub integration_name: ForeignText,
    /// What is typed to sign in.
    pub login: ForeignText,
    /// State at the vendor.
    pub status: AccountStatus,
    /// Kind.
    pub kind: AccountKind,
    /// Second factors, as this platform sees them.
    pub mfa: Mfa,
    /// The registered methods.
    pub mfa_methods: Vec<ForeignText>,
    /// Last use as this platform saw it.
    pub last_active: LastActive,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Department.
    pub department: Option<ForeignText>,
    /// Job title.
    pub title: Option<ForeignText>,
    /// Manager.
    pub manager_email: Option<String>,
    /// Roles held, privileged first, at most [`SHOWN_MAX`].
    pub roles: Vec<Role>,
    /// Apps and tokens with permissions from this account, worst first, at most [`SHOWN_MAX`].
    pub grants: Vec<Grant>,
    /// How many grants there are in all.
    pub grants_total: u64,
}

/// A role held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its displayed name.
    pub name: ForeignText,
    /// Whether it is privileged.
    pub privileged: bool,
    /// How it is held.
    pub hold: RoleHold,
}

/// A permission given to an app, or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The app; `None` for a token of no app.
    pub app: Option<AppRef>,
    /// The token's name.
    pub name: Option<ForeignText>,
    /// How it was given.
    pub kind: GrantKind,
    /// The permissions, at most 64.
    pub scopes: Vec<ForeignText>,
    /// Their worst risk.
    pub risk: GrantRisk,
    /// Last use.
    pub last_used: LastActive,
}

/// Identities' port.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// The identity that an address leads to. `email` is compared in lower case.
    async fn identity_by_email(
        &self,
        scope: &WorkspaceScope,
        email: &str,
    ) -> Result<Option<Identity>, StoreError>;
    /// The identity with an id.
    async fn identity(&self, scope: &WorkspaceScope, id: IdentityId) -> Result<Option<Identity>, StoreError>;
    /// How many identities have an account that isn't retired.
    async fn count_identities(&self, scope: &WorkspaceScope) -> Result<u64, StoreError>;
    /// Documents for the rules, by id, after `after`, at most `limit`. A long read: may run on another thread.
    async fn identity_documents(
        &self,
        scope: &WorkspaceScope,
        after: Option<IdentityId>,
        limit: usize,
    ) -> Result<Vec<IdentityDocument>, StoreError>;
    /// Tags or untags an emergency account. Enqueues an analysis.
    async fn tag_break_glass(
        &self,
        write: AuthorizedWrite<TagBreakGlass>,
    ) -> Result<Audited<TagOutcome>, StoreError>;
}

/// Tag an emergency account.
#[derive(Debug)]
pub struct TagBreakGlass {
    /// Whom.
    pub id: IdentityId,
    /// Set or clear.
    pub tagged: bool,
    /// The analysis job to enqueue.
    pub analysis: crate::value::id::JobId,
    /// When.
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

/// What came of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagOutcome {
    /// Set as asked.
    Changed,
    /// It was so already.
    Unchanged,
    /// There is no such identity.
    NotFound,
}

/// Decides a tag. `current`: whether it is tagged, if there is such an identity.
pub const fn decide_tag(current: Option<bool>, wanted: bool) -> TagOutcome {
    match current {
        None => TagOutcome::NotFound,
        Some(tagged) if tagged == wanted => TagOutcome::Unchanged,
        Some(_) => TagOutcome::Changed,
    }
}

impl TagOutcome {
    /// How the audit entry ends.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Changed => AuditOutcome::Ok,
            Self::Unchanged => AuditOutcome::Unchanged,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// The tag for emergencies, and when a person last set or cleared it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakGlassTag {
    /// Whether it is set.
    pub tagged: bool,
    /// When that was decided; `None` if never.
    pub at: Option<Timestamp>,
}

/// The tag of two identities that become one: set if either had it.
pub fn merge_tags(one: BreakGlassTag, other: BreakGlassTag) -> BreakGlassTag {
    BreakGlassTag {
        tagged: one.tagged || other.tagged,
        at: one.at.max(other.at),
    }
}

/// Where an account stands among those that could give an identity its name, main address and kind; the least does:
/// accounts that aren't retired before others, identity providers before other platforms, then the one that was there
/// first (`order`). An unknown platform (`None`) is no identity provider.
pub fn naming_rank(retired: bool, platform: Option<Platform>, order: i64) -> (bool, bool, i64) {
    let provider = platform.is_some_and(Platform::is_identity_provider);
    (retired, !provider, order)
}

/// A role held by a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRole {
    /// The vendor's key of the role.
    pub key: String,
    /// Its displayed name.
    pub name: ForeignText,
    /// Whether it is privileged.
    pub privileged: bool,
    /// Whether it is the platform's highest.
    pub super_admin: bool,
    /// How it is held.
    pub hold: RoleHold,
    /// The group through which it is held.
    pub via_group: Option<ForeignText>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
}

/// The roles of a principal, highest first, at most `limit`. Where two datasets tell of the same role, the one that
/// knows how it is held wins.
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

/// What joining an account to the known identities decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// Nobody is known by these addresses: a new identity.
    New,
    /// It belongs to this one.
    Existing(IdentityId),
    /// Its addresses lead to several identities: they are one. The oldest id stays.
    Merge {
        /// The identity that stays.
        keep: IdentityId,
        /// Those that are merged into it.
        absorb: Vec<IdentityId>,
    },
}

/// Joins an account. `current` is the identity that the account already has; `by_address` are the identities that
/// its addresses lead to. Ids are time-ordered, so the smallest is the oldest.
///
/// An account never loses its identity here: an address that moved to another person joins the two, which an
/// administrator can see and undo, rather than silently handing one person's history to another.
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

/// The addresses by which an account is joined: its address and aliases, and its login where that is an address.
/// Lower case, without repeats. Shared mailboxes and services join like people: by their own address.
pub fn join_addresses(email: Option<&str>, aliases: &[String], login: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |raw: &str| {
        if let Some(address) = normal_address(raw)
            && !out.contains(&address)
        {
            out.push(address);
        }
    };
    if let Some(email) = email {
        add(email);
    }
    // A guest's login (`name_partner.example#EXT#@tenant`) is no address of anybody.
    if !login.contains('#') {
        add(login);
    }
    for alias in aliases.iter().take(16) {
        add(alias);
    }
    out
}

/// An address in the form in which addresses are compared: trimmed and lower case; `None` if it can't be one.
pub fn normal_address(raw: &str) -> Option<String> {
    let raw = raw.trim();
    let (local, domain) = raw.rsplit_once('@')?;
    let fits = !local.is_empty()
        && domain.contains('.')
        && raw.len() <= 320
        && !raw.contains(char::is_whitespace)
        && !raw.chars().any(char::is_control);
    fits.then(|| raw.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> IdentityId {
        IdentityId::from_bytes([n; 16])
    }

    #[test]
    fn accounts_join_by_address_and_the_oldest_identity_stays() {
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
    fn a_tag_survives_a_merge_and_is_set_once() {
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
    fn the_first_account_at_an_identity_provider_gives_the_name() {
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
    fn of_two_tellings_of_a_role_the_one_that_knows_more_wins() {
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
    fn addresses_are_compared_in_lower_case_and_guest_logins_are_none() {
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
