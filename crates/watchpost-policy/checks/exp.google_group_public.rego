# METADATA
# id: exp.google_group_public
# title: Google group is open to anyone on the internet
# description: >-
#   Anyone on the internet can read the posts of these Google groups or join them.
# scan: exposure
# severity: medium
# service: google
# platforms: [google_workspace]
# inputs: [groups/settings]
# remediation:
#   - "Google Admin console > Directory > Groups > (group) > Access settings: set who can view conversations to members and who can join to invited people."
#   - "For all groups: Apps > Google Workspace > Groups for Business > Sharing settings > \"Accessing groups from outside this organization\": private."
# references:
#   - https://support.google.com/a/answer/10308022
# frameworks: ["NIST.800-53.AC-3"]
package watchpost.checks.exp_google_group_public

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# One row per group, from https://www.googleapis.com/groups/v1/groups/{email}.
bad := [row |
	some row in work.objects("groups/settings")
	count(openings(row)) > 0
	not work.exempted(row, ["email", "name"], {"group"})
]

result := lib.failed_entities(
	sprintf("%s open to anyone on the internet (%s), so outsiders can read posts or join", [
		work.number_of(count(bad), "group is", "groups are"),
		work.names(sort([work.text(row, ["name", "email"]) | some row in bad])),
	]),
	{"count": count(bad)},
	[{"group": work.text(row, ["email", "name"]), "open": openings(row)} | some row in array.slice(bad, 0, 50)],
	work.entities("group", bad, ["email", "name"], ["name", "email"]),
) if {
	count(bad) > 0
} else := lib.passed("No group is open to the internet", {"count": 0}) if {
	lib.has("groups/settings")
} else := work.unreadable("groups/settings")

openings(row) := array.concat(
	[field | field := "whoCanViewGroup"; row[field] == "ANYONE_CAN_VIEW"],
	[field | field := "whoCanJoin"; row[field] == "ANYONE_CAN_JOIN"],
)
