# METADATA
# id: teams.dialin_lobby
# title: Dial-in callers wait in the lobby
# description: >-
#   No meeting policy may let people who call by phone bypass the lobby. A phone number doesn't prove a
#   caller's identity.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies: open each policy that is named and turn off \"People dialing in can bypass the lobby\"."
#   - "Or in PowerShell, for each: Set-CsTeamsMeetingPolicy -Identity Global -AllowPSTNUsersToBypassLobby $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["MS.TEAMS.1.5v1", "CIS.M365.8.5.4", "NIST.800-53.SC-15a"]
package watchpost.checks.teams_dialin_lobby

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

rows := work.teams_rows(path)

bad := work.switched_on(rows, "AllowPSTNUsersToBypassLobby")

result := lib.failed_entities(
	sprintf("%s %s dial-in callers bypass the lobby, so anyone who knows the number can listen in unnoticed", [
		work.subject(bad, "Meeting policy", "Meeting policies"),
		work.verb(count(bad), "lets", "let"),
	]),
	work.switches(bad, "AllowPSTNUsersToBypassLobby"),
	work.evidence(bad, ["AllowPSTNUsersToBypassLobby"]),
	work.policy_entities(bad),
) if {
	count(bad) > 0
} else := lib.passed("Dial-in callers wait in the lobby", work.switches(rows, "AllowPSTNUsersToBypassLobby")) if {
	work.known_switch(rows, "AllowPSTNUsersToBypassLobby")
} else := work.lacks(path, ["AllowPSTNUsersToBypassLobby"])
