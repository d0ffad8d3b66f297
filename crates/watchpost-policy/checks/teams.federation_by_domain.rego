# METADATA
# id: teams.federation_by_domain
# title: External access only per domain
# description: >-
#   Other organisations reach people in Teams only where their domain is listed (or not at all). With open
#   federation anybody with a Teams tenant of their own can write to every employee, a common way to deliver
#   malware and to pose as the help desk.
# scan: compliance
# severity: high
# service: teams
# platforms: [m365]
# inputs: [teams/FederationConfiguration]
# remediation:
#   - "Teams admin center > Users > External access > Organization settings: choose \"Allow only specific external domains\" and list your partners, or \"Block all external domains\"."
#   - "Or in PowerShell: Set-CsTenantFederationConfiguration -AllowedDomains (New-CsEdgeAllowList -AllowedDomain (New-CsEdgeDomainPattern -Domain \"partner.example\"))"
# references:
#   - https://learn.microsoft.com/microsoftteams/trusted-organizations-external-meetings-chat
# frameworks: ["MS.TEAMS.2.1v2", "CIS.M365.8.2.1", "NIST.800-53.AC-3"]
package watchpost.checks.teams_federation_by_domain

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := work.federation_path

rows := work.teams_rows(path)

bad := work.open_federation

result := lib.failed_entities(
	sprintf("%s %s people of every outside organisation reach employees, so attackers can pose as help desk or supplier in chat", [
		work.subject(bad, "Federation configuration", "Federation configurations"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowFederatedUsers"),
	work.evidence(bad, ["AllowFederatedUsers", "AllowedDomains"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("Outside organisations are let in by domain or not at all", work.switches(rows, "AllowFederatedUsers")) if {
	work.known_switch(rows, "AllowFederatedUsers")
} else := work.lacks(path, ["AllowFederatedUsers"])
