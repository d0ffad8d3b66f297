# METADATA
# id: def.outbound_limits
# title: Outbound spam limits and alerts are set
# description: >-
#   A compromised account can send thousands of messages in an hour. Every outbound spam policy must limit
#   the number of recipients, block an account that exceeds the limit, and notify someone.
# scan: compliance
# severity: medium
# service: defender
# platforms: [m365]
# inputs: [exchange/HostedOutboundSpamFilterPolicy]
# remediation:
#   - "Defender portal, Email & collaboration, Policies & rules, Threat policies, Anti-spam, Anti-spam outbound policy: Edit protection settings, set at most 500 external and 1000 internal recipients per hour and 1000 per day, choose the action Restrict the user from sending mail, and notify a mailbox that is monitored."
#   - "Or in Exchange Online PowerShell: Set-HostedOutboundSpamFilterPolicy -Identity \"Default\" -RecipientLimitExternalPerHour 500 -RecipientLimitInternalPerHour 1000 -RecipientLimitPerDay 1000 -ActionWhenThresholdReached BlockUser -NotifyOutboundSpam $true -NotifyOutboundSpamRecipients \"<address>\""
# references:
#   - "https://learn.microsoft.com/defender-office-365/outbound-spam-policies-configure"
# frameworks: ["CIS.M365.2.1.6", "CIS.M365.2.1.15", "NIST.800-53.SI-4"]
package watchpost.checks.def_outbound_limits

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_defender as defender

limits := {"RecipientLimitExternalPerHour": 500, "RecipientLimitInternalPerHour": 1000, "RecipientLimitPerDay": 1000}

fields := ["RecipientLimitExternalPerHour", "RecipientLimitInternalPerHour", "RecipientLimitPerDay", "ActionWhenThresholdReached"]

policies := lib.rows("exchange/HostedOutboundSpamFilterPolicy")

# A number that may be written as a string.
number(thing) := thing if is_number(thing)

number(thing) := to_number(thing) if {
	is_string(thing)
	regex.match(`^[0-9]{1,9}$`, thing)
}

# Zero stands for the service's own limit, which is far higher.
wide(policy) := {field |
	some field, most in limits
	found = number(policy[field])
	not within(found, most)
}

within(found, most) if {
	found > 0
	found <= most
}

problems(policy) := array.concat(
	[sprintf("%s is %s", [field, lib.short(policy[field])]) | some field in sort([wide_one | some wide_one in wide(policy)])],
	array.concat(
		[sprintf("ActionWhenThresholdReached is %s", [lib.short(policy.ActionWhenThresholdReached)]) |
			lower(defender.text(policy, "ActionWhenThresholdReached")) != "blockuser"
		],
		["no one is notified" | not notifies(policy)],
	),
)

notifies(policy) if {
	count(lib.list(policy, "NotifyOutboundSpamRecipients")) > 0
	not policy.NotifyOutboundSpam == false
}

unread := [policy | some policy in policies; count(defender.lacking(policy, fields)) > 0]

weak := [{"policy": policy, "problems": found} |
	some policy in policies
	found := problems(policy)
	count(found) > 0
]

detected := {"policies": [defender.shown(policy, array.concat(["Identity", "NotifyOutboundSpamRecipients"], fields)) | some policy in policies]}

result := lib.skipped("unreadable", "The limits of the outbound spam policies weren't read") if {
	count(policies) == 0
} else := lib.skipped("unreadable", "The limits of the outbound spam policies weren't read") if {
	count(unread) > 0
} else := lib.failed_entities(
	sprintf("Outbound spam policies let a compromised account keep sending (%s)", [
		lib.join([sprintf("%s: %s", [defender.name(entry.policy), concat(", ", entry.problems)]) | some entry in weak]),
	]),
	detected, [{"policy": defender.name(entry.policy), "problems": entry.problems} | some entry in weak],
	[defender.entity(entry.policy) | some entry in weak],
) if {
	count(weak) > 0
} else := lib.passed("Every outbound spam policy limits recipients, blocks the account and notifies someone", detected)
