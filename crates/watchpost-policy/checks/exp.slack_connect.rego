# METADATA
# id: exp.slack_connect
# title: Channel shared with another company
# description: >-
#   People of another company read and write in these channels, and see files and past messages there. It is
#   good to know of each.
# scan: exposure
# severity: info
# service: slack
# platforms: [slack]
# inputs: [conversations]
# remediation:
#   - "Slack admin > Settings > Slack Connect: go through the channels that are named, and end the sharing where the common work is over."
#   - "Accept the others by exempting them from the check."
# references:
#   - https://slack.com/help/articles/115004151203
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-20"]
# params:
#   sensitive_words: ["finance", "payroll", "salary", "board", "legal", "merger", "acquisition", "incident", "security", "secret", "confidential", "password", "invoice", "hr-"]
package watchpost.checks.exp_slack_connect

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# Rows of https://slack.com/api/conversations.list.
bad := [row |
	some row in work.objects("conversations")
	row.is_ext_shared == true
	object.get(row, "is_archived", false) != true
	not sensitive(row)
	not work.exempted(row, ["id", "name"], {"channel"})
]

# A word of the list that the channel's name, topic or purpose holds.
sensitive(row) if {
	some word in input.params.sensitive_words
	some place in [work.value(row, "name"), work.value(object.get(row, "topic", {}), "value"), work.value(object.get(row, "purpose", {}), "value")]
	is_string(place)
	contains(lower(place), lower(word))
}

result := lib.failed_entities(
	sprintf("%s shared with other companies (%s), so their people read what is written and stored there", [
		work.number_of(count(bad), "channel is", "channels are"),
		work.names(sort([work.text(row, ["name", "id"]) | some row in bad])),
	]),
	{"channels": count(bad)},
	[{"channel": work.text(row, ["name", "id"]), "is_private": work.value(row, "is_private"), "members": work.value(row, "num_members")} | some row in array.slice(bad, 0, 50)],
	work.entities("channel", bad, ["id"], ["name", "id"]),
) if {
	count(bad) > 0
} else := lib.passed("No channel is shared with another company besides accepted ones", {"channels": 0}) if {
	lib.has("conversations")
} else := work.unreadable("conversations")
