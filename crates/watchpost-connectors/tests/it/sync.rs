//! Tests of complete syncs of the fixture company.

use crate::support::Rig;
use std::collections::{BTreeMap, HashSet};
use watchpost_core::{
    integration::fact::{Dataset, LastActive},
    value::word::{
        AccountKind, AccountStatus, CollectionState, GrantKind, GrantRisk, Mfa, Platform, RoleHold,
        TokenNetwork,
    },
};
use watchpost_simulator::{Company, Vendor};

#[tokio::test]
async fn a_sync_of_m365_reads_every_dataset() {
    let rig = Rig::start().await;
    let outcome = rig.sync(Platform::M365).await;
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.incomplete(), []);

    let accounts = outcome.accounts();
    let ids: HashSet<&str> = accounts
        .iter()
        .map(|account| account.vendor_id.as_str())
        .collect();
    assert_eq!(ids.len(), accounts.len(), "accounts are unique");
    assert_eq!(outcome.collections[&Dataset::Users].rows, accounts.len() as u64);
    assert!(accounts.len() > 500, "{}", accounts.len());
    assert!(accounts.iter().any(|account| account.kind == AccountKind::Guest));
    assert!(
        accounts
            .iter()
            .any(|account| account.status == AccountStatus::Suspended)
    );
    assert!(
        accounts
            .iter()
            .any(|account| account.invitation_pending == Some(true))
    );
    assert!(accounts.iter().any(|account| account.mailbox == Some(true)));
    assert!(accounts.iter().any(|account| account.mailbox == Some(false)));
    assert!(
        accounts
            .iter()
            .all(|account| account.last_active != LastActive::Unknown)
    );
    let mara = outcome.account("mara.holt@birchworks.example");
    assert_eq!(mara.display_name.untrusted(), "Mara Holt");
    assert_eq!(
        mara.department.as_ref().map(|text| text.untrusted()),
        Some("Finance")
    );
    assert_eq!(mara.aliases, ["m.holt@birchworks.example"]);
    // The domain's policy holds for her, and the account's own for him, whose domain has none.
    let expiry = |account: &watchpost_core::integration::fact::AccountFacts| {
        (account.password_never_expires, account.password_expiry_exempt)
    };
    assert_eq!(expiry(mara), (Some(true), Some(false)));
    let pam = outcome.account("pam.eternal@birchworks.example");
    assert_eq!(expiry(pam), (Some(true), Some(true)));
    let converted = outcome.account("adm.yusuf.tarn@birchworks.example");
    assert_eq!(
        (converted.synced, converted.on_premises_id),
        (Some(false), Some(true))
    );

    let states: HashSet<Mfa> = outcome.mfa().iter().map(|mfa| mfa.mfa).collect();
    assert_eq!(states, HashSet::from([Mfa::On, Mfa::Off, Mfa::Unknown]));
    let mfa_of = |email: &str| {
        let id = &outcome.account(email).vendor_id;
        let rows = outcome.mfa();
        rows.into_iter()
            .find(|row| row.account_vendor_id == *id)
            .map(|row| row.mfa)
    };
    // The domain is federated, and the guest's own organization authenticates the guest.
    assert_eq!(mfa_of("petra.oldcastle@birchworks.example"), Some(Mfa::Unknown));
    assert_eq!(mfa_of("amy@partnerworks.example"), Some(Mfa::Unknown));
    assert!(outcome.mfa().iter().any(|mfa| mfa.weak_only == Some(true)));
    assert!(
        outcome
            .mfa()
            .iter()
            .any(|mfa| mfa.phishing_resistant == Some(true))
    );

    let roles = outcome.roles(Dataset::Roles);
    assert!(
        roles
            .iter()
            .any(|role| role.super_admin && role.hold == RoleHold::Permanent)
    );
    assert!(
        roles
            .iter()
            .any(|role| role.hold == RoleHold::TimeBound && role.ends_at.is_some())
    );
    assert!(roles.iter().all(|role| role.hold != RoleHold::Unknown));
    assert!(
        roles.iter().any(|role| role.via_group.is_some()),
        "groups are expanded"
    );
    let eligible = outcome.roles(Dataset::RoleSchedules);
    assert!(!eligible.is_empty() && eligible.iter().all(|role| role.hold == RoleHold::Eligible));

    let apps = outcome.apps();
    let names: BTreeMap<&str, &str> = apps
        .iter()
        .map(|app| (app.vendor_id.as_str(), app.name.untrusted()))
        .collect();
    assert!(apps.iter().any(|app| app.first_party));
    assert!(
        apps.iter()
            .any(|app| app.own_registration == Some(true) && !app.credentials.is_empty())
    );
    assert!(apps.iter().any(|app| app.own_registration == Some(false)));
    assert!(!outcome.of(Dataset::AppOwners).is_empty());

    let delegated = outcome.grants(Dataset::Grants);
    assert!(delegated.iter().all(|grant| grant.kind == GrantKind::Delegated));
    assert!(
        delegated.iter().any(|grant| grant.account_vendor_id.is_none()),
        "consent for all users"
    );
    assert!(
        delegated
            .iter()
            .all(|grant| names.contains_key(grant.app_vendor_id.as_deref().unwrap()))
    );
    let assignments = outcome.grants(Dataset::AppAssignments);
    assert!(
        assignments
            .iter()
            .all(|grant| grant.kind == GrantKind::SsoAssignment && grant.account_vendor_id.is_some())
    );
    let app = |name: &str| {
        let apps = outcome.apps();
        let app = apps.iter().find(|app| app.name.untrusted() == name).unwrap();
        app.vendor_id.clone()
    };
    let assigned = |name: &str| {
        let id = app(name);
        let to = assignments
            .iter()
            .filter(|grant| grant.app_vendor_id.as_deref() == Some(&id));
        let ids: HashSet<&str> = to.clone().map(|grant| grant.vendor_id.as_str()).collect();
        assert_eq!(ids.len(), to.count(), "assignments to {name} are unique");
        ids.len()
    };
    assert_eq!(assigned("Tidewater CRM"), 3, "people");
    assert_eq!(assigned("Pebblecount Surveys"), 2, "the members of a group");
    assert_eq!(assigned("Boardloom"), 6, "people and the members of two groups");
    let requests = rig.simulator.requests();
    assert!(
        requests["GET /graph/v1.0/servicePrincipals/{id}/appRoleAssignedTo"] < 60,
        "{requests:?}"
    );
    let application = outcome.grants(Dataset::AppGrants);
    assert!(application.iter().any(|grant| grant.risk == GrantRisk::High));
    let scopes: HashSet<&str> = application
        .iter()
        .flat_map(|grant| &grant.scopes)
        .map(|scope| scope.untrusted())
        .collect();
    assert!(
        scopes.contains("Mail.ReadWrite") || scopes.contains("Directory.ReadWrite.All"),
        "{scopes:?}"
    );

    let settings = outcome.settings();
    let paths: Vec<&str> = settings.keys().copied().collect();
    assert_eq!(
        paths,
        [
            "domains",
            "identity/conditionalAccess/namedLocations",
            "identity/conditionalAccess/policies",
            "organization",
            "policies/adminConsentRequestPolicy",
            "policies/authenticationMethodsPolicy",
            "policies/authorizationPolicy",
            "policies/identitySecurityDefaultsEnforcementPolicy",
            "subscribedSkus",
        ]
    );
    assert!(settings["identity/conditionalAccess/policies"]["value"][0]["state"].is_string());
    assert!(settings["policies/authorizationPolicy"]["allowInvitesFrom"].is_string());
}

#[tokio::test]
async fn a_sync_of_okta_reads_every_dataset() {
    let rig = Rig::start().await;
    let outcome = rig.sync(Platform::Okta).await;
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.incomplete(), []);

    let accounts = outcome.accounts();
    let ids: HashSet<&str> = accounts
        .iter()
        .map(|account| account.vendor_id.as_str())
        .collect();
    assert_eq!(ids.len(), accounts.len(), "accounts are unique");
    assert!(
        accounts
            .iter()
            .any(|account| account.status == AccountStatus::Deprovisioned)
    );
    assert!(
        accounts
            .iter()
            .any(|account| account.status == AccountStatus::Suspended)
    );
    assert!(
        accounts
            .iter()
            .any(|account| account.kind == AccountKind::Service)
    );

    // Factors are read only for accounts that may sign in, with one request each.
    let active = accounts
        .iter()
        .filter(|account| account.status == AccountStatus::Active)
        .count();
    assert_eq!(outcome.mfa().len(), active);
    assert_eq!(
        rig.simulator.requests()["GET /okta/api/v1/users/{id}/factors"],
        active as u64
    );
    let unknown: HashSet<&str> = outcome
        .mfa()
        .iter()
        .filter(|mfa| mfa.mfa == Mfa::Unknown)
        .map(|mfa| mfa.account_vendor_id.as_str())
        .collect();
    // Another identity provider authenticates the one, and Okta doesn't say whether the other's factor is active.
    let federated = &outcome.account("petra.oldcastle@birchworks.example").vendor_id;
    let enrolled = &outcome.account("ida.morwenna@birchworks.example").vendor_id;
    assert_eq!(unknown, HashSet::from([federated.as_str(), enrolled.as_str()]));

    let roles = outcome.roles(Dataset::Roles);
    assert!(roles.iter().any(|role| role.super_admin && role.privileged));
    assert!(roles.iter().any(|role| !role.privileged));
    assert!(
        outcome
            .apps()
            .iter()
            .any(|app| app.sign_on_mode.as_deref() == Some("SAML_2_0"))
    );
    assert!(outcome.apps().iter().any(|app| app.deprovisioning == Some(true)));
    assert!(outcome.grants(Dataset::AppAssignments).len() > 100);
    let tokens = outcome.grants(Dataset::Tokens);
    assert!(
        tokens
            .iter()
            .all(|token| token.kind == GrantKind::Token && token.account_vendor_id.is_some())
    );
    assert!(tokens.iter().all(|token| !token.never_expires));
    assert!(
        tokens
            .iter()
            .any(|token| matches!(token.last_used, LastActive::At(_)))
    );
    assert!(tokens.iter().any(|token| token.last_used == LastActive::Never));
    for network in [TokenNetwork::Anywhere, TokenNetwork::Restricted] {
        assert!(
            tokens.iter().any(|token| token.network == Some(network)),
            "{network}"
        );
    }

    let settings = outcome.settings();
    for path in [
        "org",
        "org/privacy/oktaSupport",
        "authenticators",
        "zones",
        "threats/configuration",
        "policies/OKTA_SIGN_ON",
    ] {
        assert!(settings.contains_key(path), "{path}");
    }
    assert!(settings["policies/OKTA_SIGN_ON"][0]["rules"].is_array());
}

#[tokio::test]
async fn two_syncs_of_the_same_company_are_equal() {
    let rig = Rig::start().await;
    for platform in [Platform::M365, Platform::Okta] {
        let (first, second) = (rig.sync(platform).await, rig.sync(platform).await);
        assert_eq!(first.facts, second.facts, "{platform}");
        assert_eq!(first.collections, second.collections, "{platform}");
    }
}

#[tokio::test]
async fn long_lists_are_read_completely() {
    let rig = Rig::with(Company::synthetic(1_300).unwrap(), |_| {}).await;
    for (platform, route) in [
        (Platform::M365, "GET /graph/v1.0/users"),
        (Platform::Okta, "GET /okta/api/v1/users"),
    ] {
        let outcome = rig.sync(platform).await;
        assert_eq!(outcome.state(Dataset::Users), CollectionState::Complete);
        let ids: HashSet<&str> = outcome
            .accounts()
            .iter()
            .map(|account| account.vendor_id.as_str())
            .collect();
        assert_eq!(ids.len() as u64, outcome.collections[&Dataset::Users].rows);
        assert!(ids.len() > 1_000, "{}", ids.len());
        assert_eq!(outcome.collections[&Dataset::SignIn].rows, ids.len() as u64);
        // One of the pages is empty and has a link to the next.
        assert!(rig.simulator.requests()[route] >= 4, "{platform}");
    }
}

#[tokio::test]
async fn without_a_premium_license_accounts_are_complete_and_sign_ins_unlicensed() {
    let rig = Rig::start().await;
    rig.simulator.unlicensed(Vendor::Graph, true);
    let outcome = rig.sync(Platform::M365).await;
    assert_eq!(
        outcome.incomplete(),
        [
            (Dataset::SignIn, CollectionState::Unlicensed),
            (Dataset::Mfa, CollectionState::Unlicensed),
            (Dataset::RoleSchedules, CollectionState::Unlicensed),
        ]
    );
    assert!(
        outcome
            .accounts()
            .iter()
            .all(|account| account.last_active == LastActive::Unknown)
    );
    // Without PIM, all roles are permanent.
    assert!(
        outcome
            .roles(Dataset::Roles)
            .iter()
            .all(|role| role.hold == RoleHold::Permanent)
    );

    rig.simulator.unlicensed(Vendor::Okta, true);
    let outcome = rig.sync(Platform::Okta).await;
    assert_eq!(
        outcome.incomplete(),
        [(Dataset::ThreatDetection, CollectionState::Unlicensed)]
    );
}
