# METADATA
# id: legacy.ms_teams_3_1
# title: Contact with Skype users is blocked
# description: >-
#   A former baseline: people with personal Skype accounts must not be able to contact employees. The service
#   has been discontinued.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# remediation:
#   - "Set-CsTenantFederationConfiguration -AllowPublicUsers $false"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["MS.TEAMS.3.1v1"]
package watchpost.checks.legacy_ms_teams_3_1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := work.federation_path

rows := work.teams_rows(path)

bad := work.switched_on(rows, "AllowPublicUsers")

result := lib.failed_entities(
	sprintf("%s %s people with personal Skype accounts contact employees, so anyone can contact them under any name", [
		work.subject(bad, "Federation configuration", "Federation configurations"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowPublicUsers"),
	work.evidence(bad, ["AllowPublicUsers"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("People with personal Skype accounts are blocked", work.switches(rows, "AllowPublicUsers")) if {
	work.known_switch(rows, "AllowPublicUsers")
} else := work.lacks(path, ["AllowPublicUsers"])
