# METADATA
# id: teams.internal_admitted
# title: Internal users are admitted automatically
# description: >-
#   Under the global meeting policy, colleagues must be able to join without waiting, so that organizers
#   don't get used to admitting everyone without looking.
# scan: compliance
# severity: low
# service: teams
# platforms: [m365]
# inputs: [teams/MeetingPolicy]
# remediation:
#   - "Teams admin center > Meetings > Meeting policies > Global > Meeting join & lobby: set \"Who can bypass the lobby\" to \"People in my org\" (with or without guests and trusted organizations)."
#   - "Or in PowerShell: Set-CsTeamsMeetingPolicy -Identity Global -AutoAdmittedUsers EveryoneInCompanyExcludingGuests"
# references:
#   - https://learn.microsoft.com/powershell/module/teams/set-csteamsmeetingpolicy
# frameworks: ["MS.TEAMS.1.4v1", "NIST.800-53.AC-3"]
package watchpost.checks.teams_internal_admitted

import rego.v1

import data.watchpost.checklib as lib
import data.watchpost.checklib_workloads as work

path := "teams/MeetingPolicy"

policy := work.teams_global(path)

value := work.value(policy, "AutoAdmittedUsers")

result := lib.passed("Colleagues are admitted to meetings automatically", {"AutoAdmittedUsers": value}) if {
	value in {"EveryoneInCompany", "EveryoneInSameAndFederatedCompany", "EveryoneInCompanyExcludingGuests"}
} else := lib.failed_entities(
	sprintf("The global meeting policy automatically admits %s instead of the people in the organization, so organizers admit everyone by habit or no one waits at all", [object.get({"Everyone": "everyone", "OrganizerOnly": "only the organizer", "InvitedUsers": "only invited people", "EveryoneInCompanyExcludingGuests": "members"}, value, value)]),
	{"AutoAdmittedUsers": value},
	work.evidence([policy], ["AutoAdmittedUsers"]),
	work.policy_entities([policy]),
) if {
	is_string(value)
} else := work.lacks(path, ["a Global policy with AutoAdmittedUsers"])
