# METADATA
# id: sync.denied
# title: Permission lost
# description: >-
#   A part of the platform that could be read before is refused now. The rules that need it are blind, and
#   what they found before stays as it was.
# severity: high
# category: drift_signal
# document: integration
# datasets: []
# depends_on_decisions: true
# action: trigger_sync
# remediation:
#   - "Run `watchpost integrations verify` to see which permission is missing."
#   - "Grant it again, then sync."
#   - "Find out who took it away."
# frameworks: ["NIST.800-53.CA-7", "NIST.800-53.CM-3"]
package watchpost.rules.sync_denied

import rego.v1

import data.watchpost.lib

# Never read: nothing can have been lost, or nobody could tell.
unreadable if not input.doc.last_completed_ms

result := lib.failed(sentence, evidence, []) if {
	applies
	count(input.doc.lost) > 0
}

else := lib.skipped("not_applicable") if not applies

else := lib.skipped("unreadable") if unreadable

else := lib.passed

applies if {
	not input.doc.status in {"paused", "disconnected", "pending"}
}

sentence := sprintf("%s no longer lets Watchpost read %s, so rules that need it are blind", [lib.platform_title(input.doc.platform), lib.names({replace(dataset, "_", " ") | some dataset in input.doc.lost})])

evidence := [lib.fact("dataset", dataset) | some dataset in input.doc.lost]
