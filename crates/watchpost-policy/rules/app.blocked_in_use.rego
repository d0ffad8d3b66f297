# METADATA
# id: app.blocked_in_use
# title: Blocked app still has access
# description: >-
#   This app was blocked, which means that it must have no access, but it still holds grants or users can
#   still sign in to it.
# severity: critical
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants, app_assignments]
# depends_on_decisions: true
# action: block_app
# remediation:
#   - "Disable the app on the platform."
#   - "Remove every grant that the app holds, for users and for the tenant."
#   - "Review the app's sign-ins since it was blocked."
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

sentence := sprintf("%s is blocked but still reachable: it has %s and is %s on the platform", [lib.app, lib.number_of(lib.grant_count, "grant", "grants"), state])

evidence := [lib.fact("grant_counts", input.doc.grant_counts), lib.fact("enabled", input.doc.enabled)]
