# METADATA
# id: exp.teams_consumer_inbound
# condition: teams.unmanaged_inbound
# title: Personal Teams accounts can start chats with employees
# description: >-
#   Anyone with a free Teams account can start a chat with employees, under any name. Government clouds have
#   no contact with such accounts.
# scan: exposure
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
# frameworks: ["NIST.800-53.SC-7", "NIST.800-53.SI-8"]
package watchpost.checks.exp_teams_consumer_inbound

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

bad := work.consumer_inbound

rows := work.teams_rows(work.federation_path)

closed if {
	count(rows) > 0
	every row in rows {
		shut(row)
	}
}

shut(row) if row.AllowTeamsConsumer == false

shut(row) if row.AllowTeamsConsumerInbound == false

result := lib.skipped("not_applicable", "Government clouds have no contact with personal accounts") if {
	work.government
} else := lib.failed_entities(
	"Teams lets people with free accounts start chats with employees, so anyone can contact them under any name",
	{"AllowTeamsConsumer": true, "AllowTeamsConsumerInbound": true},
	work.evidence(bad, ["AllowTeamsConsumer", "AllowTeamsConsumerInbound"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("People with free accounts can't start chats", work.switches(rows, "AllowTeamsConsumerInbound")) if {
	closed
} else := work.lacks(work.federation_path, ["AllowTeamsConsumer", "AllowTeamsConsumerInbound"])
