# METADATA
# id: def.click_to_run_blocked
# title: Executable attachments are blocked
# description: >-
#   An attachment that runs when it is opened is the quickest way to compromise a computer. The common
#   attachments filter of the anti-malware policy that applies to all recipients must block at least exe, cmd
#   and vbe files.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# inputs:
#   - exchange/MalwareFilterPolicy
#   - exchange/MalwareFilterRule
#   - exchange/EOPProtectionPolicyRule
#   - exchange/AcceptedDomain
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-malware: open the policy that applies to all recipients, Edit protection settings, enable the common attachments filter and keep exe, cmd and vbe in its list."
#   - "Or in Exchange Online PowerShell: Set-MalwareFilterPolicy -Identity \"Default\" -EnableFileFilter $true, and add missing types with -FileTypes."
#   - "Find the policy that applies to all recipients: Get-MalwareFilterRule | sort Priority | ft Name,State,Priority,MalwareFilterPolicy"
#   - "Or apply the standard or strict preset security policy to all recipients without exceptions."
# references:
#   - "https://learn.microsoft.com/defender-office-365/anti-malware-policies-configure"
# frameworks:
#   ["MS.SECURITYSUITE.1.1v1", "MS.EXO.9.1v2", "MS.EXO.9.3v1", "MS.EXO.9.5v1", "CIS.M365.2.1.2",
#    "CIS.M365.2.1.11", "NIST.800-53.SI-3"]
package watchpost.checks.def_click_to_run_blocked

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

wanted := {"exe", "cmd", "vbe"}

policy := defender.effective("malware")

fields := ["EnableFileFilter", "FileTypes"]

row := policy.rows[0]

missing := wanted - {trim_left(kind, ".*") | some kind in lib.lower_set(lib.list(row, "FileTypes"))}

result := defender.preset_passes(policy) if {
	defender.by_preset_alone(policy)
} else := defender.unreadable(policy, fields) if {
	defender.unknown(policy, ["EnableFileFilter"])
} else := lib.failed_entities(
	sprintf("In %s, the common attachments filter is off, so mail with executable attachments is delivered", [policy.label]),
	defender.detected(policy, fields), [], [defender.entity(row)],
) if {
	row.EnableFileFilter != true
} else := defender.unreadable(policy, ["FileTypes"]) if {
	not lib.scuba
	defender.unlisted(policy, "FileTypes")
} else := lib.failed_entities(
	sprintf("The common attachments filter of %s allows %s files, so mail with executable attachments is delivered", [
		policy.label,
		lib.join(missing),
	]),
	defender.detected(policy, fields), [{"missing": sort(missing)}], [defender.entity(row)],
) if {
	count(missing) > 0
} else := lib.passed(
	sprintf("The common attachments filter of %s blocks exe, cmd and vbe files", [policy.label]),
	defender.detected(policy, fields),
)
