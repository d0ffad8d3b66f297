//! Tests of authentication, paging, query options, permissions and error bodies of each vendor.

use crate::client::{Client, ORIGIN_MS, read};
use serde_json::json;
use watchpost_simulator::{Change, Company, Stage, Vendor};

#[tokio::test]
async fn lists_of_users_have_an_empty_page_and_end() {
    let client = Client::start().await;
    let (users, sizes) = client.graph_all("v1.0/users?$select=id,mail&$top=100").await;
    assert!((550..=650).contains(&users.len()), "{}", users.len());
    assert_eq!(sizes.get(..2), Some(&[100, 0][..]), "an empty page in the chain");
    assert!(sizes.len() >= 4);
    let mut ids: Vec<_> = users.iter().map(|user| user["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), users.len(), "no user occurs twice");

    let (plain, sizes) = client.okta_all("api/v1/users?limit=200").await;
    assert_eq!(sizes.get(..2), Some(&[200, 0][..]));
    assert!(plain.iter().all(|user| user["status"] != "DEPROVISIONED"));
    let (gone, _) = client
        .okta_all("api/v1/users?search=status%20eq%20%22DEPROVISIONED%22")
        .await;
    assert!(gone.len() >= 6 && gone.iter().all(|user| user["status"] == "DEPROVISIONED"));
}

#[tokio::test]
async fn special_properties_are_returned_only_when_selected() {
    let client = Client::start().await;
    let bare = client.graph("v1.0/users?$top=1").await.json();
    let row = &bare["value"][0];
    assert!(row["displayName"].is_string());
    for special in [
        "signInActivity",
        "accountEnabled",
        "onPremisesImmutableId",
        "passwordPolicies",
        "createdDateTime",
    ] {
        assert!(row.get(special).is_none(), "{special}");
    }
    let full = client
        .graph("v1.0/users?$select=id,accountEnabled,signInActivity&$top=1")
        .await
        .json();
    assert_eq!(full["value"][0]["accountEnabled"], true);
    assert!(full["value"][0]["signInActivity"]["lastSuccessfulSignInDateTime"].is_string());
    assert_eq!(
        client
            .graph("v1.0/users?$select=signInActivity&$top=501")
            .await
            .status,
        400
    );
    let id = full["value"][0]["id"].as_str().unwrap();
    assert_eq!(
        client
            .graph(&format!("v1.0/users/{id}?$select=signInActivity"))
            .await
            .status,
        200
    );
    let by_name = client
        .graph("v1.0/users/mara.holt@birchworks.example?$select=signInActivity")
        .await;
    assert_eq!(by_name.status, 400, "sign-in activity requires the object id");
    assert_eq!(
        client
            .graph("v1.0/users/mara.holt@birchworks.example")
            .await
            .json()["displayName"],
        "Mara Holt"
    );
}

#[tokio::test]
async fn simple_filters_are_supported_and_others_are_rejected() {
    let client = Client::start().await;
    let url = "v1.0/servicePrincipals?$filter=appId%20eq%20'00000003-0000-0000-c000-000000000000'&$select=displayName";
    assert_eq!(
        client.graph(url).await.json()["value"],
        json!([{ "displayName": "Microsoft Graph" }])
    );
    let (guests, _) = client
        .graph_all("v1.0/users?$filter=userType%20eq%20'Guest'&$select=id&$top=10")
        .await;
    assert_eq!(guests.len(), 24);
    assert_eq!(
        client.graph("v1.0/users?$filter=endsWith(mail,'x')").await.status,
        400
    );
    assert_eq!(
        client
            .graph("v1.0/users/mara.holt%40birchworks.example")
            .await
            .status,
        200
    );
    assert_eq!(
        client
            .okta("api/v1/users/mara.holt%40birchworks.example")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn principals_are_expanded_only_on_request() {
    let client = Client::start().await;
    for list in [
        "roleAssignments",
        "roleAssignmentScheduleInstances",
        "roleEligibilityScheduleInstances",
    ] {
        let path = format!("v1.0/roleManagement/directory/{list}");
        let (plain, _) = client.graph_all(&path).await;
        let (expanded, _) = client
            .graph_all(&format!("{path}?$expand=principal&$select=id"))
            .await;
        assert!(!plain.is_empty() && plain.len() == expanded.len(), "{list}");
        assert!(plain.iter().all(|row| row.get("principal").is_none()), "{list}");
        assert!(
            expanded
                .iter()
                .all(|row| row["principal"]["@odata.type"].is_string()),
            "{list}"
        );
    }
}

#[tokio::test]
async fn wrong_credentials_give_the_vendors_error_codes() {
    let client = Client::start().await;
    let access = client.simulator.m365();
    let check = async |credentials: &[(&str, &str)], status: u16, code: u64| {
        let got = client.token(credentials).await;
        assert_eq!(
            (got.status, got.json()["error_codes"][0].as_u64()),
            (status, Some(code)),
            "{}",
            got.body
        );
        assert!(
            got.json()["error_description"]
                .as_str()
                .unwrap()
                .starts_with(&format!("AADSTS{code}: "))
        );
    };
    check(
        &[("client_id", &access.client_id), ("client_secret", "wrong")],
        401,
        7_000_215,
    )
    .await;
    check(
        &[("client_id", "nobody"), ("client_secret", &access.client_secret)],
        400,
        700_016,
    )
    .await;
    check(
        &[("client_id", &access.client_id), ("client_assertion", "a.b.c")],
        401,
        700_027,
    )
    .await;
    check(&[("client_id", &access.client_id)], 401, 7_000_218).await;

    let bad = client
        .http
        .get(format!("{}/v1.0/users", access.graph_url))
        .bearer_auth("wrong")
        .send()
        .await
        .unwrap();
    let bad = read(bad).await;
    assert_eq!(
        (bad.status, &bad.json()["error"]["code"]),
        (401, &json!("InvalidAuthenticationToken"))
    );

    let okta = client.simulator.okta();
    let bad = client
        .http
        .get(format!("{}/api/v1/users", okta.org_url))
        .header("authorization", "SSWS wrong");
    let bad = read(bad.send().await.unwrap()).await;
    assert_eq!((bad.status, &bad.json()["errorCode"]), (401, &json!("E0000011")));
    assert!(bad.headers.contains_key("x-okta-request-id") && bad.headers.contains_key("x-rate-limit-reset"));
}

/// Returns an assertion with a fake signature.
fn assertion(header: &serde_json::Value, claims: &serde_json::Value) -> String {
    use base64::Engine as _;
    let encode =
        |value: &serde_json::Value| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", encode(header), encode(claims))
}

#[tokio::test]
async fn the_claims_of_certificate_assertions_are_checked() {
    let client = Client::start().await;
    let access = client.simulator.m365();
    let audience = format!("{}/{}/oauth2/v2.0/token", access.login_url, access.tenant_id);
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": "dGh1bWI" });
    let claims = |audience: &str, lifetime: i64| {
        json!({ "iss": access.client_id, "sub": access.client_id, "aud": audience, "jti": "1",
            "nbf": ORIGIN_MS / 1000, "exp": ORIGIN_MS / 1000 + lifetime })
    };
    let check = async |assertion: String, status: u16| {
        let got = client
            .token(&[("client_id", &access.client_id), ("client_assertion", &assertion)])
            .await;
        assert_eq!(got.status, status, "{}", got.body);
    };
    check(assertion(&header, &claims(&audience, 600)), 200).await;
    check(
        assertion(&header, &claims("https://elsewhere.example/token", 600)),
        401,
    )
    .await;
    check(assertion(&header, &claims(&audience, 3600)), 401).await;
    check(assertion(&json!({ "alg": "none" }), &claims(&audience, 600)), 401).await;
}

#[tokio::test]
async fn the_okta_service_app_gets_only_granted_scopes() {
    let client = Client::start().await;
    let okta = client.simulator.okta();
    let url = format!("{}/oauth2/v1/token", okta.org_url);
    let claims = json!({ "iss": okta.client_id, "sub": okta.client_id, "aud": url, "iat": 0, "exp": 3600 });
    let assertion = assertion(&json!({ "alg": "RS256" }), &claims);
    let ask = async |scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &assertion),
        ];
        read(client.http.post(&url).form(&form).send().await.unwrap()).await
    };
    assert_eq!(
        ask("okta.everything.manage").await.json()["error"],
        "invalid_scope"
    );
    client.simulator.deny_permission(Vendor::Okta, "okta.apps.read");
    assert_eq!(ask("okta.apps.read").await.json()["error"], "consent_required");
    let granted = ask("okta.users.read okta.apps.read").await.json();
    assert_eq!(granted["scope"], "okta.users.read");
    let token = granted["access_token"].as_str().unwrap();
    let get = async |path: &str| {
        read(
            client
                .http
                .get(format!("{}{path}", okta.org_url))
                .bearer_auth(token)
                .send()
                .await
                .unwrap(),
        )
        .await
    };
    assert_eq!(get("/api/v1/users").await.status, 200);
    let refused = get("/api/v1/apps").await;
    assert_eq!(
        (refused.status, &refused.json()["errorCode"]),
        (403, &json!("E0000006"))
    );
    assert!(
        refused.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("error=\"insufficient_scope\"")
    );
    assert_eq!(
        get("/api/v1/logs").await.status,
        403,
        "the scope was not requested"
    );
}

#[tokio::test]
async fn a_missing_permission_affects_exactly_its_routes() {
    let client = Client::start().await;
    let check = async |permission: &str, path: &str, code: &str| {
        assert_eq!(client.graph(path).await.status, 200, "{path}");
        client.simulator.deny_permission(Vendor::Graph, permission);
        let got = client.graph(path).await;
        assert_eq!(
            (got.status, got.json()["error"]["code"].as_str()),
            (403, Some(code)),
            "{path}"
        );
        client.simulator.grant_permission(Vendor::Graph, permission);
        assert_eq!(client.graph(path).await.status, 200, "{path}");
    };
    let directory = "v1.0/roleManagement/directory";
    let denied = "Authorization_RequestDenied";
    check("User.Read.All", "v1.0/users", denied).await;
    check(
        "AuditLog.Read.All",
        "v1.0/users?$select=signInActivity",
        "Authentication_MSGraphPermissionMissing",
    )
    .await;
    check(
        "AuditLog.Read.All",
        "v1.0/reports/authenticationMethods/userRegistrationDetails",
        "Authentication_MSGraphPermissionMissing",
    )
    .await;
    check(
        "RoleManagement.Read.Directory",
        &format!("{directory}/roleAssignments"),
        denied,
    )
    .await;
    check(
        "RoleManagement.Read.Directory",
        &format!("{directory}/roleDefinitions"),
        denied,
    )
    .await;
    check(
        "RoleAssignmentSchedule.Read.Directory",
        "beta/roleManagement/directory/roleAssignmentScheduleInstances",
        "UnknownError",
    )
    .await;
    check(
        "RoleEligibilitySchedule.Read.Directory",
        &format!("{directory}/roleEligibilityScheduleInstances"),
        "UnknownError",
    )
    .await;
    check("Application.Read.All", "v1.0/servicePrincipals", denied).await;
    check("Application.Read.All", "v1.0/applications", denied).await;
    check("Directory.Read.All", "v1.0/oauth2PermissionGrants", denied).await;
    check(
        "Policy.Read.All",
        "v1.0/identity/conditionalAccess/policies",
        "AccessDenied",
    )
    .await;
    check(
        "Policy.Read.All",
        "v1.0/identity/conditionalAccess/namedLocations",
        "AccessDenied",
    )
    .await;
    for policy in [
        "authorizationPolicy",
        "authenticationMethodsPolicy",
        "identitySecurityDefaultsEnforcementPolicy",
        "adminConsentRequestPolicy",
    ] {
        check("Policy.Read.All", &format!("beta/policies/{policy}"), denied).await;
    }
    check("Domain.Read.All", "v1.0/domains", denied).await;
    check("Organization.Read.All", "v1.0/organization", denied).await;
    check("Organization.Read.All", "v1.0/subscribedSkus", denied).await;
    check("GroupMember.Read.All", "v1.0/groups", denied).await;

    let okta = [
        ("okta.users.read", "users"),
        ("okta.roles.read", "iam/assignees/users"),
        ("okta.groups.read", "groups"),
        ("okta.apps.read", "apps"),
        ("okta.policies.read", "policies?type=OKTA_SIGN_ON"),
        ("okta.authenticators.read", "authenticators"),
        ("okta.networkZones.read", "zones"),
        ("okta.behaviors.read", "behaviors"),
        ("okta.threatInsights.read", "threats/configuration"),
        ("okta.apiTokens.read", "api-tokens"),
        ("okta.idps.read", "idps"),
        ("okta.logStreams.read", "logStreams"),
        ("okta.orgs.read", "org/privacy/oktaSupport"),
        ("okta.logs.read", "logs"),
    ];
    for (scope, route) in okta {
        let path = format!("api/v1/{route}");
        assert_eq!(client.okta(&path).await.status, 200, "{path}");
        client.simulator.deny_permission(Vendor::Okta, scope);
        let got = client.okta(&path).await;
        assert_eq!(
            (got.status, &got.json()["errorCode"]),
            (403, &json!("E0000006")),
            "{path}"
        );
        client.simulator.grant_permission(Vendor::Okta, scope);
    }
}

#[tokio::test]
async fn a_missing_license_gives_its_error() {
    let client = Client::start().await;
    let check = async |path: &str, status: u16, code: &str| {
        assert_eq!(client.graph(path).await.status, 200, "{path}");
        client.simulator.unlicensed(Vendor::Graph, true);
        let got = client.graph(path).await;
        assert_eq!(
            (got.status, got.json()["error"]["code"].as_str()),
            (status, Some(code)),
            "{path}"
        );
        client.simulator.unlicensed(Vendor::Graph, false);
    };
    let premium = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    check("v1.0/users?$select=id,signInActivity", 403, premium).await;
    check(
        "v1.0/reports/authenticationMethods/userRegistrationDetails",
        403,
        premium,
    )
    .await;
    let pim = "beta/roleManagement/directory/roleEligibilityScheduleInstances";
    check(pim, 400, "AadPremiumLicenseRequired").await;
    client.simulator.unlicensed(Vendor::Graph, true);
    assert_eq!(client.graph("v1.0/users?$select=id").await.status, 200);
    assert!(
        !client
            .graph("v1.0/subscribedSkus")
            .await
            .body
            .contains("AAD_PREMIUM")
    );
}

#[tokio::test]
async fn a_batch_has_a_response_for_each_step() {
    let client = Client::start().await;
    let body = json!({ "requests": [
        { "id": "1", "method": "GET", "url": "/domains" },
        { "id": "2", "method": "GET", "url": "/users?$top=2&$select=id" },
        { "id": "3", "method": "DELETE", "url": "/users/1" } ] });
    let got = client.graph_post("v1.0/$batch", &body).await.json();
    let step = |id: &str| {
        got["responses"]
            .as_array()
            .unwrap()
            .iter()
            .find(|step| step["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(step("1")["body"]["value"][0]["id"], "birchworks.example");
    assert_eq!(step("2")["body"]["value"].as_array().unwrap().len(), 2);
    let next = step("2")["body"]["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(client.graph(&next).await.status, 200, "{next}");
    assert_eq!(step("3")["status"], 405);
}

#[tokio::test]
async fn the_same_seed_and_time_give_the_same_bytes() {
    let (one, two) = (Client::start().await, Client::start().await);
    let paths = [
        "v1.0/users?$select=id,displayName,signInActivity&$top=500",
        "v1.0/oauth2PermissionGrants",
    ];
    for path in paths {
        let (a, b) = (one.graph(path).await, two.graph(path).await);
        let b_body = b.body.replace(two.simulator.origin(), one.simulator.origin());
        assert!(a.body == b_body, "{path}");
        assert_eq!(a.headers["request-id"], b.headers["request-id"]);
    }
    let (a, b) = (one.okta("api/v1/users").await, two.okta("api/v1/users").await);
    assert!(a.body == b.body);
}

#[tokio::test]
async fn a_change_is_visible_in_the_next_response() {
    let client = Client::start().await;
    let email = "mara.holt@birchworks.example".to_owned();
    let okta = async || client.okta(&format!("api/v1/users/{email}")).await;
    let apply = |change: Change| client.simulator.apply(&change).unwrap();
    apply(Change::SuspendOktaUser { email: email.clone() });
    assert_eq!(okta().await.json()["status"], "SUSPENDED");
    apply(Change::ActivateOktaUser { email: email.clone() });
    assert_eq!(okta().await.json()["status"], "ACTIVE");
    apply(Change::RenameUser {
        email: email.clone(),
        name: "Mara Holt-Quast".to_owned(),
    });
    assert_eq!(okta().await.json()["profile"]["lastName"], "Holt-Quast");
    let grants = async || {
        client
            .graph_all("v1.0/oauth2PermissionGrants?$top=999")
            .await
            .0
            .len()
    };
    let before = grants().await;
    apply(Change::RevokeGrant {
        app: "Stackpile Docs".to_owned(),
        email: Some(email.clone()),
    });
    assert_eq!(grants().await, before - 1);
    apply(Change::AddGrant {
        app: "Stackpile Docs".to_owned(),
        email: Some(email.clone()),
        scopes: "User.Read".to_owned(),
    });
    assert_eq!(grants().await, before);
    apply(Change::DeleteUser { email: email.clone() });
    assert_eq!(okta().await.status, 404);
    assert!(client.simulator.apply(&Change::DeleteUser { email }).is_err());
    client.simulator.set_stage(Stage::Now);
    assert_eq!(
        client
            .okta("api/v1/users/mara.holt@birchworks.example")
            .await
            .status,
        200,
        "setting a stage reverts changes"
    );
}

#[tokio::test]
async fn the_simulator_can_be_controlled_over_http() {
    let client = Client::start().await;
    let order = async |body: serde_json::Value| {
        let url = format!("{}/_simulator/orders", client.simulator.origin());
        read(client.http.post(url).json(&body).send().await.unwrap())
            .await
            .status
    };
    assert_eq!(order(json!({ "fault": { "vendor": "graph", "path_contains": "/users", "times": 1, "kind": "unavailable" } })).await, 200);
    assert_eq!(client.graph("v1.0/users").await.status, 503);
    assert_eq!(client.graph("v1.0/users").await.status, 200);
    assert_eq!(order(json!({ "stage": "-30d" })).await, 200);
    assert_eq!(
        order(json!({ "change": { "suspend_okta_user": { "email": "mara.holt@birchworks.example" } } }))
            .await,
        200
    );
    assert_eq!(
        order(json!({ "change": { "suspend_okta_user": { "email": "nobody@birchworks.example" } } })).await,
        409
    );
    assert_eq!(
        order(json!({ "deny": { "vendor": "okta", "permission": "okta.apps.read" } })).await,
        200
    );
    assert_eq!(client.okta("api/v1/apps").await.status, 403);
    assert_eq!(order(json!("expire_tokens")).await, 200);
    assert_eq!(client.graph("v1.0/users").await.status, 401);
    assert_eq!(order(json!({ "nonsense": 1 })).await, 400);
    let counts = client.simulator.requests();
    assert_eq!(counts.get("GET /graph/v1.0/users"), Some(&3), "{counts:?}");
}

#[tokio::test]
async fn tokens_expire() {
    let mut client = Client::start().await;
    client.simulator.set_now(ORIGIN_MS + 3_598_000);
    assert_eq!(client.graph("v1.0/domains").await.status, 200);
    client.simulator.set_now(ORIGIN_MS + 3_600_000);
    assert_eq!(client.graph("v1.0/domains").await.status, 401);
    client.sign_in().await;
    assert_eq!(client.graph("v1.0/domains").await.status, 200);
}

#[tokio::test]
async fn a_large_company_is_paged() {
    let client = Client::start_with(Company::synthetic(100_000).unwrap()).await;
    let first = client.graph("v1.0/users?$select=id,mail&$top=999").await.json();
    assert_eq!(first["value"].as_array().unwrap().len(), 999);
    let empty = client
        .graph(first["@odata.nextLink"].as_str().unwrap())
        .await
        .json();
    assert_eq!(empty["value"], json!([]));
    let second = client
        .graph(empty["@odata.nextLink"].as_str().unwrap())
        .await
        .json();
    assert_ne!(second["value"][0]["id"], first["value"][0]["id"]);
    assert_eq!(
        client
            .okta("api/v1/users?limit=200")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        200
    );
    assert_eq!(
        client.graph("v1.0/oauth2PermissionGrants?$top=999").await.json()["value"]
            .as_array()
            .unwrap()
            .len(),
        999
    );
}

#[tokio::test]
async fn a_stopped_simulator_does_not_respond() {
    let client = Client::start().await;
    client.simulator.stop();
    let mut tries = 0;
    while client.try_graph("v1.0/domains").await.is_ok() {
        tries += 1;
        assert!(tries < 1000, "still serving");
        tokio::task::yield_now().await;
    }
}
