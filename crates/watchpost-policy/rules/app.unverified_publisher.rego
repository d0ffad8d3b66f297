# METADATA
# id: app.unverified_publisher
# title: App from an unverified publisher reads user data
# description: >-
#   An app from another organization can read mail, files or contacts, and the platform has not verified the
#   app's publisher. This is the usual pattern of consent phishing.
# severity: medium
# category: shadow_it
# document: app
# datasets: [apps]
# optional_datasets: [grants, app_grants]
# action: block_app
# remediation:
#   - "Ask the people who consented how they came across the app."
#   - "If no one can explain it, revoke its grants, disable it, and check the mailboxes that it could read."
#   - "Allow user consent only for apps from verified publishers."
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

sentence := sprintf("%s can read data of %s (%s), but its publisher is not verified, which is the usual pattern of consent phishing", [lib.app, lib.reach({"high", "medium"}), lib.names({scope | some kind in kinds; some scope in object.get(input.doc.scopes, kind, [])})])

evidence := [lib.fact("scopes", {"kind": kind, "risk": input.doc.risks[kind], "scopes": array.slice(object.get(input.doc.scopes, kind, []), 0, 20)}) | some kind in kinds]
