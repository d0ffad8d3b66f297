# METADATA
# id: def.zap
# title: Zero-hour auto purge is on for malware
# description: >-
#   Zero-hour auto purge (ZAP) removes delivered mail from mailboxes when it later turns out to contain
#   malware. The anti-malware policy that applies to all recipients must have it on.
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
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-malware: open the policy that applies to all recipients, Edit protection settings, enable zero-hour auto purge for malware."
#   - "Or in Exchange Online PowerShell: Set-MalwareFilterPolicy -Identity \"Default\" -ZapEnabled $true"
#   - "Find the policy that applies to all recipients: Get-MalwareFilterRule | sort Priority | ft Name,State,Priority,MalwareFilterPolicy"
# references:
#   - "https://learn.microsoft.com/defender-office-365/zero-hour-auto-purge"
# frameworks: ["MS.SECURITYSUITE.1.2v1", "MS.EXO.10.3v1", "NIST.800-53.SI-3"]
package watchpost.checks.def_zap

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policy := defender.effective("malware")

fields := ["ZapEnabled"]

row := policy.rows[0]

result := defender.preset_passes(policy) if {
	defender.by_preset_alone(policy)
} else := defender.unreadable(policy, fields) if {
	defender.unknown(policy, fields)
} else := lib.failed_entities(
	sprintf("In %s, zero-hour auto purge is off, so malware that is detected late stays in mailboxes", [policy.label]),
	defender.detected(policy, fields), [], [defender.entity(row)],
) if {
	row.ZapEnabled != true
} else := lib.passed(
	sprintf("%s removes malware that is detected late from mailboxes", [defender.capital(policy.label)]),
	defender.detected(policy, fields),
)
