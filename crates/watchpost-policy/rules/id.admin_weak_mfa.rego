# METADATA
# id: id.admin_weak_mfa
# title: Administrator with weak second factors only
# description: >-
#   An active privileged account has nothing stronger than text messages, calls, mail or questions as second
#   factor. Those are intercepted or talked out of people; administrators are worth that effort.
# severity: high
# category: identity_security
# document: identity
# datasets: [users, roles, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Let the administrator register a passkey, a security key or an authenticator app."
#   - "Remove phone numbers and mail as second factor from the account."
#   - "Switch the weak methods off for administrators."
# references:
#   - https://learn.microsoft.com/entra/identity/authentication/concept-authentication-strengths
# frameworks: ["NIST.800-53.IA-2(1)"]
package watchpost.rules.id_admin_weak_mfa

import rego.v1

import data.watchpost.lib

needs := {"users", "roles", "mfa"}

judged := [account |
	some account in lib.admins
	lib.readable(account.integration, needs)
	lib.privileged(account)
	account.mfa == "on"
]

hits := [account |
	some account in judged
	account.weak_mfa_only
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s is %s with weak second factors only (%s), which attackers intercept or talk people out of", [lib.who, lib.positions(hits), methods])

evidence := [lib.seen(account, "mfa_methods", account.mfa_methods) | some account in hits]

methods := lib.names({method | some account in hits; some method in account.mfa_methods})
