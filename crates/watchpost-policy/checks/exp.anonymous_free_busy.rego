# METADATA
# id: exp.anonymous_free_busy
# title: Free and busy times readable by anyone
# description: >-
#   People can publish their free and busy times to anyone who has the calendar's address, without signing
#   in. That is enough to time fraud for a vacation or a board meeting.
# scan: exposure
# severity: medium
# service: exchange
# platforms: [m365]
# inputs: [exchange/SharingPolicy]
# remediation:
#   - "Exchange admin center > Organization > Sharing > Individual sharing > (policy): remove the rule for \"Anonymous\"."
#   - "Or in PowerShell: Set-SharingPolicy \"Default Sharing Policy\" -Domains @{Remove=\"Anonymous:CalendarSharingFreeBusySimple\"}"
# references:
#   - https://learn.microsoft.com/exchange/sharing/sharing-policies/sharing-policies
# frameworks: ["NIST.800-53.AC-3"]
package watchpost.checks.exp_anonymous_free_busy

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

shown := [row |
	some row in work.anonymous_calendars
	row.level == 1
]

result := lib.failed_entities(
	sprintf("%s %s %s free and busy times to be published to anyone, so outsiders can see when people are away", [
		work.verb(count(shown), "Sharing policy", "Sharing policies"),
		work.names([row.policy | some row in shown]),
		work.verb(count(shown), "allows", "allow"),
	]),
	{"domains": [row.entry | some row in shown]},
	[{"policy": row.policy, "entry": row.entry} | some row in array.slice(shown, 0, 50)],
	work.first([{"type": "policy", "id": row.policy, "name": row.policy} | some row in shown]),
) if {
	count(shown) > 0
} else := lib.passed("Free and busy times can't be published to anyone", {}) if {
	work.sharing_told
} else := work.lacks("exchange/SharingPolicy", ["Domains"])
