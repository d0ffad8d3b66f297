# METADATA
# id: def.safety_tips
# title: Safety tips are shown
# description: >-
#   A short hint above a message tells people that its sender is new to them, resembles someone they know, or
#   could not be verified. The anti-phishing policy that applies to all recipients must show all of these
#   tips.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# inputs:
#   - exchange/AntiPhishPolicy
#   - exchange/AntiPhishRule
#   - exchange/EOPProtectionPolicyRule
#   - exchange/AcceptedDomain
# optional_inputs: [licenses/features]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-phishing: open the policy that applies to all recipients, Edit actions, select every safety tip and indicator."
#   - "Or in Exchange Online PowerShell: Set-AntiPhishPolicy -Identity \"<policy>\" -EnableFirstContactSafetyTips $true -EnableSimilarUsersSafetyTips $true -EnableSimilarDomainsSafetyTips $true -EnableUnusualCharactersSafetyTips $true -EnableViaTag $true -EnableUnauthenticatedSender $true"
# references:
#   - "https://learn.microsoft.com/defender-office-365/anti-phishing-policies-mdo-configure"
# frameworks: ["MS.SECURITYSUITE.2.4v1", "MS.EXO.11.2v1", "NIST.800-53.AT-2b", "NIST.800-53.SI-8"]
package watchpost.checks.def_safety_tips

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policy := defender.effective("phishing")

tips := [
	"EnableFirstContactSafetyTips",
	"EnableSimilarUsersSafetyTips",
	"EnableSimilarDomainsSafetyTips",
	"EnableUnusualCharactersSafetyTips",
]

# Marks beside the sender's picture. They are on where the document doesn't have them.
marks := ["EnableViaTag", "EnableUnauthenticatedSender"]

row := policy.rows[0]

# Switches of a policy that aren't on.
off(candidate) := {tip | some tip in tips; object.get(candidate, tip, false) != true} | {mark |
	some mark in marks
	object.get(candidate, mark, not_shown) != true
}

not_shown := lib.scuba == false

complete(candidate) if {
	candidate.Enabled == true
	count(off(candidate)) == 0
}

good := [candidate |
	some candidate in defender.phishing_candidates
	not defender.any_preset(candidate)
	complete(candidate)
]

covered if defender.any_preset_covers(defender.eop_presets)

unlicensed if lib.feature("defender") == false

detected := {"policy": policy.label, "policies": [defender.shown(candidate, array.concat(tips, marks)) |
	some candidate in defender.phishing_candidates
]}

result := defender.no_defender if {
	unlicensed
} else := lib.passed("A preset security policy that shows safety tips reaches every recipient", detected) if {
	covered
} else := lib.passed("Safety tips are shown to every recipient", detected) if {
	count(good) > 0
} else := lib.failed(
	"No anti-phishing policy with every safety tip reaches every recipient, so people miss warnings about suspicious messages",
	detected, [],
) if {
	lib.scuba
} else := defender.unreadable(policy, tips) if {
	defender.unknown(policy, tips)
} else := lib.failed_entities(
	sprintf("%s is off, so its safety tips aren't shown", [defender.capital(policy.label)]),
	detected, [], [defender.entity(row)],
) if {
	row.Enabled != true
} else := lib.failed_entities(
	sprintf("%s doesn't show every safety tip (off: %s), so people miss warnings about suspicious messages", [
		defender.capital(policy.label),
		lib.join(off(row)),
	]),
	detected, [{"off": [tip | some tip in off(row)]}], [defender.entity(row)],
)
