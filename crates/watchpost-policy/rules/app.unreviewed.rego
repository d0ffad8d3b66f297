# METADATA
# id: app.unreviewed
# title: New app not yet reviewed
# description: >-
#   An app was first seen within the last 30 days, already has access, and has not been reviewed.
# severity: low
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants, app_assignments]
# depends_on_decisions: true
# action: sanction_app
# remediation:
#   - "Ask the app's first user what it is for."
#   - "Review the app's permissions and its publisher."
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

access := "it has access to the whole tenant" if {
	lib.tenant_wide
} else := "1 account uses it" if {
	input.doc.accounts == 1
} else := sprintf("%d accounts use it", [input.doc.accounts])

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

sentence := sprintf("%s was first seen %s, %s, and it has not been reviewed", [lib.app, first_seen, access])

first_seen := "today" if {
	lib.days_since(input.doc.first_seen_ms) == 0
} else := sprintf("%s ago", [lib.number_of(lib.days_since(input.doc.first_seen_ms), "day", "days")])

evidence := [lib.fact_over("first_seen_ms", input.doc.first_seen_ms, days), lib.fact("grant_counts", input.doc.grant_counts)]
