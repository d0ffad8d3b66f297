# METADATA
# id: legacy.ms_defender_5_1
# title: Alerts of the former baseline are enabled
# description: >-
#   The former Defender baseline: seven alerts must be on, including the one for a restricted user.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# variant_of: def.alerts_on
# inputs: [purview/ProtectionAlert]
# remediation:
#   - "CISA replaced the baseline that had this requirement. See the check that took its place."
# frameworks: ["MS.DEFENDER.5.1v1"]
package watchpost.checks.legacy_ms_defender_5_1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

wanted := {
	"Suspicious email sending patterns detected",
	"Suspicious connector activity",
	"Suspicious Email Forwarding Activity",
	"Messages have been delayed",
	"Tenant restricted from sending unprovisioned email",
	"User restricted from sending email",
	"A potentially malicious URL click was detected",
}

missing := sort([name | some name in wanted; not lower(name) in defender.alerts_on])

result := lib.failed(
	sprintf("Required alerts are off or missing (%s), so no one learns of an attack in time", [lib.join(missing)]),
	{"off_or_absent": missing}, [{"alert": name} | some name in missing],
) if {
	count(missing) > 0
} else := lib.passed("All required alerts are on", {"off_or_absent": []})
