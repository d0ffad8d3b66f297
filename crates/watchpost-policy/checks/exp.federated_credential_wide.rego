# METADATA
# id: exp.federated_credential_wide
# title: Workload identity federation is too broad
# description: >-
#   An app accepts tokens from workloads that match a wildcard pattern, or from code that anyone can start,
#   such as a pull request. Anyone who can run such a workload can act as the app.
# scan: exposure
# severity: high
# category: access_risk
# service: entra
# platforms: [m365]
# inputs: [applications]
# remediation:
#   - "Entra admin center > App registrations > (app) > Certificates & secrets > Federated credentials: replace each credential that is named with credentials for exactly one branch or environment."
#   - "In GitHub, protect that branch or environment with required reviewers."
# references:
#   - https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
# frameworks: ["NIST.800-53.IA-9", "NIST.800-53.AC-6"]
package watchpost.checks.exp_federated_credential_wide

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

bad := [row |
	some row in work.objects("applications")
	count(wide(row)) > 0
	not work.exempted(row, ["id", "appId", "displayName"], {"application", "app"})
]

result := lib.failed_entities(
	sprintf("%s tokens from too many workloads (%s), so anyone who can start such a workload can act as the app", [
		work.number_of(count(bad), "app accepts", "apps accept"),
		work.names(sort([work.text(row, ["displayName", "appId"]) | some row in bad])),
	]),
	{"count": count(bad)},
	[{"app": work.text(row, ["displayName", "appId"]), "credentials": array.slice(wide(row), 0, 10)} | some row in array.slice(bad, 0, 50)],
	work.entities("application", bad, ["id", "appId", "displayName"], ["displayName", "appId"]),
) if {
	count(bad) > 0
} else := lib.passed("Every federated credential names exactly one workload", {"count": 0}) if {
	lib.has("applications")
} else := work.unreadable("applications")

wide(row) := [{"name": work.text(credential, ["name", "id"]), "issuer": work.value(credential, "issuer"), "subject": subject(credential)} |
	some credential in lib.as_list(object.get(row, "federatedIdentityCredentials", []))
	is_object(credential)
	too_wide(credential, subject(credential))
]

# The required subject of tokens, or the expression in its place.
subject(credential) := credential.subject if {
	is_string(object.get(credential, "subject", null))
} else := credential.claimsMatchingExpression.value if {
	is_string(credential.claimsMatchingExpression.value)
} else := ""

too_wide(_, text) if contains(text, "*")

too_wide(credential, text) if {
	github(credential)
	endswith(text, ":pull_request")
}

too_wide(credential, text) if {
	github(credential)
	not contains(text, "ref:")
	not contains(text, "environment:")
}

github(credential) if contains(lower(object.get(credential, "issuer", "")), "token.actions.githubusercontent.com")
