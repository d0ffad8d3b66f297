# METADATA
# id: app.secret_expired_or_old
# title: App credential expired, expiring soon or too long-lived
# description: >-
#   A secret or certificate of an app has expired, expires within 30 days, or is valid for more than a year.
#   An expired credential breaks the app; a long-lived one gives an attacker who copied it a long time to use
#   it.
# severity: medium
# category: identity_security
# document: app
# datasets: [apps]
# action: create_ticket
# remediation:
#   - "Create a new secret that is valid for at most 180 days or, better, use a certificate or a federated credential."
#   - "Update everything that uses the old credential, then delete it."
#   - "Limit the lifetime of secrets with an app management policy."
# references:
#   - https://learn.microsoft.com/entra/identity/enterprise-apps/configure-app-management-policies
# frameworks: ["NIST.800-53.IA-5(1)"]
# params:
#   soon_days: 30
#   lifetime_days: 365
package watchpost.rules.app_secret_expired_or_old

import rego.v1

import data.watchpost.lib

needs := {"apps"}

dated := [credential |
	some credential in input.doc.credentials
	is_number(credential.ends_at_ms)
]

has_credentials if count(dated) > 0

soon_ms := data.params["app.secret_expired_or_old"].soon_days * lib.day_ms

life_ms := data.params["app.secret_expired_or_old"].lifetime_days * lib.day_ms

expiring := sprintf("has expired or expires within %s, so whatever uses it stops working", [lib.number_of(data.params["app.secret_expired_or_old"].soon_days, "day", "days")])

long_lived := sprintf("is valid for more than %s, so a stolen copy stays usable for a long time", [lib.number_of(data.params["app.secret_expired_or_old"].lifetime_days, "day", "days")])

problems := array.concat(
	[entry(credential, expiring) |
		some credential in dated
		credential.ends_at_ms < input.now_ms + soon_ms
	],
	[entry(credential, long_lived) |
		some credential in dated
		is_number(credential.starts_at_ms)
		credential.ends_at_ms - credential.starts_at_ms > life_ms
	],
)

entry(credential, text) := {"text": text, "kind": credential.kind, "ends_at_ms": credential.ends_at_ms}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	count(problems) > 0
}

else := lib.skipped("not_applicable") if not has_credentials

else := lib.app_quiet(needs)

sentence := sprintf("%s has a secret or certificate that %s", [lib.app, concat(", and one that ", {problem.text | some problem in problems})])

evidence := [lib.fact("credential", problem) | some problem in problems]
