# METADATA
# id: teams.unmanaged_outbound
# title: No contact with unmanaged users
# description: >-
#   Employees must not be able to chat with personal Teams accounts. Anything that they send there is outside
#   the company's control. Government clouds have no contact with such accounts.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# optional_inputs: [teams/TenantInfo, licenses/features]
# remediation:
#   - "Teams admin center > Users > External access > Organization settings: turn off \"People in my organization can communicate with Teams users whose accounts aren't managed by an organization\"."
#   - "Or in PowerShell: Set-CsTenantFederationConfiguration -AllowTeamsConsumer $false"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["MS.TEAMS.2.3v2", "CIS.M365.8.2.2", "NIST.800-53.CM-7", "NIST.800-53.SC-7(10)(a)"]
package watchpost.checks.teams_unmanaged_outbound

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/FederationConfiguration"

rows := work.teams_rows(path)

bad := work.switched_on(rows, "AllowTeamsConsumer")

result := lib.skipped("not_applicable", "Government clouds don't have this feature") if {
	work.government
} else := lib.failed_entities(
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
