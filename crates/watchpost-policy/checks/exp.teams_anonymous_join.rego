# METADATA
# id: exp.teams_anonymous_join
# condition: teams.anonymous_join
# title: Anonymous users can join meetings
# description: >-
#   Anyone who has an invitation, forwarded or found, can join meetings under any name without signing in.
# scan: exposure
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Meeting join & lobby: turn off \"Anonymous users can join a meeting unverified\", and assign a policy that allows it to people who meet customers."
#   - "Or in PowerShell: Set-CsTeamsMeetingPolicy -Identity Global -AllowAnonymousUsersToJoinMeeting $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["NIST.800-53.AC-3"]
package watchpost.checks.exp_teams_anonymous_join

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

policy := work.teams_global(path)

joins := work.value(policy, "AllowAnonymousUsersToJoinMeeting")

result := lib.failed_entities(
	"The global meeting policy lets people join without signing in, so anyone with a forwarded invitation can join under any name",
	{"AllowAnonymousUsersToJoinMeeting": true},
	work.evidence([policy], ["AllowAnonymousUsersToJoinMeeting", "AutoAdmittedUsers"]),
	work.policy_entities([policy]),
) if {
	joins == true
} else := lib.passed("Anonymous users can't join meetings", {"AllowAnonymousUsersToJoinMeeting": false}) if {
	joins == false
} else := work.lacks(path, ["a Global policy with AllowAnonymousUsersToJoinMeeting"])
