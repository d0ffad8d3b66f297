//! The conversion of Okta's data into facts. The functions are pure; they return `None` for a row that can't be used.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use super::wire;
use crate::value::{duration_ms, email, enum_value, id, time};
use watchpost_core::{
    integration::fact::{AccountFacts, AppFacts, Fact, GrantFacts, LastActive, MfaFacts, RoleFacts},
    value::{
        text::ForeignText,
        time::Timestamp,
        word::{AccountKind, AccountStatus, GrantKind, GrantRisk, Mfa, RoleHold, TokenNetwork},
    },
};

/// The role with all permissions.
const SUPER_ADMIN: &str = "SUPER_ADMIN";

/// The roles with which an org can be taken over.
const PRIVILEGED_ROLES: &[&str] = &[SUPER_ADMIN, "ORG_ADMIN", "APP_ADMIN"];

/// The factors that are resistant to phishing.
const PHISHING_RESISTANT: &[&str] = &["webauthn", "u2f", "signed_nonce"];

/// The factors that are easily taken over or aren't a second factor.
const WEAK_FACTORS: &[&str] = &["sms", "call", "email", "question"];

/// The types in Okta's list of factors that aren't a second factor.
const NOT_SECOND_FACTORS: &[&str] = &["question", "email"];

/// The template names of Okta's own apps.
const FIRST_PARTY_APPS: &[&str] = &[
    "saasure",
    "okta_enduser",
    "okta_browser_plugin",
    "flow",
    "okta_iga",
    "okta_flow_sso",
];

/// The states of factors that can't be used yet or any longer. `ENROLLED` isn't among them: it doesn't tell whether the
/// factor can be used.
const INACTIVE_STATES: &[&str] = &[
    "PENDING_ACTIVATION",
    "NOT_SETUP",
    "EXPIRED",
    "INACTIVE",
    "DISABLED",
];

/// The other known factors: neither weak nor resistant to phishing.
const OTHER_FACTORS: &[&str] = &[
    "push",
    "token",
    "token:hardware",
    "token:hotp",
    "token:software:totp",
    "web",
];

/// The states of an assignment in which the account has no access to the app: its user in the app is disabled or removed,
/// isn't active yet, waits for somebody's decision, or was imported and isn't matched with the account.
const NO_ACCESS_STATES: &[&str] = &[
    "APPROVED",
    "DEPROVISIONED",
    "IMPORTED",
    "INACTIVE",
    "PENDING",
    "REVOKED",
    "SUSPENDED",
    "UNASSIGNED",
];

/// The time after the creation of a token within which its expiry may first be set, in milliseconds.
const CREATION_MS: i64 = 1_000;
/// The maximum number of factors kept per account.
const METHODS_MAX: usize = 32;

/// Converts the status of an account. An unknown status counts as active, so that no account is treated as removed by
/// mistake.
fn status(text: Option<&str>) -> AccountStatus {
    match text {
        Some("STAGED" | "PROVISIONED") => AccountStatus::Pending,
        Some("SUSPENDED") => AccountStatus::Suspended,
        Some("DEPROVISIONED") => AccountStatus::Deprovisioned,
        // This includes RECOVERY, LOCKED_OUT and PASSWORD_EXPIRED.
        _ => AccountStatus::Active,
    }
}

/// Converts an account. Returns it with whether its factors should be read.
pub(super) fn account(user: &wire::User) -> Option<(Fact, bool)> {
    let vendor_id = id(&user.id)?;
    let empty = wire::Profile::default();
    let profile = user.profile.as_ref().unwrap_or(&empty);
    let login = profile.login.as_deref().unwrap_or_default();
    let login_address = email(login);
    let main = profile
        .email
        .as_deref()
        .and_then(email)
        .or_else(|| login_address.clone());
    // `secondEmail` is ignored, because users enter it themselves.
    let aliases = login_address
        .filter(|address| main.as_ref() != Some(address))
        .into_iter()
        .collect();
    let status = status(user.status.as_deref());
    let service = profile
        .user_type
        .as_deref()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("service"));
    let text = |text: &Option<String>| {
        text.as_deref()
            .map(ForeignText::name)
            .filter(|text| !text.is_empty())
    };
    let fact = Fact::Account(Box::new(AccountFacts {
        vendor_id,
        login: ForeignText::name(login),
        email: main,
        aliases,
        display_name: display_name(profile, login),
        status,
        status_changed_at: time(user.status_changed.as_deref()),
        kind: if service {
            AccountKind::Service
        } else {
            AccountKind::Member
        },
        last_active: time(user.last_login.as_deref()).map_or(LastActive::Never, LastActive::At),
        created_at: time(user.created.as_deref()),
        department: text(&profile.department),
        title: text(&profile.title),
        manager_email: [&profile.manager_id, &profile.manager]
            .into_iter()
            .find_map(|text| email(text.as_deref()?)),
        password_never_expires: None,
        password_expiry_exempt: None,
        password_changed_at: time(user.password_changed.as_deref()),
        synced: provider(user).map(|kind| matches!(kind, "ACTIVE_DIRECTORY" | "LDAP")),
        on_premises_id: None,
        invitation_pending: None,
        mailbox: None,
    }));
    Some((fact, status == AccountStatus::Active))
}

fn display_name(profile: &wire::Profile, login: &str) -> ForeignText {
    let part = |text: &Option<String>| {
        text.as_deref()
            .map(ForeignText::name)
            .filter(|text| !text.is_empty())
    };
    if let Some(name) = part(&profile.display_name) {
        return name;
    }
    let whole = format!(
        "{} {}",
        profile.first_name.as_deref().unwrap_or_default(),
        profile.last_name.as_deref().unwrap_or_default()
    );
    let whole = ForeignText::name(&whole);
    if whole.is_empty() {
        ForeignText::name(login)
    } else {
        whole
    }
}

/// The limits of what an account's list of factors proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FactorLimits {
    /// Whether another identity provider authenticates the account.
    pub(super) elsewhere: bool,
    /// Whether the list may lack factors that the account has enrolled.
    pub(super) incomplete: bool,
}

/// Whether another identity provider authenticates an account. Okta then has neither its password nor, necessarily, its
/// second factor.
pub(super) fn authenticates_elsewhere(user: &wire::User) -> bool {
    matches!(provider(user), Some("FEDERATION" | "SOCIAL"))
}

fn provider(user: &wire::User) -> Option<&str> {
    let credentials = user.credentials.as_ref()?;
    credentials.provider.as_ref()?.kind.as_deref()
}

/// Whether lists of factors may lack enrolled factors: Okta lists those that the enrollment policy for the network of the
/// *asking* client allows, so a rule that depends on the network can hide some. `policies` are the enrollment policies with
/// their rules; `None` if they could not be read.
pub(super) fn lists_may_lack_factors(policies: Option<&[wire::EnrollmentPolicy]>) -> bool {
    let Some(policies) = policies else {
        return true;
    };
    let active = |status: Option<&str>| status != Some("INACTIVE");
    policies
        .iter()
        .filter(|policy| active(policy.status.as_deref()))
        .flat_map(|policy| policy.rules.iter().flatten())
        .filter(|rule| active(rule.status.as_deref()))
        .any(|rule| {
            let conditions = rule.conditions.as_ref();
            conditions
                .and_then(|conditions| conditions.network.as_ref()?.connection.as_deref())
                .is_some_and(|connection| connection != "ANYWHERE")
        })
}

/// Converts the factors of an account.
pub(super) fn mfa(account: &str, factors: &[wire::Factor], limits: FactorLimits) -> Fact {
    let active: Vec<&str> = factors
        .iter()
        .filter(|factor| factor.status.as_deref() == Some("ACTIVE"))
        .map(|factor| factor.factor_type.as_str())
        .collect();
    let resistant = active.iter().any(|kind| PHISHING_RESISTANT.contains(kind));
    let strong = resistant || active.iter().any(|kind| OTHER_FACTORS.contains(kind));
    let on = strong
        || active
            .iter()
            .any(|kind| WEAK_FACTORS.contains(kind) && !NOT_SECOND_FACTORS.contains(kind));
    // A factor in an unknown state may be active, and an active factor of an unknown kind may be anything.
    let unclear = limits.elsewhere
        || limits.incomplete
        || factors.iter().any(|factor| match factor.status.as_deref() {
            Some("ACTIVE") => {
                let kind = factor.factor_type.as_str();
                ![PHISHING_RESISTANT, WEAK_FACTORS, OTHER_FACTORS]
                    .iter()
                    .any(|known| known.contains(&kind))
            }
            Some(state) => !INACTIVE_STATES.contains(&state),
            None => true,
        });
    let known = |value: bool, certain: bool| (certain || !unclear).then_some(value);
    Fact::Mfa(MfaFacts {
        account_vendor_id: account.to_owned(),
        mfa: match (on, unclear) {
            (true, _) => Mfa::On,
            (false, true) => Mfa::Unknown,
            (false, false) => Mfa::Off,
        },
        phishing_resistant: known(resistant, resistant),
        weak_only: known(on && !strong, strong),
        methods: active
            .iter()
            .take(METHODS_MAX)
            .map(|kind| ForeignText::name(kind))
            .collect(),
    })
}

/// Returns the fact for an account whose factors could not be read.
pub(super) fn mfa_unknown(account: &str) -> Fact {
    Fact::Mfa(MfaFacts {
        account_vendor_id: account.to_owned(),
        mfa: Mfa::Unknown,
        methods: Vec::new(),
        phishing_resistant: None,
        weak_only: None,
    })
}

/// Converts a role of an account. The inner `None` is a valid row whose role is inactive.
pub(super) fn role(account: &str, row: &wire::Role) -> Option<Option<Fact>> {
    if row.status.as_deref() == Some("INACTIVE") {
        return Some(None);
    }
    let assignment = id(&row.id)?;
    let kind = enum_value(&row.kind)?;
    // All custom roles have the same type, so their ids are added.
    let key = match row.role.as_deref().and_then(id) {
        Some(role) if kind == "CUSTOM" => format!("CUSTOM:{role}"),
        _ => kind,
    };
    let through_group = row.assignment_type.as_deref() == Some("GROUP");
    Some(Some(Fact::Role(RoleFacts {
        // A role through a group has the same id for all members of the group.
        vendor_id: format!("{account}:{assignment}"),
        principal_vendor_id: account.to_owned(),
        privileged: PRIVILEGED_ROLES.contains(&key.as_str()),
        super_admin: key == SUPER_ADMIN,
        role_name: ForeignText::name(row.label.as_deref().unwrap_or(&key)),
        role_key: key,
        hold: RoleHold::Permanent,
        // The row doesn't contain the group's name.
        via_group: through_group.then(|| ForeignText::name("a group")),
        ends_at: None,
    })))
}

/// Converts an app.
pub(super) fn app(row: &wire::App) -> Option<Fact> {
    let vendor_id = id(&row.id)?;
    let template = row.name.as_deref().unwrap_or_default();
    let client_id = row
        .credentials
        .as_ref()
        .and_then(|credentials| id(credentials.oauth_client.as_ref()?.client_id.as_deref()?));
    let label = row.label.as_deref().filter(|label| !label.trim().is_empty());
    let own = template == "oidc_client";
    Some(Fact::App(Box::new(AppFacts {
        name: ForeignText::name(label.or(row.name.as_deref()).unwrap_or(&vendor_id)),
        vendor_id,
        client_id,
        publisher: None,
        publisher_verified: None,
        first_party: FIRST_PARTY_APPS.contains(&template),
        own_registration: own.then_some(true),
        enabled: row.status.as_deref() != Some("INACTIVE"),
        created_at: time(row.created.as_deref()),
        sign_on_mode: row.sign_on_mode.as_deref().and_then(enum_value),
        deprovisioning: row
            .features
            .as_ref()
            .map(|features| features.iter().any(|feature| feature == "PUSH_USER_DEACTIVATION")),
        credentials: Vec::new(),
    })))
}

/// Converts the assignment of an app to an account. The inner `None` is a valid row that gives the account no access. An
/// unknown state counts as access, so that none is overlooked.
pub(super) fn assignment(app: &str, row: &wire::AppUser) -> Option<Option<Fact>> {
    let account = id(&row.id)?;
    if row
        .status
        .as_deref()
        .is_some_and(|state| NO_ACCESS_STATES.contains(&state))
    {
        return Some(None);
    }
    Some(Some(Fact::Grant(Box::new(GrantFacts {
        vendor_id: format!("{app}:{account}"),
        app_vendor_id: Some(app.to_owned()),
        account_vendor_id: Some(account),
        kind: GrantKind::SsoAssignment,
        name: None,
        scopes: Vec::new(),
        risk: GrantRisk::Low,
        created_at: time(row.created.as_deref()),
        last_used: LastActive::Unknown,
        expires_at: None,
        never_expires: false,
        network: None,
    }))))
}

/// Converts an API token. It has all permissions of its owner, who is an administrator.
///
/// Okta's tokens always expire: each use moves the expiry to the end of the token's window. So the last use was one window
/// before the expiry. A token without an expiry is one of which that isn't known.
pub(super) fn token(row: &wire::ApiToken) -> Option<Fact> {
    let expires_at = time(row.expires_at.as_deref());
    let created_at = time(row.created.as_deref());
    Some(Fact::Grant(Box::new(GrantFacts {
        vendor_id: id(&row.id)?,
        app_vendor_id: None,
        account_vendor_id: Some(id(row.user_id.as_deref()?)?),
        kind: GrantKind::Token,
        name: row
            .name
            .as_deref()
            .map(ForeignText::name)
            .filter(|name| !name.is_empty()),
        scopes: Vec::new(),
        risk: GrantRisk::High,
        created_at,
        last_used: token_use(created_at, expires_at, row.token_window.as_deref()),
        never_expires: false,
        expires_at,
        network: row
            .network
            .as_ref()
            .and_then(|network| match network.connection.as_deref()? {
                "ANYWHERE" => Some(TokenNetwork::Anywhere),
                "ZONE" => Some(TokenNetwork::Restricted),
                _ => None,
            }),
    })))
}

/// Returns the last use of a token whose expiry moves with each use. The expiry of a new token is one window after its
/// creation, which isn't a use.
fn token_use(created: Option<Timestamp>, expires: Option<Timestamp>, window: Option<&str>) -> LastActive {
    let (Some(expires), Some(window_ms)) = (expires, window.and_then(duration_ms)) else {
        return LastActive::Unknown;
    };
    let Some(used_ms) = expires.as_millis().checked_sub(window_ms) else {
        return LastActive::Unknown;
    };
    match created {
        Some(created) if used_ms <= created.as_millis().saturating_add(CREATION_MS) => LastActive::Never,
        _ => LastActive::At(Timestamp::from_millis(used_ms)),
    }
}

#[cfg(test)]
#[expect(clippy::panic, reason = "a panic in a table test is a failure")]
mod tests;
