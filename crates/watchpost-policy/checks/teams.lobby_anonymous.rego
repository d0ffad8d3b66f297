# METADATA
# id: teams.lobby_anonymous
# title: Anonymous users and dial-in callers wait in the lobby
# description: >-
#   The global meeting policy must admit neither everyone nor dial-in callers without a wait in the lobby, so
#   that someone checks before outsiders join. Other policies may differ.
# scan: compliance
# severity: medium
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Meeting join & lobby: set \"Who can bypass the lobby\" to people in the organization, and turn off \"People dialing in can bypass the lobby\"."
#   - "Or in PowerShell: Set-CsTeamsMeetingPolicy -Identity Global -AutoAdmittedUsers EveryoneInCompanyExcludingGuests -AllowPSTNUsersToBypassLobby $false"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["MS.TEAMS.1.3v1", "CIS.M365.8.5.3", "NIST.800-53.SC-15a"]
package watchpost.checks.teams_lobby_anonymous

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

policy := work.teams_global(path)

detected := {"AutoAdmittedUsers": policy.AutoAdmittedUsers, "AllowPSTNUsersToBypassLobby": policy.AllowPSTNUsersToBypassLobby}

who := "everyone" if {
	policy.AutoAdmittedUsers == "Everyone"
} else := "dial-in callers"

result := lib.failed_entities(
	sprintf("The global meeting policy admits %s without a wait in the lobby, so outsiders can join before anyone checks", [who]),
	detected,
	work.evidence([policy], ["AutoAdmittedUsers", "AllowPSTNUsersToBypassLobby"]),
	work.policy_entities([policy]),
) if {
	policy.AutoAdmittedUsers == "Everyone"
} else := lib.failed_entities(
	sprintf("The global meeting policy admits %s without a wait in the lobby, so outsiders can join before anyone checks", [who]),
	detected,
	work.evidence([policy], ["AutoAdmittedUsers", "AllowPSTNUsersToBypassLobby"]),
	work.policy_entities([policy]),
) if {
	policy.AllowPSTNUsersToBypassLobby == true
	is_string(policy.AutoAdmittedUsers)
} else := lib.passed("Anonymous users and dial-in callers wait in the lobby", detected) if {
	is_string(policy.AutoAdmittedUsers)
	policy.AllowPSTNUsersToBypassLobby == false
} else := work.lacks(path, ["a Global policy with AutoAdmittedUsers", "AllowPSTNUsersToBypassLobby"])
