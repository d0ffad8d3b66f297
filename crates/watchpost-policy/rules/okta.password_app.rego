# METADATA
# id: okta.password_app
# title: App uses stored passwords instead of federation
# description: >-
#   An Okta app signs people in with stored passwords instead of federation. The app keeps its own passwords,
#   which survive offboarding and need no second factor when they are typed directly.
# severity: low
# category: access_hygiene
# document: app
# platforms: [okta]
# datasets: [apps, app_assignments]
# action: create_ticket
# remediation:
#   - "Ask the app's vendor for SAML or OpenID Connect."
#   - "Set it up, migrate the users, and turn off password sign-in in the app."
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

sentence := sprintf("%s signs in %s with stored passwords, which also work outside Okta", [lib.app, lib.number_of(input.doc.accounts, "user", "users")])

evidence := [lib.fact("sign_on_mode", input.doc.sign_on_mode), lib.fact_over("accounts", input.doc.accounts, least)]
