# METADATA
# id: exp.risky_grant_tenant_wide
# title: High-risk permission for the whole tenant
# description: >-
#   An app that has not been sanctioned holds a high-risk permission for the whole tenant: granted to the app
#   itself, or by an administrator on behalf of every user. Anyone who controls the app can read or change
#   everyone's data.
# scan: exposure
# severity: critical
# category: shadow_it
# service: entra
# platforms: [m365]
# over: apps
# inputs: []
# remediation:
#   - "Ask the app's owner which permissions it needs and why."
#   - "Entra admin center > Enterprise applications > (app) > Permissions: revoke the permissions that it doesn't need, and limit mailbox permissions with application access policies."
#   - "Sanction the app in Watchpost if the permission is intended, or disable it."
# references:
#   - https://learn.microsoft.com/entra/identity/enterprise-apps/manage-application-permissions
# frameworks: ["NIST.800-53.AC-6", "NIST.800-53.CM-7(5)"]
package watchpost.checks.exp_risky_grant_tenant_wide

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# The apps in scope, those of them that fail, and the unreadable datasets of the others.
pool := [app |
	some app in input.apps
	work.foreign_app(app)
	object.get(app, "policy", "none") != "sanctioned"
]

bad := [app |
	some app in pool
	fails(app)
]

unknown := [dataset |
	some app in pool
	not fails(app)
	some dataset in work.app_unread(app, ["apps", "grants", "app_grants"])
]

result := lib.failed_entities(
	# An app may be sanctioned after the scan; the sentence stays true then.
	sprintf("%s a high-risk permission for the whole tenant and %s not sanctioned at the time of the scan (%s), so anyone who controls %s can reach everyone's data", [
		work.number_of(count(bad), "app holds", "apps hold"),
		work.verb(count(bad), "was", "were"),
		work.names(sort([app.name | some app in bad])),
		work.verb(count(bad), "it", "one of them"),
	]),
	{"apps": count(bad)},
	[{"app": app.name, "scopes": array.slice(wide_scopes(app), 0, 20)} | some app in array.slice(bad, 0, 50)],
	work.first([{"type": "app", "id": app.id, "name": app.name} | some app in bad]),
) if {
	count(bad) > 0
} else := lib.skipped("unreadable", sprintf("%s could not be read", [concat(" and ", {dataset | some dataset in unknown})])) if {
	count(unknown) > 0
} else := lib.passed("No unsanctioned app holds a high-risk permission for the whole tenant", {"apps": 0}) if {
	count(pool) > 0
} else := lib.skipped("not_applicable", "There is no unsanctioned third-party app")

fails(app) if {
	app.risks.application == "high"
	work.kind_known(app, "application")
}

fails(app) if {
	app.tenant_wide_risk == "high"
	work.kind_known(app, "delegated")
}

wide_scopes(app) := array.concat(object.get(object.get(app, "scopes", {}), "application", []), [scope |
	app.tenant_wide_risk == "high"
	some scope in object.get(object.get(app, "scopes", {}), "delegated", [])
])
