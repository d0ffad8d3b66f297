# METADATA
# id: legacy.ms_teams_2_2v1
# title: Unmanaged users cannot initiate contact, in every cloud
# description: >-
#   A former baseline: like the current one, but also for government clouds.
# scan: compliance
# variant_of: teams.unmanaged_inbound
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# remediation:
#   - "Set-CsTenantFederationConfiguration -AllowTeamsConsumerInbound $false"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["MS.TEAMS.2.2v1"]
package watchpost.checks.legacy_ms_teams_2_2v1

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := work.federation_path

rows := work.teams_rows(path)

bad := work.consumer_inbound

result := lib.failed_entities(
	sprintf("%s %s people with personal Teams accounts start chats with employees, so anyone can contact them under any name", [
		work.subject(bad, "Federation configuration", "Federation configurations"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowTeamsConsumerInbound"),
	work.evidence(bad, ["AllowTeamsConsumer", "AllowTeamsConsumerInbound"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("People with personal Teams accounts can't start chats", work.switches(rows, "AllowTeamsConsumerInbound")) if {
	work.known_switch(rows, "AllowTeamsConsumer")
} else := work.lacks(path, ["AllowTeamsConsumer"])
