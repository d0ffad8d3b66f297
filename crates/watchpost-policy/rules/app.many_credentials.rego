# METADATA
# id: app.many_credentials
# title: App with many active credentials
# description: >-
#   An app has three or more unexpired secrets or certificates. A credential that an attacker adds is hard to
#   notice among them, and it is unclear who holds which one.
# severity: low
# category: identity_security
# document: app
# datasets: [apps]
# action: create_ticket
# remediation:
#   - "Ask the app's owners who uses each credential."
#   - "Delete the credentials that no one claims and those that have been replaced."
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

sentence := sprintf("%s has %s, so one that an attacker adds would be hard to notice", [lib.app, lib.number_of(count(live), "unexpired secret or certificate", "unexpired secrets or certificates")])

evidence := [lib.fact("credential", {"kind": credential.kind, "ends_at_ms": credential.ends_at_ms}) | some credential in live]
