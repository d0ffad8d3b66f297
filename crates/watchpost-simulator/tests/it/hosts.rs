//! Tests of the administration hosts of Microsoft 365: response formats, errors, faults.

use crate::client::{Client, Got, read};
use serde_json::{Value, json};
use watchpost_simulator::{Fault, FaultKind, RetryAfter, Vendor};

const EXCHANGE: &str = "https://outlook.office365.com/.default";
const COMPLIANCE: &str = "https://ps.compliance.protection.outlook.com/.default";
const SHAREPOINT: &str = "https://birchworks-admin.sharepoint.com/.default";
const POWER: &str = "https://service.powerapps.com//.default";
const FABRIC: &str = "https://api.fabric.microsoft.com/.default";

fn cmdlet(name: &str) -> Value {
    json!({ "CmdletInput": { "CmdletName": name, "Parameters": {} } })
}

impl Client {
    fn invoke_url(&self) -> String {
        let access = self.simulator.m365();
        format!(
            "{}/adminapi/beta/{}/InvokeCommand",
            access.exchange_url, access.tenant_id
        )
    }

    async fn invoke(&self, name: &str) -> Got {
        let bearer = self.bearer(EXCHANGE).await;
        self.host_post(&self.invoke_url(), &bearer, &cmdlet(name)).await
    }

    async fn tenant_of_sharepoint(&self) -> Got {
        let url = format!("{}/_api/SPO.Tenant", self.simulator.m365().sharepoint_admin_url);
        self.host_get(&url, &self.bearer(SHAREPOINT).await).await
    }

    async fn tenant_of_fabric(&self) -> Got {
        let url = format!("{}/v1/admin/tenantsettings", self.simulator.m365().fabric_url);
        self.host_get(&url, &self.bearer(FABRIC).await).await
    }

    async fn power(&self, get: bool, path: &str) -> Got {
        let url = format!("{}/providers/{path}", self.simulator.m365().power_platform_url);
        let bearer = self.bearer(POWER).await;
        if get {
            self.host_get(&url, &bearer).await
        } else {
            self.host_post(&url, &bearer, &json!({})).await
        }
    }
}

#[tokio::test]
async fn every_supported_cmdlet_returns_rows() {
    let client = Client::start().await;
    let bearer = client.bearer(EXCHANGE).await;
    for noun in [
        "RemoteDomain",
        "AcceptedDomain",
        "DkimSigningConfig",
        "TransportConfig",
        "SharingPolicy",
        "TransportRule",
        "OrganizationConfig",
        "ExternalInOutlook",
        "MailboxAuditBypassAssociation",
        "RoleAssignmentPolicy",
        "OwaMailboxPolicy",
        "HostedConnectionFilterPolicy",
        "HostedContentFilterPolicy",
        "HostedContentFilterRule",
        "HostedOutboundSpamFilterPolicy",
        "MalwareFilterPolicy",
        "MalwareFilterRule",
        "AntiPhishPolicy",
        "AntiPhishRule",
        "SafeLinksPolicy",
        "SafeLinksRule",
        "SafeAttachmentPolicy",
        "SafeAttachmentRule",
        "AtpPolicyForO365",
        "EOPProtectionPolicyRule",
        "ATPProtectionPolicyRule",
        "ATPBuiltInProtectionRule",
        "AdminAuditLogConfig",
        "InboundConnector",
        "OutboundConnector",
        "TeamsProtectionPolicy",
    ] {
        let got = client
            .host_post(&client.invoke_url(), &bearer, &cmdlet(&format!("Get-{noun}")))
            .await;
        assert_eq!(got.status, 200, "{noun}: {}", got.body);
        let body = got.json();
        assert!(body["value"].is_array(), "{noun}");
        assert_eq!(body["adminapi.warnings"], json!([]));
        let empty = [
            "HostedContentFilterRule",
            "MalwareFilterRule",
            "AntiPhishRule",
            "OutboundConnector",
        ];
        assert_eq!(body["value"] == json!([]), empty.contains(&noun), "{noun}");
    }
}

#[tokio::test]
async fn compliance_cmdlets_require_their_own_host_and_token() {
    let client = Client::start().await;
    let access = client.simulator.m365();
    let url = format!(
        "{}/adminapi/beta/{}/InvokeCommand",
        access.compliance_url, access.tenant_id
    );
    let bearer = client.bearer(COMPLIANCE).await;
    for noun in [
        "DlpCompliancePolicy",
        "DlpComplianceRule",
        "ProtectionAlert",
        "UnifiedAuditLogRetentionPolicy",
    ] {
        let got = client
            .host_post(&url, &bearer, &cmdlet(&format!("Get-{noun}")))
            .await;
        assert_eq!(got.status, 200, "{noun}: {}", got.body);
    }
    let foreign = client.bearer(EXCHANGE).await;
    let got = client
        .host_post(&url, &foreign, &cmdlet("Get-ProtectionAlert"))
        .await;
    assert_eq!((got.status, got.body.as_str()), (401, ""));
    assert!(got.headers.contains_key("www-authenticate"));
    let got = client
        .host_post(&url, &bearer, &cmdlet("Get-TransportRule"))
        .await;
    assert_eq!(got.status, 400);
}

#[tokio::test]
async fn only_read_cmdlets_are_run() {
    let client = Client::start().await;
    assert_eq!(client.invoke("Set-TransportConfig").await.status, 403);
    let got = client.invoke("Get-Nonsense").await;
    assert_eq!(got.status, 400);
    let message = got.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("CommandNotFoundException"), "{message}");
    assert_eq!(
        got.json()["error"]["innererror"]["message"],
        "Error executing cmdlet"
    );
}

#[tokio::test]
async fn documented_endpoints_run_one_cmdlet_each() {
    let client = Client::start().await;
    let access = client.simulator.m365();
    let bearer = client.bearer(EXCHANGE).await;
    let url = |endpoint: &str| {
        format!(
            "{}/adminapi/v2.0/{}/{endpoint}",
            access.exchange_url, access.tenant_id
        )
    };
    let got = client
        .host_post(
            &url("OrganizationConfig"),
            &bearer,
            &cmdlet("Get-OrganizationConfig"),
        )
        .await;
    let organization = &got.json()["value"][0];
    assert_eq!(organization["MailTipsAllTipsEnabled"], true);
    assert_eq!(
        organization.get("AuditDisabled"),
        None,
        "it returns little more than MailTips"
    );
    let wrong = client
        .host_post(&url("OrganizationConfig"), &bearer, &cmdlet("Get-TransportRule"))
        .await;
    assert_eq!(wrong.status, 400);
    let unknown = client
        .host_post(&url("TransportRule"), &bearer, &cmdlet("Get-TransportRule"))
        .await;
    assert_eq!(unknown.status, 404);
    client
        .simulator
        .deny_permission(Vendor::Exchange, "Exchange.ManageAsAppV2");
    let got = client
        .host_post(&url("AcceptedDomain"), &bearer, &cmdlet("Get-AcceptedDomain"))
        .await;
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (403, &json!("Forbidden"))
    );
    assert_eq!(
        client.invoke("Get-AcceptedDomain").await.status,
        200,
        "it needs another permission"
    );
    client
        .simulator
        .deny_permission(Vendor::Exchange, "Get-AcceptedDomain");
    assert_eq!(client.invoke("Get-AcceptedDomain").await.status, 403);
    assert_eq!(
        client.invoke("Get-TransportRule").await.status,
        200,
        "only one cmdlet is denied"
    );
}

#[tokio::test]
async fn mailboxes_are_paged_with_the_same_request_body() {
    let client = Client::start().await;
    let access = client.simulator.m365();
    let bearer = client.bearer(EXCHANGE).await;
    let mut url = format!(
        "{}/adminapi/v2.0/{}/Mailbox",
        access.exchange_url, access.tenant_id
    );
    let shared = json!({ "CmdletInput": { "CmdletName": "Get-Mailbox",
        "Parameters": { "RecipientTypeDetails": "SharedMailbox" } } });
    let got = client.host_post(&client.invoke_url(), &bearer, &shared).await;
    assert_eq!(got.json()["value"].as_array().unwrap().len(), 4);
    let got = client.host_post(&url, &bearer, &shared).await;
    assert_eq!(got.status, 400, "the endpoint has no such parameter");
    let (mut pages, mut rows) = (0, 0);
    loop {
        let request = client
            .http
            .post(&url)
            .bearer_auth(&bearer)
            .json(&cmdlet("Get-Mailbox"));
        let got = read(
            request
                .header("prefer", "odata.maxpagesize=200")
                .send()
                .await
                .unwrap(),
        )
        .await;
        let body = got.json();
        pages += 1;
        rows += body["value"].as_array().unwrap().len();
        match body["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert!(pages >= 3 && rows > 400, "{pages} pages, {rows} rows");
}

#[tokio::test]
async fn without_a_defender_license_its_cmdlets_do_not_exist() {
    let client = Client::start().await;
    client.simulator.unlicensed(Vendor::Exchange, true);
    assert_eq!(client.invoke("Get-SafeLinksPolicy").await.status, 400);
    assert_eq!(client.invoke("Get-MalwareFilterPolicy").await.status, 200);
    let skus = client.graph("v1.0/subscribedSkus").await;
    assert!(!skus.body.contains("ATP_ENTERPRISE"));
    assert!(skus.body.contains("AAD_PREMIUM_P2"));
}

#[tokio::test]
async fn sharepoint_returns_its_tenant_in_verbose_odata_and_can_require_a_certificate() {
    let client = Client::start().await;
    let got = client.tenant_of_sharepoint().await;
    assert_eq!(got.status, 200, "{}", got.body);
    let tenant = got.json()["d"].clone();
    assert_eq!(tenant["SharingCapability"], 2);
    assert!(tenant["__metadata"]["type"].is_string());
    client.simulator.certificates_only(true);
    let got = client.tenant_of_sharepoint().await;
    assert_eq!(got.status, 401);
    assert_eq!(
        got.json()["error"]["message"]["value"],
        "Unsupported app only token."
    );
    client.simulator.certificates_only(false);
    client
        .simulator
        .deny_permission(Vendor::SharePoint, "Sites.FullControl.All");
    assert_eq!(client.tenant_of_sharepoint().await.status, 403);
}

#[tokio::test]
async fn power_platform_has_four_endpoints_and_requires_a_version() {
    let client = Client::start().await;
    let tenant = client.simulator.m365().tenant_id;
    let base = "Microsoft.BusinessAppPlatform";
    let got = client
        .power(
            false,
            &format!("{base}/listTenantSettings?api-version=2023-06-01"),
        )
        .await;
    assert_eq!(
        got.json()["disableEnvironmentCreationByNonAdminUsers"],
        true,
        "{}",
        got.body
    );
    let got = client
        .power(
            true,
            &format!("{base}/scopes/admin/environments?api-version=2023-06-01"),
        )
        .await;
    assert_eq!(got.json()["value"][0]["name"], format!("Default-{tenant}"));
    let got = client
        .power(
            true,
            &format!("{base}/scopes/admin/apiPolicies?api-version=2016-11-01"),
        )
        .await;
    let policies = got.json();
    let filter =
        |at: usize| &policies["value"][at]["properties"]["definition"]["constraints"]["environmentFilter1"];
    assert_eq!(
        filter(0)["parameters"],
        json!({ "filterType": "include", "environments": [{
            "id": format!("/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/Default-{tenant}"),
            "name": format!("Default-{tenant}"), "type": "Microsoft.BusinessAppPlatform/scopes/environments" }] })
    );
    let isolation = format!("PowerPlatform.Governance/v1/tenants/{tenant}/tenantIsolationPolicy");
    let got = client
        .power(true, &format!("{isolation}?api-version=2020-06-01"))
        .await;
    assert_eq!(got.json()["properties"]["isDisabled"], false);
    assert_eq!(client.power(true, &isolation).await.status, 400, "no version");
    client
        .simulator
        .deny_permission(Vendor::PowerPlatform, "management_app");
    let got = client
        .power(true, &format!("{isolation}?api-version=2020-06-01"))
        .await;
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (403, &json!("Forbidden"))
    );
}

#[tokio::test]
async fn fabric_returns_the_settings_of_power_bi() {
    let client = Client::start().await;
    let body = client.tenant_of_fabric().await.json();
    let settings = body["tenantSettings"].as_array().unwrap();
    let web = settings
        .iter()
        .find(|row| row["settingName"] == "PublishToWeb")
        .unwrap();
    assert_eq!(web["enabled"], true);
    client.simulator.unlicensed(Vendor::Fabric, true);
    let got = client.tenant_of_fabric().await;
    assert_eq!(
        (got.status, &got.json()["errorCode"]),
        (403, &json!("InsufficientPrivileges"))
    );
}

#[tokio::test]
async fn a_token_is_valid_only_for_the_host_of_its_scope() {
    let client = Client::start().await;
    let access = client.simulator.m365();
    let own = format!("{}/.default", access.fabric_url);
    let bearer = client.bearer(&own).await;
    let url = format!("{}/v1/admin/tenantsettings", access.fabric_url);
    assert_eq!(client.host_get(&url, &bearer).await.status, 200);
    let graph = format!("{}/v1.0/domains", access.graph_url);
    assert_eq!(client.host_get(&graph, &bearer).await.status, 401);
    let credentials = [
        ("client_id", access.client_id.as_str()),
        ("client_secret", &access.client_secret),
    ];
    let got = client
        .token_for("https://service.powerapps.com/.default", &credentials)
        .await;
    assert_eq!(
        (got.status, &got.json()["error_codes"][0]),
        (400, &json!(500_011)),
        "with one slash it is another resource"
    );
}

#[tokio::test]
async fn faults_have_the_error_codes_of_each_host() {
    let client = Client::start().await;
    let inject = |vendor, kind: FaultKind| {
        client.simulator.fault(Fault {
            vendor,
            path_contains: String::new(),
            times: 1,
            kind,
        });
    };
    for (kind, status) in [
        (FaultKind::TooManyRequests(RetryAfter::Seconds(9)), 429),
        (FaultKind::InternalError, 500),
        (FaultKind::Unavailable, 503),
        (FaultKind::BadGateway, 502),
        (FaultKind::Forbidden, 403),
        (FaultKind::Unauthorized, 401),
    ] {
        for vendor in [
            Vendor::Exchange,
            Vendor::SharePoint,
            Vendor::PowerPlatform,
            Vendor::Fabric,
        ] {
            inject(vendor, kind.clone());
            let got = match vendor {
                Vendor::Exchange => client.invoke("Get-TransportConfig").await,
                Vendor::SharePoint => client.tenant_of_sharepoint().await,
                Vendor::Fabric => client.tenant_of_fabric().await,
                _ => client.power(true, "anything").await,
            };
            assert_eq!(got.status, status, "{vendor:?} {}", got.body);
            assert_eq!(got.headers.contains_key("retry-after"), status == 429);
            match (vendor, status) {
                (Vendor::Fabric, 429) => assert_eq!(got.json()["errorCode"], "RequestBlocked"),
                (Vendor::SharePoint, 429) => assert!(got.json()["error"]["message"]["value"].is_string()),
                (_, 429) => assert_eq!(got.json()["error"]["code"], "TooManyRequests"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn faults_affect_the_lists_of_other_hosts() {
    let client = Client::start().await;
    let inject = |vendor, kind: FaultKind| {
        client.simulator.fault(Fault {
            vendor,
            path_contains: String::new(),
            times: 1,
            kind,
        });
    };
    inject(Vendor::Exchange, FaultKind::LoopingNext);
    let got = client.invoke("Get-RemoteDomain").await;
    assert_eq!(got.json()["@odata.nextLink"], client.invoke_url());
    inject(Vendor::Fabric, FaultKind::LoopingNext);
    assert!(client.tenant_of_fabric().await.json()["continuationUri"].is_string());
    let environments = "Microsoft.BusinessAppPlatform/scopes/admin/environments?api-version=2023-06-01";
    inject(Vendor::PowerPlatform, FaultKind::HugeList(5_000));
    let got = client.power(true, environments).await;
    assert_eq!(got.json()["value"].as_array().unwrap().len(), 5_000);
    inject(Vendor::SharePoint, FaultKind::MalformedJson);
    let got = client.tenant_of_sharepoint().await;
    assert!(serde_json::from_str::<Value>(&got.body).is_err());
}

#[tokio::test]
async fn requests_to_other_hosts_are_counted() {
    let client = Client::start().await;
    client.tenant_of_sharepoint().await;
    client.invoke("Get-TransportConfig").await;
    let requests = client.simulator.requests();
    assert_eq!(requests["GET /sharepoint-admin/_api/SPO.Tenant"], 1);
    assert_eq!(requests["POST /exchange/adminapi/beta/{id}/InvokeCommand"], 1);
}
