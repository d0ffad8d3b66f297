# METADATA
# id: id.permanent_privilege
# title: Permanently assigned privileged role
# description: >-
#   A privileged role in Microsoft 365 is assigned permanently instead of being activated only for the hours
#   in which it is needed. A stolen session has the role immediately, for as long as the assignment lasts.
# severity: high
# category: access_risk
# document: identity
# platforms: [m365]
# datasets: [users, roles, role_schedules]
# depends_on_decisions: true
# action: remove_admin_role
# remediation:
#   - "Make the role eligible in Privileged Identity Management (PIM), and require multi-factor authentication, a justification and a time limit for its activation."
#   - "Remove the permanent assignment."
#   - "If it is an emergency account, tag it as one."
# references:
#   - https://learn.microsoft.com/entra/id-governance/privileged-identity-management/pim-configure
# frameworks: ["NIST.800-53.AC-2", "NIST.800-53.AC-6(1)"]
package watchpost.rules.id_permanent_privilege

import rego.v1

import data.watchpost.lib

needs := {"users", "roles", "role_schedules"}

pool := [account |
	some account in input.doc.accounts
	account.integration.platform == "m365"
	not input.doc.break_glass
	lib.maybe_privileged(account)
]

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
]

held := [[account, role] |
	some account in judged
	some role in account.roles
	role.privileged
	role.hold == "permanent"
]

result := lib.failed(sentence, evidence, []) if count(held) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("%s permanently holds %s in Microsoft 365, so a stolen session has these privileges at once", [
	lib.who, lib.names({role.name | some [_, role] in held}),
])

evidence := [lib.seen(account, "hold", {"role": role.name, "hold": role.hold}) | some [account, role] in held]
