# METADATA
# id: id.offboarded_owner
# title: App without an active owner
# description: >-
#   An app has no owner who is still active. No one renews its secrets, is responsible for its permissions,
#   or notices when it misbehaves. Anyone who takes over a former owner's account controls the app.
# severity: medium
# category: access_hygiene
# document: app
# datasets: [apps, app_owners, users]
# action: create_ticket
# remediation:
#   - "Find out who uses the app and make two of them owners."
#   - "Rotate the app's secrets, because former owners may know them."
#   - "If no one needs the app, disable it and delete it after a month."
# frameworks: ["NIST.800-53.AC-2", "NIST.800-53.CM-8"]
package watchpost.rules.id_offboarded_owner

import rego.v1

import data.watchpost.lib

needs := {"apps", "app_owners", "users"}

applies if {
	lib.foreign_app
	count(input.doc.owners) > 0
}

# An app that the tenant registered itself should have an owner; an app from another organization needs none.
applies if {
	lib.foreign_app
	input.doc.own_registration == true
}

staying := [owner | some owner in input.doc.owners; not lib.ended(owner)]

result := lib.failed(sentence, evidence, []) if {
	applies
	lib.readable(input.doc.integration, needs)
	count(staying) == 0
}

else := lib.skipped("not_applicable") if not applies

else := lib.app_quiet(needs)

sentence := sprintf("%s has no owner, so no one is responsible for its secrets and permissions", [lib.app]) if {
	count(input.doc.owners) == 0
} else := sprintf("%s is owned only by people who left (%s), so no one is responsible for its secrets and permissions", [
	lib.app, lib.names({owner.display_name | some owner in input.doc.owners}),
])

evidence := [lib.fact("owner", {"name": owner.display_name, "status": owner.status}) | some owner in input.doc.owners]
