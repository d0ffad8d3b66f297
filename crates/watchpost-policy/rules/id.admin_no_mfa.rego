# METADATA
# id: id.admin_no_mfa
# title: Administrator without MFA
# description: >-
#   An active account with a privileged role has no second factor registered for multi-factor authentication
#   (MFA). A leaked or guessed password is then enough to take over everything that the role controls.
# severity: critical
# category: identity_security
# document: identity
# datasets: [users, roles, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Contact the person through another channel and have them register a second factor today. If that isn't possible, suspend the account until it is."
#   - "Have them register a second factor, preferably a passkey or a security key."
#   - "Require MFA for every administrator in a sign-in policy, so that the gap can't reopen."
# references:
#   - https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices
# frameworks: ["NIST.800-53.IA-2(1)"]
package watchpost.rules.id_admin_no_mfa

import rego.v1

import data.watchpost.lib

needs := {"users", "roles", "mfa"}

judged := [account |
	some account in lib.admins
	lib.readable(account.integration, needs)
	lib.privileged(account)
	account.mfa != "unknown"
]

hits := [account |
	some account in judged
	account.mfa == "off"
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s holds %s without MFA, so one stolen password is enough to %s", [lib.who, lib.positions(hits), reach])

evidence := [lib.seen(account, "mfa", account.mfa) | some account in hits]

reach := "take over the whole tenant" if {
	count([account | some account in hits; lib.super_admin(account)]) > 0
} else := "use the role"
