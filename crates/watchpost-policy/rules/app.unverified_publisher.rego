# METADATA
# id: app.unverified_publisher
# title: Unverified publisher with user data
# description: >-
#   A foreign app whose publisher the platform has not verified can read mail, files or contacts. Nobody
#   vouches for who is behind it: the usual shape of consent phishing.
# severity: medium
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants]
# action: block_app
# remediation:
#   - "Ask the people who consented where they met the app."
#   - "Unknown: revoke its grants, disable it, check the mailboxes that it could read."
#   - "Allow consent only to verified publishers."
# references:
#   - https://learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent
# frameworks: ["NIST.800-53.CM-7(5)", "NIST.800-53.SR-3"]
package watchpost.rules.app_unverified_publisher

import rego.v1

import data.watchpost.lib

needs := {"apps"}

kinds := lib.kinds_at_risk({"high", "medium"})

unverified if {
	input.doc.publisher_verified == false
	input.doc.own_registration == false
}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	input.doc.publisher_verified == false
	input.doc.own_registration == false
	count(kinds) > 0
}

else := lib.skipped("not_applicable") if not unverified

else := lib.skipped("unreadable") if {
	lib.foreign_app
	lib.any_grants_unreadable
}

else := lib.app_quiet(needs)

sentence := sprintf("%s reads user data of %s (%s) although nobody has verified its publisher, the usual shape of consent phishing", [lib.app, lib.users, lib.names({scope | some kind in kinds; some scope in object.get(input.doc.scopes, kind, [])})])

evidence := [lib.fact("scopes", {"kind": kind, "risk": input.doc.risks[kind], "scopes": array.slice(object.get(input.doc.scopes, kind, []), 0, 20)}) | some kind in kinds]
