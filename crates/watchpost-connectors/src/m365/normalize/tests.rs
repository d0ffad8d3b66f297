use super::{
    account::{METHODS_MAX, last_active},
    app::{FIRST_PARTY_TENANTS, risk},
    role::GLOBAL_ADMINISTRATOR,
    *,
};
use crate::m365::wire;
use serde_json::{Value, json};
use std::collections::HashMap;
use watchpost_core::{
    integration::fact::{AccountFacts, Fact, LastActive},
    value::{
        text::ForeignText,
        word::{AccountKind, AccountStatus, GrantKind, GrantRisk, Mfa, RoleHold},
    },
};

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn user(change: Value) -> AccountFacts {
    let mut row = json!({ "id": "u-1", "userPrincipalName": "mara.holt@birchworks.example" });
    row.as_object_mut()
        .unwrap()
        .extend(change.as_object().unwrap().clone());
    match account(&read(row), true, None, None) {
        Some(Fact::Account(account)) => *account,
        other => panic!("{other:?}"),
    }
}

#[test]
fn status_and_kind_are_derived_from_graph_properties() {
    use AccountKind as K;
    use AccountStatus as S;
    let check = |change: Value, status: S, kind: K| {
        let account = user(change.clone());
        assert_eq!((account.status, account.kind), (status, kind), "{change}");
    };
    check(json!({}), S::Active, K::Member);
    check(
        json!({ "accountEnabled": null, "userType": null }),
        S::Active,
        K::Member,
    );
    check(json!({ "accountEnabled": false }), S::Suspended, K::Member);
    check(
        json!({ "userType": "Guest", "accountEnabled": true }),
        S::Active,
        K::Guest,
    );
    check(
        json!({ "userType": "Guest", "externalUserState": "PendingAcceptance" }),
        S::Pending,
        K::Guest,
    );
    check(
        json!({ "userType": "Guest", "externalUserState": "PendingAcceptance", "accountEnabled": false }),
        S::Suspended,
        K::Guest,
    );
    check(
        json!({ "userPrincipalName": "a_b.example#EXT#@t.example" }),
        S::Active,
        K::Guest,
    );
    check(
        json!({ "userPrincipalName": "a_b.example#EXT#@t.example", "userType": "Member" }),
        S::Active,
        K::Member,
    );
    check(json!({ "userType": "SomethingNew" }), S::Active, K::Member);
}

#[test]
fn only_addresses_verified_by_the_tenant_are_used() {
    let check = |change: Value, email: Option<&str>, aliases: &[&str]| {
        let account = user(change.clone());
        assert_eq!(account.email.as_deref(), email, "{change}");
        assert_eq!(account.aliases, aliases, "{change}");
    };
    let upn = "mara.holt@birchworks.example";
    check(json!({}), Some(upn), &[]);
    check(
        json!({ "mail": "Mara@Birchworks.example" }),
        Some("mara@birchworks.example"),
        &[upn],
    );
    check(
        json!({ "mail": upn, "otherMails": ["boss@birchworks.example"] }),
        Some(upn),
        &[],
    );
    check(
        json!({ "mail": upn, "proxyAddresses": ["SMTP:mara.holt@birchworks.example", "smtp:M.Holt@birchworks.example",
            "x500:/o=x", "sip:mara@birchworks.example", "nonsense"] }),
        Some(upn),
        &["m.holt@birchworks.example"],
    );
    check(
        json!({ "userPrincipalName": "a_b.example#EXT#@t.example", "mail": "a@b.example" }),
        Some("a@b.example"),
        &[],
    );
    check(
        json!({ "userPrincipalName": "a_b.example#EXT#@t.example" }),
        None,
        &[],
    );
}

#[test]
fn attempts_count_as_activity_only_where_the_last_success_is_not_told() {
    let check = |activity: Value, known: bool, expected: LastActive| {
        let row: wire::User = read(json!({ "id": "u-1", "signInActivity": activity }));
        assert_eq!(
            last_active(row.sign_in_activity.as_ref(), known),
            expected,
            "{activity}"
        );
    };
    let day = |text: &str| LastActive::At(text.parse().unwrap());
    check(Value::Null, false, LastActive::Unknown);
    check(Value::Null, true, LastActive::Never);
    check(json!({}), true, LastActive::Never);
    check(
        json!({ "lastSignInDateTime": "0001-01-01T00:00:00Z" }),
        true,
        LastActive::Never,
    );
    check(
        json!({ "lastSignInDateTime": "2023-10-01T00:00:00Z", "lastNonInteractiveSignInDateTime": "2023-11-01T00:00:00Z",
            "lastSuccessfulSignInDateTime": null }),
        true,
        day("2023-11-01T00:00:00Z"),
    );
    // Somebody tried passwords long after the account was last used.
    check(
        json!({ "lastSignInDateTime": "2026-02-27T00:00:00Z", "lastNonInteractiveSignInDateTime": "2026-02-26T00:00:00Z",
            "lastSuccessfulSignInDateTime": "2024-05-01T00:00:00Z" }),
        true,
        day("2024-05-01T00:00:00Z"),
    );
}

#[test]
fn an_account_is_synced_by_its_sync_state_and_not_by_a_left_over_id() {
    let check = |change: Value, synced: Option<bool>, on_premises_id: Option<bool>| {
        let account = user(change.clone());
        assert_eq!(
            (account.synced, account.on_premises_id),
            (synced, on_premises_id),
            "{change}"
        );
    };
    check(json!({}), None, None);
    check(
        json!({ "onPremisesSyncEnabled": null, "onPremisesImmutableId": null }),
        Some(false),
        Some(false),
    );
    check(
        json!({ "onPremisesSyncEnabled": true, "onPremisesImmutableId": "QWRhQWRh" }),
        Some(true),
        Some(true),
    );
    for ended in [json!(false), Value::Null] {
        check(
            json!({ "onPremisesSyncEnabled": ended, "onPremisesImmutableId": "QWRhQWRh" }),
            Some(false),
            Some(true),
        );
    }
    check(json!({ "onPremisesImmutableId": "QWRhQWRh" }), None, Some(true));
}

#[test]
fn an_enabled_exchange_plan_includes_a_mailbox() {
    let mut plans = MailboxPlans::default();
    for sku in [
        json!({ "skuId": "e3", "servicePlans": [{ "servicePlanId": "p-ex", "servicePlanName": "EXCHANGE_S_ENTERPRISE" },
            { "servicePlanId": "p-aad", "servicePlanName": "AAD_PREMIUM" }] }),
        json!({ "skuId": "ems", "servicePlans": [{ "servicePlanId": "p-f", "servicePlanName": "EXCHANGE_S_FOUNDATION" }] }),
        json!({ "skuId": "none", "servicePlans": null }),
    ] {
        plans.add(&read(sku));
    }
    let check = |licenses: Value, expected: Option<bool>| {
        let licenses: Vec<wire::AssignedLicense> = read(licenses);
        assert_eq!(plans.has_mailbox(&licenses), expected);
    };
    check(json!([]), Some(false));
    check(json!([{ "skuId": "e3" }]), Some(true));
    check(json!([{ "skuId": "e3", "disabledPlans": ["p-aad"] }]), Some(true));
    check(json!([{ "skuId": "e3", "disabledPlans": ["p-ex"] }]), Some(false));
    check(json!([{ "skuId": "ems" }, { "skuId": "none" }]), Some(false));
    check(json!([{ "skuId": "unknown" }]), None);
    check(json!([{ "skuId": "unknown" }, { "skuId": "e3" }]), Some(true));
    check(json!([{ "skuId": null }]), None);
}

/// Returns what a row of the registration report says: the state, resistance to phishing, and weakness.
fn registered(row: Value, domains: Option<&Domains>) -> (Mfa, Option<bool>, Option<bool>) {
    let mut whole = json!({ "id": "u-1", "userPrincipalName": "a@birch.example" });
    whole
        .as_object_mut()
        .unwrap()
        .extend(row.as_object().unwrap().clone());
    match registration(&read(whole), domains) {
        Some(Fact::Mfa(facts)) => {
            assert!(facts.methods.len() <= METHODS_MAX);
            (facts.mfa, facts.phishing_resistant, facts.weak_only)
        }
        other => panic!("{other:?}"),
    }
}

fn two_domains() -> Domains {
    let mut domains = Domains::default();
    for (name, kind) in [("birch.example", "Managed"), ("elm.example", "Federated")] {
        domains.add(&read(json!({ "id": name, "authenticationType": kind })));
    }
    domains
}

#[test]
fn methods_are_resistant_to_phishing_or_weak_or_neither_or_unknown() {
    let domains = two_domains();
    let check = |methods: Value, resistant: Option<bool>, weak: Option<bool>| {
        let row = json!({ "isMfaRegistered": true, "methodsRegistered": methods });
        assert_eq!(
            registered(row, Some(&domains)),
            (Mfa::On, resistant, weak),
            "{methods}"
        );
    };
    let (yes, no) = (Some(true), Some(false));
    for resistant in [
        "fido2",
        "fido2SecurityKey",
        "macOsSecureEnclaveKey",
        "passKeyDeviceBound",
        "passKeyDeviceBoundAuthenticator",
        "passKeyDeviceBoundWindowsHello",
        "passKeySynced",
        "windowsHelloForBusiness",
        "x509Certificate",
        "x509CertificateMultiFactor",
        "x509CertificateSingleFactor",
    ] {
        check(json!([resistant]), yes, no);
        check(json!(["mobilePhone", resistant]), yes, no);
    }
    check(json!(["mobilePhone", "email"]), no, yes);
    check(json!(["mobilePhone", "softwareOneTimePasscode"]), no, no);
    check(json!(["microsoftAuthenticatorPush"]), no, no);
    // A method that isn't known may be resistant, and it may be weak.
    check(json!(["hologram"]), None, None);
    check(json!(["mobilePhone", "hologram"]), None, None);
    check(json!(["softwareOneTimePasscode", "hologram"]), None, no);
    check(json!(["fido2SecurityKey", "hologram"]), yes, no);
    check(json!([]), None, None);
    check(Value::Null, None, None);
    check(json!(vec!["x"; 99]), None, None);
}

#[test]
fn a_second_factor_is_unknown_for_accounts_that_authenticate_elsewhere() {
    let domains = two_domains();
    let check = |row: Value, expected: Mfa, unread: Mfa| {
        assert_eq!(registered(row.clone(), Some(&domains)).0, expected, "{row}");
        assert_eq!(registered(row.clone(), None).0, unread, "{row}, domains unread");
    };
    use Mfa::{Off, On, Unknown};
    let off = |login: &str, kind: &str| json!({ "userPrincipalName": login, "userType": kind, "isMfaRegistered": false, "methodsRegistered": ["email"] });
    let on = |login: &str, kind: &str| json!({ "userPrincipalName": login, "userType": kind, "isMfaRegistered": true, "methodsRegistered": ["microsoftAuthenticatorPush"] });
    check(off("a@birch.example", "member"), Off, Unknown);
    check(off("a@birch.onmicrosoft.com", "member"), Off, Off);
    check(off("a@elm.example", "member"), Unknown, Unknown);
    check(off("a@birch.example", "guest"), Unknown, Unknown);
    check(
        off("a_elm.example#EXT#@birch.onmicrosoft.com", "member"),
        Unknown,
        Unknown,
    );
    check(on("a@birch.example", "member"), On, On);
    check(on("a@elm.example", "member"), On, On);
    check(on("a_elm.example#EXT#@birch.onmicrosoft.com", "guest"), On, On);
    check(json!({}), Unknown, Unknown);
    // A passkey is two factors, even where the vendor doesn't count it.
    let alone = |method: &str| json!({ "isMfaRegistered": false, "methodsRegistered": [method] });
    check(alone("passKeyDeviceBound"), On, On);
    check(alone("x509CertificateSingleFactor"), Off, Unknown);
    // The other identity provider may demand something better than what is registered here.
    let federated = on("a@elm.example", "member");
    assert_eq!(registered(federated, Some(&domains)), (On, None, Some(false)));
    let weak = json!({ "userPrincipalName": "a@elm.example", "isMfaRegistered": true, "methodsRegistered": ["mobilePhone"] });
    assert_eq!(registered(weak, Some(&domains)), (On, None, None));
    assert_eq!(
        registered(off("a@birch.example", "member"), Some(&domains)),
        (Off, Some(false), Some(false))
    );
}

#[test]
fn the_risk_of_a_permission_depends_on_its_kind() {
    use GrantKind::{Application, Delegated};
    use GrantRisk::{High, Low, Medium};
    let check = |scope: &str, delegated: GrantRisk, application: GrantRisk| {
        assert_eq!(
            (risk(scope, Delegated), risk(scope, Application)),
            (delegated, application),
            "{scope}"
        );
    };
    check("Mail.ReadWrite", High, High);
    check("Mail.Read", Medium, Medium);
    check("Files.Read.All", Medium, Medium);
    check("Sites.FullControl.All", Medium, High);
    check("Directory.ReadWrite.All", Medium, High);
    check("Directory.AccessAsUser.All", High, Medium);
    check("full_access_as_app", Medium, High);
    check("User.Read", Low, Low);
    check("openid", Low, Low);
    check("User.Read.All", Medium, Medium);
    check("", Low, Low);
}

#[test]
fn a_grant_has_the_highest_risk_of_its_scopes() {
    let check = |row: Value, expected: Option<(Option<&str>, &[&str], GrantRisk)>| {
        let made = grant(&read(row.clone()));
        let made = made.as_ref().map(|fact| match fact {
            Fact::Grant(grant) => (
                grant.account_vendor_id.as_deref(),
                grant
                    .scopes
                    .iter()
                    .map(ForeignText::untrusted)
                    .collect::<Vec<_>>(),
                grant.risk,
            ),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            made,
            expected.map(|(account, scopes, risk)| (account, scopes.to_vec(), risk)),
            "{row}"
        );
    };
    let row = |consent: Value, principal: Value, scope: Value| json!({ "id": "g", "clientId": "sp", "consentType": consent, "principalId": principal, "scope": scope });
    let all = || json!("AllPrincipals");
    check(
        row(all(), Value::Null, json!(" Mail.Read  offline_access ")),
        Some((None, &["Mail.Read", "offline_access"], GrantRisk::Medium)),
    );
    check(
        row(json!("Principal"), json!("u-1"), json!("User.Read Mail.Send")),
        Some((Some("u-1"), &["User.Read", "Mail.Send"], GrantRisk::High)),
    );
    check(
        row(all(), json!("u-1"), Value::Null),
        Some((None, &[], GrantRisk::Low)),
    );
    check(row(json!("Principal"), Value::Null, json!("openid")), None);
    check(
        row(json!("SomethingNew"), Value::Null, json!("openid")),
        Some((None, &["openid"], GrantRisk::Low)),
    );
}

#[test]
fn a_role_held_through_a_group_has_an_id_per_member() {
    let mut definitions = HashMap::new();
    let row =
        json!({ "id": "d-1", "templateId": GLOBAL_ADMINISTRATOR, "displayName": "Global Administrator" });
    let (definition, name) = role_definition(&read(row)).unwrap();
    definitions.insert(definition, name);
    let group = ForeignText::name("Tier 0");
    let made = |principal: &str, via_group: Option<&ForeignText>, role_definition: &str| {
        let held = Held::active(None);
        let holding = Holding {
            assignment: "a-1",
            principal,
            role_definition,
            via_group,
            held,
        };
        match role(&holding, &definitions) {
            Some(Fact::Role(role)) => role,
            other => panic!("{other:?}"),
        }
    };
    let direct = made("u-1", None, "d-1");
    assert_eq!(
        (direct.vendor_id.as_str(), direct.super_admin, direct.privileged),
        ("a-1", true, true)
    );
    assert_eq!(direct.hold, RoleHold::Permanent);
    let member = made("u-2", Some(&group), "d-1");
    assert_eq!(
        (member.vendor_id.as_str(), member.principal_vendor_id.as_str()),
        ("a-1:u-2", "u-2")
    );
    let unknown = made("u-3", None, "d-9");
    assert_eq!((unknown.role_key.as_str(), unknown.privileged), ("d-9", false));
}

#[test]
fn apps_are_own_first_party_or_third_party() {
    let own: wire::Application = read(json!({ "id": "o-1", "appId": "c-1",
        "passwordCredentials": [{ "endDateTime": "2026-01-01T00:00:00Z" }], "keyCredentials": null }));
    let (_, own) = app_registration(&own).unwrap();
    let check = |row: Value,
                 own: Option<&AppRegistration>,
                 ours: Option<bool>,
                 first_party: bool,
                 credentials: usize| {
        match app(&read(row.clone()), own, Some("t-1")) {
            Some(Fact::App(app)) => assert_eq!(
                (app.own_registration, app.first_party, app.credentials.len()),
                (ours, first_party, credentials),
                "{row}"
            ),
            other => panic!("{other:?}"),
        }
    };
    check(json!({ "id": "s" }), None, None, false, 0);
    check(json!({ "id": "s" }), Some(&own), Some(true), false, 1);
    check(
        json!({ "id": "s", "appOwnerOrganizationId": "T-1" }),
        None,
        Some(true),
        false,
        0,
    );
    check(
        json!({ "id": "s", "appOwnerOrganizationId": "x" }),
        None,
        Some(false),
        false,
        0,
    );
    check(
        json!({ "id": "s", "appOwnerOrganizationId": FIRST_PARTY_TENANTS[0] }),
        None,
        Some(false),
        true,
        0,
    );
}
