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
#   instances_max: 1
#   sensitive_types:
#     - "Credit Card Number"
#     - "U.S. Individual Taxpayer Identification Number (ITIN)"
#     - "U.S. Social Security Number (SSN)"
package watchpost.checks.def_dlp_notify

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender
import data.watchpost.checklib_dlp as dlp

weak(rule) if count(lib.list(rule, "NotifyUser")) == 0

found := [entry | some entry in defender.full_rules; weak(entry.rule)]

detected := {"rules": [object.filter(entry.rule, ["Name", "ParentPolicyName", "NotifyUser"]) | some entry in defender.full_rules]}

# Types of which some content is found by no rule that notifies.
silent := {kind |
	some kind in dlp.wanted
	some number in dlp.probes
	count([index | some index, _ in dlp.entries; [index, kind, number] in dlp.musts; dlp.notifies(index)]) == 0
}

mute := [entry.rule |
	some index, entry in dlp.entries
	not dlp.notifies(index)
	count([1 | some item in dlp.musts; item[0] == index; item[1] in silent]) > 0
]

heard := {"rules": [object.filter(entry.rule, ["Name", "ParentPolicyName", "NotifyUser"]) |
	some index, entry in dlp.entries
	count([1 | some item in dlp.musts; item[0] == index]) > 0
]}

result := defender.no_dlp if {
	defender.dlp_unlicensed
} else := published if {
	lib.scuba
} else := lib.skipped("not_applicable", "No information types are configured for this check") if {
	count(dlp.wanted) == 0
} else := dlp.unreadable if {
	count(silent) > 0
	dlp.unsure
} else := lib.failed_entities(
	sprintf("Data loss prevention rules notify no one (%s), so people don't learn what they did wrong", [
		lib.join([defender.name(rule) | some rule in mute]),
	]),
	heard, [{"types": dlp.spelled(silent)}], [defender.entity(rule) | some rule in mute],
) if {
	count(mute) > 0
} else := lib.failed(
	sprintf("No enforced data loss prevention rule looks for %s in all content, so none notifies users", [lib.join(dlp.spelled(silent))]),
	heard, [{"types": dlp.spelled(silent)}],
) if {
	count(silent) > 0
} else := lib.passed("Every rule for the configured information types notifies someone", heard)

published := lib.failed(
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
