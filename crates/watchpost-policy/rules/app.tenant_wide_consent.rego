# METADATA
# id: app.tenant_wide_consent
# title: Consent for everybody
# description: >-
#   An administrator gave an app a permission beyond basic sign-in for every user at once, and nobody has
#   sanctioned the app.
# severity: high
# category: shadow_it
# document: app
# datasets: [apps, grants]
# depends_on_decisions: true
# action: revoke_oauth_token
# remediation:
#   - "Find who consented and why."
#   - "Assign the app to the people who need it and demand assignment."
#   - "Remove the consent for everybody, or sanction the app."
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

sentence := sprintf("%s may act for every user of the tenant (%s risk) and nobody has approved it", [lib.app, input.doc.tenant_wide_risk])

evidence := [lib.fact("tenant_wide_risk", input.doc.tenant_wide_risk), lib.fact("scopes", array.slice(object.get(input.doc.scopes, "delegated", []), 0, 20))]
