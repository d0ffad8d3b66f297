# METADATA
# id: id.admin_weak_mfa
# title: Administrator with weak MFA methods only
# description: >-
#   An active privileged account has no second factor stronger than text messages, phone calls, email or
#   security questions. Attackers can intercept these or trick people into revealing them.
# severity: high
# category: identity_security
# document: identity
# datasets: [users, roles, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Have the administrator register a passkey, a security key or an authenticator app."
#   - "Remove phone numbers and email addresses as second factors from the account."
#   - "Disable the weak methods for administrators."
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
	is_boolean(account.weak_mfa_only)
]

hits := [account |
	some account in judged
	account.weak_mfa_only
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s holds %s with weak MFA methods only (%s), which attackers can intercept or trick people into revealing", [lib.who, lib.positions(hits), methods])

evidence := [lib.seen(account, "mfa_methods", account.mfa_methods) | some account in hits]

methods := lib.names({object.get(words, method, method) | some account in hits; some method in account.mfa_methods})

# Words for the vendors' names of methods.
words := {
	"mobilePhone": "mobile phone",
	"alternateMobilePhone": "alternate mobile phone",
	"officePhone": "office phone",
	"securityQuestion": "security question",
	"qrCodePin": "code to scan with PIN",
	"sms": "text message",
	"voice": "phone call",
	"question": "security question",
	"call": "phone call",
}
