# METADATA
# id: def.dlp_block
# title: DLP rules block access for everyone
# description: >-
#   A data loss prevention (DLP) rule that only reports lets the data leave first. Rules that look for all
#   configured information types must block access for everyone, not only for people outside the
#   organization.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs: [purview/DlpCompliancePolicy, purview/DlpComplianceRule]
# optional_inputs: [licenses/features]
# remediation:
#   - "Purview portal, Data Loss Prevention, Policies: open the policy, Edit, Advanced DLP rules, edit the rule, Actions: Restrict access or encrypt the content, Block users, Block everyone."
#   - "Or in Security & Compliance PowerShell: Set-DlpComplianceRule -Identity \"<rule>\" -BlockAccess $true -BlockAccessScope All"
# references:
#   - "https://learn.microsoft.com/purview/dlp-create-deploy-policy"
# frameworks: ["MS.SECURITYSUITE.3.3v1", "MS.DEFENDER.4.3v1", "NIST.800-53.SC-7(10)"]
# params:
#   sensitive_types:
#     - "Credit Card Number"
#     - "U.S. Individual Taxpayer Identification Number (ITIN)"
#     - "U.S. Social Security Number (SSN)"
package watchpost.checks.def_dlp_block

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

weak(rule) if object.get(rule, "BlockAccess", null) != true

weak(rule) if lower(defender.text(rule, "BlockAccessScope")) != "all"

found := [entry | some entry in defender.full_rules; weak(entry.rule)]

detected := {"rules": [object.filter(entry.rule, ["Name", "ParentPolicyName", "BlockAccess", "BlockAccessScope"]) | some entry in defender.full_rules]}

result := defender.no_dlp if {
	defender.dlp_unlicensed
} else := lib.failed(
	"No enforced data loss prevention rule looks for all configured information types, so none blocks access for everyone",
	detected, [],
) if {
	count(defender.full_rules) == 0
} else := lib.failed_entities(
	sprintf("Data loss prevention rules don't block access for everyone (%s), so sensitive data is shared before anyone can review it", [
		lib.join([defender.name(entry.rule) | some entry in found]),
	]),
	detected, [], [defender.entity(entry.rule) | some entry in found],
) if {
	count(found) > 0
} else := lib.passed("Every rule for the configured information types blocks access for everyone", detected)
