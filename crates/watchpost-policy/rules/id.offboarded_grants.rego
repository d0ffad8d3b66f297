# METADATA
# id: id.offboarded_grants
# title: Offboarded person still holds app grants
# description: >-
#   A suspended or ended account still holds permissions that it gave to apps, or tokens. Apps can go on
#   reading on behalf of somebody who left, and come back to life with the account.
# severity: high
# category: access_hygiene
# document: identity
# datasets: [users]
# optional_datasets: [grants, tokens]
# action: revoke_oauth_token
# remediation:
#   - "Revoke the permissions and tokens listed in the evidence."
#   - "Check the apps' sign-in logs for use after the person left."
#   - "Add revoking grants and tokens to the offboarding steps."
# frameworks: ["NIST.800-53.AC-2(3)", "NIST.800-53.PS-4"]
package watchpost.rules.id_offboarded_grants

import rego.v1

import data.watchpost.lib

needs := {"users"}

kinds := {"delegated", "token"}

pool := [account |
	some account in input.doc.accounts
	lib.ended(account)
]

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
	readable_kinds(account)
]

# Grants and tokens are read separately; either is worth judging.
readable_kinds(account) if {
	some kind in kinds
	lib.kind_readable(account.integration, kind)
}

held := [[account, grant] |
	some account in judged
	some grant in account.grants
	grant.kind in kinds
	lib.kind_readable(account.integration, grant.kind)
]

result := lib.failed(sentence, evidence, apps) if count(held) > 0

else := lib.quiet(pool, judged)

sentence := sprintf("%s is %s in %s but still holds %s (%s), which let apps act for somebody who left", [
	lib.who, states, lib.where([account | some [account, _] in held]),
	lib.number_of(count(held), "app permission or token", "app permissions or tokens"),
	lib.names({name | some [_, grant] in held; name := called(grant)}),
])

states := concat(" or ", {account.status | some [account, _] in held})

called(grant) := grant.app_name if {
	grant.app_name
} else := object.get(grant, "name", "a token")

evidence := [entry |
	some [account, grant] in held
	entry := lib.seen(account, "grant", {"kind": grant.kind, "app": called(grant), "risk": grant.risk})
]

apps := [id |
	some [_, grant] in held
	id := object.get(grant, "app_id", "")
	id != ""
]
