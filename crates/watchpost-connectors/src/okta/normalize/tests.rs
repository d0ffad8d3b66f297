use super::*;
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn user(row: Value) -> (AccountFacts, bool) {
    match account(&read(row)) {
        Some((Fact::Account(account), has_factors)) => (*account, has_factors),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_status_counts_as_active() {
    use AccountStatus as S;
    let check = |status: Value, expected: S, has_factors: bool| {
        let (account, reads_factors) = user(json!({ "id": "u", "status": status }));
        assert_eq!(
            (account.status, reads_factors),
            (expected, has_factors),
            "{status}"
        );
    };
    check(json!("ACTIVE"), S::Active, true);
    check(json!("LOCKED_OUT"), S::Active, true);
    check(json!("RECOVERY"), S::Active, true);
    check(json!("PASSWORD_EXPIRED"), S::Active, true);
    check(json!("STAGED"), S::Pending, false);
    check(json!("PROVISIONED"), S::Pending, false);
    check(json!("SUSPENDED"), S::Suspended, false);
    check(json!("DEPROVISIONED"), S::Deprovisioned, false);
    check(json!("SOMETHING_NEW"), S::Active, true);
    check(Value::Null, S::Active, true);
}

#[test]
fn name_addresses_and_kind_are_taken_from_the_profile() {
    let check = |profile: Value, name: &str, email: Option<&str>, aliases: &[&str], kind: AccountKind| {
        let (account, _) = user(json!({ "id": "u", "profile": profile }));
        assert_eq!(account.display_name.untrusted(), name, "{profile}");
        assert_eq!(account.email.as_deref(), email, "{profile}");
        assert_eq!(account.aliases, aliases, "{profile}");
        assert_eq!(account.kind, kind, "{profile}");
    };
    use AccountKind::{Member, Service};
    check(Value::Null, "", None, &[], Member);
    check(
        json!({ "login": "mara@b.example" }),
        "mara@b.example",
        Some("mara@b.example"),
        &[],
        Member,
    );
    check(
        json!({ "login": "Mara@b.example", "email": "m.holt@b.example", "secondEmail": "boss@b.example",
            "firstName": "Mara", "lastName": "Holt", "userType": null }),
        "Mara Holt",
        Some("m.holt@b.example"),
        &["mara@b.example"],
        Member,
    );
    check(
        json!({ "login": "backup", "displayName": "Backup", "userType": "Service" }),
        "Backup",
        None,
        &[],
        Service,
    );
}

#[test]
fn mfa_is_derived_from_active_factors() {
    let check = |factors: Value, expected: Mfa, resistant: bool, weak: bool| {
        let factors: Vec<wire::Factor> = read(factors);
        match mfa("u", &factors) {
            Fact::Mfa(facts) => assert_eq!(
                (facts.mfa, facts.phishing_resistant, facts.weak_only),
                (expected, resistant, weak),
                "{:?}",
                factors
                    .iter()
                    .map(|factor| &factor.factor_type)
                    .collect::<Vec<_>>()
            ),
            other => panic!("{other:?}"),
        }
    };
    let factor = |kind: &str, status: &str| json!({ "factorType": kind, "status": status });
    check(json!([]), Mfa::Off, false, false);
    check(
        json!([factor("question", "ACTIVE"), factor("email", "ACTIVE")]),
        Mfa::Off,
        false,
        false,
    );
    check(
        json!([factor("push", "PENDING_ACTIVATION")]),
        Mfa::Off,
        false,
        false,
    );
    check(json!([factor("push", "ACTIVE")]), Mfa::On, false, false);
    check(
        json!([factor("sms", "ACTIVE"), factor("email", "ACTIVE")]),
        Mfa::On,
        false,
        true,
    );
    check(
        json!([factor("sms", "ACTIVE"), factor("push", "ACTIVE")]),
        Mfa::On,
        false,
        false,
    );
    check(
        json!([factor("sms", "ACTIVE"), factor("webauthn", "NOT_SETUP")]),
        Mfa::On,
        false,
        true,
    );
    check(json!([factor("webauthn", "ACTIVE")]), Mfa::On, true, false);
    check(json!([factor("hologram", "ACTIVE")]), Mfa::On, false, false);
    check(
        json!([factor("push", "SOMETHING_NEW")]),
        Mfa::Unknown,
        false,
        false,
    );
    check(
        json!([{ "factorType": "push", "status": null }]),
        Mfa::Unknown,
        false,
        false,
    );
}

#[test]
fn roles_have_distinct_keys_and_privileges() {
    let check = |row: Value, expected: Option<Option<(&str, bool, bool)>>| {
        let made = role("u", &read(row.clone()));
        let made = made.as_ref().map(|fact| {
            fact.as_ref().map(|fact| match fact {
                Fact::Role(role) => (role.role_key.as_str(), role.privileged, role.super_admin),
                other => panic!("{other:?}"),
            })
        });
        assert_eq!(made, expected, "{row}");
    };
    check(
        json!({ "id": "r", "type": "SUPER_ADMIN" }),
        Some(Some(("SUPER_ADMIN", true, true))),
    );
    check(
        json!({ "id": "r", "type": "APP_ADMIN" }),
        Some(Some(("APP_ADMIN", true, false))),
    );
    check(
        json!({ "id": "r", "type": "READ_ONLY_ADMIN" }),
        Some(Some(("READ_ONLY_ADMIN", false, false))),
    );
    check(
        json!({ "id": "r", "type": "CUSTOM", "role": "cr0x" }),
        Some(Some(("CUSTOM:cr0x", false, false))),
    );
    check(
        json!({ "id": "r", "type": "CUSTOM" }),
        Some(Some(("CUSTOM", false, false))),
    );
    check(
        json!({ "id": "r", "type": "SUPER_ADMIN", "status": "INACTIVE" }),
        Some(None),
    );
    check(json!({ "id": "../r", "type": "SUPER_ADMIN" }), None);
    check(json!({ "id": "r", "type": "two words" }), None);
}

#[test]
fn a_token_requires_an_owner_and_may_never_expire() {
    let check = |row: Value, expected: Option<(bool, bool)>| {
        let made = token(&read(row.clone()));
        let made = made.as_ref().map(|fact| match fact {
            Fact::Grant(grant) => (grant.expires_at.is_some(), grant.never_expires),
            other => panic!("{other:?}"),
        });
        assert_eq!(made, expected, "{row}");
    };
    check(
        json!({ "id": "t", "userId": "u", "expiresAt": "2026-04-01T00:00:00.000Z" }),
        Some((true, false)),
    );
    check(
        json!({ "id": "t", "userId": "u", "expiresAt": null }),
        Some((false, true)),
    );
    check(json!({ "id": "t", "userId": null }), None);
}

#[test]
fn app_facts_depend_on_the_template() {
    let check = |row: Value, first_party: bool, own: Option<bool>, deprovisioning: Option<bool>| match app(
        &read(row.clone()),
    ) {
        Some(Fact::App(app)) => assert_eq!(
            (app.first_party, app.own_registration, app.deprovisioning),
            (first_party, own, deprovisioning),
            "{row}"
        ),
        other => panic!("{other:?}"),
    };
    check(json!({ "id": "a" }), false, None, None);
    check(
        json!({ "id": "a", "name": "saasure", "features": [] }),
        true,
        None,
        Some(false),
    );
    check(
        json!({ "id": "a", "name": "oidc_client", "features": ["PUSH_USER_DEACTIVATION"] }),
        false,
        Some(true),
        Some(true),
    );
}
