# METADATA
# id: okta.password_app
# title: Password vault instead of federation
# description: >-
#   An Okta app signs people in by filling in stored passwords. The app keeps its own passwords, which
#   outlive offboarding and need no second factor when typed directly.
# severity: low
# category: access_hygiene
# document: app
# platforms: [okta]
# datasets: [apps, app_assignments]
# action: create_ticket
# remediation:
#   - "Ask the app's maker for SAML or OpenID Connect."
#   - "Set it up, move people over, switch password sign-in off in the app."
# frameworks: ["NIST.800-53.IA-2", "NIST.800-53.AC-2(1)"]
# params:
#   accounts: 5
package watchpost.rules.okta_password_app

import rego.v1

import data.watchpost.lib

needs := {"apps", "app_assignments"}

least := data.params["okta.password_app"].accounts

vault if {
	input.doc.integration.platform == "okta"
	input.doc.sign_on_mode in {"BROWSER_PLUGIN", "AUTO_LOGIN", "SECURE_PASSWORD_STORE"}
}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	vault
	input.doc.accounts >= least
}

else := lib.skipped("not_applicable") if not vault

else := lib.app_quiet(needs)

sentence := sprintf("%s signs in %d people with stored passwords, which go on working outside Okta", [lib.app, input.doc.accounts])

evidence := [lib.fact("sign_on_mode", input.doc.sign_on_mode), lib.fact_over("accounts", input.doc.accounts, least)]
