# METADATA
# id: id.admin_no_mfa
# title: Administrator without a second factor
# description: >-
#   An active account with a privileged role has no second factor registered. A password that leaks, or is
#   guessed, then is all an attacker needs to take over what the role controls.
# severity: critical
# category: identity_security
# document: identity
# datasets: [users, roles, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Ask the person through a second channel whether a second factor can be registered today; if not, suspend the account until it can."
#   - "Let them register a second factor, best a passkey or a security key."
#   - "Make a sign-in policy demand it for every administrator, so that the gap can't open again."
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

sentence := sprintf("%s is %s without a second factor, so one stolen password is enough to %s", [lib.who, lib.positions(hits), reach])

evidence := [lib.seen(account, "mfa", account.mfa) | some account in hits]

reach := "take over the whole tenant" if {
	count([account | some account in hits; lib.super_admin(account)]) > 0
} else := "use the role"
