# METADATA
# id: legacy.ms_defender_2_2
# title: Presets protect agency domains
# description: >-
#   The former Defender baseline: the anti-phishing policies of both presets must protect the configured
#   agency domains from impersonation.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# variant_of: def.own_domain_impersonation
# inputs: [exchange/AntiPhishPolicy]
# remediation:
#   - "CISA replaced the baseline that had this requirement. See the check that took its place."
# frameworks: ["MS.DEFENDER.2.2v1"]
# params:
#   agency_domains: []
package watchpost.checks.legacy_ms_defender_2_2

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

wanted := {lower(trim_space(entry)) | some entry in lib.as_list(defender.param("agency_domains")); is_string(entry)}

# The first policy of a preset that is on and has the protection on.
policy(kind) := [row |
	some row in lib.rows("exchange/AntiPhishPolicy")
	defender.of_preset(row, kind)
	row.Enabled == true
	row.EnableTargetedDomainsProtection == true
][0]

protected(kind) := {lower(entry) | some entry in lib.list(policy(kind), "TargetedDomainsToProtect"); is_string(entry)}

# Whether a preset protects everything that was configured, or nothing if nothing was.
enough(kind) if {
	count(wanted) > 0
	count(wanted - protected(kind)) == 0
}

enough(kind) if {
	policy(kind)
	count(wanted) == 0
	count(protected(kind)) == 0
}

lacking := [kind | some kind in ["strict", "standard"]; not enough(kind)]

detected := {"configured": [entry | some entry in wanted], "lacking": lacking}

result := lib.failed("No agency domains are configured to compare the presets with", detected, []) if {
	count(wanted) == 0
} else := lib.failed(
	sprintf("Preset security policies don't protect all configured agency domains from impersonation (%s)", [lib.join(lacking)]),
	detected, [],
) if {
	count(lacking) > 0
} else := lib.passed("Both presets protect the configured agency domains from impersonation", detected)
