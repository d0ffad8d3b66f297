# METADATA
# id: id.guest_pending
# title: Guest invitation pending for 30 days
# description: >-
#   A guest invitation has been pending for more than 30 days. Anyone who gains access to the invited mailbox
#   can still accept it.
# severity: low
# category: identity_security
# document: identity
# datasets: [users]
# action: suspend_user
# remediation:
#   - "Ask the person who invited the guest whether the invitation is still needed."
#   - "If it isn't, delete the guest account."
# frameworks: ["NIST.800-53.AC-2"]
# params:
#   days: 30
package watchpost.rules.id_guest_pending

import rego.v1

import data.watchpost.lib

needs := {"users"}

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
]

hits := [account |
	some account in judged
	account.invitation_pending == true
	lib.older(account.created_at_ms, days)
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("The invitation of %s to %s has been pending for %s and can still be accepted", [lib.who, lib.where(hits), lib.number_of(min([lib.days_since(account.created_at_ms) | some account in hits]), "day", "days")])

evidence := [lib.over(account, "created_at_ms", account.created_at_ms, days) | some account in hits]

days := data.params["id.guest_pending"].days

pool := [account |
	some account in input.doc.accounts
	account.kind == "guest"
	not lib.ended(account)
]
