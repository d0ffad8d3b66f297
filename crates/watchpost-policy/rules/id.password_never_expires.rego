# METADATA
# id: id.password_never_expires
# title: Non-expiring password without MFA
# description: >-
#   An active account has a password that never expires and no second factor for multi-factor authentication
#   (MFA), so a password that leaked years ago still opens the account. With MFA, a password that never
#   expires is acceptable. Only accounts that are exempt from their domain's policy are reported; a domain whose
#   passwords never expire is a setting of the tenant, and its accounts without MFA have their own finding.
# severity: medium
# category: identity_security
# document: identity
# datasets: [users, mfa]
# action: force_mfa_enroll
# remediation:
#   - "Have the person register a second factor."
#   - "Until then, let the password expire, and change it now."
# frameworks: ["NIST.800-53.IA-5(1)"]
package watchpost.rules.id_password_never_expires

import rego.v1

import data.watchpost.lib

needs := {"users", "mfa"}

judged := [account |
	some account in lib.actives
	lib.readable(account.integration, needs)
	account.mfa != "unknown"
	is_boolean(account.password_never_expires)
]

hits := [account |
	some account in judged
	account.password_never_expires
	not account.password_expiry_exempt == false
	account.mfa == "off"
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.actives, judged)

sentence := sprintf("%s has a non-expiring password and no MFA in %s, so a password that leaked years ago still opens the account", [lib.who, lib.where(hits)])

evidence := [lib.seen(account, "password_never_expires", true) | some account in hits]
