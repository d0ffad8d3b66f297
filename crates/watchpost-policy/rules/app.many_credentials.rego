# METADATA
# id: app.many_credentials
# title: App with several live secrets
# description: >-
#   An app has three or more secrets or certificates that haven't expired. An attacker's own secret hides
#   well among them, and nobody knows who holds which.
# severity: low
# category: identity_security
# document: app
# datasets: [apps]
# action: create_ticket
# remediation:
#   - "Ask the owners who uses which secret."
#   - "Delete those that nobody claims and those that are replaced."
# frameworks: ["NIST.800-53.IA-5"]
# params:
#   least: 3
package watchpost.rules.app_many_credentials

import rego.v1

import data.watchpost.lib

needs := {"apps"}

dated := [credential |
	some credential in input.doc.credentials
	is_number(credential.ends_at_ms)
]

least := data.params["app.many_credentials"].least

has_credentials if count(dated) > 0

live := [credential |
	some credential in dated
	credential.ends_at_ms > input.now_ms
]

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	count(live) >= least
}

else := lib.skipped("not_applicable") if not has_credentials

else := lib.app_quiet(needs)

sentence := sprintf("%s has %d live secrets or certificates, among which a stranger's would not stand out", [lib.app, count(live)])

evidence := [lib.fact("credential", {"kind": credential.kind, "ends_at_ms": credential.ends_at_ms}) | some credential in live]
