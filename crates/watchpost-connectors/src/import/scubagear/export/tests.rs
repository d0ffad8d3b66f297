use super::*;

/// Returns the setting at a path.
fn setting<'a>(document: &'a CheckDocument, path: &str) -> &'a Value {
    document.settings.get(path).unwrap_or(&Value::Null)
}

#[test]
fn other_json_results_in_an_empty_document() {
    for other in [json!([]), json!(null), json!("x"), json!(7), json!({})] {
        let document = check_document(&other);
        assert!(
            document.settings.is_empty() && document.unreadable.is_empty(),
            "{other}"
        );
    }
}

#[test]
fn absent_keys_are_absent_settings_and_empty_lists_are_present_ones() {
    let document =
        check_document(&json!({"remote_domains": [null], "transport_rule": {}, "dkim_config": ""}));
    for path in [
        "exchange/RemoteDomain",
        "exchange/TransportRule",
        "exchange/DkimSigningConfig",
    ] {
        assert_eq!(setting(&document, path), &json!({"value": []}), "{path}");
    }
    assert!(!document.settings.contains_key("exchange/SharingPolicy"));
    assert!(!document.settings.contains_key("licenses/features"));
    assert!(!document.settings.contains_key("dns/domains"));
}

#[test]
fn only_graph_documents_are_converted_to_the_spelling_of_graph() {
    let document = check_document(&json!({
        "conditional_access_policies": {"State": "enabled", "Conditions": {"Users": {"IncludeUsers": ["All"]}}},
        "domain_settings": {"Id": "fernhill.example", "PasswordValidityPeriodInDays": 90},
        "default_app_management_policy": [{"ApplicationRestrictions": {"PasswordCredentials": [
            {"RestrictForAppsCreatedAfterDateTime": "/Date(-62135596800000)/"}]}}],
        "protection_policy_rules": [{"Identity": "Strict Preset Security Policy", "WhenChanged": "/Date(0)/"}],
    }));
    assert_eq!(
        setting(&document, "identity/conditionalAccess/policies"),
        &json!({"value": [{"state": "enabled", "conditions": {"users": {"includeUsers": ["All"]}}}]})
    );
    assert_eq!(
        setting(&document, "domains"),
        &json!({"value": [{"id": "fernhill.example", "passwordValidityPeriodInDays": 90}]})
    );
    assert_eq!(
        setting(&document, "policies/defaultAppManagementPolicy").pointer(
            "/value/0/applicationRestrictions/passwordCredentials/0/restrictForAppsCreatedAfterDateTime"
        ),
        Some(&json!("0001-01-01T00:00:00Z"))
    );
    assert_eq!(
        setting(&document, "exchange/EOPProtectionPolicyRule"),
        &json!({"value": [{"Identity": "Strict Preset Security Policy", "WhenChanged": "1970-01-01T00:00:00Z"}]})
    );
}

#[test]
fn an_older_key_is_read_unless_the_current_one_is_present() {
    let former = check_document(&json!({"malware_filter_policies": [{"Name": "old"}],
        "all_domains": [{"DomainName": "fernhill.example"}]}));
    assert_eq!(
        setting(&former, "exchange/MalwareFilterPolicy"),
        &json!({"value": [{"Name": "old"}]})
    );
    assert_eq!(
        setting(&former, "exchange/AcceptedDomain"),
        &json!({"value": [{"DomainName": "fernhill.example"}]})
    );
    let both = check_document(
        &json!({"malware_filter_policies": [{"Name": "old"}], "anti_malware_policies": [{"Name": "new"}]}),
    );
    assert_eq!(
        setting(&both, "exchange/MalwareFilterPolicy"),
        &json!({"value": [{"Name": "new"}]})
    );
}

#[test]
fn authentication_methods_and_their_policy_are_merged() {
    let document = check_document(&json!({"authentication_method": [{
        "authentication_method_policy": {"PolicyMigrationState": "migrationComplete", "AuthenticationMethodConfigurations": ["Some.Type"]},
        "authentication_method_feature_settings": [{"Id": "Sms", "State": "disabled"}],
    }]}));
    assert_eq!(
        setting(&document, "policies/authenticationMethodsPolicy"),
        &json!({"policyMigrationState": "migrationComplete",
            "authenticationMethodConfigurations": [{"id": "Sms", "state": "disabled"}]})
    );
    let former = check_document(&json!({"authentication_method": [
        {"PolicyMigrationState": "preMigration", "AuthenticationMethodConfigurations": ["Some.Type"]}]}));
    assert_eq!(
        setting(&former, "policies/authenticationMethodsPolicy"),
        &json!({"policyMigrationState": "preMigration"}),
        "the names of types aren't methods"
    );
}

#[test]
fn users_and_roles_become_rows() {
    let document = check_document(&json!({
        "privileged_users": {"5b1c": {"DisplayName": "Mara Holt", "OnPremisesImmutableId": null, "roles": "Global Administrator"}},
        "privileged_roles": [{"DisplayName": "Global Administrator", "RoleTemplateId": "62e9", "Assignments": {"PrincipalId": "5b1c", "EndDateTime": null},
            "Rules": [{"Id": "Approval_EndUser_Assignment", "AdditionalProperties": {"setting": {"isApprovalRequired": true}}}]}],
    }));
    assert_eq!(
        setting(&document, "directory/privilegedUsers"),
        &json!({"value": [{"id": "5b1c", "displayName": "Mara Holt", "onPremisesImmutableId": null,
            "roles": ["Global Administrator"]}]})
    );
    assert_eq!(
        setting(&document, "directory/privilegedRoles"),
        &json!({"value": [{"displayName": "Global Administrator", "roleTemplateId": "62e9",
            "assignments": [{"principalId": "5b1c", "endDateTime": null}],
            "rules": [{"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": true}}]}]})
    );
}

#[test]
fn licensed_features_are_derived_from_the_export() {
    let document = check_document(&json!({
        "service_plans": [{"ServicePlanName": "AAD_PREMIUM_P2"}, {"ServicePlanName": "M365_ADVANCED_AUDITING", "ProvisioningStatus": "Disabled"}],
        "defender_license": true, "powerbi_license_found": "False",
        "scuba_config": {"M365Environment": "gcchigh"},
    }));
    assert_eq!(
        setting(&document, "licenses/features"),
        &json!({"entra_p2": true, "audit_advanced": false, "defender": true, "powerbi": false, "government": true, "gcc": false})
    );
    assert_eq!(
        setting(&document, "subscribedSkus"),
        &json!({"value": [{"skuPartNumber": "", "capabilityStatus": "Enabled", "servicePlans": [
            {"servicePlanName": "AAD_PREMIUM_P2", "provisioningStatus": "Success"},
            {"servicePlanName": "M365_ADVANCED_AUDITING", "provisioningStatus": "Disabled"}]}]})
    );
}

#[test]
fn the_configuration_contains_exemptions_and_parameters_but_no_omissions() {
    let document = check_document(&json!({"scuba_config": {
        "Aad": {"MS.AAD.1.1v1": {"CapExclusions": {"Users": ["u1", null, " "], "Groups": "g1", "Applications": []}, "RoleExclusions": {"Users": ["u2"], "Groups": ["g2"]}}},
        "Exo": {"MS.EXO.1.1v2": {"AllowedForwardingDomains": ["Partner.example"]}},
        "Defender": {"MS.DEFENDER.2.1v1": {"SensitiveUsers": ["Mara Holt;mara@fernhill.example"]}, "MS.DEFENDER.9": "odd"},
        "OmitPolicy": {"MS.AAD.1.1v1": {"Rationale": "later"}}, "OutPath": ".",
    }}));
    let exempted: Vec<(&str, &str, &str)> = document
        .exemptions
        .iter()
        .map(|exempted| {
            (
                exempted.check.as_str(),
                exempted.kind.as_str(),
                exempted.id.as_str(),
            )
        })
        .collect();
    assert_eq!(
        exempted,
        [
            ("MS.AAD.1.1v1", "user", "u1"),
            ("MS.AAD.1.1v1", "group", "g1"),
            ("MS.AAD.1.1v1", "role_user", "u2"),
            ("MS.AAD.1.1v1", "role_group", "g2"),
            ("MS.EXO.1.1v2", "domain", "Partner.example"),
        ]
    );
    assert_eq!(document.params.len(), 1);
    assert_eq!(
        document
            .params
            .get("MS.DEFENDER.2.1v1")
            .and_then(|params| params.get("sensitive_users")),
        Some(&json!(["Mara Holt;mara@fernhill.example"]))
    );
}

#[test]
fn the_log_tells_whose_dmarc_record_it_is() {
    let entry = |name: &str, result: &str| json!({"query_name": name, "query_result": result});
    let check = |log: Vec<Value>, expected: (&str, Value)| {
        let document = check_document(&json!({"dmarc_records": [
            {"domain": "mail.birch.example", "rdata": ["v=DMARC1; p=reject"], "log": log}]}));
        let found = setting(&document, "dns/domains")
            .pointer("/value/0/lookups/dmarc")
            .unwrap()
            .clone();
        let organizational = found.get("organizational").cloned().unwrap_or_default();
        assert_eq!(
            (found["status"].as_str().unwrap(), organizational),
            expected,
            "{log:?}"
        );
    };
    let (own, parent) = ("_dmarc.mail.birch.example", "_dmarc.birch.example");
    let answered = "Query returned 1 txt records";
    check(vec![entry(own, answered)], ("found", Value::Null));
    check(
        vec![entry(own, "Query returned NXDomain"), entry(parent, answered)],
        ("found", json!(true)),
    );
    // An odd order of the log, and a name with a final dot in capitals.
    check(
        vec![
            entry("_DMARC.Birch.example.", answered),
            entry(own, "Query returned NXDomain"),
        ],
        ("found", json!(true)),
    );
    // Nobody knows whether the domain has its own record.
    check(
        vec![
            entry(own, "Query resulted in exception, timed out"),
            entry(parent, answered),
        ],
        ("failed", json!(true)),
    );
    check(vec![], ("found", Value::Null));
    check(
        vec![entry("_dmarc.otherbirch.example", answered)],
        ("found", Value::Null),
    );
}

#[test]
fn dns_lookups_become_one_row_per_domain() {
    let document = check_document(&json!({
        "accepted_domains": [{"DomainName": "Fernhill.example", "Default": true}],
        "spf_records": {"domain": "fernhill.example", "rdata": "v=spf1 -all", "compliant": true},
        "dkim_records": [{"domain": "fernhill.example", "rdata": [], "log": {"query_name": "selector1._domainkey.fernhill.example", "query_result": "Query returned NXDOMAIN"}}],
        "dmarc_records": [{"domain": "other.example", "rdata": [], "log": [{"query_result": "Query resulted in exception, timed out"}]}],
    }));
    let rows = setting(&document, "dns/domains");
    let at = |pointer: &str| rows.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/value/0/domain"), json!("fernhill.example"));
    assert_eq!(at("/value/0/is_default"), json!(true));
    assert_eq!(
        at("/value/0/lookups/spf"),
        json!({"status": "found", "rdata": ["v=spf1 -all"], "name": null, "compliant": true})
    );
    assert_eq!(at("/value/0/lookups/dkim/0/status"), json!("nxdomain"));
    assert_eq!(at("/value/0/lookups/dkim/0/selector"), json!("selector1"));
    assert_eq!(at("/value/0/lookups/dmarc"), Value::Null, "not looked up");
    assert_eq!(at("/value/1/lookups/dmarc/status"), json!("failed"));
}

#[test]
fn a_failed_command_makes_its_settings_unreadable() {
    let document = check_document(&json!({
        "aad_unsuccessful_commands": "Get-MgBetaSubscribedSku", "service_plans": [], "exo_unsuccessful_commands": ["Get-TransportRule", "Get-Novelty", "Get-ScubaSpfRecords"],
        "transport_rule": [], "spf_records": [], "remote_domains": [],
    }));
    let unreadable: Vec<&str> = document.unreadable.keys().map(String::as_str).collect();
    assert_eq!(
        unreadable,
        [
            "dns/domains",
            "exchange/TransportRule",
            "licenses/features",
            "subscribedSkus"
        ]
    );
    assert!(!document.settings.contains_key("exchange/TransportRule"));
    assert!(document.settings.contains_key("exchange/RemoteDomain"));
    let unreadable = document
        .unreadable
        .get("exchange/TransportRule")
        .map(|setting| (setting.state, setting.detail.clone()));
    assert_eq!(
        unreadable,
        Some((CollectionState::Failed, Some("Get-TransportRule failed".into())))
    );
}

#[test]
fn keys_without_a_known_setting_are_stored_under_export() {
    let document = check_document(
        &json!({"module_version": "1.8.0", "cap_table_data": [1], "aad_successful_commands": ["x"],
        "\u{202e}key": [1], "two words": [1], "risky_applications": [{"AppId": "a"}], "OneDrive_PnP_Flag": false,
        "dlp_policies": [{"value": [{"name": "p1"}]}], "environment_list": [[{"EnvironmentName": "e1"}]],
        "tenant_isolation": ["null"], "powerbi_tenant_settings": [null], "tenant_id": "Fernhill tenant",
        "risky_delegated_permission_classifications": [{"RiskyPermClassifications": ["Mail.Read"]}]}),
    );
    let paths: Vec<&str> = document.settings.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "delegatedPermissionClassifications",
            "export/OneDrive_PnP_Flag",
            "export/risky_applications",
            "powerbi/TenantSettings",
            "powerplatform/DlpPolicies",
            "powerplatform/Environments",
            "powerplatform/TenantIsolationPolicy",
        ]
    );
    assert_eq!(
        setting(&document, "powerplatform/DlpPolicies"),
        &json!({"value": [{"name": "p1"}]})
    );
    assert_eq!(
        setting(&document, "powerplatform/Environments"),
        &json!({"value": [[{"EnvironmentName": "e1"}]]})
    );
    assert_eq!(
        setting(&document, "powerplatform/TenantIsolationPolicy"),
        &json!({"value": []})
    );
    assert_eq!(
        setting(&document, "delegatedPermissionClassifications"),
        &json!({"value": [{"permissionName": "Mail.Read", "classification": "low"}]})
    );
    assert_eq!(document.tenant, "Fernhill tenant");
}
