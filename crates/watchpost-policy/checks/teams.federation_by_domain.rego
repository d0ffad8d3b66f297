# METADATA
# id: teams.federation_by_domain
# title: External access is limited to listed domains
# description: >-
#   Other organizations may contact people in Teams only if their domain is listed, or not at all. With open
#   federation, anyone with their own Teams tenant can message every employee, which is a common way to
#   deliver malware and to pose as the help desk.
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
	sprintf("%s %s people from any external organization contact employees, so attackers can pose as the help desk or a supplier in chat", [
		work.subject(bad, "Federation configuration", "Federation configurations"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowFederatedUsers"),
	work.evidence(bad, ["AllowFederatedUsers", "AllowedDomains"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("External organizations are allowed by domain or not at all", work.switches(rows, "AllowFederatedUsers")) if {
	work.federation_known(rows)
} else := work.lacks(path, ["AllowFederatedUsers", "AllowedDomains"])
