# METADATA
# id: teams.no_anonymous_start
# title: Anonymous users cannot start meetings
# description: >-
#   No meeting policy may let people who are not signed in start a meeting. Otherwise outsiders with a leaked
#   invitation can use the meeting and open its lobby to others.
# scan: compliance
# severity: high
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies: open each policy that is named and turn off \"Anonymous users and dial-in callers can start a meeting\"."
#   - "Or in PowerShell, for each: Set-CsTeamsMeetingPolicy -Identity Global -AllowAnonymousUsersToStartMeeting $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["MS.TEAMS.1.2v2", "CIS.M365.8.5.2", "NIST.800-53.SC-15a"]
package watchpost.checks.teams_no_anonymous_start

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

rows := work.teams_rows(path)

bad := work.switched_on(rows, "AllowAnonymousUsersToStartMeeting")

result := lib.failed_entities(
	sprintf("%s %s anonymous users start meetings, so anyone with an invitation can use the meeting without its organizer", [
		work.subject(bad, "Meeting policy", "Meeting policies"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowAnonymousUsersToStartMeeting"),
	work.evidence(bad, ["AllowAnonymousUsersToStartMeeting"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("Anonymous users can't start meetings", work.switches(rows, "AllowAnonymousUsersToStartMeeting")) if {
	work.known_switch(rows, "AllowAnonymousUsersToStartMeeting")
} else := work.lacks(path, ["AllowAnonymousUsersToStartMeeting"])
