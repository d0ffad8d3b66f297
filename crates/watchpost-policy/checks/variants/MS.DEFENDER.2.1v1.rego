# METADATA
# id: legacy.ms_defender_2_1
# title: Presets protect sensitive users
# description: >-
#   The former Defender baseline: the anti-phishing policies of both presets must protect the configured
#   sensitive users from impersonation.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# variant_of: def.user_impersonation
# inputs: [exchange/AntiPhishPolicy]
# remediation:
#   - "CISA replaced the baseline that had this requirement. See the check that took its place."
# frameworks: ["MS.DEFENDER.2.1v1"]
# params:
#   sensitive_users: []
package watchpost.checks.legacy_ms_defender_2_1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

wanted := {lower(trim_space(entry)) | some entry in lib.as_list(defender.param("sensitive_users")); is_string(entry)}

# The first policy of a preset that is on and has the protection on.
policy(kind) := [row |
	some row in lib.rows("exchange/AntiPhishPolicy")
	defender.of_preset(row, kind)
	row.Enabled == true
	row.EnableTargetedUserProtection == true
][0]

protected(kind) := {lower(entry) | some entry in lib.list(policy(kind), "TargetedUsersToProtect"); is_string(entry)}

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

result := lib.failed(
	sprintf("Preset security policies don't protect all configured sensitive users from impersonation (%s)", [lib.join(lacking)]),
	detected, [],
) if {
	count(lacking) > 0
} else := lib.passed("Both presets protect the configured sensitive users from impersonation", detected)
