//! Accounts, their last sign-ins, and their authentication methods.

use super::domain::{self, Authentication, Domains};
use crate::{
    m365::wire,
    value::{email, id, time},
};
use std::collections::{HashMap, HashSet};
use watchpost_core::{
    integration::fact::{AccountFacts, Fact, LastActive, MfaFacts},
    value::{
        text::ForeignText,
        word::{AccountKind, AccountStatus, Mfa},
    },
};

/// The authentication methods that are resistant to phishing. Besides these, all certificates are.
const PHISHING_RESISTANT: &[&str] = &[
    "fido2",
    "fido2SecurityKey",
    "macOsSecureEnclaveKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "passKeySynced",
    "windowsHelloForBusiness",
];

/// The beginning of the names of certificates.
const CERTIFICATE: &str = "x509Certificate";
/// A certificate that counts as one factor only.
const SINGLE_FACTOR_CERTIFICATE: &str = "x509CertificateSingleFactor";

/// The authentication methods that are easily taken over or aren't a second factor.
const WEAK_METHODS: &[&str] = &[
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "email",
    "securityQuestion",
    "sms",
    "voice",
    "qrCodePin",
];

/// The other known authentication methods: neither weak nor resistant to phishing.
const OTHER_METHODS: &[&str] = &[
    "deviceBasedPush",
    "hardwareOath",
    "hardwareOneTimePasscode",
    "microsoftAuthenticatorPasswordless",
    "microsoftAuthenticatorPush",
    "softwareOath",
    "softwareOneTimePasscode",
    "temporaryAccessPass",
    "temporaryAccessPassMultiUse",
    "temporaryAccessPassOneTime",
];

/// The worth of an authentication method.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Resistant,
    Medium,
    Weak,
    /// The method is of a kind that isn't known.
    Unknown,
}

fn strength(method: &str) -> Strength {
    if PHISHING_RESISTANT.contains(&method) || method.starts_with(CERTIFICATE) {
        Strength::Resistant
    } else if WEAK_METHODS.contains(&method) {
        Strength::Weak
    } else if OTHER_METHODS.contains(&method) {
        Strength::Medium
    } else {
        Strength::Unknown
    }
}

/// The maximum number of methods kept per account.
pub(super) const METHODS_MAX: usize = 32;
/// The maximum number of aliases kept per account.
const ALIASES_MAX: usize = 50;

/// The service plans with a mailbox, by license (SKU id).
#[derive(Debug, Default)]
pub(in crate::m365) struct MailboxPlans(HashMap<String, HashSet<String>>);

impl MailboxPlans {
    /// Adds a license.
    pub(in crate::m365) fn add(&mut self, sku: &wire::SubscribedSku) {
        let plans = sku.service_plans.iter().flatten().filter(|plan| {
            // The "foundation" plan is part of most licenses and includes no mailbox.
            plan.service_plan_name
                .as_deref()
                .is_some_and(|name| name.starts_with("EXCHANGE_") && name != "EXCHANGE_S_FOUNDATION")
        });
        let ids = plans
            .map(|plan| plan.service_plan_id.clone().unwrap_or_default())
            .collect();
        self.0.insert(sku.sku_id.clone(), ids);
    }

    /// Returns whether an account with these licenses has a mailbox; `None` if that depends on an unknown license.
    pub(super) fn has_mailbox(&self, licenses: &[wire::AssignedLicense]) -> Option<bool> {
        let mut known = true;
        for license in licenses {
            let Some(plans) = license.sku_id.as_ref().and_then(|sku| self.0.get(sku)) else {
                known = false;
                continue;
            };
            let disabled = license.disabled_plans.as_deref().unwrap_or_default();
            if plans
                .iter()
                .any(|plan| plan.is_empty() || !disabled.contains(plan))
            {
                return Some(true);
            }
        }
        known.then_some(false)
    }
}

/// Converts an account. `sign_ins` is whether the rows contain the last sign-in; `mailboxes` is `None` if the licenses
/// could not be read, and `domains` is `None` if the domains could not be read.
pub(in crate::m365) fn account(
    user: &wire::User,
    sign_ins: bool,
    mailboxes: Option<&MailboxPlans>,
    domains: Option<&Domains>,
) -> Option<Fact> {
    let upn = user.user_principal_name.as_deref().unwrap_or_default();
    let invited = upn.contains("#EXT#");
    let guest = match user.user_type.as_deref() {
        Some(kind) => kind.eq_ignore_ascii_case("guest"),
        None => invited,
    };
    let (email, aliases) = addresses(user, upn, invited);
    let pending = user
        .external_user_state
        .as_deref()
        .map(|state| state == "PendingAcceptance");
    let status = match (user.account_enabled, pending) {
        (Some(false), _) => AccountStatus::Suspended,
        (_, Some(true)) => AccountStatus::Pending,
        _ => AccountStatus::Active,
    };
    let name = user
        .display_name
        .as_deref()
        .filter(|name| !name.trim().is_empty())
        .unwrap_or(upn);
    let text = |text: &Option<String>| {
        text.as_deref()
            .map(ForeignText::name)
            .filter(|text| !text.is_empty())
    };
    let place = domain::authentication(upn, guest, domains);
    let policies = user.password_policies.as_ref().map(Option::as_deref);
    let expiry = domain::password_expiry(upn, place, policies, domains);
    let licenses = user.assigned_licenses.as_deref().unwrap_or_default();
    Some(Fact::Account(Box::new(AccountFacts {
        vendor_id: id(&user.id)?,
        login: ForeignText::name(upn),
        email,
        aliases,
        display_name: ForeignText::name(name),
        status,
        status_changed_at: None,
        kind: if guest {
            AccountKind::Guest
        } else {
            AccountKind::Member
        },
        last_active: last_active(user.sign_in_activity.as_ref(), sign_ins),
        created_at: time(user.created_date_time.as_deref()),
        department: text(&user.department),
        title: text(&user.job_title),
        manager_email: None,
        password_never_expires: expiry.never,
        password_expiry_exempt: expiry.exempt,
        password_changed_at: time(user.last_password_change_date_time.as_deref()),
        // Null means that the account was never synced, and false that it isn't any more.
        synced: user.on_premises_sync_enabled.map(|synced| synced == Some(true)),
        on_premises_id: user
            .on_premises_immutable_id
            .as_ref()
            .map(|id| id.as_deref().is_some_and(|id| !id.is_empty())),
        invitation_pending: if guest { pending } else { None },
        mailbox: mailboxes.and_then(|plans| plans.has_mailbox(licenses)),
    })))
}

/// Returns the primary address and the aliases. The login of an invited guest isn't an address, although it looks like one.
fn addresses(user: &wire::User, upn: &str, invited: bool) -> (Option<String>, Vec<String>) {
    let upn_address = if invited { None } else { email(upn) };
    let main = user
        .mail
        .as_deref()
        .and_then(email)
        .or_else(|| upn_address.clone());
    let mut aliases: Vec<String> = Vec::new();
    let proxies = user.proxy_addresses.iter().flatten().filter_map(|address| {
        let (scheme, address) = address.split_once(':')?;
        scheme
            .eq_ignore_ascii_case("smtp")
            .then(|| email(address))
            .flatten()
    });
    // `otherMails` is ignored, because nobody verifies that those addresses belong to the person.
    for alias in upn_address.into_iter().chain(proxies) {
        if main.as_ref() != Some(&alias) && !aliases.contains(&alias) && aliases.len() < ALIASES_MAX {
            aliases.push(alias);
        }
    }
    (main, aliases)
}

/// Returns the last successful sign-in. Where Graph doesn't have it, because it was before December 2023, the later of the
/// other two times, which are those of attempts, successful or not. Graph omits the property for accounts that have never
/// signed in. `known` is whether the property could be read.
pub(super) fn last_active(activity: Option<&wire::SignInActivity>, known: bool) -> LastActive {
    if !known {
        return LastActive::Unknown;
    }
    let last = activity.and_then(|activity| {
        let attempts = [
            &activity.last_sign_in_date_time,
            &activity.last_non_interactive_sign_in_date_time,
        ];
        time(activity.last_successful_sign_in_date_time.as_deref()).or_else(|| {
            attempts
                .into_iter()
                .filter_map(|text| time(text.as_deref()))
                .max()
        })
    });
    last.map_or(LastActive::Never, LastActive::At)
}

/// Converts the authentication methods of an account. `domains` is `None` if the domains could not be read.
///
/// An account that authenticates elsewhere and has no second factor here may have one there, so it is unknown. The methods
/// of an account of a federated domain prove what they are, but not that the other identity provider demands nothing
/// better.
pub(in crate::m365) fn registration(row: &wire::Registration, domains: Option<&Domains>) -> Option<Fact> {
    let methods = row.methods_registered.as_deref().unwrap_or_default();
    let guest = row
        .user_type
        .as_deref()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("guest"));
    let login = row.user_principal_name.as_deref().unwrap_or_default();
    let place = domain::authentication(login, guest, domains);
    // These methods are two factors in one, whatever else is registered.
    let sufficient = methods
        .iter()
        .any(|method| strength(method) == Strength::Resistant && method != SINGLE_FACTOR_CERTIFICATE);
    let mfa = match (row.is_mfa_registered, place) {
        (Some(true), _) => Mfa::On,
        _ if sufficient => Mfa::On,
        (Some(false), Authentication::Here) => Mfa::Off,
        _ => Mfa::Unknown,
    };
    let any = |wanted: Strength| methods.iter().any(|method| strength(method) == wanted);
    let unclear = methods.is_empty() || any(Strength::Unknown) || place == Authentication::Federated;
    Some(Fact::Mfa(MfaFacts {
        account_vendor_id: id(&row.id)?,
        mfa,
        phishing_resistant: match (mfa, any(Strength::Resistant)) {
            (_, true) => Some(true),
            (Mfa::Off, false) => Some(false),
            (Mfa::On, false) if !unclear => Some(false),
            (Mfa::On | Mfa::Unknown, false) => None,
        },
        weak_only: match (mfa, any(Strength::Resistant) || any(Strength::Medium)) {
            (Mfa::Off, _) | (_, true) => Some(false),
            (Mfa::On, false) if !unclear => Some(true),
            (Mfa::On | Mfa::Unknown, false) => None,
        },
        methods: methods
            .iter()
            .take(METHODS_MAX)
            .map(|method| ForeignText::name(method))
            .collect(),
    }))
}
