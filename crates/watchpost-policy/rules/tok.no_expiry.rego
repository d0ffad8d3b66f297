# METADATA
# id: tok.no_expiry
# title: API token that never expires
# description: >-
#   A token never expires. If it leaks, it works until someone notices. Okta's tokens always expire when they aren't
#   used for a while, so none of them is reported.
# severity: medium
# category: identity_security
# document: identity
# datasets: [users, tokens]
# action: revoke_oauth_token
# remediation:
#   - "Find out what uses the token."
#   - "Replace it with a token that expires, or with OAuth and a key pair."
#   - "Revoke the old token."
# frameworks: ["NIST.800-53.IA-5(1)"]
package watchpost.rules.tok_no_expiry

import rego.v1

import data.watchpost.lib

needs := {"users", "tokens"}

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
	some grant in account.grants
	grant.kind == "token"
	grant.never_expires
]

result := lib.failed(sentence, evidence, []) if count(held) > 0

else := lib.quiet(pool, judged)

holds_token(account) if {
	some grant in account.grants
	grant.kind == "token"
}

holds_token(account) if "tokens" in account.integration.unreadable

sentence := sprintf("%s holds %s (%s) in %s, so a leaked copy works until it is revoked", [
	lib.who, lib.number_of(count(held), "token that never expires", "tokens that never expire"), tokens,
	lib.where([account | some [account, _] in held]),
])

tokens := lib.names({object.get(grant, "name", "unnamed") | some [_, grant] in held})

evidence := [lib.seen(account, "token", {
	"name": object.get(grant, "name", "unnamed"),
	"never_expires": grant.never_expires,
	"network": object.get(grant, "network", "unknown"),
	"last_used_ms": object.get(grant, "last_used_ms", "unknown"),
}) | some [account, grant] in held]
