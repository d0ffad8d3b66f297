# METADATA
# id: exp.app_multitenant_secret
# title: Multi-tenant app registration with a secret
# description: >-
#   An app that the company registered is open to other tenants and authenticates with a secret. Anyone who
#   gets the secret can act as the app in every tenant that trusts it.
# scan: exposure
# severity: medium
# category: access_risk
# service: entra
# platforms: [m365]
# inputs: [applications]
# remediation:
#   - "Entra admin center > App registrations > (app) > Authentication: choose \"Accounts in this organizational directory only\" unless other companies use the app."
#   - "Otherwise replace the secret with a certificate or a managed identity: Certificates & secrets > remove the client secret."
# references:
#   - https://learn.microsoft.com/entra/identity-platform/howto-convert-app-to-be-multi-tenant
# frameworks: ["NIST.800-53.IA-5", "NIST.800-53.AC-3"]
package watchpost.checks.exp_app_multitenant_secret

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

bad := [row |
	some row in work.objects("applications")
	row.signInAudience != "AzureADMyOrg"
	count(live_secrets(row)) > 0
	not work.exempted(row, ["id", "appId", "displayName"], {"application", "app"})
]

result := lib.failed_entities(
	sprintf("%s open to other tenants and %s a secret (%s), so a leaked secret works in every tenant that trusts it", [
		work.number_of(count(bad), "registered app is", "registered apps are"),
		work.verb(count(bad), "has", "have"),
		work.names(sort([work.text(row, ["displayName", "appId"]) | some row in bad])),
	]),
	{"count": count(bad)},
	[{"app": work.text(row, ["displayName", "appId"]), "signInAudience": row.signInAudience, "secrets": count(live_secrets(row))} | some row in array.slice(bad, 0, 50)],
	work.entities("application", bad, ["id", "appId", "displayName"], ["displayName", "appId"]),
) if {
	count(bad) > 0
} else := lib.passed("No registered app that is open to other tenants has a secret", {"count": 0}) if {
	lib.has("applications")
} else := work.unreadable("applications")

# The current time in the vendor's format, to the second. Strings in this format sort by time.
now := substring(time.format(input.now_ms * 1000000), 0, 19)

live_secrets(row) := [secret |
	some secret in lib.as_list(object.get(row, "passwordCredentials", []))
	is_object(secret)
	not expired(secret)
]

expired(secret) if {
	is_string(secret.endDateTime)
	substring(secret.endDateTime, 0, 19) < now
}
