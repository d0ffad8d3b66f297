# METADATA
# id: sync.stale
# title: Integration has not synced for a day
# description: >-
#   The last completed sync is older than 24 hours. Findings and scores about this platform no longer show
#   how it is.
# severity: medium
# category: drift_signal
# document: integration
# datasets: []
# depends_on_decisions: true
# action: trigger_sync
# remediation:
#   - "Look at the integration's last error."
#   - "Repair its credentials or permissions, then sync."
# frameworks: ["NIST.800-53.CA-7"]
# params:
#   hours: 24
package watchpost.rules.sync_stale

import rego.v1

import data.watchpost.lib

hours := data.params["sync.stale"].hours

# Never read: nobody can say since when.
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

sentence := sprintf("%s was last read completely %d hours ago, so what is shown about it may be out of date", [lib.platform_title(input.doc.platform), floor((input.now_ms - input.doc.last_completed_ms) / lib.hour_ms)])

evidence := [lib.fact_over("last_completed_ms", input.doc.last_completed_ms, hours), lib.fact("status", input.doc.status)]
