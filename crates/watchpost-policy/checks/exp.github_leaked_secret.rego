# METADATA
# id: exp.github_leaked_secret
# title: Leaked or active secret in a repository
# description: >-
#   Repositories contain secrets that are already public, or that still work at the service that issued them.
#   Anyone who can read the repository can use them now.
# scan: exposure
# severity: critical
# category: access_risk
# service: github
# platforms: [github]
# inputs: [orgs/secret-scanning/alerts]
# remediation:
#   - "Revoke the secret at the service that issued it, then create a new one and keep it outside the repository."
#   - "Search the service's logs for uses of the secret since it was committed."
#   - "GitHub > (repository) > Security > Secret scanning: close the alert as revoked, and turn on push protection."
# references:
#   - https://docs.github.com/code-security/secret-scanning/managing-alerts-from-secret-scanning/resolving-alerts
# frameworks: ["NIST.800-53.IA-5", "NIST.800-53.SI-4"]
package watchpost.checks.exp_github_leaked_secret

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

# Open alerts from https://api.github.com/orgs/{org}/secret-scanning/alerts. The secrets themselves are never read.
bad := [row |
	some row in work.objects("orgs/secret-scanning/alerts")
	row.state == "open"
	live(row)
	not work.exempted(row, ["html_url"], {"alert"})
	not lower(repository(row)) in lib.exempt("*")
]

live(row) if row.publicly_leaked == true

live(row) if row.validity == "active"

repository(row) := work.text(object.get(row, "repository", {}), ["full_name"])

label(row) := sprintf("%s in %s", [work.text(row, ["secret_type_display_name", "secret_type"]), repository(row)])

result := lib.failed_entities(
	sprintf("%s leaked or still active (%s), so anyone who has seen one can use it", [
		work.number_of(count(bad), "secret in a repository is", "secrets in repositories are"),
		work.names(sort([label(row) | some row in bad])),
	]),
	{"alerts": count(bad)},
	[{"alert": label(row), "validity": work.value(row, "validity"), "publicly_leaked": work.value(row, "publicly_leaked")} | some row in array.slice(bad, 0, 50)],
	work.first([{"type": "alert", "id": work.text(row, ["html_url", "number"]), "name": label(row)} | some row in bad]),
) if {
	count(bad) > 0
} else := lib.passed("No leaked or active secret is known", {"alerts": 0}) if {
	lib.has("orgs/secret-scanning/alerts")
} else := work.unreadable("orgs/secret-scanning/alerts")
