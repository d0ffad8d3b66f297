# METADATA
# id: exp.anonymous_calendar
# title: Calendars readable by anyone
# description: >-
#   People can publish their calendar so that anyone with its address sees subjects, places or more without
#   signing in. Attackers learn who meets whom, when and where.
# scan: exposure
# severity: high
# service: exchange
# platforms: [m365, google_workspace]
# inputs: []
# optional_inputs: [exchange/SharingPolicy, cloudidentity/policies]
# remediation:
#   - "Exchange admin center > Organization > Sharing > Individual sharing > (policy): remove the rule for \"Anonymous\"."
#   - "Or in PowerShell: Set-SharingPolicy \"Default Sharing Policy\" -Domains @{Remove=\"Anonymous:CalendarSharingFreeBusyReviewer\"}"
#   - "Google Admin console > Apps > Google Workspace > Calendar > Sharing settings: set external sharing of primary calendars to free/busy only."
# references:
#   - https://learn.microsoft.com/exchange/sharing/sharing-policies/sharing-policies
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-22"]
package watchpost.checks.exp_anonymous_calendar

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# Exchange: what enabled policies publish to anyone. Google Workspace: policies of the Cloud Identity API, after
# https://cloudidentity.googleapis.com/v1/policies.
shown := [row |
	some row in work.anonymous_calendars
	row.level > 1
]

google := [row |
	some row in work.google_policies("calendar.primary_calendar_max_allowed_external_sharing")
	work.value(row.value, "maxAllowedExternalSharing") in {"EXTERNAL_ALL_INFO_READ_ONLY", "EXTERNAL_ALL_INFO_READ_WRITE", "EXTERNAL_ALL_INFO_READ_WRITE_MANAGE"}
]

result := lib.failed_entities(
	sprintf("%s %s %s calendars with details to be published to anyone, so outsiders can read what meetings are about", [
		work.verb(count(shown), "Sharing policy", "Sharing policies"),
		work.names([row.policy | some row in shown]),
		work.verb(count(shown), "allows", "allow"),
	]),
	{"domains": [row.entry | some row in shown]},
	[{"policy": row.policy, "entry": row.entry} | some row in array.slice(shown, 0, 50)],
	work.first([{"type": "policy", "id": row.policy, "name": row.policy} | some row in shown]),
) if {
	input.doc.platform == "m365"
	count(shown) > 0
} else := lib.failed(
	"Google Calendar allows calendars with details to be shared externally, so outsiders can read what meetings are about",
	{"maxAllowedExternalSharing": [row.value.maxAllowedExternalSharing | some row in google]},
	[{"orgUnit": row.unit, "maxAllowedExternalSharing": row.value.maxAllowedExternalSharing} | some row in array.slice(google, 0, 50)],
) if {
	input.doc.platform == "google_workspace"
	count(google) > 0
} else := lib.passed("No calendar can be published to anyone with details", {}) if {
	known
} else := work.lacks("exchange/SharingPolicy", ["Domains"]) if {
	input.doc.platform == "m365"
} else := work.unreadable(needed)

needed := "cloudidentity/policies" if {
	input.doc.platform == "google_workspace"
} else := "exchange/SharingPolicy"

known if {
	input.doc.platform == "m365"
	work.sharing_told
}

known if {
	input.doc.platform == "google_workspace"
	count(work.google_policies("calendar.primary_calendar_max_allowed_external_sharing")) > 0
}
