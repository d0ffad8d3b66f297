# METADATA
# id: id.admin_no_phish_resistant
# title: Administrator without phishing-resistant factor
# description: >-
#   An active privileged account has a second factor, but none that a fake sign-in page can not relay
#   (passkey, security key, platform authenticator, certificate).
# severity: medium
# category: identity_security
# document: identity
# datasets: [users, roles, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Give the administrator a security key or let them register a passkey."
#   - "Demand phishing-resistant methods for administrators in the sign-in policy."
# references:
#   - https://learn.microsoft.com/entra/identity/authentication/concept-authentication-strengths
# frameworks: ["NIST.800-53.IA-2(1)", "NIST.800-53.IA-2(8)"]
package watchpost.rules.id_admin_no_phish_resistant

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
	not account.phishing_resistant
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s is %s without a phishing-resistant second factor, so a fake sign-in page can take over the session", [lib.who, lib.positions(hits)])

evidence := [lib.seen(account, "mfa_methods", account.mfa_methods) | some account in hits]
