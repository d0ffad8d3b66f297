# METADATA
# id: legacy.ms_defender_1_1
# title: Standard and strict presets are on
# description: >-
#   The former Defender baseline: both preset security policies are enabled.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# variant_of: def.spam_not_inbox
# inputs: [exchange/EOPProtectionPolicyRule]
# optional_inputs: [exchange/ATPProtectionPolicyRule]
# remediation:
#   - "The baseline that asks for this was replaced; see the check that took its place."
# frameworks: ["MS.DEFENDER.1.1v1"]
package watchpost.checks.legacy_ms_defender_1_1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

# A preset may be on for mail filtering or for Defender for Office 365 alone; either counts.
on(kind) if {
	some path in [defender.eop_presets, defender.atp_presets]
	some rule in lib.rows(path)
	lower(defender.text(rule, "Identity")) == concat(" ", [kind, "preset security policy"])
	defender.enabled(rule)
}

off := [kind | some kind in ["standard", "strict"]; not on(kind)]

# What is off for mail filtering may be on in the part that wasn't read. The published reading doesn't ask.
result := lib.skipped("unreadable", "Whether the presets of Defender for Office 365 are on could not be read.") if {
	count(off) > 0
	not lib.has(defender.atp_presets)
	not lib.scuba
} else := lib.failed(
	sprintf("The preset security policy is off: %s.", [lib.join(off)]),
	{"off": off}, [],
) if {
	count(off) > 0
} else := lib.passed("The standard and the strict preset security policy are on.", {"off": []})
