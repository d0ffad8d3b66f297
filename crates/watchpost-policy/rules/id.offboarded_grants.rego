# METADATA
# id: id.offboarded_grants
# title: Offboarded person still holds app grants
# description: >-
#   A suspended or deprovisioned account still holds tokens, or permissions that it granted to apps. Apps can
#   keep reading data on behalf of a person who left, and the grants are in force again if the account is
#   reactivated.
# severity: high
# category: access_hygiene
# document: identity
# datasets: [users]
# optional_datasets: [grants, tokens]
# action: revoke_oauth_token
# remediation:
#   - "Revoke the permissions and tokens listed in the evidence."
#   - "Check the apps' sign-in logs for use after the person left."
#   - "Add the revocation of grants and tokens to the offboarding steps."
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

# Grants and tokens are read separately; one of the two is enough to judge.
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

sentence := sprintf("%s is %s in %s but still holds %s (%s), so apps can still act for a person who left", [
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
