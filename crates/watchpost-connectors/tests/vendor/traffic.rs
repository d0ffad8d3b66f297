//! Traffic to compare: what the connectors send in many situations, and requests to the routes of the simulator that no
//! connector uses.

use crate::support::{ORIGIN_MS, Rig, config};
use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use watchpost_core::{
    integration::{connector::ConnectorConfig, setting::CollectRequest},
    value::word::Platform,
};
use watchpost_simulator::{Company, Exchange, Fault, FaultKind, RetryAfter, Stage, Vendor};

/// The number of rows of a list for which the routes below them are requested.
const ROWS_FOLLOWED: usize = 8;

/// Faults whose answers still have the vendor's form.
const FAULTS: [FaultKind; 6] = [
    FaultKind::TooManyRequests(RetryAfter::Seconds(2)),
    FaultKind::InternalError,
    FaultKind::Unavailable,
    FaultKind::Unauthorized,
    FaultKind::Forbidden,
    FaultKind::BadGateway,
];

async fn rigs() -> Vec<Rig> {
    let embedded = Rig::start().await;
    let earlier = Rig::start().await;
    earlier.simulator.set_stage(Stage::Days30);
    // More than one page of people.
    let large = Rig::with(Company::synthetic(230).unwrap(), |_| {}).await;
    // For the situations in which something is missing.
    let small = Rig::small().await;
    let rigs = vec![embedded, earlier, large, small];
    for rig in &rigs {
        rig.simulator.record();
    }
    rigs
}

/// Lets a connector do everything that it can.
async fn everything(rig: &Rig, platform: Platform, config: &ConnectorConfig) {
    let connector = rig.connector(platform);
    let verified = connector.verify(config).await;
    assert!(verified.is_ok(), "{verified:?}");
    rig.sync_with(platform, config).await;
    let request = CollectRequest {
        paths: connector
            .setting_paths()
            .iter()
            .map(|path| (*path).to_owned())
            .collect(),
        metered: true,
    };
    let mut run = connector.collect(config, request).await.unwrap();
    while run.next_setting().await.unwrap().is_some() {}
}

/// Lets a connector do everything while each of the permissions is missing, without licenses, and with faults.
async fn troubles(rig: &Rig, platform: Platform, vendor: Vendor, config: &ConnectorConfig, denied: &[&str]) {
    for permission in denied {
        rig.simulator.deny_permission(vendor, permission);
        everything(rig, platform, config).await;
        rig.simulator.grant_permission(vendor, permission);
    }
    rig.simulator.unlicensed(vendor, true);
    everything(rig, platform, config).await;
    rig.simulator.unlicensed(vendor, false);
    for kind in FAULTS {
        rig.simulator.fault(Fault {
            vendor,
            path_contains: "/".to_owned(),
            times: 1,
            kind,
        });
        rig.sync_with(platform, config).await;
    }
}

fn recorded(rigs: &[Rig]) -> Vec<Exchange> {
    rigs.iter()
        .flat_map(|rig| rig.simulator.take_exchanges())
        .collect()
}

/// A client without a connector.
struct Plain {
    client: reqwest::Client,
    base: String,
    authorization: String,
}

impl Plain {
    async fn send(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("authorization", &self.authorization);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap().json().await.unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        self.send(reqwest::Method::GET, path, None).await
    }

    /// Requests a list, then each of the addresses below its first rows.
    async fn follow(&self, list: &str, below: &[&str]) {
        let answer = self.get(list).await;
        let rows = answer.get("value").unwrap_or(&answer).as_array().cloned();
        let path = list.split('?').next().unwrap_or_default();
        for row in rows.into_iter().flatten().take(ROWS_FOLLOWED) {
            let id = row["id"].as_str().unwrap_or_default();
            for child in below {
                self.get(&format!("{path}/{id}{child}")).await;
            }
        }
    }
}

/// Returns a service app's key. The simulator accepts any.
fn service_app(rig: &Rig) -> ConnectorConfig {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = key.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    let access = rig.simulator.okta();
    config(
        &[("org_url", &access.org_url), ("client_id", &access.client_id)],
        &[("private_key", &pem)],
    )
}

/// The scopes whose absence is tried.
const OKTA_SCOPES: [&str; 5] = [
    "okta.apps.read",
    "okta.policies.read",
    "okta.roles.read",
    "okta.threatInsights.read",
    "okta.users.read",
];

/// The lists and documents of Okta that the simulator serves.
const OKTA_PLAIN: [&str; 12] = [
    "/api-tokens",
    "/authenticators",
    "/behaviors",
    "/iam/assignees/users?limit=1",
    "/idps",
    "/logStreams",
    "/logs?limit=20&sortOrder=ASCENDING",
    "/org",
    "/org/privacy/oktaSupport",
    "/threats/configuration",
    "/users/00unobody000000000000",
    "/zones",
];

pub(crate) async fn okta() -> Vec<Exchange> {
    let rigs = rigs().await;
    for rig in &rigs {
        everything(rig, Platform::Okta, &rig.okta()).await;
    }
    let rig = &rigs[0];
    let small = &rigs[3];
    let app = service_app(small);
    everything(small, Platform::Okta, &app).await;
    troubles(small, Platform::Okta, Vendor::Okta, &app, &OKTA_SCOPES).await;
    let access = rig.simulator.okta();
    let plain = Plain {
        client: reqwest::Client::new(),
        base: format!("{}/api/v1", access.org_url),
        authorization: format!("SSWS {}", access.api_token),
    };
    for path in OKTA_PLAIN {
        plain.get(path).await;
    }
    plain
        .follow(
            "/users?search=status%20eq%20%22ACTIVE%22",
            &["", "/factors", "/roles", "/groups", "/grants"],
        )
        .await;
    plain.follow("/groups?limit=3", &["/users"]).await;
    plain.follow("/apps?limit=200", &["/users", "/grants"]).await;
    for kind in [
        "OKTA_SIGN_ON",
        "PASSWORD",
        "MFA_ENROLL",
        "ACCESS_POLICY",
        "PROFILE_ENROLLMENT",
        "IDP_DISCOVERY",
        "ENTITY_RISK",
        "POST_AUTH_SESSION",
    ] {
        plain.follow(&format!("/policies?type={kind}"), &["/rules"]).await;
    }
    recorded(&rigs)
}

/// The permissions whose absence is tried.
const GRAPH_PERMISSIONS: [&str; 7] = [
    "Application.Read.All",
    "AuditLog.Read.All",
    "ConfigurationMonitoring.ReadWrite.All",
    "GroupMember.Read.All",
    "Policy.Read.All",
    "RoleAssignmentSchedule.Read.Directory",
    "User.Read.All",
];

/// The documents and lists of Graph that the simulator serves, without those that are followed.
const GRAPH_PLAIN: [&str; 28] = [
    "/beta/identity/conditionalAccess/policies",
    "/beta/policies/authenticationMethodsPolicy",
    "/beta/policies/authorizationPolicy",
    "/beta/settings",
    "/v1.0/admin/sharepoint/settings",
    "/v1.0/domains",
    "/v1.0/identity/conditionalAccess/namedLocations",
    "/v1.0/identity/conditionalAccess/policies",
    "/v1.0/no/such/thing",
    "/v1.0/oauth2PermissionGrants?$top=20",
    "/v1.0/organization",
    "/v1.0/policies/adminConsentRequestPolicy",
    "/v1.0/policies/appManagementPolicies",
    "/v1.0/policies/authenticationMethodsPolicy",
    "/v1.0/policies/authorizationPolicy",
    "/v1.0/policies/defaultAppManagementPolicy",
    "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
    "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'",
    "/v1.0/reports/authenticationMethods/userRegistrationDetails",
    "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
    "/v1.0/roleManagement/directory/roleAssignments?$expand=principal",
    "/v1.0/roleManagement/directory/roleDefinitions",
    "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
    "/v1.0/security/secureScores",
    "/v1.0/subscribedSkus",
    "/v1.0/users/00000000-0000-4000-8000-000000000000",
    "/v1.0/users?$select=id&$top=5000",
    "/v1.0/admin/configurationManagement/configurationSnapshotJobs",
];

/// Returns the exchanges with Graph and with the other hosts of Microsoft 365.
pub(crate) async fn m365() -> Vec<Exchange> {
    let rigs = rigs().await;
    for rig in &rigs {
        everything(rig, Platform::M365, &rig.m365()).await;
    }
    let rig = &rigs[0];
    everything(rig, Platform::M365, &rig.m365_with_proxy()).await;
    let small = &rigs[3];
    troubles(
        small,
        Platform::M365,
        Vendor::Graph,
        &small.m365(),
        &GRAPH_PERMISSIONS,
    )
    .await;
    let plain = graph_client(rig).await;
    for path in GRAPH_PLAIN {
        plain.get(path).await;
    }
    plain.follow("/v1.0/users?$top=20", &[""]).await;
    plain
        .follow("/v1.0/groups", &["/members", "/transitiveMembers"])
        .await;
    plain
        .follow(
            "/v1.0/applications",
            &["/owners", "/federatedIdentityCredentials"],
        )
        .await;
    plain
        .follow(
            "/v1.0/servicePrincipals",
            &["/appRoleAssignedTo", "/delegatedPermissionClassifications"],
        )
        .await;
    for version in ["v1.0", "beta"] {
        let list = format!(
            "/{version}/policies/roleManagementPolicies?$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'"
        );
        plain.follow(&list, &["/rules"]).await;
    }
    let steps = serde_json::json!({ "requests": [
        { "id": "1", "method": "GET", "url": "/users?$select=id,displayName&$top=2" },
        { "id": "2", "method": "GET", "url": "/users/nobody" },
    ] });
    plain
        .send(reqwest::Method::POST, "/v1.0/$batch", Some(steps))
        .await;
    rig.simulator.set_now(ORIGIN_MS + 8_640_000_000);
    plain.get("/v1.0/users").await;
    recorded(&rigs)
}

async fn graph_client(rig: &Rig) -> Plain {
    let access = rig.simulator.m365();
    let client = reqwest::Client::new();
    let url = format!("{}/{}/oauth2/v2.0/token", access.login_url, access.tenant_id);
    let scope = format!("{}/.default", access.graph_url);
    let form = [
        ("client_id", access.client_id.as_str()),
        ("client_secret", &access.client_secret),
        ("scope", &scope),
        ("grant_type", "client_credentials"),
    ];
    let answer: Value = client
        .post(url)
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    Plain {
        client,
        base: access.graph_url,
        authorization: format!("Bearer {}", answer["access_token"].as_str().unwrap()),
    }
}
