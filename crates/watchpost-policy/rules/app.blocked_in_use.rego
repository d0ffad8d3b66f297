# METADATA
# id: app.blocked_in_use
# title: Blocked app still has access
# description: >-
#   Somebody decided that this app must not have access at all, and it still has grants or can still be
#   signed in to.
# severity: critical
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants, app_assignments]
# depends_on_decisions: true
# action: block_app
# remediation:
#   - "Disable the app at the platform."
#   - "Remove every grant it holds, for users and for the tenant."
#   - "Look through its sign-ins since the decision."
# frameworks: ["NIST.800-53.CM-7(5)", "NIST.800-53.AC-3"]
package watchpost.rules.app_blocked_in_use

import rego.v1

import data.watchpost.lib

needs := {"apps"}

reachable if lib.grant_count > 0

# An enabled service principal can be consented to again at any time.
reachable if {
	input.doc.enabled
	input.doc.integration.platform == "m365"
}

state := "enabled" if {
	input.doc.enabled
} else := "disabled"

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	input.doc.policy == "blocked"
	reachable
}

else := lib.skipped("not_applicable") if not input.doc.policy == "blocked"

else := lib.skipped("unreadable") if {
	lib.foreign_app
	lib.any_grants_unreadable
}

else := lib.app_quiet(needs)

sentence := sprintf("%s is blocked but can still get in: %s, %s at the platform", [lib.app, lib.number_of(lib.grant_count, "grant", "grants"), state])

evidence := [lib.fact("grant_counts", input.doc.grant_counts), lib.fact("enabled", input.doc.enabled)]
