//! Tests of the internal form: the same tenant by cmdlets, by an export and by snapshots, and what checks conclude from each.

use crate::{
    snapshots::{from_snapshots, in_snapshots},
    support::{ORIGIN_MS, Rig, Settings},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use watchpost_connectors::import::scubagear::check_document;
use watchpost_core::{
    check::{CheckDocument, Profile, Unreadable},
    value::word::{CollectionState, Platform},
};
use watchpost_policy::{Pack, check::CheckJudge};
use watchpost_simulator::Change;

/// Changes of the company's settings, in the cmdlets' form, with which every check of the workloads passes that doesn't need
/// a license, a parameter or a person.
fn good_settings() -> Vec<(&'static str, &'static str, Value)> {
    let domains = json!([
        "birchworks.example",
        "birchworks.onmicrosoft.example",
        "birchworks-news.example"
    ]);
    let rule = |field: &str| {
        json!([{"Identity": "Everyone", "Name": "Everyone", "State": "Enabled", "Priority": 0, field: "Everyone",
            "SentTo": null, "SentToMemberOf": null, "RecipientDomainIs": domains, "ExceptIfSentTo": null,
            "ExceptIfSentToMemberOf": null, "ExceptIfRecipientDomainIs": null}])
    };
    let names = json!({"Identity": "Everyone", "Name": "Everyone", "IsDefault": false, "RecommendedPolicyType": "Custom"});
    let policy = |more: Value| {
        let mut row = names.clone();
        for (name, value) in more.as_object().unwrap() {
            row[name] = value.clone();
        }
        row
    };
    let types = [
        "Credit Card Number",
        "U.S. Social Security Number (SSN)",
        "U.S. Individual Taxpayer Identification Number (ITIN)",
    ];
    let types: Vec<Value> = types
        .iter()
        .map(|name| json!({"name": name, "mincount": "1"}))
        .collect();
    vec![
        (
            "exchange/RemoteDomain",
            "/value/0/AutoForwardEnabled",
            json!(false),
        ),
        (
            "exchange/SharingPolicy",
            "/value/0/Domains",
            json!(["partnerworks.example:CalendarSharingFreeBusySimple"]),
        ),
        ("exchange/SharingPolicy", "/value/1/Domains", json!([])),
        (
            "exchange/OrganizationConfig",
            "/value/0/RejectDirectSend",
            json!(true),
        ),
        (
            "exchange/OrganizationConfig",
            "/value/0/CustomerLockBoxEnabled",
            json!(true),
        ),
        ("exchange/DkimSigningConfig", "/value/2/Enabled", json!(true)),
        (
            "exchange/TransportRule",
            "/value",
            json!([{"Identity": "External", "Name": "External", "State": "Enabled", "Mode": "Enforce", "Priority": 0,
                "FromScope": "NotInOrganization", "PrependSubject": "[External] ", "SetSCL": null}]),
        ),
        (
            "exchange/RoleAssignmentPolicy",
            "/value/0/AssignedRoles",
            json!(["MyBaseOptions"]),
        ),
        // The default policies are bad, so that a good verdict needs the rules.
        (
            "exchange/MalwareFilterPolicy",
            "/value/0/ZapEnabled",
            json!(false),
        ),
        (
            "exchange/MalwareFilterPolicy",
            "/value/-",
            policy(json!({"EnableFileFilter": true, "FileTypes": ["exe", "cmd", "vbe"], "ZapEnabled": true})),
        ),
        (
            "exchange/MalwareFilterRule",
            "/value",
            rule("MalwareFilterPolicy"),
        ),
        (
            "exchange/HostedContentFilterPolicy",
            "/value/0/SpamAction",
            json!("NoAction"),
        ),
        (
            "exchange/HostedContentFilterPolicy",
            "/value/-",
            policy(
                json!({"SpamAction": "MoveToJmf", "HighConfidenceSpamAction": "Quarantine",
                "PhishSpamAction": "Quarantine", "HighConfidencePhishAction": "Quarantine",
                "AllowedSenderDomains": []}),
            ),
        ),
        (
            "exchange/HostedContentFilterRule",
            "/value",
            rule("HostedContentFilterPolicy"),
        ),
        (
            "exchange/AntiPhishPolicy",
            "/value/-",
            policy(json!({"Enabled": true, "EnableTargetedUserProtection": true,
                "TargetedUsersToProtect": ["Ann Example;ann@birchworks.example"],
                "TargetedUserProtectionAction": "Quarantine", "EnableOrganizationDomainsProtection": true,
                "EnableTargetedDomainsProtection": true, "TargetedDomainsToProtect": ["partnerworks.example"],
                "TargetedDomainProtectionAction": "Quarantine", "EnableFirstContactSafetyTips": true,
                "EnableSimilarUsersSafetyTips": true, "EnableSimilarDomainsSafetyTips": true,
                "EnableUnusualCharactersSafetyTips": true, "EnableUnauthenticatedSender": true,
                "EnableViaTag": true})),
        ),
        ("exchange/AntiPhishRule", "/value", rule("AntiPhishPolicy")),
        (
            "exchange/HostedOutboundSpamFilterPolicy",
            "/value/0/ActionWhenThresholdReached",
            json!("BlockUser"),
        ),
        ("exchange/SafeLinksPolicy", "/value/0/TrackClicks", json!(true)),
        ("purview/ProtectionAlert", "/value/2/Disabled", json!(false)),
        (
            "purview/DlpCompliancePolicy",
            "/value/0",
            json!({"Identity": "Numbers", "Name": "Numbers", "Enabled": true, "Mode": "Enable", "Priority": 0,
                "Workload": "Exchange, SharePoint, OneDriveForBusiness, Teams, EndpointDevices",
                "ExchangeLocation": ["All"], "SharePointLocation": ["All"], "OneDriveLocation": ["All"],
                "TeamsLocation": ["All"], "EndpointDlpLocation": ["All"]}),
        ),
        (
            "purview/DlpComplianceRule",
            "/value",
            json!([{"Identity": "Numbers stay inside", "Name": "Numbers stay inside", "ParentPolicyName": "Numbers",
                "Disabled": false, "Mode": "Enforce", "Priority": 0, "IsAdvancedRule": false,
                "ContentContainsSensitiveInformation": types, "BlockAccess": true, "BlockAccessScope": "All",
                "NotifyUser": ["SiteAdmin"]}]),
        ),
        (
            "teams/MeetingPolicy",
            "/value/0/AllowAnonymousUsersToJoinMeeting",
            json!(false),
        ),
        (
            "teams/MeetingPolicy",
            "/value/1/AllowAnonymousUsersToJoinMeeting",
            json!(false),
        ),
        (
            "teams/MeetingPolicy",
            "/value/0/AllowCloudRecording",
            json!(false),
        ),
        (
            "teams/MeetingPolicy",
            "/value/1/AllowCloudRecording",
            json!(false),
        ),
        (
            "teams/MeetingPolicy",
            "/value/1/AllowPSTNUsersToBypassLobby",
            json!(false),
        ),
        (
            "teams/FederationConfiguration",
            "/value/0/AllowTeamsConsumer",
            json!(false),
        ),
        (
            "teams/FederationConfiguration",
            "/value/0/AllowTeamsConsumerInbound",
            json!(false),
        ),
        (
            "teams/AppPermissionPolicy",
            "/value/0/GlobalCatalogAppsType",
            json!("AllowedAppList"),
        ),
        (
            "teams/ClientConfiguration",
            "/value/0/AllowGoogleDrive",
            json!(false),
        ),
        (
            "powerplatform/DlpPolicies",
            "/value",
            json!([{"name": "p", "id": "/providers/Microsoft.BusinessAppPlatform/scopes/admin/apiPolicies/p",
                "type": "Microsoft.BusinessAppPlatform/scopes/apiPolicies",
                "properties": {"displayName": "All", "definition": {"constraints": {}}}}]),
        ),
        (
            "powerplatform/TenantSettings",
            "/disableTrialEnvironmentCreationByNonAdminUsers",
            json!(true),
        ),
        (
            "powerplatform/TenantSettings",
            "/powerPlatform/powerApps/disableShareWithEveryone",
            json!(true),
        ),
    ]
}

/// Starts a simulator with a good tenant.
async fn good() -> Rig {
    let rig = Rig::start().await;
    for (path, pointer, value) in good_settings() {
        let change = Change::SetSetting {
            path: path.to_owned(),
            pointer: pointer.to_owned(),
            value,
        };
        rig.simulator.apply(&change).unwrap();
    }
    rig
}

/// Returns the settings of the workloads and of Power Platform, and what checks need besides.
fn paths(rig: &Rig) -> Vec<&'static str> {
    let of = [
        "exchange/",
        "purview/",
        "teams/",
        "powerplatform/",
        "licenses/",
        "subscribedSkus",
    ];
    let all = rig.connector(Platform::M365).setting_paths();
    all.iter()
        .copied()
        .filter(|path| of.iter().any(|start| path.starts_with(start)))
        .collect()
}

/// Evaluates the checks that read a setting of the workloads. Returns the results and sentences by check.
fn evaluate(rig: &Rig, read: &Settings) -> BTreeMap<String, (String, String)> {
    let tenant = rig.simulator.m365().tenant_id;
    let mut document = CheckDocument::new(Platform::M365, tenant, "Birchworks".to_owned());
    for (path, end) in &read.read {
        if end.state == CollectionState::Complete {
            document.settings.insert(path.clone(), read.document(path));
        } else {
            let unreadable = Unreadable {
                state: end.state,
                detail: end.detail.clone(),
            };
            document.unreadable.insert(path.clone(), unreadable);
        }
    }
    let key = json!({"status": "found", "rdata": ["v=DKIM1; k=rsa; p=TUlJQklqQU5CZ2txaGtpRzl3MEJBUUVGQUFPQ0FR"],
        "selector": "selector1", "name": "selector1._domainkey.birchworks.example"});
    let domains = json!({"value": [{"domain": "birchworks.example", "lookups": {"dkim": [key]}}]});
    document.settings.insert("dns/domains".to_owned(), domains);
    for (check, params) in [
        (
            "def.user_impersonation",
            json!({"sensitive_users": ["ann@birchworks.example"]}),
        ),
        (
            "def.partner_impersonation",
            json!({"partner_domains": ["partnerworks.example"]}),
        ),
    ] {
        let Value::Object(params) = params else {
            unreachable!()
        };
        document.params.insert(check.to_owned(), params);
    }
    let pack = Pack::builtin();
    let workloads = ["exchange/", "purview/", "teams/", "powerplatform/"];
    let chosen: Vec<usize> = (0..)
        .zip(pack.checks().checks())
        .filter(|(_, check)| {
            let reads = |path: &String| workloads.iter().any(|start| path.starts_with(start));
            check.scan.is_some() && !check.manual && check.inputs.iter().any(reads)
        })
        .map(|(at, _)| at)
        .collect();
    let document = Arc::new(document);
    let judge = std::thread::Builder::new()
        .stack_size(CheckJudge::STACK_BYTES)
        .spawn(move || {
            let verdicts = CheckJudge::new(&pack).judge(&document, &chosen, Profile::Default, ORIGIN_MS);
            let named = verdicts.into_iter().map(|verdict| {
                let id = pack.checks().checks()[verdict.check].id.clone();
                let mut result = verdict.outcome.result.as_str().to_owned();
                if let Some(why) = verdict.outcome.skip {
                    result = format!("{result}:{}", why.as_str());
                }
                (id, (result, verdict.outcome.reason.untrusted().to_owned()))
            });
            named.collect()
        });
    judge.unwrap().join().unwrap()
}

/// The checks that snapshots alone can't answer, and the setting or field that they lack.
const UNTOLD: &[(&str, &str)] = &[
    ("def.audit_retention", "purview/UnifiedAuditLogRetentionPolicy"),
    ("def.unified_audit", "exchange/AdminAuditLogConfig"),
    ("def.zap_teams", "exchange/TeamsProtectionPolicy"),
    ("exo.audit_bypass", "exchange/MailboxAuditBypassAssociation"),
    ("exo.direct_send_rejected", "RejectDirectSend"),
    ("exp.direct_send_open", "RejectDirectSend"),
];

#[tokio::test(start_paused = true)]
async fn a_good_tenant_passes_by_snapshots_what_it_passes_by_cmdlets() {
    let rig = good().await;
    let paths = paths(&rig);
    // Only snapshots contain the settings of Teams.
    let config = rig.m365_with_proxy();
    let read = rig
        .collect_with(Platform::M365, &config, &paths, true)
        .await
        .unwrap();
    let mut by_cmdlets = rig
        .collect_with(Platform::M365, &config, &paths, false)
        .await
        .unwrap();
    for (path, end) in read.read {
        if path.starts_with("teams/") {
            by_cmdlets.read.insert(path, end);
        }
    }
    let by_snapshots = from_snapshots(&rig, &paths).await;
    let cmdlets = evaluate(&rig, &by_cmdlets);
    let snapshots = evaluate(&rig, &by_snapshots);
    assert!(cmdlets.len() > 60, "{}", cmdlets.len());
    let bad: Vec<_> = cmdlets
        .iter()
        .filter(|(check, (result, _))| result != "passed" && *check != "def.audit_retention")
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let mut wrong = Vec::new();
    for (check, (result, sentence)) in &snapshots {
        let is_right = match UNTOLD.iter().find(|(untold, _)| untold == check) {
            Some((_, lacked)) => result == "skipped:unreadable" && sentence.contains(lacked),
            None => *result == cmdlets[check].0,
        };
        if !is_right {
            wrong.push(format!("{check}: {result}: {sentence}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_companys_snapshots_and_cmdlets_lead_to_the_same_failures() {
    let rig = Rig::start().await;
    let paths = paths(&rig);
    let config = rig.m365_with_proxy();
    let both = rig
        .collect_with(Platform::M365, &config, &paths, true)
        .await
        .unwrap();
    let both = evaluate(&rig, &both);
    let snapshots = evaluate(&rig, &from_snapshots(&rig, &paths).await);
    for (check, (result, sentence)) in &snapshots {
        // The company's own policy doesn't track clicks, but a preset could apply instead.
        let is_untold = UNTOLD.iter().any(|(untold, _)| untold == check) || check == "def.track_clicks";
        assert!(
            is_untold || *result == both[check].0,
            "{check}: {result}: {sentence}"
        );
    }
}

/// The names of the settings in an export.
const EXPORTED: &[(&str, &str)] = &[
    ("remote_domains", "exchange/RemoteDomain"),
    ("accepted_domains", "exchange/AcceptedDomain"),
    ("dkim_config", "exchange/DkimSigningConfig"),
    ("transport_config", "exchange/TransportConfig"),
    ("sharing_policy", "exchange/SharingPolicy"),
    ("transport_rule", "exchange/TransportRule"),
    ("org_config", "exchange/OrganizationConfig"),
    ("conn_filter", "exchange/HostedConnectionFilterPolicy"),
    (
        "hosted_content_filter_policies",
        "exchange/HostedContentFilterPolicy",
    ),
    ("hosted_content_filter_rules", "exchange/HostedContentFilterRule"),
    ("malware_filter_policies", "exchange/MalwareFilterPolicy"),
    ("malware_filter_rules", "exchange/MalwareFilterRule"),
    ("anti_phish_policies", "exchange/AntiPhishPolicy"),
    ("anti_phish_rules", "exchange/AntiPhishRule"),
    ("safe_links_policies", "exchange/SafeLinksPolicy"),
    ("safe_links_rules", "exchange/SafeLinksRule"),
    ("safe_attachment_policies", "exchange/SafeAttachmentPolicy"),
    ("safe_attachment_rules", "exchange/SafeAttachmentRule"),
    ("atp_policy_for_o365", "exchange/AtpPolicyForO365"),
    ("protection_policy_rules", "exchange/EOPProtectionPolicyRule"),
    ("dlp_compliance_policies", "purview/DlpCompliancePolicy"),
    ("dlp_compliance_rules", "purview/DlpComplianceRule"),
    ("protection_alerts", "purview/ProtectionAlert"),
];

/// Returns an export of cmdlets' rows, with the objects and numbers that PowerShell writes.
fn exported(read: &Settings) -> Map<String, Value> {
    let rows = EXPORTED.iter().map(|(key, path)| {
        let mut rows = read.rows(path);
        for row in &mut rows {
            for (name, value) in row.as_object_mut().unwrap() {
                if name.ends_with("Location") {
                    *value = value
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|name| json!({"DisplayName": name, "Name": name}))
                        .collect();
                } else if name == "AllowedSenderDomains" {
                    *value = value
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|name| json!({"Domain": name}))
                        .collect();
                } else if name == "Priority" || name == "SetSCL" {
                    *value = value
                        .as_i64()
                        .map_or(Value::Null, |number| number.to_string().into());
                }
            }
        }
        ((*key).to_owned(), Value::Array(rows))
    });
    rows.collect()
}

/// The fields of cmdlets that snapshots don't tell although a check contains their names.
const CMDLETS_ONLY: &[(&str, &[&str])] = &[
    // Completed by another source, else unreadable.
    ("exchange/OrganizationConfig", &["RejectDirectSend"]),
    ("exchange/AcceptedDomain", &["IsCoexistenceDomain"]),
    ("exchange/EOPProtectionPolicyRule", &["HostedContentFilterPolicy"]),
    ("purview/DlpComplianceRule", &["Priority"]),
    // Repeat other fields: the mode and the locations, or the address.
    ("purview/DlpCompliancePolicy", &["Enabled", "Workload"]),
    (
        "exchange/SharedMailbox",
        &["ExternalDirectoryObjectId", "UserPrincipalName"],
    ),
    // Read of other kinds of policies and rules.
    (
        "exchange/EOPProtectionPolicyRule",
        &["AntiPhishPolicy", "MalwareFilterPolicy"],
    ),
    ("exchange/SafeLinksPolicy", &["IsDefault"]),
    ("exchange/SafeAttachmentPolicy", &["IsDefault"]),
    ("purview/DlpComplianceRule", &["Mode"]),
    ("purview/ProtectionAlert", &["Mode"]),
    // The kind of the built-in policy; read of presets' and administrators' policies.
    ("exchange/SafeLinksPolicy", &["RecommendedPolicyType"]),
    ("exchange/SafeAttachmentPolicy", &["RecommendedPolicyType"]),
];

#[tokio::test(start_paused = true)]
async fn cmdlets_exports_and_snapshots_give_the_same_fields() {
    let rig = good().await;
    let config = rig.m365_with_proxy();
    let paths = in_snapshots(&rig);
    let paths: Vec<&str> = paths
        .into_iter()
        .filter(|path| !path.starts_with("teams/"))
        .collect();
    let cmdlets = rig
        .collect_with(Platform::M365, &config, &paths, false)
        .await
        .unwrap();
    let snapshots = from_snapshots(&rig, &paths).await;
    let export = check_document(&Value::Object(exported(&cmdlets)));
    let mut compared = 0;
    let mut only: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for path in &paths {
        let live = cmdlets.rows(path);
        let told = snapshots.rows(path);
        assert_eq!(live.len(), told.len(), "{path}");
        if EXPORTED.iter().any(|(_, exported)| exported == path) {
            assert_eq!(
                export.settings[*path]["value"],
                Value::Array(live.clone()),
                "{path}"
            );
        }
        for (live, told) in live.iter().zip(&told) {
            let (live, told) = (live.as_object().unwrap(), told.as_object().unwrap());
            for (field, value) in live {
                match told.get(field) {
                    Some(same) => {
                        assert_eq!(same, value, "{path} {field}");
                        compared += 1;
                    }
                    // The exporter leaves out what is null.
                    None if value.is_null() => {}
                    None => {
                        only.entry(path).or_default().insert(field.clone());
                    }
                }
            }
        }
    }
    assert!(compared > 300, "{compared}");
    for (path, fields) in CMDLETS_ONLY {
        for field in *fields {
            let told = only.get_mut(path).is_some_and(|fields| fields.remove(*field));
            assert!(told, "{path} {field} is told by snapshots");
        }
    }
    // The others are read by no check.
    let mut read = Vec::new();
    for (path, fields) in &only {
        for field in fields {
            if is_read(path, field) {
                read.push(format!("{path} {field}"));
            }
        }
    }
    assert!(read.is_empty(), "{read:?}");
}

/// Whether a check that reads the setting contains the field's name.
fn is_read(path: &str, field: &str) -> bool {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../watchpost-policy/checks");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|end| end == "rego"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .filter(|text| text.contains(path))
        .any(|text| {
            let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            let code: String = code.flat_map(|line| [line, "\n"]).collect();
            code.contains(&format!("\"{field}\"")) || code.contains(&format!(".{field}"))
        })
}
