# METADATA
# id: tok.admin_token
# title: API token of a super administrator
# description: >-
#   An API token belongs to an account with the platform's highest role. The token carries that role without
#   multi-factor authentication (MFA), wherever it is stored. The evidence says whether the token works from any
#   network, and when it was last used.
# severity: high
# category: identity_security
# document: identity
# datasets: [users, roles, tokens]
# action: revoke_oauth_token
# remediation:
#   - "Find out what uses the token."
#   - "Create a service account with the least privileged role that is sufficient, and a new token for it."
#   - "Revoke the administrator's token. Until then, limit it to the networks from which it is used."
# frameworks: ["NIST.800-53.AC-6", "NIST.800-53.IA-5"]
package watchpost.rules.tok_admin_token

import rego.v1

import data.watchpost.lib

needs := {"users", "roles", "tokens"}

pool := [account |
	some account in input.doc.accounts
	holds_token(account)
]

judged := [account |
	some account in pool
	lib.readable(account.integration, needs)
]

held := [[account, grant] |
	some account in judged
	lib.super_admin(account)
	some grant in account.grants
	grant.kind == "token"
]

result := lib.failed(sentence, evidence, []) if count(held) > 0

else := lib.quiet(pool, judged)

holds_token(account) if {
	some grant in account.grants
	grant.kind == "token"
}

holds_token(account) if "tokens" in account.integration.unreadable

sentence := sprintf("%s holds %s (%s) with the privileges of %s, which %s", [
	lib.who, lib.number_of(count(held), "API token", "API tokens"), tokens,
	lib.positions([account | some [account, _] in held]), consequence,
])

consequence := "works from any network and MFA does not protect" if {
	count([grant | some [_, grant] in held; grant.network == "anywhere"]) > 0
} else := "MFA does not protect"

tokens := lib.names({object.get(grant, "name", "unnamed") | some [_, grant] in held})

evidence := [lib.seen(account, "token", {
	"name": object.get(grant, "name", "unnamed"),
	"never_expires": grant.never_expires,
	"network": object.get(grant, "network", "unknown"),
	"last_used_ms": object.get(grant, "last_used_ms", "unknown"),
}) | some [account, grant] in held]
