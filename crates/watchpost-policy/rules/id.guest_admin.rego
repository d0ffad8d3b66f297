# METADATA
# id: id.guest_admin
# title: Guest with an administrator role
# description: >-
#   An active guest account holds a privileged role. Another organization controls the guest's sign-in,
#   device and offboarding.
# severity: critical
# category: access_risk
# document: identity
# datasets: [users, roles]
# action: remove_admin_role
# remediation:
#   - "Find out who gave the guest the role and why."
#   - "Remove the role. If it is still needed, make it eligible, time-bound and subject to approval."
#   - "Review the guest's sign-ins since the role was assigned."
# references:
#   - https://learn.microsoft.com/entra/external-id/external-collaboration-settings-configure
# frameworks: ["NIST.800-53.AC-6", "NIST.800-53.AC-6(5)"]
package watchpost.rules.id_guest_admin

import rego.v1

import data.watchpost.lib

needs := {"users", "roles"}

judged := [account |
	some account in lib.admins
	lib.readable(account.integration, needs)
	lib.privileged(account)
]

hits := [account |
	some account in judged
	account.kind == "guest"
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(lib.admins, judged)

sentence := sprintf("%s is a guest and holds %s, so this tenant depends on another organization's security", [lib.who, lib.positions(hits)])

evidence := [lib.seen(account, "role", lib.role_name(account)) | some account in hits]
