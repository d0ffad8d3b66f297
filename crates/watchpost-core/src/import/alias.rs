//! Maps the control names of other scanners to Watchpost's checks. A mapping means that both are about the same
//! control, not that they have the same condition.

use super::ImportTool;
use crate::check::Check;

/// Policies of former SCuBA baselines and their current successors, both without version. For a policy with
/// several successors (the presets of Defender), the former ids of the checks decide.
const FORMER_SCUBA: &[(&str, &str)] = &[
    ("MS.DEFENDER.2.1", "MS.SECURITYSUITE.2.1"),
    ("MS.DEFENDER.2.2", "MS.SECURITYSUITE.2.2"),
    ("MS.DEFENDER.2.3", "MS.SECURITYSUITE.2.3"),
    ("MS.DEFENDER.3.1", "MS.SECURITYSUITE.1.4"),
    ("MS.DEFENDER.4.1", "MS.SECURITYSUITE.3.1"),
    ("MS.DEFENDER.4.2", "MS.SECURITYSUITE.3.2"),
    ("MS.DEFENDER.4.3", "MS.SECURITYSUITE.3.3"),
    ("MS.DEFENDER.4.4", "MS.SECURITYSUITE.3.4"),
    ("MS.DEFENDER.4.6", "MS.SECURITYSUITE.3.5"),
    ("MS.DEFENDER.5.1", "MS.SECURITYSUITE.4.1"),
    ("MS.DEFENDER.5.2", "MS.SECURITYSUITE.4.2"),
    ("MS.DEFENDER.6.1", "MS.SECURITYSUITE.5.1"),
    ("MS.DEFENDER.6.3", "MS.SECURITYSUITE.5.2"),
    ("MS.EXO.8.1", "MS.SECURITYSUITE.3.1"),
    ("MS.EXO.8.2", "MS.SECURITYSUITE.3.1"),
    ("MS.EXO.8.4", "MS.SECURITYSUITE.3.1"),
    ("MS.EXO.9.1", "MS.SECURITYSUITE.1.1"),
    ("MS.EXO.9.3", "MS.SECURITYSUITE.1.1"),
    ("MS.EXO.9.5", "MS.SECURITYSUITE.1.1"),
    ("MS.EXO.10.1", "MS.SECURITYSUITE.1.3"),
    ("MS.EXO.10.2", "MS.SECURITYSUITE.1.3"),
    ("MS.EXO.10.3", "MS.SECURITYSUITE.1.2"),
    ("MS.EXO.11.1", "MS.SECURITYSUITE.2.1"),
    ("MS.EXO.11.2", "MS.SECURITYSUITE.2.4"),
    ("MS.EXO.12.1", "MS.SECURITYSUITE.8.1"),
    ("MS.EXO.12.2", "MS.SECURITYSUITE.8.2"),
    ("MS.EXO.14.1", "MS.SECURITYSUITE.6.1"),
    ("MS.EXO.14.2", "MS.SECURITYSUITE.6.1"),
    ("MS.EXO.14.3", "MS.SECURITYSUITE.6.2"),
    ("MS.EXO.15.1", "MS.SECURITYSUITE.7.1"),
    ("MS.EXO.15.2", "MS.SECURITYSUITE.7.2"),
    ("MS.EXO.15.3", "MS.SECURITYSUITE.7.3"),
    ("MS.EXO.16.1", "MS.SECURITYSUITE.4.1"),
    ("MS.EXO.16.2", "MS.SECURITYSUITE.4.2"),
    ("MS.EXO.17.1", "MS.SECURITYSUITE.5.1"),
    ("MS.EXO.17.3", "MS.SECURITYSUITE.5.2"),
    ("MS.TEAMS.6.1", "MS.SECURITYSUITE.3.2"),
    ("MS.TEAMS.7.1", "MS.SECURITYSUITE.1.4"),
    ("MS.TEAMS.7.2", "MS.SECURITYSUITE.1.4"),
    ("MS.TEAMS.8.1", "MS.SECURITYSUITE.7.1"),
    ("MS.TEAMS.8.2", "MS.SECURITYSUITE.7.3"),
];

/// Prowler's checks and the corresponding Watchpost checks.
const PROWLER: &[(&str, &str)] = &[
    (
        "admincenter_external_calendar_sharing_disabled",
        "exo.calendar_not_shared",
    ),
    (
        "admincenter_organization_customer_lockbox_enabled",
        "exo.customer_lockbox",
    ),
    (
        "admincenter_settings_password_never_expire",
        "entra.passwords_never_expire",
    ),
    (
        "admincenter_users_between_two_and_four_global_admins",
        "entra.global_admin_count",
    ),
    (
        "defender_antispam_connection_filter_policy_empty_ip_allowlist",
        "def.no_ip_allow",
    ),
    (
        "defender_antispam_connection_filter_policy_safe_list_off",
        "def.no_safe_list",
    ),
    (
        "defender_antispam_outbound_policy_forwarding_disabled",
        "def.outbound_forwarding_off",
    ),
    (
        "defender_antispam_policy_inbound_no_allowed_domains",
        "def.no_allowed_domains",
    ),
    (
        "defender_atp_safe_attachments_and_docs_configured",
        "def.safe_attachments_spo",
    ),
    ("defender_domain_dkim_enabled", "exo.dkim"),
    (
        "defender_malware_policy_common_attachments_filter_enabled",
        "def.click_to_run_blocked",
    ),
    ("defender_safelinks_policy_enabled", "def.safe_links"),
    ("defender_zap_for_teams_enabled", "def.zap_teams"),
    (
        "entra_admin_consent_workflow_enabled",
        "entra.admin_consent_workflow",
    ),
    ("entra_admin_users_cloud_only", "entra.admins_cloud_only"),
    (
        "entra_admin_users_phishing_resistant_mfa_enabled",
        "entra.phishing_resistant_mfa_admins",
    ),
    (
        "entra_authentication_method_sms_voice_disabled",
        "entra.weak_methods_off",
    ),
    (
        "entra_conditional_access_policy_device_code_flow_blocked",
        "entra.device_code_blocked",
    ),
    (
        "entra_identity_protection_sign_in_risk_enabled",
        "entra.high_risk_signins_blocked",
    ),
    (
        "entra_identity_protection_user_risk_enabled",
        "entra.high_risk_users_blocked",
    ),
    ("entra_legacy_authentication_blocked", "entra.legacy_auth_blocked"),
    (
        "entra_managed_device_required_for_authentication",
        "entra.managed_device_auth",
    ),
    (
        "entra_managed_device_required_for_mfa_registration",
        "entra.managed_device_mfa_registration",
    ),
    (
        "entra_pim_global_administrator_approval_required",
        "entra.ga_activation_approval",
    ),
    (
        "entra_policy_guest_invite_only_for_admin_roles",
        "entra.guest_inviters",
    ),
    (
        "entra_policy_guest_users_access_restrictions",
        "entra.guest_limited",
    ),
    (
        "entra_policy_restricts_user_consent_for_apps",
        "entra.user_consent_restricted",
    ),
    (
        "entra_thirdparty_integrated_apps_not_allowed",
        "entra.app_registration_admins_only",
    ),
    ("entra_users_mfa_capable", "entra.users_mfa_capable"),
    ("entra_users_mfa_enabled", "entra.mfa_all"),
    ("exchange_external_email_tagging_enabled", "exo.external_warning"),
    ("exchange_mailbox_audit_bypass_disabled", "exo.audit_bypass"),
    (
        "exchange_organization_mailbox_auditing_enabled",
        "exo.mailbox_audit",
    ),
    (
        "exchange_organization_modern_authentication_enabled",
        "exo.modern_auth",
    ),
    (
        "exchange_organization_reject_direct_send_enabled",
        "exo.direct_send_rejected",
    ),
    (
        "exchange_shared_mailbox_sign_in_disabled",
        "exo.shared_mailbox_signin",
    ),
    (
        "exchange_transport_config_smtp_auth_disabled",
        "exo.smtp_auth_off",
    ),
    (
        "exchange_transport_rules_whitelist_disabled",
        "exo.allowlist_rules",
    ),
    ("purview_audit_log_search_enabled", "def.unified_audit"),
    ("sharepoint_external_sharing_managed", "spo.domain_allowlist"),
    ("sharepoint_external_sharing_restricted", "spo.sharing_limited"),
    ("sharepoint_guest_sharing_restricted", "spo.no_resharing"),
    ("sharepoint_modern_authentication_required", "spo.modern_auth"),
    (
        "sharepoint_onedrive_sync_restricted_unmanaged_devices",
        "spo.unmanaged_sync",
    ),
    ("teams_email_sending_to_channel_disabled", "teams.email_off"),
    ("teams_external_domains_restricted", "teams.federation_by_domain"),
    ("teams_external_file_sharing_restricted", "teams.storage"),
    (
        "teams_external_users_cannot_start_conversations",
        "teams.unmanaged_inbound",
    ),
    (
        "teams_meeting_anonymous_user_join_disabled",
        "teams.anonymous_join",
    ),
    (
        "teams_meeting_anonymous_user_start_disabled",
        "teams.no_anonymous_start",
    ),
    (
        "teams_meeting_dial_in_lobby_bypass_disabled",
        "teams.dialin_lobby",
    ),
    (
        "teams_meeting_external_control_disabled",
        "teams.no_external_control",
    ),
    ("teams_meeting_recording_disabled", "teams.recording_off"),
    (
        "teams_unmanaged_communication_disabled",
        "teams.unmanaged_outbound",
    ),
];

/// Prowler's checks and the corresponding Watchpost rules, which aren't in the catalog of checks.
const PROWLER_RULES: &[(&str, &str)] = &[
    ("organization_members_mfa_required", "gh.org_2fa_off"),
    (
        "repository_default_branch_protection_enabled",
        "gh.default_branch_unprotected",
    ),
];

/// Returns the id of Watchpost's check or rule for a control of another tool, if there is one.
///
/// Checks are matched by their own framework ids first, then by the successors of former policies, then by name.
/// Versions at the end of SCuBA ids are ignored (`MS.AAD.3.2v1` and `MS.AAD.3.2v2` are about the same control),
/// but an exact match takes precedence. CIS numbers change between versions of the benchmark: callers must pass
/// only those of the version that Watchpost's checks refer to.
pub fn check_of<'a>(tool: ImportTool, control: &str, checks: &'a [Check]) -> Option<&'a str> {
    let by_id = |id: &str| {
        checks
            .iter()
            .find(|check| check.id == id)
            .map(|check| check.id.as_str())
    };
    match tool {
        ImportTool::Watchpost => by_id(control),
        ImportTool::Prowler | ImportTool::Ocsf => named(PROWLER, control)
            .and_then(by_id)
            .or_else(|| named(PROWLER_RULES, control)),
        ImportTool::Scubagear | ImportTool::Scubagoggles => by_scuba(control, checks),
        ImportTool::Maester => match control.get(..5) {
            Some("CISA.") => by_scuba(control.get(5..).unwrap_or_default(), checks),
            _ => by_framework(checks, |id| id.eq_ignore_ascii_case(control)),
        },
    }
}

fn named(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(theirs, _)| *theirs == name)
        .map(|(_, ours)| *ours)
}

fn by_scuba<'a>(control: &str, checks: &'a [Check]) -> Option<&'a str> {
    let bare = without_version(control);
    let same = |bare: &str| by_framework(checks, |id| without_version(id).eq_ignore_ascii_case(bare));
    by_framework(checks, |id| id.eq_ignore_ascii_case(control))
        .or_else(|| same(bare))
        .or_else(|| {
            let (_, successor) = FORMER_SCUBA
                .iter()
                .find(|(former, _)| former.eq_ignore_ascii_case(bare))?;
            same(successor)
        })
}

/// Returns a current check with a matching framework id, or the current check that replaced a former policy with
/// one.
fn by_framework(checks: &[Check], is: impl Fn(&str) -> bool) -> Option<&str> {
    let has = |check: &&Check| check.frameworks.iter().any(|id| is(id.as_str()));
    checks
        .iter()
        .filter(|check| check.scan.is_some())
        .find(has)
        .map(|check| check.id.as_str())
        .or_else(|| {
            checks
                .iter()
                .filter(|check| check.scan.is_none())
                .find(has)
                .and_then(|check| check.variant_of.as_deref())
        })
}

/// Removes the version from an id such as `MS.AAD.1.1v1` or `GWS.GMAIL.1.1v0.6`.
fn without_version(id: &str) -> &str {
    match id.rfind(['v', 'V']) {
        Some(at) if at > 0 => {
            let (before, version) = id.split_at(at);
            let version = version.get(1..).unwrap_or_default();
            let is_version = version.starts_with(|c: char| c.is_ascii_digit())
                && version.chars().all(|c| c.is_ascii_digit() || c == '.')
                && before.ends_with(|c: char| c.is_ascii_digit());
            if is_version { before } else { id }
        }
        _ => id,
    }
}

/// Returns the form of a SCuBA id used in fingerprints: without version, in upper case.
pub fn scuba_key(id: &str) -> String {
    without_version(id.trim()).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::{CheckOver, FrameworkId, ScanType, Service},
        value::word::{Category, Platform, Severity},
    };

    fn check(id: &str, scan: Option<ScanType>, variant_of: Option<&str>, frameworks: &[&str]) -> Check {
        Check {
            id: id.into(),
            condition: id.into(),
            title: "A title".into(),
            description: "The requirement.".into(),
            scan,
            severity: Severity::High,
            category: Category::IdentitySecurity,
            service: Service::Entra,
            platforms: vec![Platform::M365],
            over: CheckOver::Settings,
            inputs: Vec::new(),
            optional_inputs: Vec::new(),
            manual: false,
            variant_of: variant_of.map(Into::into),
            frameworks: frameworks.iter().map(|id| FrameworkId::new(id)).collect(),
            remediation: Vec::new(),
            references: Vec::new(),
        }
    }

    fn catalog() -> Vec<Check> {
        let today = Some(ScanType::Compliance);
        vec![
            check(
                "legacy.ms_defender_1_1",
                None,
                Some("def.presets"),
                &["MS.DEFENDER.1.1v1"],
            ),
            check("def.presets", today, None, &["MS.SECURITYSUITE.1.1v1"]),
            check(
                "entra.legacy_auth_blocked",
                today,
                None,
                &["MS.AAD.1.1v1", "CIS.M365.5.2.2.3"],
            ),
            check("entra.mfa_all", today, None, &["MS.AAD.3.2v2"]),
            check("exo.smtp_auth_off", today, None, &["MS.EXO.5.1v1"]),
        ]
    }

    #[test]
    fn names_of_other_tools_map_to_checks() {
        let checks = catalog();
        let are = |tool, control: &str, expected: Option<&str>| {
            assert_eq!(check_of(tool, control, &checks), expected, "{control}");
        };
        let gear = ImportTool::Scubagear;
        are(gear, "MS.AAD.1.1v1", Some("entra.legacy_auth_blocked"));
        are(gear, "ms.aad.3.2V1", Some("entra.mfa_all"));
        are(gear, "MS.DEFENDER.1.1v1", Some("def.presets"));
        are(gear, "MS.EXO.9.3v1", Some("def.presets"));
        are(gear, "MS.AAD.99.1v1", None);
        are(gear, "v1", None);
        are(
            ImportTool::Maester,
            "CISA.MS.AAD.1.1",
            Some("entra.legacy_auth_blocked"),
        );
        are(
            ImportTool::Maester,
            "CIS.M365.5.2.2.3",
            Some("entra.legacy_auth_blocked"),
        );
        are(ImportTool::Maester, "EIDSCA.AP01", None);
        are(ImportTool::Maester, "MT.1005", None);
        are(
            ImportTool::Prowler,
            "exchange_transport_config_smtp_auth_disabled",
            Some("exo.smtp_auth_off"),
        );
        are(
            ImportTool::Prowler,
            "organization_members_mfa_required",
            Some("gh.org_2fa_off"),
        );
        are(ImportTool::Prowler, "entra_users_mfa_capable", None);
        are(ImportTool::Watchpost, "entra.mfa_all", Some("entra.mfa_all"));
    }

    #[test]
    fn versions_are_removed_from_ids() {
        for (id, bare) in [
            ("MS.AAD.1.1v1", "MS.AAD.1.1"),
            ("GWS.COMMONCONTROLS.1.1v0.6", "GWS.COMMONCONTROLS.1.1"),
            ("MS.AAD.1.1", "MS.AAD.1.1"),
            ("gws.drive", "gws.drive"),
            ("v", "v"),
        ] {
            assert_eq!(without_version(id), bare);
        }
    }
}
