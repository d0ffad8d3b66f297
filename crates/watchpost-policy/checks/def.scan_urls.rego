# METADATA
# id: def.scan_urls
# title: Linked downloads are scanned before delivery
# description: >-
#   A link may lead directly to a download. The policy that applies to all recipients must scan such links,
#   and deliver a message only after the scan is complete.
# scan: compliance
# severity: medium
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
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Safe Links: open the policy that applies to all recipients, Edit protection settings, select real-time URL scanning and waiting for the scan to complete before delivery."
#   - "Or in Exchange Online PowerShell: Set-SafeLinksPolicy -Identity \"<policy>\" -ScanUrls $true -DeliverMessageAfterScan $true"
#   - "Or apply the standard or strict preset security policy to all recipients without exceptions."
# references:
#   - "https://learn.microsoft.com/defender-office-365/safe-links-policies-configure"
# frameworks: ["MS.SECURITYSUITE.7.2v1", "MS.EXO.15.2v1", "CIS.M365.2.1.1", "NIST.800-53.SI-3"]
package watchpost.checks.def_scan_urls

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policy := defender.links

fields := ["ScanUrls", "DeliverMessageAfterScan"]

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
} else := lib.passed(sprintf("%s scans linked downloads before it delivers a message", [defender.capital(policy.label)]), {"policy": policy.label}) if {
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
	sprintf("%s doesn't scan linked downloads before delivery (off: %s), so people can open malware", [defender.capital(policy.label), lib.join(off)]),
	defender.detected(policy, fields), [{"off": off}], [defender.entity(row)],
) if {
	count(off) > 0
} else := lib.passed(sprintf("%s scans linked downloads before it delivers a message", [defender.capital(policy.label)]), defender.detected(policy, fields))
