# METADATA
# id: app.unauthorized_in_use
# title: Unauthorized app in use
# description: >-
#   This app was marked as unauthorized, but users or the tenant still give it access.
# severity: high
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants, app_assignments]
# depends_on_decisions: true
# action: block_app
# remediation:
#   - "Tell the app's users that it is unauthorized, and name an alternative."
#   - "Remove the grants listed in the evidence."
#   - "Block the app so that no one gives it access again."
# frameworks: ["NIST.800-53.CM-7(5)", "NIST.800-53.CM-11"]
package watchpost.rules.app_unauthorized_in_use

import rego.v1

import data.watchpost.lib

needs := {"apps"}

in_use if lib.grant_count > 0

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	input.doc.policy == "unauthorized"
	in_use
}

else := lib.skipped("not_applicable") if not input.doc.policy == "unauthorized"

else := lib.skipped("unreadable") if {
	lib.foreign_app
	lib.any_grants_unreadable
}

else := lib.app_quiet(needs)

sentence := sprintf("%s is unauthorized but still has access: %s %s %s", [lib.app, lib.number_of(lib.grant_count, "grant", "grants"), from, lib.users])

from := "for" if {
	lib.tenant_wide
} else := "from"

evidence := [lib.fact("grant_counts", input.doc.grant_counts)]
