# METADATA
# id: teams.unmanaged_inbound
# title: Unmanaged users cannot initiate contact
# description: >-
#   People with personal Teams accounts must not be able to start chats with employees. No organization
#   manages these accounts, and anyone can create one under any name. Government clouds have no contact with
#   them.
# scan: compliance
# severity: high
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# optional_inputs: [teams/TenantInfo, licenses/features]
# remediation:
#   - "Teams admin center > Users > External access > Organization settings: clear \"External users with Teams accounts not managed by an organization can contact users in my organization\"."
#   - "Or in PowerShell: Set-CsTenantFederationConfiguration -AllowTeamsConsumerInbound $false"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["MS.TEAMS.2.2v2", "CIS.M365.8.2.3", "NIST.800-53.CM-7", "NIST.800-53.SI-8"]
package watchpost.checks.teams_unmanaged_inbound

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := work.federation_path

rows := work.teams_rows(path)

bad := work.consumer_inbound

known if work.known_switch(rows, "AllowTeamsConsumerInbound")

known if {
	count(rows) > 0
	every row in rows {
		row.AllowTeamsConsumer == false
	}
}

result := lib.skipped("not_applicable", "Government clouds have no contact with personal accounts") if {
	work.government
} else := lib.failed_entities(
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
	known
	work.known_switch(rows, "AllowTeamsConsumer")
} else := work.lacks(path, ["AllowTeamsConsumer", "AllowTeamsConsumerInbound"])
