# METADATA
# id: def.outbound_forwarding_off
# title: Outbound spam policies block automatic forwarding
# description: >-
#   An intruder who forwards a mailbox to an outside address can read its mail for months. Every outbound
#   spam policy must block automatic forwarding; the automatic mode also blocks it.
# scan: compliance
# severity: high
# service: defender
# platforms: [m365]
# inputs: [exchange/HostedOutboundSpamFilterPolicy]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-spam, Anti-spam outbound policy: Edit protection settings, Automatic forwarding rules: Off - Forwarding is disabled."
#   - "Or in Exchange Online PowerShell: Set-HostedOutboundSpamFilterPolicy -Identity \"<policy>\" -AutoForwardingMode Off"
#   - "If someone needs automatic forwarding, create a policy for that mailbox alone and exempt it here."
# references:
#   - "https://learn.microsoft.com/defender-office-365/outbound-spam-policies-external-email-forwarding"
# frameworks: ["CIS.M365.6.2.1", "NIST.800-53.AC-4"]
package watchpost.checks.def_outbound_forwarding_off

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

policies := lib.rows("exchange/HostedOutboundSpamFilterPolicy")

exempted(policy) if lower(defender.name(policy)) in lib.exempt("policy")

unread := [policy | some policy in policies; defender.text(policy, "AutoForwardingMode") == ""]

forwarding := [policy |
	some policy in policies
	not lower(defender.text(policy, "AutoForwardingMode")) in {"off", "automatic"}
	not exempted(policy)
]

detected := {"policies": [defender.shown(policy, ["Identity", "AutoForwardingMode"]) | some policy in policies]}

result := lib.skipped("unreadable", "The setting AutoForwardingMode wasn't read") if {
	count(policies) == 0
} else := lib.skipped("unreadable", "The setting AutoForwardingMode wasn't read") if {
	count(unread) > 0
} else := lib.failed_entities(
	sprintf("Outbound spam policies allow automatic forwarding to outside addresses (%s), so an intruder can read a mailbox unnoticed", [
		lib.join([defender.name(policy) | some policy in forwarding]),
	]),
	detected, [], [defender.entity(policy) | some policy in forwarding],
) if {
	count(forwarding) > 0
} else := lib.passed("No outbound spam policy allows automatic forwarding", detected)
