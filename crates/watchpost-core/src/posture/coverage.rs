//! Coverage of multi-factor authentication and single sign-on over the active people of a workspace. Pure: a
//! store provides the accounts of each person.

use super::{Coverage, CoverageNumbers};
use crate::{
    app::needs_review,
    integration::{
        Integration,
        fact::{Dataset, LastActive},
    },
    value::{
        time::Timestamp,
        word::{AccountKind, AccountStatus, AppPolicy, Mfa, Platform},
    },
};

/// The number of days without activity after which a person is stale.
pub const STALE_AFTER_DAYS: i64 = 30;

/// The status and kind of the accounts of an active person of the organization.
pub const ACTIVE_PERSON: (AccountStatus, AccountKind) = (AccountStatus::Active, AccountKind::Member);

/// An active account of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonAccount {
    /// The account's platform.
    pub platform: Platform,
    /// Whether authentication methods can currently be read on the platform.
    pub mfa_readable: bool,
    /// The last known state of multi-factor authentication; `None` if it was never read.
    pub mfa: Option<Mfa>,
    /// Whether the account has a privileged role.
    pub privileged: bool,
    /// The last activity.
    pub last_active: LastActive,
    /// The time of creation.
    pub created_at: Option<Timestamp>,
}

/// The number of apps with one combination of the values that decide whether they need a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppGroup {
    /// The policy.
    pub policy: AppPolicy,
    /// Whether the platform's vendor made the apps.
    pub first_party: bool,
    /// Whether the apps have grants.
    pub has_grants: bool,
    /// The number of apps.
    pub count: u64,
}

/// Counts people, one at a time.
#[derive(Debug)]
pub struct CoverageTally {
    seen_since: Timestamp,
    sso_known: bool,
    numbers: CoverageNumbers,
}

/// The state of multi-factor authentication over all of a person's accounts, and over those with a privileged
/// role.
#[derive(Debug, Default)]
struct Factors {
    any: Seen,
    admin: Seen,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    on: bool,
    off: bool,
}

impl Factors {
    fn see(&mut self, account: &PersonAccount) {
        if !account.platform.is_identity_provider() {
            return;
        }
        let (on, off) = match account.mfa {
            Some(Mfa::On) => (true, false),
            // A state that can't be read now is unknown, never off.
            Some(Mfa::Off) if account.mfa_readable => (false, true),
            _ => return,
        };
        self.any.add(on, off);
        if account.privileged {
            self.admin.add(on, off);
        }
    }
}

impl Seen {
    fn add(&mut self, on: bool, off: bool) {
        self.on |= on;
        self.off |= off;
    }
    /// Counts a person by their worst account: one account with MFA off makes the person count as off.
    fn count(self, coverage: &mut Coverage) {
        if self.off {
            coverage.off += 1;
        } else if self.on {
            coverage.on += 1;
        } else {
            coverage.unknown += 1;
        }
    }
}

/// Returns whether the use of single sign-on can be determined: an integration with a platform that signs people
/// in to other services is active, and its users have been read.
pub fn is_single_sign_on_known(integrations: &[Integration]) -> bool {
    integrations.iter().any(|row| {
        row.platform.signs_in_elsewhere()
            && row.is_active()
            && row
                .collection(Dataset::Users)
                .is_some_and(|collection| collection.completions > 0)
    })
}

impl CoverageTally {
    /// Creates an empty tally. `integrations` are all integrations of the workspace.
    pub fn new(integrations: &[Integration], now: Timestamp) -> Self {
        Self {
            seen_since: now.plus_days(-STALE_AFTER_DAYS),
            sso_known: is_single_sign_on_known(integrations),
            numbers: CoverageNumbers::default(),
        }
    }

    /// Counts one person by all of their active accounts.
    pub fn add_person(&mut self, accounts: &[PersonAccount]) {
        if accounts.is_empty() {
            return;
        }
        let mut factors = Factors::default();
        for account in accounts {
            factors.see(account);
        }
        factors.any.count(&mut self.numbers.mfa);
        if accounts.iter().any(|account| account.privileged) {
            self.numbers.admins += 1;
            // An administrator is protected by the second factor of the account with the role.
            factors.admin.count(&mut self.numbers.admin_mfa);
        }
        let signs_in = accounts
            .iter()
            .any(|account| account.platform.signs_in_elsewhere());
        match (self.sso_known, signs_in) {
            (false, _) => self.numbers.sso.unknown += 1,
            (true, true) => self.numbers.sso.on += 1,
            (true, false) => self.numbers.sso.off += 1,
        }
        let use_known = accounts
            .iter()
            .any(|account| account.last_active != LastActive::Unknown);
        let used = accounts.iter().any(|account| self.was_used(account));
        self.numbers.stale_accounts += u64::from(use_known && !used);
    }

    /// Counts apps that are in use.
    pub fn add_apps(&mut self, group: AppGroup) {
        if needs_review(group.policy, group.first_party, group.has_grants) {
            self.numbers.unreviewed_apps += group.count;
        }
    }

    /// Returns the numbers.
    pub const fn finish(self) -> CoverageNumbers {
        self.numbers
    }

    /// A new account counts as used, since its owner had no time to use it yet.
    fn was_used(&self, account: &PersonAccount) -> bool {
        let since = |at: Timestamp| at >= self.seen_since;
        matches!(account.last_active, LastActive::At(at) if since(at))
            || account.created_at.is_some_and(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integration::testing::{collected, integration};

    const NOW: Timestamp = Timestamp::from_millis(100 * crate::value::time::DAY_MS);

    fn account(platform: Platform, mfa: Option<Mfa>, privileged: bool) -> PersonAccount {
        PersonAccount {
            platform,
            mfa_readable: true,
            mfa,
            privileged,
            last_active: LastActive::Unknown,
            created_at: None,
        }
    }

    fn counted(accounts: &[PersonAccount]) -> CoverageNumbers {
        let mut tally = CoverageTally::new(&[], NOW);
        tally.add_person(accounts);
        tally.finish()
    }

    fn of(coverage: Coverage) -> &'static str {
        match (coverage.on, coverage.off, coverage.unknown) {
            (1, 0, 0) => "on",
            (0, 1, 0) => "off",
            (0, 0, 1) => "unknown",
            (0, 0, 0) => "nobody",
            _ => "more",
        }
    }

    #[test]
    fn a_person_counts_by_their_worst_account_at_an_identity_provider() {
        use Platform::{Github, M365, Okta};
        let mut unreadable = account(M365, Some(Mfa::Off), true);
        unreadable.mfa_readable = false;
        let mut still_on = account(M365, Some(Mfa::On), true);
        still_on.mfa_readable = false;
        for (accounts, mfa, admin) in [
            (vec![account(M365, Some(Mfa::On), false)], "on", "nobody"),
            (vec![account(M365, Some(Mfa::Off), false)], "off", "nobody"),
            (
                vec![account(M365, Some(Mfa::Unknown), false)],
                "unknown",
                "nobody",
            ),
            (vec![account(M365, None, true)], "unknown", "unknown"),
            (vec![account(Github, Some(Mfa::Off), true)], "unknown", "unknown"),
            (vec![unreadable], "unknown", "unknown"),
            (vec![still_on], "on", "on"),
            (
                vec![
                    account(M365, Some(Mfa::On), true),
                    account(Okta, Some(Mfa::Off), false),
                ],
                "off",
                "on",
            ),
            (
                vec![
                    account(M365, Some(Mfa::On), false),
                    account(Okta, Some(Mfa::Off), true),
                ],
                "off",
                "off",
            ),
        ] {
            let numbers = counted(&accounts);
            assert_eq!(
                (of(numbers.mfa), of(numbers.admin_mfa)),
                (mfa, admin),
                "{accounts:?}"
            );
            let admins = u64::from(accounts.iter().any(|account| account.privileged));
            assert_eq!(numbers.admins, admins);
        }
    }

    #[test]
    fn single_sign_on_is_known_if_a_provider_for_other_services_was_read() {
        use Platform::{M365, Okta};
        let none = integration(M365);
        let provider = |completions| {
            let mut okta = integration(Okta);
            okta.collections.push(collected(Dataset::Users, completions));
            okta
        };
        let mut paused = provider(1);
        paused.status = crate::value::word::IntegrationStatus::Paused;
        for (integrations, platform, expected) in [
            (vec![none.clone()], M365, "unknown"),
            (vec![none.clone(), provider(0)], M365, "unknown"),
            (vec![none.clone(), paused], Okta, "unknown"),
            (vec![none.clone(), provider(1)], M365, "off"),
            (vec![none, provider(1)], Okta, "on"),
        ] {
            let mut tally = CoverageTally::new(&integrations, NOW);
            tally.add_person(&[account(platform, None, false)]);
            assert_eq!(of(tally.finish().sso), expected, "{platform}");
        }
    }

    #[test]
    fn a_person_is_stale_if_their_last_known_activity_is_over_thirty_days_ago_everywhere() {
        let day = |n: i64| NOW.plus_days(-n);
        let with = |last_active, created_at| PersonAccount {
            last_active,
            created_at,
            ..account(Platform::Okta, None, false)
        };
        for (accounts, stale) in [
            (vec![with(LastActive::Unknown, None)], 0),
            (vec![with(LastActive::Never, None)], 1),
            (vec![with(LastActive::Never, Some(day(5)))], 0),
            (vec![with(LastActive::Never, Some(day(31)))], 1),
            (vec![with(LastActive::At(day(30)), None)], 0),
            (vec![with(LastActive::At(day(31)), None)], 1),
            (
                vec![
                    with(LastActive::At(day(31)), None),
                    with(LastActive::At(day(1)), None),
                ],
                0,
            ),
            (
                vec![
                    with(LastActive::At(day(31)), None),
                    with(LastActive::Unknown, None),
                ],
                1,
            ),
            (Vec::new(), 0),
        ] {
            assert_eq!(counted(&accounts).stale_accounts, stale, "{accounts:?}");
        }
    }

    #[test]
    fn third_party_apps_without_a_policy_need_a_review() {
        for (policy, first_party, has_grants, expected) in [
            (AppPolicy::None, false, true, 3),
            (AppPolicy::None, false, false, 0),
            (AppPolicy::None, true, true, 0),
            (AppPolicy::Sanctioned, false, true, 0),
            (AppPolicy::Blocked, false, true, 0),
        ] {
            let mut tally = CoverageTally::new(&[], NOW);
            tally.add_apps(AppGroup {
                policy,
                first_party,
                has_grants,
                count: 3,
            });
            assert_eq!(tally.finish().unreviewed_apps, expected, "{policy} {first_party}");
        }
    }
}
