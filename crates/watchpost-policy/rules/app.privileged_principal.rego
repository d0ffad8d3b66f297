# METADATA
# id: app.privileged_principal
# title: App with an administrator role
# description: >-
#   An app that isn't the platform vendor's own holds a privileged directory role. Anyone who has the app's
#   secret is an administrator, without multi-factor authentication (MFA).
# severity: critical
# category: access_risk
# document: app
# datasets: [apps, roles]
# action: remove_admin_role
# remediation:
#   - "Find out what the app uses the role for."
#   - "Grant the app only the application permissions that it needs."
#   - "Remove the role and rotate the app's secrets."
# references:
#   - https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices
# frameworks: ["NIST.800-53.AC-6", "NIST.800-53.AC-6(5)"]
package watchpost.rules.app_privileged_principal

import rego.v1

import data.watchpost.lib

needs := {"apps", "roles"}

held := {role.name | some role in input.doc.roles; role.privileged}

result := lib.failed(sentence, evidence, []) if {
	lib.foreign_app
	lib.readable(input.doc.integration, needs)
	count(held) > 0
}

else := lib.app_quiet(needs)

sentence := sprintf("%s holds administrator access (%s), which anyone with its secret can use without MFA", [lib.app, lib.names(held)])

evidence := [lib.fact("role", {"name": role.name, "hold": role.hold}) | some role in input.doc.roles; role.privileged]
