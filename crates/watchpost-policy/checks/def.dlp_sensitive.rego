# METADATA
# id: def.dlp_sensitive
# title: DLP protects card numbers and national ID numbers
# description: >-
#   Data loss prevention (DLP) must look for data that should never be sent by accident: by default card
#   numbers and national identification numbers. Each configured information type must be enough for an enabled
#   rule of a policy that is enforced, not only tested: further conditions and exceptions, negated types and
#   rules before it that end the processing are ways to send the data anyway.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# inputs: [purview/DlpCompliancePolicy, purview/DlpComplianceRule]
# optional_inputs: [licenses/features]
# remediation:
#   - "Purview portal, Data Loss Prevention, Policies: create a custom policy, or edit one, whose rules look for the missing information types. The parameter `sensitive_types` lists the required types."
#   - "Turn the policy on rather than leaving it in simulation: Set-DlpCompliancePolicy -Identity \"<policy>\" -Mode Enable"
#   - "Add a rule in Security & Compliance PowerShell: New-DlpComplianceRule -Name \"<rule>\" -Policy \"<policy>\" -ContentContainsSensitiveInformation @{Name=\"Credit Card Number\"} -BlockAccess $true"
# references:
#   - "https://learn.microsoft.com/purview/dlp-create-deploy-policy"
# frameworks:
#   ["MS.SECURITYSUITE.3.1v1", "MS.DEFENDER.4.1v2", "MS.EXO.8.1v2", "MS.EXO.8.2v2", "MS.EXO.8.4v1",
#    "CIS.M365.3.2.1", "NIST.800-53.SC-7(10)"]
# params:
#   instances_max: 1
#   sensitive_types:
#     - "Credit Card Number"
#     - "U.S. Individual Taxpayer Identification Number (ITIN)"
#     - "U.S. Social Security Number (SSN)"
package watchpost.checks.def_dlp_sensitive

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender
import data.watchpost.checklib_dlp as dlp

# The published reading looks for the types' names in enabled rules.
covered := {wanted | some entry in defender.sensitive_rules; some wanted in entry.types} if lib.scuba

covered := dlp.wanted - dlp.missed("look") if not lib.scuba

missing := {kind |
	some kind in defender.param("sensitive_types")
	not lower(trim_space(kind)) in covered
}

detected := {"rules": [{
	"rule": defender.name(entry.rule),
	"policy": defender.name(entry.policy),
	"types": [kind | some kind in entry.types],
} |
	some entry in defender.sensitive_rules
]} if {
	lib.scuba
} else := {"rules": [{"rule": defender.name(entry.rule), "policy": defender.name(entry.policy), "types": kinds} |
	some index, entry in dlp.entries
	kinds := dlp.spelled({hit[1] | some hit in dlp.musts; hit[0] == index})
	count(kinds) > 0
]}

narrowed := sort({name |
	not lib.scuba
	some kind in missing
	some name in dlp.mentioned(lower(trim_space(kind)))
})

sentence := sprintf("No enforced data loss prevention rule looks for %s, so such data can leave unnoticed", [lib.join(missing)]) if {
	count(narrowed) == 0
} else := sprintf("No enforced data loss prevention rule looks for %s in all content (%s: only under further conditions, or behind a rule that ends the processing), so such data can leave unnoticed", [lib.join(missing), lib.join(narrowed)])

unsure if {
	not lib.scuba
	dlp.unsure
}

result := defender.no_dlp if {
	defender.dlp_unlicensed
} else := lib.skipped("not_applicable", "No information types are configured for this check") if {
	count(defender.wanted_types) == 0
} else := dlp.unreadable if {
	count(missing) > 0
	unsure
} else := lib.failed(sentence, detected, [{"missing": [kind | some kind in missing]}]) if {
	count(missing) > 0
} else := lib.passed("Enforced data loss prevention rules look for every configured information type", detected)
