# METADATA
# id: sync.denied
# title: Integration lost a permission
# description: >-
#   The platform now denies access to data that Watchpost could read before. Rules that need this data can't
#   judge, and what they found before stays unchanged.
# severity: high
# category: drift_signal
# document: integration
# datasets: []
# depends_on_decisions: true
# action: trigger_sync
# remediation:
#   - "Run `watchpost integrations verify` to see which permission is missing."
#   - "Grant the permission again, then sync."
#   - "Find out who removed it."
# frameworks: ["NIST.800-53.CA-7", "NIST.800-53.CM-3"]
package watchpost.rules.sync_denied

import rego.v1

import data.watchpost.lib

# Never read: it is unknown whether anything was lost.
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

sentence := sprintf("%s no longer lets Watchpost read %s, so rules that need this data can't judge", [lib.platform_title(input.doc.platform), lib.names({title(dataset) | some dataset in input.doc.lost})])

evidence := [lib.fact("dataset", dataset) | some dataset in input.doc.lost]

title(dataset) := object.get({"mfa": "MFA methods", "sign_in": "sign-in activity"}, dataset, replace(dataset, "_", " "))
