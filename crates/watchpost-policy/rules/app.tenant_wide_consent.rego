# METADATA
# id: app.tenant_wide_consent
# title: Unsanctioned app with tenant-wide consent
# description: >-
#   An administrator granted an app permissions beyond basic sign-in on behalf of all users, and the app has
#   not been sanctioned.
# severity: high
# category: shadow_it
# document: app
# datasets: [apps, grants]
# depends_on_decisions: true
# action: revoke_oauth_token
# remediation:
#   - "Find out who consented and why."
#   - "Require user assignment for the app, and assign it to the people who need it."
#   - "Revoke the tenant-wide consent, or sanction the app."
# references:
#   - https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent
# frameworks: ["NIST.800-53.AC-6", "NIST.800-53.CM-7(5)"]
package watchpost.rules.app_tenant_wide_consent

import rego.v1

import data.watchpost.lib

needs := {"apps", "grants"}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	lib.unsanctioned
	input.doc.tenant_wide_risk in {"high", "medium"}
}

else := lib.skipped("not_applicable") if not lib.unsanctioned

else := lib.app_quiet(needs)

sentence := sprintf("%s can act on behalf of every user in the tenant (%s risk) but is not sanctioned", [lib.app, input.doc.tenant_wide_risk])

evidence := [lib.fact("tenant_wide_risk", input.doc.tenant_wide_risk), lib.fact("scopes", array.slice(object.get(input.doc.scopes, "delegated", []), 0, 20))]
