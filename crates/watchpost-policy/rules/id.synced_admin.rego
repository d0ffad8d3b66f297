# METADATA
# id: id.synced_admin
# title: Administrator synced from an on-premises directory
# description: >-
#   A privileged account in Microsoft 365 is synchronized from an on-premises directory. An attacker who
#   takes over that directory also takes over the cloud account.
# severity: high
# category: access_risk
# document: identity
# platforms: [m365]
# datasets: [users, roles]
# action: remove_admin_role
# remediation:
#   - "Create a cloud-only account for the administrator's role."
#   - "Move the role to it and remove it from the synced account."
# references:
#   - https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices
# frameworks: ["NIST.800-53.AC-6(5)"]
package watchpost.rules.id_synced_admin

import rego.v1

import data.watchpost.lib

needs := {"users", "roles"}

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
	lib.privileged(account)
	is_boolean(account.synced)
]

hits := [account |
	some account in judged
	account.synced
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("%s holds %s with an account synced from on-premises, so an attack on the on-premises directory reaches the cloud", [lib.who, lib.positions(hits)])

evidence := [lib.seen(account, "synced", true) | some account in hits]

pool := [account |
	some account in input.doc.accounts
	account.integration.platform == "m365"
	lib.maybe_privileged(account)
]
