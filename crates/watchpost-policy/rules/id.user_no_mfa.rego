# METADATA
# id: id.user_no_mfa
# title: User without MFA
# description: >-
#   An active account without privileged roles has no second factor registered for multi-factor
#   authentication (MFA), so a password from any leak or phishing page opens its mail, files and apps.
# severity: high
# category: identity_security
# document: identity
# datasets: [users, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Tell the person why MFA is needed and when it will be required."
#   - "Have them register a second factor, preferably a passkey or an authenticator app."
#   - "Require MFA for everyone in a sign-in policy."
# references:
#   - https://learn.microsoft.com/entra/identity/authentication/concept-mfa-howitworks
# frameworks: ["NIST.800-53.IA-2(2)"]
package watchpost.rules.id_user_no_mfa

import rego.v1

import data.watchpost.lib

needs := {"users", "mfa"}

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
	account.mfa != "unknown"
]

hits := [account |
	some account in judged
	account.mfa == "off"
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("%s signs in to %s without MFA, so one stolen password opens mail, files and apps", [lib.who, lib.where(hits)])

evidence := [lib.seen(account, "mfa", account.mfa) | some account in hits]

# `id.admin_no_mfa` judges administrators; neither rule judges machines.
pool := [account |
	some account in lib.actives
	account.kind != "service"
	not lib.privileged(account)
]
