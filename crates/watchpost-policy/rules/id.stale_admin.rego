# METADATA
# id: id.stale_admin
# title: Administrator inactive for 30 days
# description: >-
#   An active privileged account has not been used for more than 30 days. Standing privileges that no one
#   uses only help attackers.
# severity: high
# category: access_risk
# document: identity
# datasets: [users, roles, sign_in]
# depends_on_decisions: true
# action: remove_admin_role
# remediation:
#   - "Ask the administrator whether the role is still needed."
#   - "Remove the role, or make it eligible so that it has to be activated."
#   - "If it is an emergency account, tag it as one."
# frameworks: ["NIST.800-53.AC-2(3)", "NIST.800-53.AC-6"]
# params:
#   days: 30
package watchpost.rules.id_stale_admin

import rego.v1

import data.watchpost.lib

needs := {"users", "roles", "sign_in"}

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
	lib.privileged(account)
	account.last_active_known
]

hits := [account |
	some account in judged
	lib.older(account.last_active_ms, days)
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("%s holds %s but has not signed in there for %s, so the privileges only help an attacker", [lib.who, lib.positions(hits), lib.number_of(min([lib.days_since(account.last_active_ms) | some account in hits]), "day", "days")])

evidence := [lib.over(account, "last_active_ms", account.last_active_ms, days) | some account in hits]

days := data.params["id.stale_admin"].days

# Emergency accounts are meant to be unused.
pool := [account |
	some account in lib.admins
	not input.doc.break_glass
]
