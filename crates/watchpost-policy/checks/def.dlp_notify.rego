# METADATA
# id: def.dlp_notify
# title: DLP rules notify users
# description: >-
#   People who learn why something was blocked avoid it the next time. Data loss prevention (DLP) rules that
#   look for all configured information types must notify someone.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# inputs: [purview/DlpCompliancePolicy, purview/DlpComplianceRule]
# optional_inputs: [licenses/features]
# remediation:
#   - "Purview portal, Data Loss Prevention, Policies: open the policy, Edit, Advanced DLP rules, edit the rule, User notifications: on, and choose who is notified."
#   - "Or in Security & Compliance PowerShell: Set-DlpComplianceRule -Identity \"<rule>\" -NotifyUser LastModifier,Owner"
# references:
#   - "https://learn.microsoft.com/purview/dlp-create-deploy-policy"
# frameworks: ["MS.SECURITYSUITE.3.4v1", "MS.DEFENDER.4.4v1", "NIST.800-53.AT-2b"]
# params:
#   sensitive_types:
#     - "Credit Card Number"
#     - "U.S. Individual Taxpayer Identification Number (ITIN)"
#     - "U.S. Social Security Number (SSN)"
package watchpost.checks.def_dlp_notify

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

weak(rule) if count(lib.list(rule, "NotifyUser")) == 0

found := [entry | some entry in defender.full_rules; weak(entry.rule)]

detected := {"rules": [object.filter(entry.rule, ["Name", "ParentPolicyName", "NotifyUser"]) | some entry in defender.full_rules]}

result := defender.no_dlp if {
	defender.dlp_unlicensed
} else := lib.failed(
	"No enforced data loss prevention rule looks for all configured information types, so none notifies users",
	detected, [],
) if {
	count(defender.full_rules) == 0
} else := lib.failed_entities(
	sprintf("Data loss prevention rules notify no one (%s), so people don't learn what they did wrong", [
		lib.join([defender.name(entry.rule) | some entry in found]),
	]),
	detected, [], [defender.entity(entry.rule) | some entry in found],
) if {
	count(found) > 0
} else := lib.passed("Every rule for the configured information types notifies someone", detected)
