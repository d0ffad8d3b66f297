//! Tests of Graph's settings: permissions, drift, changes at run time.

use crate::client::{Client, read};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use watchpost_simulator::{Change, ChangeError, Company, Stage, Vendor};

fn change(path: &str, pointer: &str, value: Value) -> Change {
    Change::SetSetting {
        path: path.to_owned(),
        pointer: pointer.to_owned(),
        value,
    }
}

#[tokio::test]
async fn every_graph_setting_requires_its_permission() {
    let client = Client::start().await;
    let services = client
        .graph_all(
            "v1.0/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'&$select=id",
        )
        .await
        .0;
    let classifications = format!(
        "v1.0/servicePrincipals/{}/delegatedPermissionClassifications",
        services[0]["id"].as_str().unwrap()
    );
    for (permission, path, list) in [
        (
            "Policy.Read.All",
            "beta/identity/conditionalAccess/policies",
            true,
        ),
        (
            "Policy.Read.All",
            "v1.0/identity/conditionalAccess/namedLocations",
            true,
        ),
        ("Policy.Read.All", "v1.0/policies/authorizationPolicy", false),
        ("Policy.Read.All", "beta/policies/authorizationPolicy", true),
        (
            "Policy.Read.All",
            "beta/policies/authenticationMethodsPolicy",
            false,
        ),
        (
            "Policy.Read.All",
            "beta/policies/defaultAppManagementPolicy",
            false,
        ),
        (
            "Policy.Read.All",
            "beta/policies/appManagementPolicies?$expand=appliesTo",
            true,
        ),
        ("Policy.Read.All", "beta/legacy/policies", true),
        ("Directory.Read.All", "beta/settings", true),
        ("Domain.Read.All", "v1.0/domains", true),
        ("Application.Read.All", &classifications, true),
        (
            "SharePointTenantSettings.Read.All",
            "v1.0/admin/sharepoint/settings",
            false,
        ),
        (
            "SecurityEvents.Read.All",
            "v1.0/security/secureScores?$top=1",
            true,
        ),
        (
            "RoleManagementPolicy.Read.Directory",
            "beta/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'",
            true,
        ),
    ] {
        let got = client.graph(path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        assert_eq!(got.json()["value"].is_array(), list, "{path}");
        client.simulator.deny_permission(Vendor::Graph, permission);
        let got = client.graph(path).await;
        assert_eq!(got.status, 403, "{path} without {permission}");
        client.simulator.grant_permission(Vendor::Graph, permission);
    }
    for beta_only in ["v1.0/settings", "v1.0/legacy/policies"] {
        assert_eq!(client.graph(beta_only).await.status, 400);
    }
}

#[tokio::test]
async fn beta_returns_more_of_a_conditional_access_policy() {
    let client = Client::start().await;
    let flows = async |version: &str| {
        let (rows, _) = client
            .graph_all(&format!("{version}/identity/conditionalAccess/policies?$top=4"))
            .await;
        let row = rows
            .iter()
            .find(|row| row["displayName"] == "Block device code sign-in")
            .unwrap();
        row["conditions"]["authenticationFlows"].clone()
    };
    assert_eq!(flows("beta").await["transferMethods"], "deviceCodeFlow");
    assert_eq!(flows("v1.0").await, Value::Null);
}

#[tokio::test]
async fn excluded_users_and_groups_exist_in_the_directory() {
    let client = Client::start().await;
    let (policies, _) = client.graph_all("beta/identity/conditionalAccess/policies").await;
    let users = &policies[0]["conditions"]["users"]["excludeUsers"];
    for id in users.as_array().unwrap() {
        let got = client
            .graph(&format!("v1.0/users/{}", id.as_str().unwrap()))
            .await;
        assert!(got.body.contains("Break Glass"), "{}", got.body);
    }
    let risky = policies
        .iter()
        .find(|row| row["displayName"] == "Block users at high risk");
    let group = &risky.unwrap()["conditions"]["users"]["excludeGroups"][0];
    let (groups, _) = client.graph_all("v1.0/groups").await;
    let group = groups.iter().find(|row| row["id"] == *group).unwrap();
    assert_eq!(group["displayName"], "Conditional access exceptions");
}

#[tokio::test]
async fn each_role_policy_has_its_own_rules() {
    let client = Client::start().await;
    let filter = "$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'";
    let (rows, _) = client
        .graph_all(&format!("beta/policies/roleManagementPolicyAssignments?{filter}"))
        .await;
    let mut approval = BTreeMap::new();
    for row in rows.iter().take(2) {
        let id = row["policyId"].as_str().unwrap();
        let (rules, _) = client
            .graph_all(&format!("beta/policies/roleManagementPolicies/{id}/rules"))
            .await;
        let rule = |name: &str| rules.iter().find(|rule| rule["id"] == name).unwrap().clone();
        approval.insert(
            row["roleDefinitionId"].as_str().unwrap().to_owned(),
            rule("Approval_EndUser_Assignment")["setting"]["isApprovalRequired"] == true,
        );
        assert!(rule("Notification_Admin_Admin_Assignment")["notificationRecipients"].is_array());
        assert!(rule("Expiration_Admin_Assignment")["maximumDuration"].is_string());
    }
    assert!(approval["62e90394-69f5-4237-9190-012177145e10"]);
    assert!(!approval["e8611ab8-c189-46e8-94e1-60213ab1f814"]);
    let group =
        "beta/policies/roleManagementPolicyAssignments?$filter=scopeId eq 'x' and scopeType eq 'Group'";
    assert_eq!(client.graph(group).await.json()["value"], json!([]));
    assert_eq!(
        client
            .graph("beta/policies/roleManagementPolicyAssignments")
            .await
            .status,
        400,
        "the filter must name a scope"
    );
    client.simulator.unlicensed(Vendor::Graph, true);
    let got = client.graph(group).await;
    assert_eq!(got.json()["error"]["code"], "AadPremiumLicenseRequired");
}

#[tokio::test]
async fn members_of_enumerations_that_were_added_later_are_hidden_from_other_clients() {
    let client = Client::start().await;
    let (policies, _) = client.graph_all("v1.0/identity/conditionalAccess/policies").await;
    let platforms = policies
        .iter()
        .find_map(|policy| policy["conditions"]["platforms"]["includePlatforms"].as_array());
    assert_eq!(platforms.unwrap(), &["windows", "unknownFutureValue"]);
}

#[tokio::test]
async fn apps_and_groups_show_their_audience_and_visibility() {
    let client = Client::start().await;
    let (apps, _) = client
        .graph_all("v1.0/applications?$select=id,displayName,web,signInAudience&$expand=federatedIdentityCredentials")
        .await;
    let app = |name: &str| {
        apps.iter()
            .find(|row| row["displayName"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(app("Legacy Timesheets")["signInAudience"], "AzureADMultipleOrgs");
    assert_eq!(app("Birchworks Intranet")["signInAudience"], "AzureADMyOrg");
    let scanner = &app("Warehouse Scanner")["web"]["redirectUris"][0];
    assert!(scanner.as_str().unwrap().starts_with("http://scanner."));
    let pipeline = app("Build Pipeline");
    assert_eq!(
        pipeline["federatedIdentityCredentials"].as_array().unwrap().len(),
        3
    );
    let one_by_one = |version: &str| {
        let id = pipeline["id"].as_str().unwrap();
        format!("{version}/applications/{id}/federatedIdentityCredentials")
    };
    for (version, expressions) in [("v1.0", 0), ("beta", 1)] {
        let (credentials, _) = client.graph_all(&one_by_one(version)).await;
        assert_eq!(credentials.len(), 3);
        let with = credentials
            .iter()
            .filter(|row| row["claimsMatchingExpression"].is_object());
        assert_eq!(with.count(), expressions);
    }
    let public = async || {
        let (groups, _) = client
            .graph_all("v1.0/groups?$select=id,displayName,visibility")
            .await;
        groups.iter().filter(|row| row["visibility"] == "Public").count()
    };
    assert_eq!(public().await, 2);
    client.simulator.set_stage(Stage::Days30);
    assert_eq!(public().await, 1);
    assert_eq!(client.graph_all(&one_by_one("v1.0")).await.0.len(), 2);
}

#[tokio::test]
async fn settings_drift_from_stage_to_stage() {
    let client = Client::start().await;
    let invite =
        async || client.graph("v1.0/policies/authorizationPolicy").await.json()["allowInvitesFrom"].clone();
    let policies = async || {
        client
            .graph_all("beta/identity/conditionalAccess/policies")
            .await
            .0
    };
    client.simulator.set_stage(Stage::Days30);
    assert_eq!(invite().await, "adminsAndGuestInviters");
    let then = policies().await;
    assert_eq!(then[1]["state"], "enabled");
    client.simulator.set_stage(Stage::Days7);
    assert_eq!(invite().await, "adminsAndGuestInviters");
    assert_eq!(policies().await[1]["state"], "enabledForReportingButNotEnforced");
    client.simulator.set_stage(Stage::Now);
    assert_eq!(invite().await, "adminsGuestInvitersAndAllMembers");
    let now = policies().await;
    assert_eq!(now.len(), then.len() + 1, "one policy is new");
}

#[tokio::test]
async fn a_setting_changes_at_run_time_until_the_next_stage() {
    let client = Client::start().await;
    let path = "policies/identitySecurityDefaultsEnforcementPolicy";
    let on = async || client.graph(&format!("v1.0/{path}")).await.json()["isEnabled"].clone();
    client
        .simulator
        .apply(&change(path, "/isEnabled", json!(true)))
        .unwrap();
    assert_eq!(on().await, true);
    client.simulator.set_stage(Stage::Now);
    assert_eq!(on().await, false);
    // The same over HTTP.
    let order = json!({ "change": { "set_setting": { "path": path, "value": { "isEnabled": true } } } });
    let url = format!("{}/_simulator/orders", client.simulator.origin());
    let got = read(client.http.post(&url).json(&order).send().await.unwrap()).await;
    assert_eq!(got.status, 200, "{}", got.body);
    assert_eq!(on().await, true);
    assert_eq!(
        client.simulator.apply(&change("no/such", "", json!(1))),
        Err(ChangeError::NoSuchSetting("no/such".to_owned()))
    );
    assert_eq!(
        client.simulator.apply(&change(path, "/no/such/place", json!(1))),
        Err(ChangeError::NoSuchPointer {
            path: path.to_owned(),
            pointer: "/no/such/place".to_owned()
        })
    );
}

/// Every row is well formed, no check occurs twice, and within the last 30 days some results improve and others get worse.
#[test]
fn the_expected_results_are_mixed_and_change_between_stages() {
    let rows: Vec<BTreeMap<String, Value>> = serde_json::from_str(Company::expected_checks_json()).unwrap();
    let mut seen = BTreeMap::new();
    for row in &rows {
        let text = |name: &str| row[name].as_str().unwrap();
        for moment in ["-30d", "now"] {
            let verdict = text(moment);
            let known = [
                "passed",
                "failed",
                "skipped:manual",
                "skipped:unlicensed",
                "skipped:not_applicable",
            ];
            assert!(known.contains(&verdict), "{row:?}");
        }
        assert!(
            seen.insert(text("check"), (text("-30d"), text("now"))).is_none(),
            "{row:?}"
        );
        if row.get("would_pass").is_some() {
            assert_eq!(text("now"), "failed", "{row:?}");
        }
    }
    let count = |verdict: &str| {
        let settings = seen.iter().filter(|(check, _)| !check.starts_with("exp."));
        settings.filter(|(_, (_, now))| *now == verdict).count()
    };
    let share = count("passed") * 100 / (count("passed") + count("failed"));
    assert!((50..=70).contains(&share), "{share} % pass");
    assert!(count("skipped:manual") > 0 && count("skipped:unlicensed") > 0);
    let moved = |from: &str, to: &str| seen.values().filter(|moved| **moved == (from, to)).count();
    assert!(moved("passed", "failed") >= 3 && moved("failed", "passed") >= 2);
    assert_eq!(seen["exo.no_auto_forward"], ("passed", "failed"));
    assert!(rows.iter().filter(|row| row.contains_key("would_pass")).count() >= 2);
}
