//! Accounts, their last sign-ins, and their authentication methods.

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

/// The authentication methods that are resistant to phishing.
const PHISHING_RESISTANT: &[&str] = &[
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "windowsHelloForBusiness",
];

/// The authentication methods that are easily taken over or aren't a second factor.
const WEAK_METHODS: &[&str] = &[
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "email",
    "securityQuestion",
];

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
/// could not be read.
pub(in crate::m365) fn account(
    user: &wire::User,
    sign_ins: bool,
    mailboxes: Option<&MailboxPlans>,
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
    let policies = user.password_policies.as_deref();
    let on_premises_id = user.on_premises_immutable_id.as_deref();
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
        // Null means that no policy is set.
        password_never_expires: Some(
            policies.is_some_and(|policies| policies.contains("DisablePasswordExpiration")),
        ),
        password_changed_at: time(user.last_password_change_date_time.as_deref()),
        // Null means that the account was never synced.
        synced: Some(user.on_premises_sync_enabled == Some(true)),
        on_premises_id: Some(on_premises_id.is_some_and(|id| !id.is_empty())),
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

/// Returns the latest of the three times. Graph omits the property for accounts that have never signed in. `known` is
/// whether the property could be read.
pub(super) fn last_active(activity: Option<&wire::SignInActivity>, known: bool) -> LastActive {
    if !known {
        return LastActive::Unknown;
    }
    let latest = activity.and_then(|activity| {
        [
            &activity.last_sign_in_date_time,
            &activity.last_non_interactive_sign_in_date_time,
            &activity.last_successful_sign_in_date_time,
        ]
        .into_iter()
        .filter_map(|text| time(text.as_deref()))
        .max()
    });
    latest.map_or(LastActive::Never, LastActive::At)
}

/// Converts the authentication methods of an account.
pub(in crate::m365) fn registration(row: &wire::Registration) -> Option<Fact> {
    let methods = row.methods_registered.as_deref().unwrap_or_default();
    let mfa = match row.is_mfa_registered {
        Some(true) => Mfa::On,
        Some(false) => Mfa::Off,
        None => Mfa::Unknown,
    };
    let among = |list: &[&str], method: &String| list.contains(&method.as_str());
    Some(Fact::Mfa(MfaFacts {
        account_vendor_id: id(&row.id)?,
        mfa,
        phishing_resistant: methods.iter().any(|method| among(PHISHING_RESISTANT, method)),
        weak_only: mfa == Mfa::On
            && !methods.is_empty()
            && methods.iter().all(|method| among(WEAK_METHODS, method)),
        methods: methods
            .iter()
            .take(METHODS_MAX)
            .map(|method| ForeignText::name(method))
            .collect(),
    }))
}
