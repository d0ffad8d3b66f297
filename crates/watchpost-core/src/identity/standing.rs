//! The facts about a person over all accounts.

use super::{Account, Identity};
use crate::{
    integration::fact::LastActive,
    value::{
        time::Timestamp,
        word::{AccountStatus, Mfa, Platform},
    },
};

/// The platforms that report whether a person has a second factor. Platforms may disagree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MfaReports {
    /// The platforms with an account without a second factor.
    pub off: Vec<Platform>,
    /// The platforms with an account with a second factor.
    pub on: Vec<Platform>,
}

impl MfaReports {
    /// Returns whether the person has a second factor: `off` if any account has none.
    pub fn value(&self) -> Mfa {
        match (self.off.is_empty(), self.on.is_empty()) {
            (false, _) => Mfa::Off,
            (true, false) => Mfa::On,
            (true, true) => Mfa::Unknown,
        }
    }
    /// Returns the platforms that report [`Self::value`].
    pub fn sources(&self) -> &[Platform] {
        if self.off.is_empty() { &self.on } else { &self.off }
    }
}

impl Identity {
    /// Returns the status of the most active account: a person who can still sign in anywhere is active.
    pub fn status(&self) -> AccountStatus {
        let order = [
            AccountStatus::Active,
            AccountStatus::Pending,
            AccountStatus::Suspended,
        ];
        order
            .into_iter()
            .find(|status| self.accounts.iter().any(|account| account.status == *status))
            .unwrap_or(AccountStatus::Deprovisioned)
    }

    /// Returns what the deciding accounts report about a second factor.
    pub fn mfa(&self) -> MfaReports {
        let known = self.deciding_accounts(|account| account.mfa != Mfa::Unknown);
        let platforms = |value| {
            let mut platforms: Vec<Platform> = known
                .iter()
                .filter(|account| account.mfa == value)
                .map(|account| account.platform)
                .collect();
            platforms.sort_unstable();
            platforms.dedup();
            platforms
        };
        MfaReports {
            off: platforms(Mfa::Off),
            on: platforms(Mfa::On),
        }
    }

    /// Returns the latest sign-in, from an identity provider if one reports it, and its platform.
    pub fn last_login(&self) -> (LastActive, Option<Platform>) {
        let seen = self.deciding_accounts(|account| signed_in_at(account).is_some());
        if let Some(latest) = seen.into_iter().max_by_key(|account| signed_in_at(account)) {
            return (latest.last_active, Some(latest.platform));
        }
        let is_unused = |account: &Account| account.last_active == LastActive::Never;
        let never = !self.accounts.is_empty() && self.accounts.iter().all(is_unused);
        let known = if never {
            LastActive::Never
        } else {
            LastActive::Unknown
        };
        (known, None)
    }

    /// Returns the platforms of the accounts, each once.
    pub fn platforms(&self) -> Vec<Platform> {
        let mut platforms: Vec<Platform> = self.accounts.iter().map(|account| account.platform).collect();
        platforms.dedup();
        platforms
    }

    /// Returns the accounts that decide a value, out of those that report it: accounts at identity providers before others,
    /// and deprovisioned accounts only if there are no others.
    fn deciding_accounts(&self, reports: impl Fn(&Account) -> bool) -> Vec<&Account> {
        let all = || self.accounts.iter().filter(|account| reports(account));
        let is_live = |account: &&Account| account.status != AccountStatus::Deprovisioned;
        let is_provider = |account: &&Account| account.platform.is_identity_provider();
        let by_preference: [Vec<&Account>; 3] = [
            all().filter(is_live).filter(is_provider).collect(),
            all().filter(is_live).collect(),
            all().collect(),
        ];
        by_preference
            .into_iter()
            .find(|accounts| !accounts.is_empty())
            .unwrap_or_default()
    }
}

const fn signed_in_at(account: &Account) -> Option<Timestamp> {
    match account.last_active {
        LastActive::At(at) => Some(at),
        LastActive::Never | LastActive::Unknown => None,
    }
}
