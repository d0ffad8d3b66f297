# METADATA
# id: app.unreviewed
# title: New app without a decision
# description: >-
#   An app appeared within the last 30 days, has access already, and nobody has decided about it yet.
# severity: low
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants, app_assignments]
# depends_on_decisions: true
# action: sanction_app
# remediation:
#   - "Ask the first user what the app is for."
#   - "Look at its permissions and its maker."
#   - "Decide: sanctioned, unauthorized or blocked."
# frameworks: ["NIST.800-53.CM-8", "NIST.800-53.CM-11"]
# params:
#   days: 30
package watchpost.rules.app_unreviewed

import rego.v1

import data.watchpost.lib

needs := {"apps"}

days := data.params["app.unreviewed"].days

undecided if {
	input.doc.policy == "none"
	not lib.older(input.doc.first_seen_ms, days)
}

have := "1 account has" if {
	input.doc.accounts == 1
} else := sprintf("%d accounts have", [input.doc.accounts])

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	input.doc.policy == "none"
	not lib.older(input.doc.first_seen_ms, days)
	lib.grant_count > 0
}

else := lib.skipped("not_applicable") if not undecided

else := lib.skipped("unreadable") if {
	lib.foreign_app
	lib.any_grants_unreadable
}

else := lib.app_quiet(needs)

sentence := sprintf("%s appeared %s ago, %s given it access, and nobody has decided about it", [lib.app, lib.number_of(lib.days_since(input.doc.first_seen_ms), "day", "days"), have])

evidence := [lib.fact_over("first_seen_ms", input.doc.first_seen_ms, days), lib.fact("grant_counts", input.doc.grant_counts)]
