# METADATA
# id: def.dlp_block
# title: DLP rules block access for everyone
# description: >-
#   A data loss prevention (DLP) rule that only reports lets the data leave first. Each configured information
#   type must be blocked for everyone, not only for people outside the organization, and people must not be
#   able to go on without a reason.
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
#   instances_max: 1
#   sensitive_types:
#     - "Credit Card Number"
#     - "U.S. Individual Taxpayer Identification Number (ITIN)"
#     - "U.S. Social Security Number (SSN)"
package watchpost.checks.def_dlp_block

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender
import data.watchpost.checklib_dlp as dlp

weak(rule) if object.get(rule, "BlockAccess", null) != true

weak(rule) if lower(defender.text(rule, "BlockAccessScope")) != "all"

found := [entry | some entry in defender.full_rules; weak(entry.rule)]

detected := {"rules": [object.filter(entry.rule, ["Name", "ParentPolicyName", "BlockAccess", "BlockAccessScope"]) | some entry in defender.full_rules]}

# The published reading judges each rule that looks for all types. Ours asks for each type whether some rule blocks it: of
# several rules that match, the strictest one applies.
open_types := dlp.missed("block")

unblocked := [entry.rule |
	some index, entry in dlp.entries
	not dlp.blocks(index)
	count([1 | some hit in dlp.musts; hit[0] == index; hit[1] in open_types]) > 0
]

blocked := {"rules": [object.filter(entry.rule, ["Name", "ParentPolicyName", "BlockAccess", "BlockAccessScope", "NotifyAllowOverride", "StopPolicyProcessing"]) |
	some index, entry in dlp.entries
	count([1 | some hit in dlp.musts; hit[0] == index]) > 0
]}

result := defender.no_dlp if {
	defender.dlp_unlicensed
} else := published if {
	lib.scuba
} else := lib.skipped("not_applicable", "No information types are configured for this check") if {
	count(dlp.wanted) == 0
} else := dlp.unreadable if {
	count(open_types) > 0
	dlp.unsure
} else := lib.failed_entities(
	sprintf("Data loss prevention rules don't block access for everyone (%s), so sensitive data is shared before anyone can review it", [
		lib.join([defender.name(rule) | some rule in unblocked]),
	]),
	blocked, [{"types": dlp.spelled(open_types)}], [defender.entity(rule) | some rule in unblocked],
) if {
	count(unblocked) > 0
} else := lib.failed(
	sprintf("No enforced data loss prevention rule blocks %s for everyone in all content, so such data is shared before anyone can review it", [lib.join(dlp.spelled(open_types))]),
	blocked, [{"types": dlp.spelled(open_types)}],
) if {
	count(open_types) > 0
} else := lib.passed("Data loss prevention rules block every configured information type for everyone", blocked)

published := lib.failed(
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
