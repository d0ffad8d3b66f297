# METADATA
# id: teams.trial_tenants
# title: Trial tenants are blocked
# description: >-
#   Teams tenants with only trial licenses must not be able to contact employees. Such a tenant is free and
#   no one has verified its owner, so attackers create one per campaign.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# remediation:
#   - "Teams admin center > Users > External access > Organization settings: turn off \"People in my organization can communicate with accounts in trial Teams tenants\"."
#   - "Or in PowerShell: Set-CsTenantFederationConfiguration -ExternalAccessWithTrialTenants Blocked"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["CIS.M365.8.2.4", "NIST.800-53.AC-3"]
package watchpost.checks.teams_trial_tenants

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := work.federation_path

rows := work.teams_rows(path)

bad := [row |
	some row in rows
	is_string(row.ExternalAccessWithTrialTenants)
	row.ExternalAccessWithTrialTenants != "Blocked"
]

result := lib.failed_entities(
	sprintf("%s %s trial tenants contact employees, so attackers need only a free sign-up", [
		work.subject(bad, "Federation configuration", "Federation configurations"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "ExternalAccessWithTrialTenants"),
	work.evidence(bad, ["ExternalAccessWithTrialTenants"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("Trial tenants can't contact employees", work.switches(rows, "ExternalAccessWithTrialTenants")) if {
	count(rows) > 0
	every row in rows {
		row.ExternalAccessWithTrialTenants == "Blocked"
	}
} else := work.lacks(path, ["ExternalAccessWithTrialTenants"])
