# METADATA
# id: id.guest_stale
# title: Guest inactive for 60 days
# description: >-
#   An active guest account has not signed in for more than 60 days. Guest access often outlives the project
#   that it was granted for.
# severity: medium
# category: identity_security
# document: identity
# datasets: [users, sign_in]
# action: suspend_user
# remediation:
#   - "Ask the person who invited the guest whether access is still needed."
#   - "If it isn't, remove the guest."
#   - "Let guest access end automatically: set up an access review or an expiry."
# references:
#   - https://learn.microsoft.com/entra/id-governance/access-reviews-overview
# frameworks: ["NIST.800-53.AC-2(3)"]
# params:
#   days: 60
package watchpost.rules.id_guest_stale

import rego.v1

import data.watchpost.lib

needs := {"users", "sign_in"}

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
	account.last_active_known
]

hits := [account |
	some account in judged
	lib.older(account.last_active_ms, days)
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("The guest %s has not signed in to %s for %s but still has access", [lib.who, lib.where(hits), lib.number_of(min([lib.days_since(account.last_active_ms) | some account in hits]), "day", "days")])

evidence := [lib.over(account, "last_active_ms", account.last_active_ms, days) | some account in hits]

days := data.params["id.guest_stale"].days

pool := [account |
	some account in lib.actives
	account.kind == "guest"
]
