# METADATA
# id: id.admin_no_phish_resistant
# title: Administrator without phishing-resistant MFA
# description: >-
#   An active privileged account uses multi-factor authentication (MFA), but has no phishing-resistant method
#   (passkey, security key, platform authenticator or certificate). A fake sign-in page can relay the other
#   methods.
# severity: medium
# category: identity_security
# document: identity
# datasets: [users, roles, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Give the administrator a security key, or have them register a passkey."
#   - "Require phishing-resistant methods for administrators in the sign-in policy."
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
	is_boolean(account.phishing_resistant)
]

hits := [account |
	some account in judged
	not account.phishing_resistant
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s holds %s without phishing-resistant MFA, so a fake sign-in page can take over the session", [lib.who, lib.positions(hits)])

evidence := [lib.seen(account, "mfa_methods", account.mfa_methods) | some account in hits]
