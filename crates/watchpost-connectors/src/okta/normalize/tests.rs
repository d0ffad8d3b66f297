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

fn factor(kind: &str, status: &str) -> Value {
    json!({ "factorType": kind, "status": status })
}

const NO_LIMITS: FactorLimits = FactorLimits {
    elsewhere: false,
    incomplete: false,
};

/// Returns what factors say: the state, resistance to phishing, and weakness.
fn enrolled(factors: &Value, limits: FactorLimits) -> (Mfa, Option<bool>, Option<bool>) {
    let factors: Vec<wire::Factor> = read(factors.clone());
    match mfa("u", &factors, limits) {
        Fact::Mfa(facts) => (facts.mfa, facts.phishing_resistant, facts.weak_only),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mfa_is_derived_from_active_factors() {
    let check = |factors: Value, expected: Mfa, resistant: Option<bool>, weak: Option<bool>| {
        assert_eq!(
            enrolled(&factors, NO_LIMITS),
            (expected, resistant, weak),
            "{factors}"
        );
    };
    use Mfa::{Off, On, Unknown};
    let (yes, no) = (Some(true), Some(false));
    check(json!([]), Off, no, no);
    check(
        json!([factor("question", "ACTIVE"), factor("email", "ACTIVE")]),
        Off,
        no,
        no,
    );
    for kind in [
        "push",
        "token",
        "token:hardware",
        "token:hotp",
        "token:software:totp",
        "web",
    ] {
        check(json!([factor(kind, "ACTIVE")]), On, no, no);
    }
    for kind in ["webauthn", "u2f", "signed_nonce"] {
        check(json!([factor(kind, "ACTIVE")]), On, yes, no);
    }
    check(
        json!([factor("sms", "ACTIVE"), factor("email", "ACTIVE")]),
        On,
        no,
        yes,
    );
    check(
        json!([factor("sms", "ACTIVE"), factor("push", "ACTIVE")]),
        On,
        no,
        no,
    );
    check(
        json!([factor("sms", "ACTIVE"), factor("webauthn", "NOT_SETUP")]),
        On,
        no,
        yes,
    );
    // A kind that isn't known is no second factor for certain, and neither weak nor resistant for certain.
    check(json!([factor("hologram", "ACTIVE")]), Unknown, None, None);
    check(
        json!([factor("hologram", "ACTIVE"), factor("sms", "ACTIVE")]),
        On,
        None,
        None,
    );
    check(
        json!([factor("hologram", "ACTIVE"), factor("push", "ACTIVE")]),
        On,
        None,
        no,
    );
}

#[test]
fn the_states_of_factors_are_active_inactive_or_unknown() {
    let check = |state: Value, expected: Mfa| {
        let factors = json!([{ "factorType": "push", "status": state }]);
        assert_eq!(enrolled(&factors, NO_LIMITS).0, expected, "{state}");
    };
    check(json!("ACTIVE"), Mfa::On);
    for inactive in [
        "DISABLED",
        "EXPIRED",
        "INACTIVE",
        "NOT_SETUP",
        "PENDING_ACTIVATION",
    ] {
        check(json!(inactive), Mfa::Off);
    }
    for unknown in [json!("ENROLLED"), json!("SOMETHING_NEW"), Value::Null] {
        check(unknown, Mfa::Unknown);
    }
    let resistant_or_not = json!([factor("sms", "ACTIVE"), factor("webauthn", "ENROLLED")]);
    assert_eq!(enrolled(&resistant_or_not, NO_LIMITS), (Mfa::On, None, None));
}

#[test]
fn factors_missing_from_a_limited_list_are_unknown() {
    let limited = [
        FactorLimits {
            elsewhere: true,
            ..NO_LIMITS
        },
        FactorLimits {
            incomplete: true,
            ..NO_LIMITS
        },
    ];
    let check = |factors: Value, expected: (Mfa, Option<bool>, Option<bool>)| {
        for limits in limited {
            assert_eq!(enrolled(&factors, limits), expected, "{factors} {limits:?}");
        }
    };
    check(json!([]), (Mfa::Unknown, None, None));
    check(json!([factor("sms", "ACTIVE")]), (Mfa::On, None, None));
    check(json!([factor("push", "ACTIVE")]), (Mfa::On, None, Some(false)));
    check(
        json!([factor("webauthn", "ACTIVE")]),
        (Mfa::On, Some(true), Some(false)),
    );
}

#[test]
fn accounts_of_other_identity_providers_authenticate_elsewhere() {
    let check = |credentials: Value, elsewhere: bool, synced: Option<bool>| {
        let row = json!({ "id": "u", "credentials": credentials });
        assert_eq!(authenticates_elsewhere(&read(row.clone())), elsewhere, "{row}");
        assert_eq!(user(row.clone()).0.synced, synced, "{row}");
    };
    for (kind, elsewhere, synced) in [
        ("OKTA", false, false),
        ("IMPORT", false, false),
        ("ACTIVE_DIRECTORY", false, true),
        ("LDAP", false, true),
        ("FEDERATION", true, false),
        ("SOCIAL", true, false),
    ] {
        check(json!({ "provider": { "type": kind } }), elsewhere, Some(synced));
    }
    check(json!({ "provider": null }), false, None);
    check(Value::Null, false, None);
}

#[test]
fn lists_may_lack_factors_if_enrollment_depends_on_the_network() {
    let check = |policies: Option<Value>, expected: bool| {
        let rows: Option<Vec<wire::EnrollmentPolicy>> = policies.clone().map(read);
        assert_eq!(lists_may_lack_factors(rows.as_deref()), expected, "{policies:?}");
    };
    let policy = |state: &str, rule_state: &str, connection: &str| {
        Some(json!([{ "status": state, "rules": [
            { "status": "ACTIVE", "conditions": { "network": { "connection": "ANYWHERE" } } },
            { "status": rule_state, "conditions": { "network": { "connection": connection, "include": ["z"] } } }] }]))
    };
    check(None, true);
    check(Some(json!([])), false);
    check(
        Some(json!([{ "rules": [{ "conditions": null }, {}] }, { "rules": null }])),
        false,
    );
    check(policy("ACTIVE", "ACTIVE", "ANYWHERE"), false);
    check(policy("ACTIVE", "ACTIVE", "ZONE"), true);
    check(policy("INACTIVE", "ACTIVE", "ZONE"), false);
    check(policy("ACTIVE", "INACTIVE", "ZONE"), false);
}

#[test]
fn an_assignment_gives_access_in_some_of_its_states() {
    let check = |state: Value, access: bool| {
        let made = assignment("a", &read(json!({ "id": "u", "status": state })));
        assert_eq!(made.map(|fact| fact.is_some()), Some(access), "{state}");
    };
    for state in [
        "ACTIVE",
        "IMPLICIT",
        "MATCHED",
        "PROVISIONED",
        "STAGED",
        "SOMETHING_NEW",
    ] {
        check(json!(state), true);
    }
    check(Value::Null, true);
    for state in [
        "APPROVED",
        "DEPROVISIONED",
        "IMPORTED",
        "INACTIVE",
        "PENDING",
        "REVOKED",
        "SUSPENDED",
        "UNASSIGNED",
    ] {
        check(json!(state), false);
    }
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
fn a_token_was_last_used_one_window_before_its_expiry() {
    let check = |change: Value, expected: Option<(LastActive, Option<TokenNetwork>)>| {
        let mut row = json!({ "id": "t", "userId": "u", "created": "2026-01-01T00:00:00.000Z" });
        row.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let made = token(&read(row.clone()));
        let made = made.as_ref().map(|fact| match fact {
            Fact::Grant(grant) => {
                assert!(!grant.never_expires, "{row}");
                (grant.last_used, grant.network)
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(made, expected, "{row}");
    };
    let at = |text: &str| LastActive::At(text.parse().unwrap());
    check(
        json!({ "expiresAt": "2026-04-01T00:00:00.000Z", "tokenWindow": "P30D", "network": { "connection": "ANYWHERE" } }),
        Some((at("2026-03-02T00:00:00Z"), Some(TokenNetwork::Anywhere))),
    );
    check(
        json!({ "expiresAt": "2026-01-01T00:05:00.000Z", "tokenWindow": "PT5M", "network": { "connection": "ZONE", "include": ["nzo1"] } }),
        Some((LastActive::Never, Some(TokenNetwork::Restricted))),
    );
    for unknown in [
        json!({ "expiresAt": null, "tokenWindow": "P30D" }),
        json!({ "expiresAt": "2026-04-01T00:00:00.000Z" }),
        json!({ "expiresAt": "2026-04-01T00:00:00.000Z", "tokenWindow": "soon", "network": { "connection": "TELEPATHY" } }),
    ] {
        check(unknown, Some((LastActive::Unknown, None)));
    }
    check(json!({ "userId": null }), None);
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
