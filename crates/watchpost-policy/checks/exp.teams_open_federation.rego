# METADATA
# id: exp.teams_open_federation
# condition: teams.federation_by_domain
# title: Teams federation is open to every organization
# description: >-
#   People from any organization that uses Teams can message and call employees. Attackers use their own
#   tenants to pose as the help desk or a supplier.
# scan: exposure
# severity: high
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# remediation:
#   - "Teams admin center > Users > External access > Organization settings: choose \"Allow only specific external domains\" and list your partners, or block all."
#   - "Or in PowerShell: Set-CsTenantFederationConfiguration -AllowFederatedUsers $false"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["NIST.800-53.AC-3", "NIST.800-53.SC-7"]
package watchpost.checks.exp_teams_open_federation

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

bad := work.open_federation

rows := work.teams_rows(work.federation_path)

result := lib.failed_entities(
	"Teams lets people from any external organization message and call employees, so attackers can pose as the help desk or a supplier",
	{"AllowFederatedUsers": true, "AllowedDomains": []},
	work.evidence(bad, ["AllowFederatedUsers", "AllowedDomains"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("External organizations are allowed by domain or not at all", work.switches(rows, "AllowFederatedUsers")) if {
	work.federation_known(rows)
} else := work.lacks(work.federation_path, ["AllowFederatedUsers", "AllowedDomains"])
