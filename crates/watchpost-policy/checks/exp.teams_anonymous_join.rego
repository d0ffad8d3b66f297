# METADATA
# id: exp.teams_anonymous_join
# condition: teams.anonymous_join
# title: Anonymous people can join meetings
# description: >-
#   Whoever has an invitation, forwarded or found, can join meetings under any name without signing in.
# scan: exposure
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Meeting join & lobby: switch off \"Anonymous users can join a meeting unverified\"; give a policy that allows it to those who meet customers."
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
	"The global meeting policy lets people join who aren't signed in, so anybody with a forwarded invitation sits in under any name",
	{"AllowAnonymousUsersToJoinMeeting": true},
	work.evidence([policy], ["AllowAnonymousUsersToJoinMeeting", "AutoAdmittedUsers"]),
	work.policy_entities([policy]),
) if {
	joins == true
} else := lib.passed("People who aren't signed in can't join meetings", {"AllowAnonymousUsersToJoinMeeting": false}) if {
	joins == false
} else := work.lacks(path, ["a Global policy with AllowAnonymousUsersToJoinMeeting"])
