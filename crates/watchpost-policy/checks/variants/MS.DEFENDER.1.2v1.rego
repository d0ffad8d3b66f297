# METADATA
# id: legacy.ms_defender_1_2
# title: A preset covers everyone for mail filtering
# description: >-
#   The former Defender baseline: the standard or the strict preset security policy must reach all recipients
#   for mail filtering.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# variant_of: def.spam_not_inbox
# inputs: [exchange/EOPProtectionPolicyRule]
# remediation:
#   - "CISA replaced the baseline that had this requirement. See the check that took its place."
# frameworks: ["MS.DEFENDER.1.2v1"]
package watchpost.checks.legacy_ms_defender_1_2

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

reaching := [defender.name(rule) |
	some rule in lib.rows("exchange/EOPProtectionPolicyRule")
	lower(defender.text(rule, "Identity")) in {"standard preset security policy", "strict preset security policy"}
	defender.no_conditions(rule)
]

result := lib.passed(sprintf("All recipients are covered by %s", [lib.join(reaching)]), {"reaching": reaching}) if {
	count(reaching) > 0
} else := lib.failed("No preset security policy reaches all recipients for mail filtering", {"reaching": []}, [])
