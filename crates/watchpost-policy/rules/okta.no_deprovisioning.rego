# METADATA
# id: okta.no_deprovisioning
# title: Okta app without deprovisioning
# description: >-
#   An active, federated Okta app with several users is not notified when a person leaves. Accounts, sessions
#   and tokens inside the app stay valid.
# severity: low
# category: access_hygiene
# document: app
# platforms: [okta]
# datasets: [apps, app_assignments]
# action: create_ticket
# remediation:
#   - "Turn on deprovisioning for the app in Okta, if the app supports it."
#   - "If it doesn't, add the app to the list of manual offboarding steps."
# frameworks: ["NIST.800-53.AC-2(1)", "NIST.800-53.AC-2(3)"]
# params:
#   accounts: 5
package watchpost.rules.okta_no_deprovisioning

import rego.v1

import data.watchpost.lib

needs := {"apps", "app_assignments"}

least := data.params["okta.no_deprovisioning"].accounts

federated if {
	input.doc.integration.platform == "okta"
	input.doc.enabled
	input.doc.sign_on_mode in {"SAML_2_0", "SAML_1_1", "OPENID_CONNECT", "WS_FEDERATION"}
	is_boolean(input.doc.deprovisioning)
}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	federated
	input.doc.deprovisioning == false
	input.doc.accounts >= least
}

else := lib.skipped("not_applicable") if not federated

else := lib.app_quiet(needs)

sentence := sprintf("%s has %s but no deprovisioning, so accounts in it stay active after people leave", [lib.app, lib.number_of(input.doc.accounts, "user", "users")])

evidence := [lib.fact("deprovisioning", false), lib.fact_over("accounts", input.doc.accounts, least)]
