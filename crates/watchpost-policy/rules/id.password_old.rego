# METADATA
# id: id.password_old
# title: Password older than a year without MFA
# description: >-
#   An active account has a password that is more than 365 days old and no second factor for multi-factor
#   authentication (MFA). Anyone who learned the password in that time can use it.
# severity: low
# category: identity_security
# document: identity
# datasets: [users, mfa]
# action: force_password_change
# remediation:
#   - "Have the person register a second factor."
#   - "Have the password changed."
# frameworks: ["NIST.800-53.IA-5(1)"]
# params:
#   days: 365
package watchpost.rules.id_password_old

import rego.v1

import data.watchpost.lib

needs := {"users", "mfa"}

judged := [account |
	some account in lib.actives
	lib.readable(account.integration, needs)
	account.mfa != "unknown"
	is_number(account.password_changed_at_ms)
]

hits := [account |
	some account in judged
	account.mfa == "off"
	lib.older(account.password_changed_at_ms, days)
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.actives, judged)

sentence := sprintf("%s has had the same password in %s for %s and no MFA, so anyone who learned it can use it", [lib.who, lib.where(hits), lib.number_of(min([lib.days_since(account.password_changed_at_ms) | some account in hits]), "day", "days")])

evidence := [lib.over(account, "password_changed_at_ms", account.password_changed_at_ms, days) | some account in hits]

days := data.params["id.password_old"].days
