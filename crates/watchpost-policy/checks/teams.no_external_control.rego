# METADATA
# id: teams.no_external_control
# title: External participants cannot take control
# description: >-
#   No meeting policy may let external participants get or request control of a shared screen. A person who
#   has control operates the computer of the person who shares.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies: open each policy that is named and turn off \"External participants can give or request control\"."
#   - "Or in PowerShell, for each: Set-CsTeamsMeetingPolicy -Identity Global -AllowExternalParticipantGiveRequestControl $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["MS.TEAMS.1.1v1", "CIS.M365.8.5.7", "NIST.800-53.AC-17a"]
package watchpost.checks.teams_no_external_control

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

rows := work.teams_rows(path)

bad := work.switched_on(rows, "AllowExternalParticipantGiveRequestControl")

result := lib.failed_entities(
	sprintf("%s %s external participants take control of a shared screen, so an outsider can operate an employee's computer", [
		work.subject(bad, "Meeting policy", "Meeting policies"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowExternalParticipantGiveRequestControl"),
	work.evidence(bad, ["AllowExternalParticipantGiveRequestControl"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("External participants can't take control of a shared screen", work.switches(rows, "AllowExternalParticipantGiveRequestControl")) if {
	work.known_switch(rows, "AllowExternalParticipantGiveRequestControl")
} else := work.lacks(path, ["AllowExternalParticipantGiveRequestControl"])
