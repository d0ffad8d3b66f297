# METADATA
# id: teams.email_off
# title: Channel email is off
# description: >-
#   Channels must not have email addresses. A message sent to one appears in the channel without the filters
#   of a mailbox, and the channel's owner can't see who sent it. Government clouds don't have this feature.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/ClientConfiguration]
# optional_inputs: [teams/TenantInfo, licenses/features]
# remediation:
#   - "Teams admin center > Teams > Teams settings > Email integration: turn off \"Users can send emails to a channel email address\"."
#   - "Or in PowerShell: Set-CsTeamsClientConfiguration -Identity Global -AllowEmailIntoChannel $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsclientconfiguration
# frameworks: ["MS.TEAMS.4.1v1", "CIS.M365.8.1.2", "NIST.800-53.SI-8", "NIST.800-53.SC-7(10)(a)", "NIST.800-53.AC-4"]
package watchpost.checks.teams_email_off

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/ClientConfiguration"

rows := work.teams_rows(path)

bad := work.switched_on(rows, "AllowEmailIntoChannel")

result := lib.skipped("not_applicable", "Government clouds don't have this feature") if {
	work.government
} else := work.unreadable("teams/TenantInfo") if {
	lib.scuba
	work.tenant_info_empty
} else := lib.failed_entities(
	sprintf("%s %s outsiders send mail to channels, so unfiltered messages appear among colleagues' posts", [
		work.subject(bad, "Client configuration", "Client configurations"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowEmailIntoChannel"),
	work.evidence(bad, ["AllowEmailIntoChannel"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("Channels can't receive email", work.switches(rows, "AllowEmailIntoChannel")) if {
	work.known_switch(rows, "AllowEmailIntoChannel")
} else := work.lacks(path, ["AllowEmailIntoChannel"])
