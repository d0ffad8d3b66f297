# METADATA
# id: def.track_clicks
# title: Link clicks are recorded
# description: >-
#   After a phishing wave, the first question is who clicked. The policy that applies to all recipients must
#   record clicks.
# scan: compliance
# severity: low
# service: defender
# platforms: [m365]
# inputs:
#   - exchange/SafeLinksPolicy
#   - exchange/SafeLinksRule
#   - exchange/AcceptedDomain
# optional_inputs:
#   - licenses/features
#   - exchange/EOPProtectionPolicyRule
#   - exchange/ATPProtectionPolicyRule
#   - exchange/ATPBuiltInProtectionRule
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Safe Links: open the policy that applies to all recipients, Edit protection settings, select Track user clicks."
#   - "Or in Exchange Online PowerShell: Set-SafeLinksPolicy -Identity \"<policy>\" -TrackClicks $true"
#   - "Or apply the standard or strict preset security policy to all recipients without exceptions."
# references:
#   - "https://learn.microsoft.com/defender-office-365/safe-links-policies-configure"
# frameworks:
#   ["MS.SECURITYSUITE.7.3v1", "MS.EXO.15.3v1", "MS.TEAMS.8.2v1", "CIS.M365.2.1.1", "NIST.800-53.SI-3",
#    "NIST.800-53.AU-12c"]
package watchpost.checks.def_track_clicks

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policy := defender.links

fields := ["TrackClicks"]

row := policy.rows[0]

off := [field | some field in fields; object.get(row, field, false) != true]

# Whether a custom policy is good.
fine if {
	policy.source == "custom"
	not defender.unknown(policy, fields)
	count(off) == 0
}

result := defender.no_defender if {
	defender.defender_unlicensed
} else := lib.passed(sprintf("%s records clicks on links", [defender.capital(policy.label)]), {"policy": policy.label}) if {
	defender.links_by_preset
} else := defender.presets_missing if {
	defender.doubtful(policy)
	not fine
} else := lib.failed(
	"No Safe Links policy reaches every recipient because the built-in protection has exceptions, so some recipients follow links that are not checked",
	{"policy": null},
	[defender.shown(rule, ["Identity", "ExceptIfSentTo", "ExceptIfSentToMemberOf", "ExceptIfRecipientDomainIs"]) |
		some rule in lib.rows("exchange/ATPBuiltInProtectionRule")
	],
) if {
	policy.source == "none"
} else := defender.unreadable(policy, fields) if {
	defender.unknown(policy, fields)
} else := lib.failed_entities(
	sprintf("%s doesn't record clicks (off: %s), so no one can tell later who followed a malicious link", [defender.capital(policy.label), lib.join(off)]),
	defender.detected(policy, fields), [{"off": off}], [defender.entity(row)],
) if {
	count(off) > 0
} else := lib.passed(sprintf("%s records clicks on links", [defender.capital(policy.label)]), defender.detected(policy, fields))
