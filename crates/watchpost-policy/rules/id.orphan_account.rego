# METADATA
# id: id.orphan_account
# title: Account missing from the identity provider
# description: >-
#   An active member account in Microsoft 365 with a company address has no counterpart in the connected
#   identity provider, so the provider's sign-in policies and offboarding don't apply to it.
# severity: medium
# category: access_hygiene
# document: identity
# platforms: [m365]
# datasets: [users]
# depends_on_decisions: true
# action: suspend_user
# remediation:
#   - "Find out who uses the account; ask the department that it was created for."
#   - "If a person uses it, create or link their account in the identity provider. If a machine uses it, make it a service principal or tag it."
#   - "If no one uses it, suspend it and delete it after a month."
# frameworks: ["NIST.800-53.AC-2", "NIST.800-53.IA-4"]
package watchpost.rules.id_orphan_account

import rego.v1

import data.watchpost.lib

needs := {"users"}

pool := [account |
	some account in lib.actives
	account.integration.platform == "m365"
	account.kind == "member"
	not input.doc.break_glass
	corporate(account)
	count(providers) > 0
]

corporate(account) if split(account.email, "@")[1] in input.doc.company_domains

# The identity providers besides Microsoft 365.
providers := [integration |
	some integration in input.doc.integrations
	integration.identity_provider
	integration.platform != "m365"
]

providers_readable if {
	every integration in providers {
		lib.readable(integration, needs)
	}
}

judged := [account |
	some account in pool
	providers_readable
	lib.readable(account.integration, needs)
]

elsewhere if {
	some account in input.doc.accounts
	account.integration.identity_provider
	account.integration.platform != "m365"
}

result := lib.failed(sentence, evidence, []) if {
	count(judged) > 0
	not elsewhere
}

else := lib.quiet(pool, judged)

sentence := sprintf("%s has an account in Microsoft 365 but none in %s, so sign-in policies and offboarding there don't apply to it", [
	lib.who, concat(" or ", {lib.platform_title(provider.platform) | some provider in providers}),
])

evidence := [lib.seen(account, "email", account.email) | some account in judged]
