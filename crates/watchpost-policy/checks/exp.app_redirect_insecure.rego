# METADATA
# id: exp.app_redirect_insecure
# title: App with an insecure redirect URI
# description: >-
#   A registered app sends sign-in responses to an unencrypted address, or to any address that matches a
#   pattern. An attacker who intercepts the traffic, or owns such an address, receives the sign-in.
# scan: exposure
# severity: medium
# category: access_risk
# service: entra
# platforms: [m365]
# inputs: [applications]
# remediation:
#   - "Entra admin center > App registrations > (app) > Authentication: replace each http:// address with https:// and each wildcard with the exact addresses; remove addresses that are not used."
# references:
#   - https://learn.microsoft.com/entra/identity-platform/reply-url
# frameworks: ["NIST.800-53.SC-8", "NIST.800-53.CM-6"]
package watchpost.checks.exp_app_redirect_insecure

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

bad := [row |
	some row in work.objects("applications")
	count(unsafe(row)) > 0
	not work.exempted(row, ["id", "appId", "displayName"], {"application", "app"})
]

result := lib.failed_entities(
	sprintf("%s sign-ins to unencrypted or wildcard addresses (%s), so an attacker can take over sessions", [
		work.number_of(count(bad), "app sends", "apps send"),
		work.names(sort([work.text(row, ["displayName", "appId"]) | some row in bad])),
	]),
	{"count": count(bad)},
	[{"app": work.text(row, ["displayName", "appId"]), "addresses": array.slice(sort(unsafe(row)), 0, 10)} | some row in array.slice(bad, 0, 50)],
	work.entities("application", bad, ["id", "appId", "displayName"], ["displayName", "appId"]),
) if {
	count(bad) > 0
} else := lib.passed("Every redirect URI is encrypted and exact", {"count": 0}) if {
	lib.has("applications")
} else := work.unreadable("applications")

unsafe(row) := {uri |
	some part in ["web", "spa", "publicClient"]
	some uri in lib.as_list(object.get(object.get(row, part, {}), "redirectUris", []))
	is_string(uri)
	insecure(lower(uri))
}

insecure(uri) if contains(uri, "*")

insecure(uri) if {
	startswith(uri, "http://")
	not loopback(host(uri))
}

# The host of an address, without port and path.
host(uri) := "[::1]" if {
	startswith(uri, "http://[::1]")
} else := split(split(split(trim_prefix(uri, "http://"), "/")[0], "?")[0], ":")[0]

loopback(name) if name in {"localhost", "127.0.0.1", "[::1]"}
