# METADATA
# id: id.offboarded_active
# title: Offboarded person still has an active account
# description: >-
#   The person's account on the identity provider was suspended or deprovisioned at least a day ago, but
#   another account of the same person is still active. The person who left, or anyone who has their
#   password, can still sign in there.
# severity: critical
# category: access_hygiene
# document: identity
# datasets: [users]
# action: suspend_user
# remediation:
#   - "Confirm with the person's manager or HR that they left."
#   - "Suspend the active account, revoke its sessions and tokens, and hand over its mail and files."
#   - "Find out why offboarding missed the account, and provision the platform from the identity provider."
# frameworks: ["NIST.800-53.AC-2(3)", "NIST.800-53.PS-4"]
# params:
#   grace_hours: 24
package watchpost.rules.id_offboarded_active

import rego.v1

import data.watchpost.lib

needs := {"users"}

grace_ms := data.params["id.offboarded_active"].grace_hours * lib.hour_ms

people := [account |
	some account in input.doc.accounts
	lib.human(account)
	lib.readable(account.integration, needs)
]

# Accounts on an identity provider that were suspended or deprovisioned long enough ago. An account without that time
# counts, too.
left := [account |
	some account in people
	account.integration.identity_provider
	lib.ended(account)
	object.get(account, "status_changed_at_ms", 0) <= input.now_ms - grace_ms
	not back(account.integration.id)
]

# A person who came back has a second, active account on the same provider.
back(integration) if {
	some account in input.doc.accounts
	account.integration.id == integration
	account.status == "active"
}

hits := [account |
	some account in people
	account.status == "active"
]

result := lib.failed(sentence, evidence, []) if {
	count(left) > 0
	count(hits) > 0
}

else := lib.quiet(multiple, people)

# Only a person with several accounts can be offboarded in one and active in another.
multiple := [account |
	some account in input.doc.accounts
	lib.human(account)
]

sentence := sprintf("%s was offboarded in %s but is still active in %s, so a person who left can still sign in", [lib.who, lib.where(left), lib.where(hits)])

evidence := array.concat(
	[lib.seen(account, "status", account.status) | some account in left],
	[lib.seen(account, "status", account.status) | some account in hits],
)
