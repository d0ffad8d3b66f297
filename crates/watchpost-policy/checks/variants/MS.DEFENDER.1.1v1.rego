# METADATA
# id: legacy.ms_defender_1_1
# title: Standard and strict presets are on
# description: >-
#   The former Defender baseline: both preset security policies must be enabled.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# variant_of: def.spam_not_inbox
# inputs: [exchange/EOPProtectionPolicyRule]
# optional_inputs: [exchange/ATPProtectionPolicyRule]
# remediation:
#   - "CISA replaced the baseline that had this requirement. See the check that took its place."
# frameworks: ["MS.DEFENDER.1.1v1"]
package watchpost.checks.legacy_ms_defender_1_1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

# A preset may be on only for mail filtering or only for Defender for Office 365. Either is sufficient.
on(kind) if {
	some path in [defender.eop_presets, defender.atp_presets]
	some rule in lib.rows(path)
	lower(defender.text(rule, "Identity")) == concat(" ", [kind, "preset security policy"])
	defender.enabled(rule)
}

off := [kind | some kind in ["standard", "strict"]; not on(kind)]

# A preset that is off for mail filtering may be on in the part that wasn't read. The published reading ignores this.
result := lib.skipped("unreadable", "It is unknown whether the presets of Defender for Office 365 are on") if {
	count(off) > 0
	not lib.has(defender.atp_presets)
	not lib.scuba
} else := lib.failed(
	sprintf("Preset security policies are off: %s", [lib.join(off)]),
	{"off": off}, [],
) if {
	count(off) > 0
} else := lib.passed("The standard and the strict preset security policy are on", {"off": []})
