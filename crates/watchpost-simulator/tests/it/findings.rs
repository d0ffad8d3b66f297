//! Computes the findings of the company from the vendors' APIs and compares them with `expected.json`, which tests both the
//! fixture and the simulator. The rules are deliberately implemented a second time here, in a simple form.

use crate::client::{Client, ORIGIN_MS};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_simulator::{Company, Stage};

const DAY_MS: i64 = 86_400_000;

const PRIVILEGED: [&str; 13] = [
    "Application Administrator",
    "Authentication Administrator",
    "Cloud Application Administrator",
    "Conditional Access Administrator",
    "Exchange Administrator",
    "Global Administrator",
    "Helpdesk Administrator",
    "Hybrid Identity Administrator",
    "Privileged Authentication Administrator",
    "Privileged Role Administrator",
    "Security Administrator",
    "SharePoint Administrator",
    "User Administrator",
];
const BASIC_SCOPES: [&str; 5] = ["openid", "profile", "email", "offline_access", "User.Read"];
const HIGH_RISK: [&str; 6] = [
    "Mail.ReadWrite",
    "Mail.Send",
    "Files.ReadWrite.All",
    "Sites.FullControl.All",
    "full_access_as_app",
    "Directory.ReadWrite.All",
];
const AI_NAMES: [&str; 3] = ["Chatterlane AI", "Promptwell", "Summarly AI"];
const FREE_MAIL: [&str; 2] = ["freemail.example", "postbox.example"];
const SHARED_LOGINS: [&str; 6] = ["admin", "administrator", "info", "root", "support", "test"];
const VAULT_MODES: [&str; 3] = ["AUTO_LOGIN", "BROWSER_PLUGIN", "SECURE_PASSWORD_STORE"];

/// A login, as a connector would normalize it.
#[derive(Debug, Default)]
struct Account {
    m365: bool,
    login: String,
    active: bool,
    guest: bool,
    pending: bool,
    privileged: bool,
    super_admin: bool,
    permanent: bool,
    /// `None` means unknown.
    mfa: Option<bool>,
    weak: bool,
    resistant: bool,
    last_ms: Option<i64>,
    created_ms: i64,
    password_ms: i64,
    never_expires: bool,
    licensed: bool,
    synced: bool,
    grants: usize,
    offboarded_since_ms: Option<i64>,
}

/// Findings as texts: pairs of rule and subject.
type Found = BTreeSet<(String, String)>;

fn ms(value: &Value) -> Option<i64> {
    value
        .as_str()
        .map(|text| text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}

fn found(out: &mut Found, rule: &str, subject: &Value) {
    out.insert((rule.to_owned(), subject.to_string()));
}

async fn judge(client: &Client, now_ms: i64) -> Found {
    let mut out = Found::new();
    let mut people: BTreeMap<String, Vec<Account>> = BTreeMap::new();
    let mut active_ids = BTreeMap::new();
    let delegated = client.graph_all("v1.0/oauth2PermissionGrants?$top=999").await.0;
    m365_accounts(client, &delegated, &mut people, &mut active_ids).await;
    okta_accounts(client, now_ms, &mut people, &mut out).await;
    judge_people(&people, now_ms, &mut out);
    m365_apps(client, now_ms, &delegated, &active_ids, &mut out).await;
    okta_apps(client, now_ms, &mut out).await;
    found(
        &mut out,
        "id.breakglass_missing",
        &json!({ "type": "integration", "platform": "m365" }),
    );
    for (platform, m365) in [("m365", true), ("okta", false)] {
        let supers = people
            .values()
            .flatten()
            .filter(|a| a.m365 == m365 && a.active && a.super_admin)
            .count();
        if !(2..=4).contains(&supers) {
            found(
                &mut out,
                "id.too_many_admins",
                &json!({ "type": "integration", "platform": platform }),
            );
        }
    }
    out
}

async fn m365_accounts(
    client: &Client,
    delegated: &[Value],
    people: &mut BTreeMap<String, Vec<Account>>,
    active_ids: &mut BTreeMap<String, bool>,
) {
    let directory = "v1.0/roleManagement/directory";
    let (definitions, _) = client.graph_all(&format!("{directory}/roleDefinitions")).await;
    let names: BTreeMap<_, _> = definitions
        .iter()
        .map(|role| (text(&role["id"]), text(&role["displayName"])))
        .collect();
    let privileged = |row: &Value| {
        let name = names.get(row["roleDefinitionId"].as_str().unwrap()).unwrap();
        PRIVILEGED
            .contains(&name.as_str())
            .then(|| name == "Global Administrator")
    };
    let mut roles: BTreeMap<String, bool> = BTreeMap::new();
    for row in client
        .graph_all(&format!("{directory}/roleAssignments?$expand=principal"))
        .await
        .0
    {
        let Some(global) = privileged(&row) else { continue };
        let id = text(&row["principalId"]);
        let mut holders = vec![id.clone()];
        if row["principal"]["@odata.type"] == "#microsoft.graph.group" {
            let (members, _) = client
                .graph_all(&format!("v1.0/groups/{id}/transitiveMembers?$select=id"))
                .await;
            holders = members.iter().map(|member| text(&member["id"])).collect();
        }
        for holder in holders {
            *roles.entry(holder).or_default() |= global;
        }
    }
    let (schedules, _) = client
        .graph_all("beta/roleManagement/directory/roleAssignmentScheduleInstances")
        .await;
    let permanent: BTreeSet<_> = schedules
        .iter()
        .filter(|row| row["endDateTime"].is_null() && privileged(row).is_some())
        .map(|row| text(&row["principalId"]))
        .collect();
    let url = "v1.0/reports/authenticationMethods/userRegistrationDetails?$top=500";
    let registered: BTreeMap<_, _> = client
        .graph_all(url)
        .await
        .0
        .into_iter()
        .map(|row| (text(&row["id"]), row))
        .collect();
    let federated: BTreeSet<_> = client
        .graph_all("v1.0/domains")
        .await
        .0
        .iter()
        .filter(|domain| domain["authenticationType"] == "Federated")
        .map(|domain| text(&domain["id"]))
        .collect();
    let select = "id,userPrincipalName,mail,userType,accountEnabled,createdDateTime,externalUserState,\
                  onPremisesSyncEnabled,passwordPolicies,lastPasswordChangeDateTime,assignedLicenses,signInActivity";
    for user in client
        .graph_all(&format!("v1.0/users?$select={select}&$top=500"))
        .await
        .0
    {
        let id = text(&user["id"]);
        let active = user["accountEnabled"].as_bool().unwrap();
        let upn = text(&user["userPrincipalName"]);
        let elsewhere = user["userType"] == "Guest" || federated.contains(upn.rsplit_once('@').unwrap().1);
        active_ids.insert(id.clone(), active);
        let report = registered.get(&id);
        let methods: Vec<&str> = report
            .map(|row| {
                row["methodsRegistered"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|m| m.as_str().unwrap())
                    .collect()
            })
            .unwrap_or_default();
        let login = text(&user["mail"]).to_lowercase();
        people.entry(login.clone()).or_default().push(Account {
            m365: true,
            login,
            active,
            guest: user["userType"] == "Guest",
            pending: user["externalUserState"] == "PendingAcceptance",
            privileged: roles.contains_key(&id),
            super_admin: roles.get(&id).copied().unwrap_or_default(),
            permanent: permanent.contains(&id),
            // Guests and accounts of federated domains may have a second factor elsewhere.
            mfa: report
                .map(|row| row["isMfaRegistered"].as_bool().unwrap())
                .filter(|registered| *registered || !elsewhere),
            weak: methods
                .iter()
                .all(|m| m.ends_with("Phone") || matches!(*m, "email" | "securityQuestion")),
            resistant: methods.iter().any(|m| {
                m.starts_with("passKey")
                    || matches!(
                        *m,
                        "fido2SecurityKey" | "macOsSecureEnclaveKey" | "windowsHelloForBusiness"
                    )
            }),
            last_ms: ms(&user["signInActivity"]["lastSuccessfulSignInDateTime"]),
            created_ms: ms(&user["createdDateTime"]).unwrap(),
            password_ms: ms(&user["lastPasswordChangeDateTime"]).unwrap(),
            never_expires: user["passwordPolicies"]
                .as_str()
                .is_some_and(|p| p.contains("DisablePasswordExpiration")),
            licensed: !user["assignedLicenses"].as_array().unwrap().is_empty(),
            synced: user["onPremisesSyncEnabled"] == true,
            grants: delegated
                .iter()
                .filter(|grant| grant["principalId"] == json!(id))
                .count(),
            offboarded_since_ms: None,
        });
    }
}

async fn okta_accounts(
    client: &Client,
    now_ms: i64,
    people: &mut BTreeMap<String, Vec<Account>>,
    out: &mut Found,
) {
    let (mut users, _) = client.okta_all("api/v1/users?limit=200").await;
    users.extend(
        client
            .okta_all("api/v1/users?search=status%20eq%20%22DEPROVISIONED%22")
            .await
            .0,
    );
    let (assignees, _) = client.okta_all("api/v1/iam/assignees/users?limit=100").await;
    let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for assignee in assignees {
        let id = text(&assignee["id"]);
        let (held, _) = client.okta_all(&format!("api/v1/users/{id}/roles")).await;
        roles.insert(id, held.iter().map(|role| text(&role["type"])).collect());
    }
    let mut assignments: BTreeMap<String, usize> = BTreeMap::new();
    for app in client.okta_all("api/v1/apps?limit=200").await.0 {
        let (assigned, _) = client
            .okta_all(&format!("api/v1/apps/{}/users?limit=500", text(&app["id"])))
            .await;
        for user in assigned.iter().filter(|user| has_access(user)) {
            *assignments.entry(text(&user["id"])).or_default() += 1;
        }
    }
    let mut owners = BTreeMap::new();
    for user in users {
        let id = text(&user["id"]);
        let out_now = matches!(user["status"].as_str().unwrap(), "DEPROVISIONED" | "SUSPENDED");
        let (factors, _) = client.okta_all(&format!("api/v1/users/{id}/factors")).await;
        let kinds: Vec<_> = factors
            .iter()
            .filter(|factor| factor["status"] == "ACTIVE")
            .map(|factor| text(&factor["factorType"]))
            .collect();
        let provider = user["credentials"]["provider"]["type"].as_str().unwrap();
        let unclear = kinds.len() < factors.len() || matches!(provider, "FEDERATION" | "SOCIAL");
        let held = roles.get(&id).map(Vec::as_slice).unwrap_or_default();
        let login = text(&user["profile"]["login"]).to_lowercase();
        owners.insert(
            id.clone(),
            (login.clone(), held.iter().any(|role| role == "SUPER_ADMIN")),
        );
        people.entry(login.clone()).or_default().push(Account {
            login,
            active: !out_now,
            privileged: held
                .iter()
                .any(|role| matches!(role.as_str(), "SUPER_ADMIN" | "ORG_ADMIN" | "APP_ADMIN")),
            super_admin: held.iter().any(|role| role == "SUPER_ADMIN"),
            mfa: (user["status"] != "DEPROVISIONED")
                .then(|| {
                    kinds
                        .iter()
                        .any(|kind| !matches!(kind.as_str(), "question" | "email"))
                })
                .filter(|enrolled| *enrolled || !unclear),
            weak: kinds
                .iter()
                .all(|kind| matches!(kind.as_str(), "sms" | "call" | "email" | "question")),
            resistant: kinds
                .iter()
                .any(|kind| matches!(kind.as_str(), "webauthn" | "u2f" | "signed_nonce")),
            last_ms: ms(&user["lastLogin"]),
            created_ms: ms(&user["created"]).unwrap(),
            password_ms: ms(&user["passwordChanged"]).unwrap(),
            grants: assignments.get(&id).copied().unwrap_or_default(),
            offboarded_since_ms: out_now.then(|| ms(&user["statusChanged"]).unwrap()),
            ..Account::default()
        });
    }
    for token in client.okta_all("api/v1/api-tokens").await.0 {
        let (email, super_admin) = owners.get(token["userId"].as_str().unwrap()).unwrap();
        let subject = json!({ "type": "identity", "email": email });
        if *super_admin {
            found(out, "tok.admin_token", &subject);
        }
        // Every use moves the expiry, so there always is one.
        assert!(ms(&token["expiresAt"]).unwrap() > now_ms);
        assert!(ms(&token["created"]).unwrap() <= now_ms);
    }
}

fn judge_people(people: &BTreeMap<String, Vec<Account>>, now_ms: i64, out: &mut Found) {
    let older = |at_ms: Option<i64>, days: i64| at_ms.is_some_and(|at_ms| at_ms < now_ms - days * DAY_MS);
    for (email, accounts) in people {
        let mut hit = |rule: &str, holds: bool| {
            if holds {
                found(out, rule, &json!({ "type": "identity", "email": email }));
            }
        };
        let (local, domain) = email.split_once('@').unwrap();
        let any = |test: &dyn Fn(&Account) -> bool| accounts.iter().any(test);
        hit(
            "id.admin_no_mfa",
            any(&|a| a.active && a.privileged && a.mfa == Some(false)),
        );
        hit(
            "id.user_no_mfa",
            any(&|a| a.active && !a.privileged && a.mfa == Some(false)),
        );
        hit(
            "id.admin_weak_mfa",
            any(&|a| a.active && a.privileged && a.mfa == Some(true) && a.weak),
        );
        hit(
            "id.admin_no_phish_resistant",
            any(&|a| a.active && a.privileged && a.mfa == Some(true) && !a.resistant),
        );
        let left = any(&|a| older(a.offboarded_since_ms, 1));
        hit("id.offboarded_active", left && any(&|a| a.active));
        let holding: Vec<_> = accounts.iter().filter(|a| a.m365 && a.grants > 0).collect();
        hit(
            "id.offboarded_grants",
            !holding.is_empty() && holding.iter().all(|a| !a.active),
        );
        let corporate = domain == "birchworks.example";
        hit(
            "id.orphan_account",
            corporate && any(&|a| a.m365 && a.active && !a.guest) && accounts.iter().all(|a| a.m365),
        );
        hit(
            "id.stale_account",
            any(&|a| {
                let never = a.last_ms.is_none() && older(Some(a.created_ms), 30);
                a.active && !a.guest && !a.privileged && (older(a.last_ms, 90) || never)
            }),
        );
        hit(
            "id.stale_admin",
            any(&|a| a.active && a.privileged && older(a.last_ms, 30)),
        );
        hit("id.guest_admin", any(&|a| a.guest && a.active && a.privileged));
        hit(
            "id.guest_stale",
            any(&|a| a.guest && a.active && older(a.last_ms, 60)),
        );
        hit(
            "id.guest_pending",
            any(&|a| a.pending && older(Some(a.created_ms), 30)),
        );
        hit(
            "id.guest_personal_mail",
            any(&|a| a.guest) && FREE_MAIL.contains(&domain),
        );
        hit(
            "id.password_never_expires",
            any(&|a| a.never_expires && a.mfa == Some(false)),
        );
        hit(
            "id.password_old",
            any(&|a| older(Some(a.password_ms), 365) && a.mfa == Some(false)),
        );
        hit("id.permanent_privilege", any(&|a| a.permanent));
        hit("id.synced_admin", any(&|a| a.m365 && a.privileged && a.synced));
        hit(
            "id.shared_account",
            SHARED_LOGINS.contains(&local) && any(&|a| a.active && a.privileged),
        );
        let privileged = any(&|a| a.privileged);
        let held: usize = accounts.iter().map(|a| a.grants).sum();
        hit(
            "id.admin_daily_driver",
            privileged && any(&|a| a.licensed) && held >= 3,
        );
        // The fixture must not contain cases that depend on the exact interpretation of a rule.
        for a in accounts.iter().filter(|a| a.active) {
            assert_eq!(a.login, *email);
            let edges = [(a.last_ms, [30, 60, 90]), (Some(a.created_ms), [30, 30, 30])];
            for (at_ms, days) in edges {
                let near =
                    |days: &i64| at_ms.is_some_and(|at| (now_ms - days * DAY_MS - at).abs() < DAY_MS / 2);
                assert!(!days.iter().any(near), "{email} is too close to a threshold");
            }
        }
        let driver = any(&|a| a.licensed && a.privileged && a.grants >= 3);
        assert_eq!(
            privileged && any(&|a| a.licensed) && held >= 3,
            driver,
            "{email}: the result differs by account and by person"
        );
    }
}

async fn m365_apps(
    client: &Client,
    now_ms: i64,
    delegated: &[Value],
    active_ids: &BTreeMap<String, bool>,
    out: &mut Found,
) {
    let tenant = text(&client.graph("v1.0/organization").await.json()["value"][0]["id"]);
    let (principals, _) = client.graph_all("v1.0/servicePrincipals?$top=20").await;
    let mut held: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for resource in principals
        .iter()
        .filter(|app| !app["appRoles"].as_array().unwrap().is_empty())
    {
        let id = text(&resource["id"]);
        let names: BTreeMap<_, _> = resource["appRoles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| (text(&role["id"]), text(&role["value"])))
            .collect();
        for row in client
            .graph_all(&format!("v1.0/servicePrincipals/{id}/appRoleAssignedTo?$top=999"))
            .await
            .0
        {
            let name = names
                .get(row["appRoleId"].as_str().unwrap())
                .expect("the resource offers every granted permission");
            held.entry(text(&row["principalId"]))
                .or_default()
                .insert(name.clone());
        }
    }
    let (roles, _) = client
        .graph_all("v1.0/roleManagement/directory/roleAssignments?$expand=principal")
        .await;
    let privileged: BTreeSet<_> = roles
        .iter()
        .filter(|row| row["principal"]["@odata.type"] == "#microsoft.graph.servicePrincipal")
        .map(|row| text(&row["principalId"]))
        .collect();
    let (registrations, _) = client.graph_all("v1.0/applications?$top=999").await;
    for app in &principals {
        let (id, name, owner) = (
            text(&app["id"]),
            text(&app["displayName"]),
            text(&app["appOwnerOrganizationId"]),
        );
        let subject = json!({ "type": "app", "platform": "m365", "name": name });
        let mut hit = |rule: &str, holds: bool| {
            if holds {
                found(out, rule, &subject);
            }
        };
        if owner == "f8cdef31-a31e-4b4a-93e4-5f571e91255a" {
            continue;
        }
        let mine: Vec<_> = delegated
            .iter()
            .filter(|grant| grant["clientId"] == json!(id))
            .collect();
        let split = |grant: &Value| {
            text(&grant["scope"])
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let application = held.get(&id).cloned().unwrap_or_default();
        let scopes: BTreeSet<String> = mine
            .iter()
            .flat_map(|grant| split(grant))
            .chain(application)
            .collect();
        let content = ["Mail.", "Files.", "Sites.", "Contacts."];
        let reads_content = scopes
            .iter()
            .any(|scope| content.iter().any(|prefix| scope.starts_with(prefix)));
        hit(
            "app.risky_scopes",
            scopes.iter().any(|scope| HIGH_RISK.contains(&scope.as_str())),
        );
        let unverified = app["verifiedPublisher"]["verifiedPublisherId"].is_null();
        hit(
            "app.unverified_publisher",
            unverified && owner != tenant && reads_content,
        );
        let for_everybody = |grant: &&Value| {
            grant["consentType"] == "AllPrincipals"
                && split(grant).iter().any(|s| !BASIC_SCOPES.contains(&s.as_str()))
        };
        hit(
            "app.tenant_wide_consent",
            mine.iter().copied().any(|grant| for_everybody(&grant)),
        );
        let created_ms = ms(&app["createdDateTime"]).unwrap();
        hit(
            "app.unreviewed",
            !scopes.is_empty() && created_ms >= now_ms - 30 * DAY_MS,
        );
        hit(
            "app.shadow_ai",
            AI_NAMES.contains(&name.as_str()) && reads_content,
        );
        hit("app.privileged_principal", privileged.contains(&id));
        let Some(registration) = registrations.iter().find(|row| row["appId"] == app["appId"]) else {
            assert_ne!(owner, tenant, "{name} has no registration");
            continue;
        };
        let credentials: Vec<(i64, i64)> = ["passwordCredentials", "keyCredentials"]
            .iter()
            .flat_map(|kind| registration[kind].as_array().unwrap())
            .map(|c| (ms(&c["startDateTime"]).unwrap(), ms(&c["endDateTime"]).unwrap()))
            .collect();
        let bad = |(start, end): &(i64, i64)| *end < now_ms + 30 * DAY_MS || end - start > 365 * DAY_MS;
        hit("app.secret_expired_or_old", credentials.iter().any(bad));
        hit(
            "app.many_credentials",
            credentials.iter().filter(|(_, end)| *end > now_ms).count() >= 3,
        );
        let (owners, _) = client
            .graph_all(&format!("v1.0/applications/{}/owners", text(&registration["id"])))
            .await;
        hit(
            "id.offboarded_owner",
            !owners
                .iter()
                .any(|owner| active_ids[owner["id"].as_str().unwrap()]),
        );
    }
}

/// Whether an assignment of an app lets the person in.
fn has_access(user: &Value) -> bool {
    matches!(user["status"].as_str().unwrap(), "ACTIVE" | "STAGED")
}

async fn okta_apps(client: &Client, now_ms: i64, out: &mut Found) {
    let (apps, _) = client.okta_all("api/v1/apps?limit=5").await;
    for app in apps {
        let (mut users, _) = client
            .okta_all(&format!("api/v1/apps/{}/users", text(&app["id"])))
            .await;
        users.retain(has_access);
        let subject = json!({ "type": "app", "platform": "okta", "name": app["label"] });
        let mode = text(&app["signOnMode"]);
        let features: Vec<_> = app["features"].as_array().unwrap().iter().map(text).collect();
        if VAULT_MODES.contains(&mode.as_str()) && users.len() >= 5 {
            found(out, "okta.password_app", &subject);
        }
        let pushes = features.iter().any(|feature| feature == "PUSH_USER_DEACTIVATION");
        if app["status"] == "ACTIVE" && mode != "BOOKMARK" && users.len() >= 5 && !pushes {
            found(out, "okta.no_deprovisioning", &subject);
        }
        if !users.is_empty() && ms(&app["created"]).unwrap() >= now_ms - 30 * DAY_MS {
            found(out, "app.unreviewed", &subject);
        }
    }
}

fn expected(stage: &str) -> Found {
    let all: Vec<Value> = serde_json::from_str(Company::expected_json()).unwrap();
    let here = all.iter().filter(|finding| finding["stage"] == stage);
    here.map(|finding| (text(&finding["rule"]), finding["subject"].to_string()))
        .collect()
}

async fn check(stage: Stage, name: &str) {
    let mut client = Client::start().await;
    client.simulator.set_stage(stage);
    client.sign_in().await;
    let (got, wanted) = (
        judge(&client, ORIGIN_MS + stage.offset_ms()).await,
        expected(name),
    );
    let surplus: Vec<_> = got.difference(&wanted).collect();
    let missing: Vec<_> = wanted.difference(&got).collect();
    assert!(
        surplus.is_empty() && missing.is_empty(),
        "{name}: unexpected {surplus:#?}, missing {missing:#?}"
    );
}

#[tokio::test]
async fn the_company_now_has_exactly_the_expected_findings() {
    check(Stage::Now, "now").await;
}

#[tokio::test]
async fn the_company_a_week_ago_had_exactly_the_expected_findings() {
    check(Stage::Days7, "-7d").await;
}

#[tokio::test]
async fn the_company_a_month_ago_had_exactly_the_expected_findings() {
    check(Stage::Days30, "-30d").await;
}

#[test]
fn every_rule_has_a_few_findings_and_most_people_have_none() {
    let now = expected("now");
    let mut cases: BTreeMap<&str, usize> = BTreeMap::new();
    for (rule, _) in &now {
        *cases.entry(rule).or_default() += 1;
    }
    assert_eq!(cases.len(), 33, "{:?}", cases.keys());
    assert!(cases.values().all(|cases| (1..=9).contains(cases)), "{cases:?}");
    let people: BTreeSet<_> = now
        .iter()
        .filter(|(_, subject)| subject.contains("identity"))
        .map(|(_, s)| s)
        .collect();
    assert!(people.len() < 80, "{}", people.len());
    for stage in ["-30d", "-7d"] {
        assert_ne!(expected(stage), now, "the findings change between stages");
    }
}
