# METADATA
# id: legacy.ms_teams_2_3v1
# title: No contact with unmanaged users, in every cloud
# description: >-
#   A former baseline: like the current one, but also for government clouds.
# scan: compliance
# variant_of: teams.unmanaged_outbound
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# remediation:
#   - "Set-CsTenantFederationConfiguration -AllowTeamsConsumer $false"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["MS.TEAMS.2.3v1"]
package watchpost.checks.legacy_ms_teams_2_3v1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := work.federation_path

rows := work.teams_rows(path)

bad := work.switched_on(rows, "AllowTeamsConsumer")

result := lib.failed_entities(
	sprintf("%s %s employees chat with personal Teams accounts, so files and messages go to accounts that no organization manages", [
		work.subject(bad, "Federation configuration", "Federation configurations"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowTeamsConsumer"),
	work.evidence(bad, ["AllowTeamsConsumer"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("Employees have no contact with personal Teams accounts", work.switches(rows, "AllowTeamsConsumer")) if {
	work.known_switch(rows, "AllowTeamsConsumer")
} else := work.lacks(path, ["AllowTeamsConsumer"])
