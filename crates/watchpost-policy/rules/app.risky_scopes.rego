# METADATA
# id: app.risky_scopes
# title: App with high-risk permissions
# description: >-
#   An app holds a permission from the platform's high-risk list (such as writing all mail or files, sending
#   mail as any user, or changing roles) and has not been sanctioned.
# severity: high
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants]
# depends_on_decisions: true
# action: block_app
# remediation:
#   - "Ask the app's users what they use it for."
#   - "If the app is needed, review its publisher, reduce its permissions and mark it as sanctioned."
#   - "If the app isn't needed, remove its grants and disable it."
# references:
#   - https://learn.microsoft.com/entra/identity/enterprise-apps/manage-application-permissions
# frameworks: ["NIST.800-53.AC-6", "NIST.800-53.CM-7(5)"]
package watchpost.rules.app_risky_scopes

import rego.v1

import data.watchpost.lib

needs := {"apps"}

kinds := lib.kinds_at_risk({"high"})

unsanctioned_risk if {
	lib.unsanctioned
	count(kinds) > 0
}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	unsanctioned_risk
}

else := lib.skipped("not_applicable") if not lib.unsanctioned

else := lib.skipped("unreadable") if {
	lib.foreign_app
	lib.any_grants_unreadable
}

else := lib.app_quiet(needs)

sentence := sprintf("%s holds high-risk permissions (%s) for %s but is not sanctioned, so its publisher could misuse or leak them", [lib.app, lib.names({scope | some kind in kinds; some scope in object.get(input.doc.scopes, kind, [])}), lib.reach({"high"})])

evidence := [lib.fact("scopes", {"kind": kind, "risk": input.doc.risks[kind], "scopes": array.slice(object.get(input.doc.scopes, kind, []), 0, 20)}) | some kind in kinds]
