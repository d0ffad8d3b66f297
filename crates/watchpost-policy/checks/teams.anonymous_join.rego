# METADATA
# id: teams.anonymous_join
# title: Anonymous users cannot join meetings
# description: >-
#   Under the global meeting policy, only people who are signed in may join meetings, so that every
#   participant's name can be trusted.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Meeting join & lobby: turn off \"Anonymous users can join a meeting unverified\"."
#   - "Or in PowerShell: Set-CsTeamsMeetingPolicy -Identity Global -AllowAnonymousUsersToJoinMeeting $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["CIS.M365.8.5.1", "NIST.800-53.AC-3"]
package watchpost.checks.teams_anonymous_join

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

policy := work.teams_global(path)

value := work.value(policy, "AllowAnonymousUsersToJoinMeeting")

result := lib.passed("Anonymous users can't join meetings", {"AllowAnonymousUsersToJoinMeeting": value}) if {
	value == false
} else := lib.failed_entities(
	"The global meeting policy lets people join without signing in, so anyone with a forwarded invitation can join under any name",
	{"AllowAnonymousUsersToJoinMeeting": value},
	work.evidence([policy], ["AllowAnonymousUsersToJoinMeeting"]),
	work.policy_entities([policy]),
) if {
	value == true
} else := work.lacks(path, ["a Global policy with AllowAnonymousUsersToJoinMeeting"])
