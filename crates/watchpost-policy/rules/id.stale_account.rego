# METADATA
# id: id.stale_account
# title: Account inactive for 90 days
# description: >-
#   An active member account has not been used for more than 90 days, or has never been used since it was
#   created more than 30 days ago. If an attacker starts to use it, no one notices.
# severity: medium
# category: access_hygiene
# document: identity
# datasets: [users, sign_in]
# depends_on_decisions: true
# action: suspend_user
# remediation:
#   - "Ask the person or their manager whether the account is needed."
#   - "If it isn't, suspend it and reclaim its licenses."
#   - "Delete it if no one has missed it after a month."
# frameworks: ["NIST.800-53.AC-2(3)"]
# params:
#   days: 90
#   never_used_days: 30
package watchpost.rules.id_stale_account

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
	stale(account)
]

result := lib.failed(sentence, evidence, []) if count(hits) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("%s has not used %s for %s, so no one would notice an attacker who uses the account", [lib.who, lib.where(hits), since])

evidence := [lib.over(account, "last_active_ms", object.get(account, "last_active_ms", "never"), days) | some account in hits]

days := data.params["id.stale_account"].days

# `id.stale_admin` judges administrators; emergency accounts are meant to be unused.
pool := [account |
	some account in lib.actives
	account.kind == "member"
	not input.doc.break_glass
	not lib.privileged(account)
]

stale(account) if lib.older(account.last_active_ms, days)

stale(account) if {
	not account.last_active_ms
	lib.older(account.created_at_ms, data.params["id.stale_account"].never_used_days)
}

idle := min([lib.days_since(account.last_active_ms) | some account in hits])

since := lib.number_of(idle, "day", "days") if {
	idle
} else := sprintf("%s (never since it was created)", [lib.number_of(min([lib.days_since(account.created_at_ms) | some account in hits]), "day", "days")])
