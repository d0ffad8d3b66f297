# METADATA
# id: id.too_many_admins
# title: Too many or too few administrators
# description: >-
#   More than four accounts hold the platform's highest role, and each is a path to full control; or fewer
#   than two hold it, so that one lost device can lock the company out.
# severity: medium
# category: access_risk
# document: integration
# platforms: [m365, okta, google_workspace]
# datasets: [users, roles]
# action: create_access_review
# remediation:
#   - "List who holds the role and what each person uses it for."
#   - "Assign narrower roles for everyday tasks, and make the highest role eligible instead of permanent."
#   - "Keep two to four holders."
# frameworks: ["NIST.800-53.AC-6(5)"]
# params:
#   most: 4
#   least: 2
package watchpost.rules.id_too_many_admins

import rego.v1

import data.watchpost.lib

needs := {"users", "roles"}

most := data.params["id.too_many_admins"].most

least := data.params["id.too_many_admins"].least

outside if input.doc.super_admins > most

outside if input.doc.super_admins < least

consequence := sprintf("more than %d: each is a path to full control", [most]) if {
	input.doc.super_admins > most
} else := sprintf("fewer than %d: one lost device may lock the company out", [least])

result := lib.failed(sentence, evidence, []) if {
	applies
	lib.readable(input.doc, needs)
	outside
}

else := lib.skipped("not_applicable") if not applies

else := lib.skipped("unreadable") if not lib.readable(input.doc, needs)

else := lib.passed

applies if {
	is_number(input.doc.last_completed_ms)
	not input.doc.status in {"pending", "disconnected"}
	input.doc.platform in {"m365", "okta", "google_workspace"}
}

sentence := sprintf("%s has %s with its highest role, %s", [lib.platform_title(input.doc.platform), lib.number_of(input.doc.super_admins, "account", "accounts"), consequence])

evidence := [lib.fact_over("super_admins", input.doc.super_admins, {"least": least, "most": most})]
