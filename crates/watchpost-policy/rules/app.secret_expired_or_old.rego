# METADATA
# id: app.secret_expired_or_old
# title: App secret expired, expiring or too long-lived
# description: >-
#   A secret or certificate of an app has expired, expires within 30 days, or lives for more than a year.
#   The first two break the app; the last gives whoever copied it a long time.
# severity: medium
# category: identity_security
# document: app
# datasets: [apps]
# action: create_ticket
# remediation:
#   - "Make a new secret of at most 180 days, or better a certificate or a federated credential."
#   - "Change what uses it, then delete the old one."
#   - "Limit the lifetime of secrets by an app management policy."
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

problems := array.concat(
	[entry(credential, "has expired or expires within a month, so what uses it stops") |
		some credential in dated
		credential.ends_at_ms < input.now_ms + soon_ms
	],
	[entry(credential, "lives for more than a year, so a copy stays good for long") |
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

sentence := sprintf("%s has a secret or certificate that %s", [lib.app, concat(" and one that ", {problem.text | some problem in problems})])

evidence := [lib.fact("credential", problem) | some problem in problems]
