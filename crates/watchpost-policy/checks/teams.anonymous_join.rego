# METADATA
# id: teams.anonymous_join
# title: Anonymous people cannot join
# description: >-
#   Under the global meeting policy only people who are signed in join meetings, so that everybody in the room
#   has a name that somebody vouches for.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Meeting join & lobby: switch off \"Anonymous users can join a meeting unverified\"."
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

result := lib.passed("People who aren't signed in can't join meetings", {"AllowAnonymousUsersToJoinMeeting": value}) if {
	value == false
} else := lib.failed_entities(
	"The global meeting policy lets people join who aren't signed in, so anybody with a forwarded invitation sits in under any name",
	{"AllowAnonymousUsersToJoinMeeting": value},
	work.evidence([policy], ["AllowAnonymousUsersToJoinMeeting"]),
	work.policy_entities([policy]),
) if {
	value == true
} else := work.lacks(path, ["a Global policy with AllowAnonymousUsersToJoinMeeting"])
