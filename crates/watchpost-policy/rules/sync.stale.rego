# METADATA
# id: sync.stale
# title: Integration has not synced for a day
# description: >-
#   The last completed sync is more than 24 hours old. Findings and scores for this platform may be out of
#   date.
# severity: medium
# category: drift_signal
# document: integration
# datasets: []
# depends_on_decisions: true
# action: trigger_sync
# remediation:
#   - "Check the integration's last error."
#   - "Fix its credentials or permissions, then sync."
# frameworks: ["NIST.800-53.CA-7"]
# params:
#   hours: 24
package watchpost.rules.sync_stale

import rego.v1

import data.watchpost.lib

hours := data.params["sync.stale"].hours

# Never read: the time of the last sync is unknown.
unreadable if not input.doc.last_completed_ms

result := lib.failed(sentence, evidence, []) if {
	applies
	input.doc.last_completed_ms < input.now_ms - hours * lib.hour_ms
}

else := lib.skipped("not_applicable") if not applies

else := lib.skipped("unreadable") if unreadable

else := lib.passed

applies if {
	not input.doc.status in {"paused", "disconnected", "pending"}
}

sentence := sprintf("The last completed sync of %s was %s ago, so its findings and scores may be out of date", [lib.platform_title(input.doc.platform), lib.number_of(floor((input.now_ms - input.doc.last_completed_ms) / lib.hour_ms), "hour", "hours")])

evidence := [lib.fact_over("last_completed_ms", input.doc.last_completed_ms, hours), lib.fact("status", input.doc.status)]
