# METADATA
# id: exp.slack_connect
# title: Channel shared with another company
# description: >-
#   People from another company can read and write in these channels, and see their files and past messages.
#   Each such channel should be known.
# scan: exposure
# severity: info
# service: slack
# platforms: [slack]
# inputs: [conversations]
# remediation:
#   - "Slack admin > Settings > Slack Connect: review the named channels, and end the sharing where the joint work is over."
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

# Whether the channel's name, topic or purpose contains a word from the list.
sensitive(row) if {
	some word in input.params.sensitive_words
	some place in [work.value(row, "name"), work.value(object.get(row, "topic", {}), "value"), work.value(object.get(row, "purpose", {}), "value")]
	is_string(place)
	contains(lower(place), lower(word))
}

result := lib.failed_entities(
	sprintf("%s shared with other companies (%s), so their people can read messages and files there", [
		work.number_of(count(bad), "channel is", "channels are"),
		work.names(sort([work.text(row, ["name", "id"]) | some row in bad])),
	]),
	{"channels": count(bad)},
	[{"channel": work.text(row, ["name", "id"]), "is_private": work.value(row, "is_private"), "members": work.value(row, "num_members")} | some row in array.slice(bad, 0, 50)],
	work.entities("channel", bad, ["id"], ["name", "id"]),
) if {
	count(bad) > 0
} else := lib.passed("No channel is shared with another company, apart from accepted ones", {"channels": 0}) if {
	lib.has("conversations")
} else := work.unreadable("conversations")
