# METADATA
# id: exp.internet_facing_apps
# title: Apps that anyone in the tenant can sign in to
# description: >-
#   These third-party apps let everyone in the tenant sign in, including guests, without an assignment. A
#   stolen account of any user opens them all.
# scan: exposure
# severity: low
# category: access_risk
# service: entra
# platforms: [m365]
# inputs: [servicePrincipals/open]
# remediation:
#   - "Entra admin center > Enterprise applications > (app) > Properties: turn on \"Assignment required?\", then assign the groups that use the app."
# references:
#   - https://learn.microsoft.com/entra/identity/enterprise-apps/assign-user-or-group-access-portal
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.AC-6"]
package watchpost.checks.exp_internet_facing_apps

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

bad := [row |
	some row in work.objects("servicePrincipals/open")
	is_object(row)
	not work.exempted(row, ["id", "appId", "displayName"], {"application", "app"})
]

result := lib.failed_entities(
	sprintf("%s everyone in the tenant sign in without an assignment (%s), so any stolen account is enough to sign in", [
		work.number_of(count(bad), "app lets", "apps let"),
		work.names(sort([work.text(row, ["displayName", "appId"]) | some row in bad])),
	]),
	{"count": count(bad)},
	[{"app": work.text(row, ["displayName", "appId"])} | some row in array.slice(bad, 0, 50)],
	work.entities("application", bad, ["id", "appId", "displayName"], ["displayName", "appId"]),
) if {
	count(bad) > 0
} else := lib.passed("Every app requires an assignment", {"count": 0}) if {
	lib.has("servicePrincipals/open")
} else := work.unreadable("servicePrincipals/open")
