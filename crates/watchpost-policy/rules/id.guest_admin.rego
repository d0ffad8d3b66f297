# METADATA
# id: id.guest_admin
# title: Guest with an administrator role
# description: >-
#   An active guest holds a privileged role. Their sign-in, their device and their leaving are in another
#   company's hands.
# severity: critical
# category: access_risk
# document: identity
# datasets: [users, roles]
# action: remove_admin_role
# remediation:
#   - "Find out who gave the guest the role and what for."
#   - "Remove the role; if the work goes on, make the role eligible, time-bound and approved."
#   - "Review the guest's sign-ins since the role was given."
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

sentence := sprintf("%s is a guest and %s, so another company's security decides over this one", [lib.who, lib.positions(hits)])

evidence := [lib.seen(account, "role", lib.role_name(account)) | some account in hits]
